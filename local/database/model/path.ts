import { invalidPath } from "./failure.ts";
import { LIMITS } from "./limits.ts";

/** A place in the tree: the keys from the root. */
export type Path = readonly string[];

export const ROOT: Path = [];
export const PRIORITY = ".priority";

/** ASCII control characters and the characters that mean something in paths. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[.#$[\]/\u0000-\u001f\u007f]/;
const MAX_BYTES_PER_UNIT = 3;

/** Whether a key is one that data may have: not empty, at most 768 bytes, without `. # $ [ ] /` and control characters. */
export function isKey(key: string): boolean {
  return key !== "" && !FORBIDDEN.test(key) && !isTooLong(key);
}

function isTooLong(key: string): boolean {
  return key.length * MAX_BYTES_PER_UNIT > LIMITS.keyBytes && Buffer.byteLength(key) > LIMITS.keyBytes;
}

/** `/users//ada/` is `["users", "ada"]`. Throws on keys that data cannot have and on more than 32 of them. */
export function parsePath(text: string): Path {
  return checkPath(splitPath(text));
}

/** A path to write to, which may end in `.priority`. */
export function parseWritePath(text: string): Path {
  const path = splitPath(text);
  checkPath(path.at(-1) === PRIORITY ? path.slice(0, -1) : path);
  return path;
}

export function checkPath(path: Path): Path {
  if (path.length > LIMITS.depth) throw invalidPath(`Path exceeds the maximum depth of ${LIMITS.depth}`);
  for (const key of path) {
    if (isTooLong(key)) throw invalidPath(`Key exceeds the maximum size of ${LIMITS.keyBytes} bytes`);
    if (!isKey(key)) throw invalidPath("Invalid token in path");
  }
  return path;
}

export function splitPath(text: string): Path {
  return text.split("/").filter((key) => key !== "");
}

export function formatPath(path: Path): string {
  return `/${path.join("/")}`;
}

/** Whether `path` is `ancestor` or below it. */
export function isWithin(path: Path, ancestor: Path): boolean {
  return path.length >= ancestor.length && ancestor.every((key, i) => key === path[i]);
}
