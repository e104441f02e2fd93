import { deterministicId } from "../platform/ids.ts";

/** What a handle may be, which two are the same, and how one is made for somebody who has not chosen any. */

const MIN_LENGTH = 3;
/** In code points, as everything here. */
const MAX_LENGTH = 24;
/** More than this comes of a name only if it is to be cut anyway. */
const MAX_RAW = 200;

/** Letters, digits and marks of any script; between them, one at a time, a space, dot, hyphen or underline. */
const SHAPE = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}]*([ ._-][\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*$/u;
/** What cannot be seen, and marks piled over each other. */
const UNREADABLE = /\p{Default_Ignorable_Code_Point}|\p{M}{4}/u;
/** Scripts that look like each other; a handle is of one of them. */
const ALIKE = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u];

/** Who could be taken for the house, or for nobody. */
const REFUSED: ReadonlySet<string> = new Set([
  "admin",
  "administrator",
  "anonymous",
  "deleted",
  "everyone",
  "gamemaster",
  "help",
  "helpdesk",
  "mod",
  "moderation",
  "moderator",
  "nobody",
  "null",
  "official",
  "operator",
  "owner",
  "potofgold",
  "root",
  "security",
  "staff",
  "superuser",
  "support",
  "system",
  "undefined",
]);

/** A handle as it is shown: of characters that differ in width or composition only, the common ones (Unicode NFKC). */
export function cleaned(text: string): string {
  return text.normalize("NFKC").trim();
}

/** Whether a text, once {@link cleaned}, has the shape of a handle: 3 to 24 readable characters of scripts that go together. */
export function isHandle(text: string): boolean {
  if (text.length > MAX_RAW) return false;
  const handle = cleaned(text);
  const { length } = [...handle];
  if (length < MIN_LENGTH || length > MAX_LENGTH) return false;
  return SHAPE.test(handle) && !UNREADABLE.test(handle) && ALIKE.filter((script) => script.test(handle)).length <= 1;
}

/**
 * What two handles have in common that nobody should be able to tell apart by case or width; the id in `handles`. By way of capitals,
 * because only there ß and ss, or the two small sigmas, are the same.
 */
export function folded(handle: string): string {
  return cleaned(handle).toLowerCase().toUpperCase().toLowerCase().normalize("NFKC");
}

/** Whether nobody may have the handle, with whatever between its letters and digits after it. */
export function isRefused(handle: string): boolean {
  return REFUSED.has(
    folded(handle)
      .replaceAll(/[ ._-]/g, "")
      .replace(/\p{N}+$/u, ""),
  );
}

const NAMELESS = "Player";
/** Of digits only, which go with every script. */
const SUFFIXES = [4, 7, 13];

/**
 * Handles for a user who has not chosen any, the best first: the name as the sign-in provider has it, as far as it can be one, then with
 * more and more digits that follow from the user's id. The last is as good as free.
 */
export function candidates(uid: string, name: string | undefined): string[] {
  const base = name === undefined ? undefined : shaped(name);
  const digits = digitsOf(uid);
  const suffixed = SUFFIXES.map((length) => {
    const stem = [...(base ?? NAMELESS)].slice(0, MAX_LENGTH - 1 - length).join("");
    const handle = `${stem.trim()}-${digits.slice(0, length)}`;
    return isRefused(handle) ? `${NAMELESS}-${digits.slice(0, length)}` : handle;
  });
  return base === undefined ? suffixed : [base, ...suffixed];
}

function digitsOf(uid: string): string {
  const bytes = Buffer.from(deterministicId("handle", uid), "base64url");
  return bytes
    .readBigUInt64BE()
    .toString()
    .padStart(20, "0")
    .slice(-Math.max(...SUFFIXES));
}

/** A name as a handle; undefined if nothing comes of it. */
function shaped(name: string): string | undefined {
  const text = cleaned(name.slice(0, MAX_RAW))
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "")
    .replaceAll(/[^\p{L}\p{N}\p{M}]+/gu, " ")
    .trim();
  const handle = [...text].slice(0, MAX_LENGTH).join("").trim();
  return isHandle(handle) && !isRefused(handle) ? handle : undefined;
}
