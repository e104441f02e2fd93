import { invalidArgument } from "../wire/status.ts";

/**
 * Resource names and field paths.
 *
 * A document's *path* is the part of its name behind `/documents/`: `users/ada/items/sword`. It identifies a document within
 * one database; segments never contain a slash, so the string is unambiguous.
 */

const NAME = /^projects\/([^/]+)\/databases\/([^/]+)\/documents(?:\/(.+))?$/s;
const DATABASE = /^projects\/([^/]+)\/databases\/([^/]+)$/;
const RESERVED = /^__.*__$/s;
const NUMERIC_ID = /^__id-?\d+__$/;
const MAX_SEGMENT_BYTES = 1_500;
const MAX_NAME_BYTES = 6 * 1024;

/** A resource name taken apart: the database (`projects/p/databases/d`) and the path behind `documents/` ("" for the root). */
export interface ResourceName {
  readonly database: string;
  readonly path: string;
}

/** Takes a document, collection or root name apart; refuses what is not below `projects/p/databases/d/documents`. */
export function parseName(name: string): ResourceName {
  const match = NAME.exec(name);
  if (!match)
    throw invalidArgument(`Resource name "${name}" is invalid: it must lie below "projects/*/databases/*/documents".`);
  return { database: `projects/${match[1]}/databases/${match[2]}`, path: match[3] ?? "" };
}

/** Takes apart what collections can lie below: the name of a document or of the root. */
export function parseParent(name: string): ResourceName {
  const parent = parseName(name);
  if (parent.path !== "") checkDocumentPath(parent.path, name);
  return parent;
}

/** The name of a database that is given in full, or by its project's id if it is the default one. */
export function databaseOf(scope: string): string {
  return scope.includes("/") ? scope : `projects/${scope}/databases/(default)`;
}

export function parseDatabase(name: string): string {
  if (!DATABASE.test(name)) throw invalidArgument(`Database name "${name}" is invalid.`);
  return name;
}

/** The path of a document's name, which must be in `database` and have an even number of valid segments. */
export function documentPath(name: string, database: string): string {
  const resource = parseName(name);
  if (resource.database !== database) {
    throw invalidArgument(`Document name "${name}" is not in database "${database}".`);
  }
  checkDocumentPath(resource.path, name);
  return resource.path;
}

function checkDocumentPath(path: string, name: string): void {
  const segments = path.split("/");
  if (path === "" || segments.length % 2 !== 0) {
    throw invalidArgument(`Document name "${name}" lacks "/" at the end or names a collection, not a document.`);
  }
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw invalidArgument(`The document name is longer than ${MAX_NAME_BYTES} bytes.`);
  }
  for (const segment of segments) checkSegment(segment);
}

/** Refuses ids that Firestore refuses: empty, `.`, `..`, `__reserved__`, over 1,500 bytes. */
export function checkSegment(id: string): void {
  if (id === "" || id === "." || id === "..") throw invalidArgument(`Resource id "${id}" is invalid.`);
  if (RESERVED.test(id) && !NUMERIC_ID.test(id)) {
    throw invalidArgument(`Resource id "${id}" is invalid because it is reserved.`);
  }
  if (id.length > MAX_SEGMENT_BYTES / 3 && Buffer.byteLength(id) > MAX_SEGMENT_BYTES) {
    throw invalidArgument(`Resource id "${id.slice(0, 32)}…" is longer than ${MAX_SEGMENT_BYTES} bytes.`);
  }
}

/** `users/ada` of `users/ada/items`, "" of `users`. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

export function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function joinPath(parent: string, child: string): string {
  return parent === "" ? child : `${parent}/${child}`;
}

/** Whether a field name is one that only the service itself may use. */
export function isReservedField(name: string): boolean {
  return RESERVED.test(name);
}

/** A field path, one entry a nesting level; `["__name__"]` is the document's own name. */
export type FieldPath = readonly string[];

const parsedFieldPaths = new Map<string, FieldPath>();
const MAX_REMEMBERED_FIELD_PATHS = 10_000;

/** Parses `a.b.\`quoted.segment\`` as the service does. */
export function parseFieldPath(text: string): FieldPath {
  const known = parsedFieldPaths.get(text);
  if (known) return known;
  const path = splitFieldPath(text);
  if (parsedFieldPaths.size >= MAX_REMEMBERED_FIELD_PATHS) parsedFieldPaths.clear();
  parsedFieldPaths.set(text, path);
  return path;
}

function splitFieldPath(text: string): FieldPath {
  const segments: string[] = [];
  const token = /(?:`((?:[^`\\]|\\.)+)`|([A-Za-z_][A-Za-z_0-9]*))(\.|$)/sy;
  let ended = false;
  while (!ended) {
    const match = token.exec(text);
    if (!match)
      throw invalidArgument(
        `Invalid property path "${text}". Unquoted property names must match regex ([a-zA-Z_][a-zA-Z_0-9]*), and quoted property names must match regex (\`(?:[^\`\\\\]|(?:\\\\.))+\`)`,
      );
    const [, quoted, plain, separator] = match;
    segments.push(quoted === undefined ? (plain as string) : quoted.replace(/\\(.)/gs, "$1"));
    ended = separator === "";
    if (!ended && token.lastIndex === text.length) {
      throw invalidArgument(`Invalid property path "${text}": it ends with a dot.`);
    }
  }
  return segments;
}

/** The inverse of {@link parseFieldPath}. */
export function formatFieldPath(path: FieldPath): string {
  return path
    .map((segment) =>
      /^[A-Za-z_][A-Za-z_0-9]*$/.test(segment)
        ? segment
        : `\`${segment.replace(/[`\\]/g, (special) => `\\${special}`)}\``,
    )
    .join(".");
}

export function isDocumentName(path: FieldPath): boolean {
  return path.length === 1 && path[0] === "__name__";
}
