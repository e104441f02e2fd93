import { equalValues } from "../library/operators.ts";
import { type RulesMap, RulesPath, type RulesValue } from "../value.ts";
import type { RulesQuery, RulesRequest } from "./request.ts";
import { isMap } from "./unknown.ts";

/**
 * What rules know as `request`. Members that do not apply are not there.
 * Sources: https://firebase.google.com/docs/reference/rules/rules.firestore.Request and
 * https://firebase.google.com/docs/reference/security/storage#request
 */
export function requestMap(request: RulesRequest, version: 1 | 2): RulesMap {
  const { service, method, path, auth, time, requestResource, requestExtras, query } = request;
  const map = new Map<string, RulesValue>([
    ["auth", auth],
    ["method", method],
    ["path", new RulesPath(path)],
    ["time", time],
  ]);
  if (requestResource !== undefined) map.set("resource", requestResource);
  if (method === "list" && service === "cloud.firestore") map.set("query", queryMap(query));
  const written = service === "cloud.firestore" && (method === "create" || method === "update");
  if (version === 1 && written) map.set("writeFields", changedFields(request.resource, requestResource ?? null));
  for (const [name, value] of requestExtras ?? []) map.set(name, value);
  return map;
}

function queryMap(query: RulesQuery | undefined): RulesMap {
  const map = new Map<string, RulesValue>();
  if (query?.limit !== undefined) map.set("limit", query.limit);
  if (query?.offset !== undefined) map.set("offset", query.offset);
  const order = (query?.orderBy ?? []).map(({ field, descending }) => [field, descending ? "DESC" : "ASC"] as const);
  map.set("orderBy", new Map(order));
  return map;
}

/** The names of the fields that a write changes. */
function changedFields(before: RulesMap | null, after: RulesMap | null): readonly string[] {
  const [old, now] = [dataOf(before), dataOf(after)];
  const names = new Set([...old.keys(), ...now.keys()]);
  return [...names].filter((name) => {
    const [a, b] = [old.get(name), now.get(name)];
    return a === undefined || b === undefined || !equalValues(a, b);
  });
}

function dataOf(resource: RulesMap | null): RulesMap {
  const data = resource?.get("data");
  return data !== undefined && isMap(data) ? data : new Map();
}
