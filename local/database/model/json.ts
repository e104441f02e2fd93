import { invalidData } from "./failure.ts";
import { LIMITS } from "./limits.ts";
import { type Leaf, Node, type Priority } from "./node.ts";
import { isKey } from "./path.ts";

/** What JSON is turned into a node with: the time of the write, and what stands at its place so far. */
export interface Writing {
  /** Milliseconds since the epoch, for `{".sv": "timestamp"}`. */
  readonly now: number;
  /** What `{".sv": {"increment": n}}` adds to. */
  readonly existing: Node;
  /** How deep in the tree the node will stand. */
  readonly depth: number;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The node that JSON describes: `null` and empty objects are nothing, arrays are children under their positions, `.value`,
 * `.priority` and `.sv` mean what they mean to the SDKs. Throws on keys, values and depths that are not allowed.
 */
export function nodeFromJson(json: unknown, writing: Writing): Node {
  if (json === null || json === undefined) return Node.EMPTY;
  if (typeof json !== "object") return Node.ofLeaf(checkLeaf(json));
  if (Array.isArray(json)) return nodeFromChildren(json.entries(), null, writing);
  const object = json as JsonObject;
  if (Object.hasOwn(object, ".sv")) return Node.ofLeaf(serverValue(object[".sv"], writing.existing.leaf, writing.now));
  const priority = priorityFromJson(object[".priority"] ?? null, writing);
  if (Object.hasOwn(object, ".value")) return nodeFromValue(object, priority, writing);
  return nodeFromChildren(Object.entries(object), priority, writing);
}

function nodeFromValue(object: JsonObject, priority: Priority, writing: Writing): Node {
  if (Object.keys(object).some((key) => key !== ".value" && key !== ".priority")) {
    throw invalidData("an object with .value cannot have children.");
  }
  const value = object[".value"];
  if (typeof value === "object" && value !== null && !Object.hasOwn(value, ".sv")) {
    throw invalidData(".value must be a string, a number or a boolean.");
  }
  return nodeFromJson(value, writing).withPriority(priority);
}

function nodeFromChildren(
  children: Iterable<readonly [string | number, unknown]>,
  priority: Priority,
  { now, existing, depth }: Writing,
): Node {
  if (depth > LIMITS.depth) throw tooDeep();
  const entries: [string, Node][] = [];
  for (const [name, json] of children) {
    const key = String(name);
    if (key === ".priority") continue;
    if (!isKey(key)) throw invalidKey(key);
    const child = nodeFromJson(json, { now, existing: existing.child(key), depth: depth + 1 });
    if (!child.isEmpty) entries.push([key, child]);
  }
  if (entries.length > 0 && depth === LIMITS.depth) throw tooDeep();
  return Node.ofChildren(entries, priority);
}

function tooDeep(): Error {
  return invalidData(`the tree would be deeper than ${LIMITS.depth} levels.`);
}

function invalidKey(key: string): Error {
  return Buffer.byteLength(key) > LIMITS.keyBytes
    ? invalidData(`a key is longer than ${LIMITS.keyBytes} bytes.`)
    : invalidData(
        "couldn't parse JSON object, array, or value. Perhaps you're using invalid characters in your key names.",
      );
}

/** A string, a number, a server value, or null for none. */
export function priorityFromJson(json: unknown, { now, existing }: Writing): Priority {
  if (json === null || typeof json === "string") return json;
  if (typeof json === "number") return checkLeaf(json) as number;
  if (typeof json === "object" && Object.hasOwn(json, ".sv")) {
    return serverValue((json as JsonObject)[".sv"], existing.priority, now);
  }
  throw invalidData("a priority must be a string, a number or null.");
}

function serverValue(operation: unknown, existing: Leaf | null | undefined, now: number): number {
  if (operation === "timestamp") return now;
  if (typeof operation === "object" && operation !== null && Object.hasOwn(operation, "increment")) {
    const { increment } = operation as { increment: unknown };
    if (typeof increment === "number") {
      return checkLeaf(typeof existing === "number" ? existing + increment : increment) as number;
    }
  }
  throw invalidData("unknown server value.");
}

const MAX_BYTES_PER_UNIT = 3;

function checkLeaf(value: unknown): Leaf {
  if (typeof value === "boolean") return value;
  // JSON knows no infinity and no negative zero, but 1e999 and -0 become them.
  if (typeof value === "number" && Number.isFinite(value)) return value === 0 ? 0 : value;
  if (typeof value === "string" && !isTooLong(value)) return value;
  throw invalidData(
    typeof value === "string" ? `a string is longer than ${LIMITS.stringBytes} bytes.` : "a number is not finite.",
  );
}

function isTooLong(text: string): boolean {
  return text.length * MAX_BYTES_PER_UNIT > LIMITS.stringBytes && Buffer.byteLength(text) > LIMITS.stringBytes;
}

/** `value`: as applications see it, arrays for dense integer keys. `export`: with priorities, and objects only. */
export type Form = "value" | "export";

/** A node as JSON text. */
export function toText(node: Node, form: Form): string {
  const parts: string[] = [];
  appendText(node, form, parts);
  return parts.join("");
}

function appendText(node: Node, form: Form, parts: string[]): void {
  const priority = form === "export" && node.priority !== null ? `".priority":${JSON.stringify(node.priority)}` : "";
  if (node.leaf !== undefined) {
    const leaf = JSON.stringify(node.leaf);
    parts.push(priority === "" ? leaf : `{".value":${leaf},${priority}}`);
  } else if (form === "value" && isDense(node)) {
    appendArray(node, form, parts);
  } else {
    parts.push("{");
    let separator = "";
    for (const [key, child] of node.entries()) {
      parts.push(`${separator}${JSON.stringify(key)}:`);
      appendText(child, form, parts);
      separator = ",";
    }
    parts.push(priority === "" ? "}" : `,${priority}}`);
  }
}

const ARRAY_POSITION = /^(0|[1-9]\d*)$/;

/** Whether all keys are positions and at least half of the array would be filled. */
function isDense(node: Node): boolean {
  let last = 0;
  for (const key of node.keys()) {
    if (!ARRAY_POSITION.test(key)) return false;
    last = Math.max(last, Number(key));
  }
  return last < 2 * node.size;
}

function appendArray(node: Node, form: Form, parts: string[]): void {
  let next = 0;
  parts.push("[");
  for (const [key, child] of node.entries()) {
    for (; next < Number(key); next++) parts.push(next === 0 ? "null" : ",null");
    if (next > 0) parts.push(",");
    appendText(child, form, parts);
    next++;
  }
  parts.push("]");
}
