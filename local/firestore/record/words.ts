import type { Filter, StructuredQuery } from "../wire/messages.ts";

const MAX_LENGTH = 300;
/** By the numbers of `StructuredQuery.FieldFilter.Operator`. */
const COMPARISONS = ["?", "<", "<=", ">", ">=", "==", "!=", "contains", "in", "contains any of", "not in"];
/** By the numbers of `StructuredQuery.UnaryFilter.Operator`. */
const TESTS = ["?", "?", "== NaN", "== null", "!= NaN", "!= null"];
const OR = 2;
const DESCENDING = 2;

/**
 * A query for people: `rooms where city == … and price < … by price desc limit 20`. What is compared with is left out: it may be a
 * secret. Takes queries that are malformed, too.
 * @param parent path of the document that it is below, "" for the root
 */
export function queryInWords(parent: string, query: StructuredQuery = {}): string {
  const { collectionId = "", allDescendants = false } = query.from?.[0] ?? {};
  const where = query.where ? ` where ${filterInWords(query.where)}` : "";
  const orders = ordersInWords(query.orderBy ?? []);
  const words = [
    collectionInWords(parent, collectionId, allDescendants),
    where,
    orders.length > 0 ? ` by ${orders.join(", ")}` : "",
    query.limit?.value ? ` limit ${query.limit.value}` : "",
    query.offset ? ` offset ${query.offset}` : "",
  ].join("");
  return words.length > MAX_LENGTH ? `${words.slice(0, MAX_LENGTH - 1)}…` : words;
}

function collectionInWords(parent: string, id: string, isGroup: boolean): string {
  const below = parent === "" ? "" : ` below ${parent}`;
  if (isGroup) return id === "" ? `everything${below}` : `all ${id}${below}`;
  return parent === "" ? id : `${parent}/${id}`;
}

/** Without the last order by name that clients put in, and that goes without saying. */
function ordersInWords(orders: NonNullable<StructuredQuery["orderBy"]>): string[] {
  const [last, before] = orders.toReversed();
  const isImplied = last?.field.fieldPath === "__name__" && isDescending(last) === isDescending(before);
  const told = isImplied ? orders.slice(0, -1) : orders;
  return told.map((order) => order.field.fieldPath + (isDescending(order) ? " desc" : ""));
}

function isDescending(order: { readonly direction?: number } | undefined): boolean {
  return order?.direction === DESCENDING;
}

function filterInWords({ compositeFilter, fieldFilter, unaryFilter }: Filter): string {
  if (fieldFilter) return `${fieldFilter.field.fieldPath} ${COMPARISONS[fieldFilter.op] ?? "?"} …`;
  if (unaryFilter) return `${unaryFilter.field.fieldPath} ${TESTS[unaryFilter.op] ?? "?"}`;
  const parts = compositeFilter?.filters?.map(filterInWords) ?? [];
  if (compositeFilter?.op !== OR) return parts.join(" and ");
  return parts.length > 1 ? `(${parts.join(" or ")})` : parts.join("");
}
