import { BY_KEY, BY_PRIORITY, BY_VALUE, type Index, parseIndex } from "../model/child-index.ts";
import { invalidQuery } from "../model/failure.ts";
import { asksForAll, type Bound, checkLimit, type Query, toBound } from "../query/query.ts";

const SPECIAL: Readonly<Record<string, Index>> = { $key: BY_KEY, $priority: BY_PRIORITY, $value: BY_VALUE };
const RANGE = ["startAt", "startAfter", "endAt", "endBefore"];
const CONDITIONS = [...RANGE, "equalTo", "limitToFirst", "limitToLast"];

/** The query of a shallow read: none, but a limit, in the order of keys. The CLI asks so whether there is anything to export. */
export function parseShallowQuery(parameters: URLSearchParams): Query | undefined {
  if (["orderBy", "equalTo", ...RANGE].some((name) => parameters.has(name))) {
    throw invalidQuery("Mixing 'shallow' and querying parameters is not supported");
  }
  const query: Query = { index: BY_KEY, start: undefined, end: undefined, ...limitOf(parameters) };
  return asksForAll(query) ? undefined : query;
}

/**
 * The query of a REST request, or undefined if it asks for everything. Throws on parameters that contradict each other.
 * Source: https://firebase.google.com/docs/database/rest/retrieve-data#section-rest-filtering
 */
export function parseRestQuery(parameters: URLSearchParams): Query | undefined {
  const orderBy = parameters.get("orderBy");
  if (orderBy === null) {
    if (CONDITIONS.some((name) => parameters.has(name))) {
      throw invalidQuery("orderBy must be defined when other query parameters are defined");
    }
    return undefined;
  }
  const index = parseOrder(orderBy);
  const equal = parameters.get("equalTo");
  if (equal !== null && RANGE.some((name) => parameters.has(name))) {
    throw invalidQuery("equalTo cannot be specified in addition to startAfter, startAt, endAt, or endBefore");
  }
  const query: Query = {
    index,
    start: equal === null ? either(parameters, index, "start") : bound(index, "start", equal, true),
    end: equal === null ? either(parameters, index, "end") : bound(index, "end", equal, true),
    ...limitOf(parameters),
  };
  return asksForAll(query) ? undefined : query;
}

/** A path or `$key`, `$priority`, `$value`, as a JSON string. */
function parseOrder(text: string): Index {
  const name = json(text, "orderBy must be a valid JSON encoded path");
  if (typeof name !== "string") throw invalidQuery("orderBy must be a valid JSON encoded path");
  return Object.hasOwn(SPECIAL, name) ? (SPECIAL[name] as Index) : parseIndex(name);
}

function either(parameters: URLSearchParams, index: Index, end: "start" | "end"): Bound | undefined {
  const [at, beyond] = end === "start" ? ["startAt", "startAfter"] : ["endAt", "endBefore"];
  const [inclusive, exclusive] = [parameters.get(at as string), parameters.get(beyond as string)];
  if (inclusive !== null && exclusive !== null) throw invalidQuery(`Only one of ${at} and ${beyond} may be specified`);
  if (inclusive !== null) return bound(index, end, inclusive, true);
  return exclusive === null ? undefined : bound(index, end, exclusive, false);
}

/** `value` or `value,"key"`, both JSON. */
function bound(index: Index, end: "start" | "end", text: string, inclusive: boolean): Bound {
  const [value, key] = json(`[${text}]`, "Query parameters must be valid JSON") as unknown[];
  return toBound(index, end, { value, key, inclusive });
}

function limitOf(parameters: URLSearchParams): Pick<Query, "limit" | "fromEnd"> {
  const [first, last] = [parameters.get("limitToFirst"), parameters.get("limitToLast")];
  if (first !== null && last !== null) {
    throw invalidQuery("Only one of limitToFirst and limitToLast may be specified");
  }
  if (first !== null) return { limit: checkLimit(Number(first), "limitToFirst"), fromEnd: false };
  if (last !== null) return { limit: checkLimit(Number(last), "limitToLast"), fromEnd: true };
  return { limit: undefined, fromEnd: false };
}

function json(text: string, otherwise: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidQuery(otherwise);
  }
}
