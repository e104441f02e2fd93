import { all, type Context } from "./context.ts";
import { invalid } from "./errors.ts";
import type { Kind } from "./store.ts";

/** The query language of `/search`: https://docs.stripe.com/search#search-query-language */

interface Clause {
  readonly field: string;
  readonly key: string | undefined;
  readonly operator: ":" | "~" | ">" | "<" | ">=" | "<=";
  /** Null asks for fields that are absent. */
  readonly value: string | null;
  readonly isNegated: boolean;
}

export interface SearchParams {
  readonly query: string;
  readonly limit?: number | undefined;
  readonly page?: string | undefined;
}

const MAX_CLAUSES = 10;
const DEFAULT_LIMIT = 10;
const CLAUSE =
  /^\s*(-?)([a-zA-Z_.]+)(?:\[(?:"([^"]*)"|'([^']*)')\])?\s*(>=|<=|:|~|>|<)\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(null|-?\d+))/;

/** The newest first. Throws StripeError for a query that it cannot read. */
export function searchOf(
  context: Context,
  kind: Kind,
  { query, limit = DEFAULT_LIMIT, page }: SearchParams,
  url: string,
): object {
  const { clauses, isAny } = parse(query);
  const found = all(context, kind)
    .filter((object) => {
      const fields = object as unknown as Record<string, unknown>;
      return isAny ? clauses.some((clause) => holds(clause, fields)) : clauses.every((clause) => holds(clause, fields));
    })
    .reverse();
  const start = page === undefined ? 0 : Number(page);
  if (!Number.isSafeInteger(start) || start < 0) throw invalid("Invalid page.", { param: "page", early: true });
  const has_more = found.length > start + limit;
  return {
    object: "search_result",
    data: found.slice(start, start + limit),
    has_more,
    next_page: has_more ? String(start + limit) : null,
    url,
  };
}

function parse(query: string): { readonly clauses: readonly Clause[]; readonly isAny: boolean } {
  const clauses: Clause[] = [];
  const joints = new Set<string>();
  let rest = query;
  for (let i = 0; i <= MAX_CLAUSES; i++) {
    const match = CLAUSE.exec(rest);
    if (match === null) throw unreadable(query);
    clauses.push(clauseOf(match));
    rest = rest.slice(match[0].length);
    if (rest.trim() === "") break;
    const joint = /^\s+(?:(AND|OR)\s+)?/i.exec(rest);
    if (joint === null) throw unreadable(query);
    joints.add((joint[1] ?? "AND").toUpperCase());
    rest = rest.slice(joint[0].length);
  }
  if (rest.trim() !== "" || joints.size > 1) throw unreadable(query);
  return { clauses, isAny: joints.has("OR") };
}

function clauseOf(match: RegExpExecArray): Clause {
  const [, minus, field = "", doubled, single, operator = ":", doubleText, singleText, bare] = match;
  const value = doubleText ?? singleText ?? (bare === "null" ? null : (bare ?? ""));
  return {
    field,
    key: doubled ?? single,
    operator: operator as Clause["operator"],
    value: value === null ? null : value.replaceAll(/\\(.)/g, "$1"),
    isNegated: minus === "-",
  };
}

function holds(clause: Clause, object: Record<string, unknown>): boolean {
  return compares(clause, fieldOf(clause, object)) !== clause.isNegated;
}

function fieldOf({ field, key }: Clause, object: Record<string, unknown>): unknown {
  let at: unknown = object;
  for (const part of [...field.split("."), ...(key === undefined ? [] : [key])]) {
    at =
      typeof at === "object" && at !== null && Object.hasOwn(at, part)
        ? (at as Record<string, unknown>)[part]
        : undefined;
  }
  return at ?? undefined;
}

function compares({ operator, value }: Clause, found: unknown): boolean {
  if (value === null) return found === undefined;
  if (found === undefined) return false;
  const text = String(found).toLowerCase();
  switch (operator) {
    case ":":
      return text === value.toLowerCase();
    case "~":
      return text.includes(value.toLowerCase());
    case ">":
      return Number(found) > Number(value);
    case ">=":
      return Number(found) >= Number(value);
    case "<":
      return Number(found) < Number(value);
    case "<=":
      return Number(found) <= Number(value);
  }
}

function unreadable(query: string): Error {
  return invalid(`We were unable to parse your search query: ${query.slice(0, 200)}`, { param: "query", early: true });
}
