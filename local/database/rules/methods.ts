import type { Snapshot } from "./snapshot.ts";
import { RuleFailure, type RuleValue } from "./value.ts";

/**
 * The methods of data and of strings: what they take, give and do.
 * Source: https://firebase.google.com/docs/reference/security/database#ruledatasnapshot_methods
 */

export interface Method<Receiver> {
  readonly takes: "nothing" | "string" | "strings" | "two strings" | "pattern";
  readonly gives: "boolean" | "string" | "value" | "snapshot";
  /** Called with arguments of the kinds that it takes. Throws `RuleFailure`. */
  run(receiver: Receiver, args: readonly RuleValue[]): RuleValue;
}

/** As the longest string that the database stores. */
export const MAX_STRING_LENGTH = 10 * 1024 * 1024;

const none = { takes: "nothing" } as const;
const test = { ...none, gives: "boolean" } as const;
const one = { takes: "string", gives: "boolean" } as const;

export const SNAPSHOT_METHODS: ReadonlyMap<string, Method<Snapshot>> = new Map<string, Method<Snapshot>>([
  ["val", { ...none, gives: "value", run: (data) => (data.hasChildren ? data : (data.node.leaf ?? null)) }],
  ["exists", { ...test, run: (data) => data.exists }],
  ["isString", { ...test, run: (data) => typeof data.node.leaf === "string" }],
  ["isNumber", { ...test, run: (data) => typeof data.node.leaf === "number" }],
  ["isBoolean", { ...test, run: (data) => typeof data.node.leaf === "boolean" }],
  ["getPriority", { ...none, gives: "value", run: (data) => data.node.priority }],
  ["parent", { ...none, gives: "snapshot", run: parentOf }],
  ["child", { takes: "string", gives: "snapshot", run: (data, [path]) => childOf(data, path) }],
  ["hasChild", { ...one, run: (data, [path]) => childOf(data, path).exists }],
  ["hasChildren", { takes: "strings", gives: "boolean", run: hasChildren }],
]);

export const STRING_METHODS: ReadonlyMap<string, Method<string>> = new Map<string, Method<string>>([
  ["contains", { ...one, run: (text, [part]) => text.includes(part as string) }],
  ["beginsWith", { ...one, run: (text, [part]) => text.startsWith(part as string) }],
  ["endsWith", { ...one, run: (text, [part]) => text.endsWith(part as string) }],
  ["toLowerCase", { ...none, gives: "string", run: (text) => text.toLowerCase() }],
  ["toUpperCase", { ...none, gives: "string", run: (text) => text.toUpperCase() }],
  ["replace", { takes: "two strings", gives: "string", run: replace }],
  ["matches", { takes: "pattern", gives: "boolean", run: matches }],
]);

function parentOf(data: Snapshot): Snapshot {
  if (!data.parent) throw new RuleFailure("No such parent: the location is the root of the database.");
  return data.parent;
}

function childOf(data: Snapshot, path: RuleValue | undefined): Snapshot {
  const child = data.descendant(path as string);
  if (!child) throw new RuleFailure("The path is longer than any of the database.");
  return child;
}

function hasChildren(data: Snapshot, [names]: readonly RuleValue[]): boolean {
  if (!Array.isArray(names)) return data.hasChildren;
  return names.every((name) => childOf(data, name).exists);
}

/** Replaces all, as text. */
function replace(text: string, [part, by]: readonly RuleValue[]): string {
  const [pattern, replacement] = [part as string, by as string];
  const times = pattern === "" ? text.length + 1 : text.split(pattern).length - 1;
  const length = text.length + times * (replacement.length - pattern.length);
  if (length > MAX_STRING_LENGTH) throw new RuleFailure(`A string is longer than ${MAX_STRING_LENGTH} characters.`);
  return text.replaceAll(pattern, () => replacement);
}

function matches(text: string, [pattern]: readonly RuleValue[]): boolean {
  return (pattern as { matches(text: string): boolean }).matches(text);
}
