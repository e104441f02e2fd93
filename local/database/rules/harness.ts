import type { QueryVariables, RulesAuth, RulesNode, Verdict } from "./contract.ts";
import { type DatabaseRules, DatabaseRulesError, parseDatabaseRules } from "./rules.ts";

/** For tests: data written as JSON, with `.value` and `.priority` as exports have them, and questions to rules in a line. */

export type Data = string | number | boolean | null | { readonly [key: string]: Data };

/** The data as a tree. Empty maps and nulls are nothing. */
function treeOf(data: Data): RulesNode {
  if (data === null || typeof data !== "object") return nodeOf(data, null, new Map());
  const { ".value": value = null, ".priority": priority = null, ...rest } = data;
  const children = new Map(
    Object.entries(rest)
      .map(([key, child]) => [key, treeOf(child)] as const)
      .filter(([, child]) => child.leaf !== null),
  );
  const leaf = children.size > 0 ? undefined : (value as RulesNode["leaf"]);
  return nodeOf(leaf, priority as RulesNode["priority"], children);
}

function nodeOf(
  leaf: RulesNode["leaf"],
  priority: RulesNode["priority"],
  children: ReadonlyMap<string, RulesNode>,
): RulesNode {
  return { leaf, priority, child: (key) => children.get(key) ?? treeOf(null), keys: () => children.keys() };
}

/** The data with other data in the place of what is at a path. */
function withData(data: Data, path: readonly string[], value: Data): Data {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const map = data !== null && typeof data === "object" ? data : {};
  return { ...map, [key]: withData(map[key] ?? null, rest, value) };
}

export const ANN: RulesAuth = {
  uid: "ann",
  token: {
    admin: true,
    level: 3,
    name: "Ann",
    roles: ["editor", "author"],
    org: { tier: "gold" },
    firebase: { sign_in_provider: "password" },
  },
};

export function rulesOf(rules: object): DatabaseRules {
  return parseDatabaseRules(JSON.stringify({ rules }));
}

export function segments(path: string): string[] {
  return path.split("/").filter((key) => key !== "");
}

interface Circumstances {
  readonly auth?: RulesAuth | null;
  readonly now?: number;
  readonly query?: QueryVariables;
}

export function read(
  rules: object,
  data: Data,
  path: string,
  { auth = null, now = 0, query }: Circumstances = {},
): Verdict {
  const request = { path: segments(path), auth, now, root: treeOf(data) };
  return rulesOf(rules).mayRead(query ? { ...request, query } : request);
}

/** Asks about writing each value at its path, all at once. */
export function write(
  rules: object,
  data: Data,
  changes: Readonly<Record<string, Data>>,
  { auth = null, now = 0 }: Circumstances = {},
): Verdict {
  const after = Object.entries(changes).reduce<Data>(
    (all, [path, value]) => withData(all, segments(path), value),
    data,
  );
  const paths = Object.keys(changes).map(segments);
  return rulesOf(rules).mayWrite({ paths, auth, now, root: treeOf(data), newRoot: treeOf(after) });
}

/** What a file is refused with; undefined if it is taken. */
export function refusalOf(source: string): string | undefined {
  try {
    parseDatabaseRules(source);
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseRulesError) return error.message;
    throw error;
  }
}
