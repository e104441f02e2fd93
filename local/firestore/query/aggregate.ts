import { type FieldPath, isDocumentName, isReservedField, parseFieldPath } from "../model/path.ts";
import { isNumber, type Value } from "../model/value.ts";
import type { Snapshot } from "../store/document.ts";
import { valueAt } from "../store/index.ts";
import type { Aggregation } from "../wire/messages.ts";
import { invalidArgument } from "../wire/status.ts";

const MAX_AGGREGATIONS = 5;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

interface Aggregator {
  readonly alias: string;
  /** The field it adds up; undefined for a count. */
  readonly path: FieldPath | undefined;
  result(values: readonly Value[], count: number): Value;
}

/**
 * Computes the aggregations of a query over the documents it matches. As from production's indexes, a document counts only if it has
 * every field that is aggregated. Source: https://firebase.google.com/docs/firestore/query-data/aggregation-queries
 */
export function aggregate(documents: readonly Snapshot[], aggregations: readonly Aggregation[]): Record<string, Value> {
  const aggregators = named(aggregations);
  const paths = aggregators.flatMap(({ path }) => (path ? [path] : []));
  const counted = documents.filter(({ version }) => paths.every((path) => valueAt(version.fields, path) !== undefined));
  const results: Record<string, Value> = {};
  for (const { alias, path, result } of aggregators) {
    const values = path ? counted.map(({ version }) => valueAt(version.fields, path) as Value) : [];
    results[alias] = result(values, counted.length);
  }
  return results;
}

/** The fields that are added up. */
export function addedPaths(aggregations: readonly Aggregation[]): FieldPath[] {
  return named(aggregations).flatMap(({ path }) => (path ? [path] : []));
}

/** How many documents a count has to look at: the highest `up_to`, if all aggregations are counts with one. */
export function upTo(aggregations: readonly Aggregation[]): number | undefined {
  const bounds = aggregations.map(({ count }) => count?.upTo && Number(count.upTo.value ?? 0));
  if (bounds.some((bound) => bound !== undefined && bound <= 0))
    throw invalidArgument("up_to must be greater than zero.");
  return bounds.every((bound) => bound !== undefined) ? Math.max(...bounds) : undefined;
}

function named(aggregations: readonly Aggregation[]): Aggregator[] {
  if (aggregations.length === 0) throw invalidArgument("An aggregation query must have at least one aggregation.");
  if (aggregations.length > MAX_AGGREGATIONS) {
    throw invalidArgument(
      `The maximum number of aggregations allowed in an aggregation query is ${MAX_AGGREGATIONS}. Received: ${aggregations.length}`,
    );
  }
  const taken = new Set(aggregations.flatMap(({ alias }) => (alias ? [alias] : [])));
  let next = 0;
  const freeAlias = () => {
    do next++;
    while (taken.has(`field_${next}`));
    return `field_${next}`;
  };
  const aliases = new Set<string>();
  return aggregations.map((aggregation) => {
    const alias = aggregation.alias || freeAlias();
    if (isReservedField(alias)) throw invalidArgument(`The alias "${alias}" is reserved.`);
    if (aliases.has(alias)) throw invalidArgument(`Two aggregations have the alias "${alias}".`);
    aliases.add(alias);
    return aggregatorOf(aggregation, alias);
  });
}

function aggregatorOf({ count, sum, avg }: Aggregation, alias: string): Aggregator {
  if (count) {
    const bound = count.upTo ? Number(count.upTo.value ?? 0) : Number.POSITIVE_INFINITY;
    return { alias, path: undefined, result: (_, total) => BigInt(Math.min(total, bound)) };
  }
  if (sum) return { alias, path: fieldOf(sum), result: total };
  if (avg) return { alias, path: fieldOf(avg), result: average };
  throw invalidArgument("An aggregation must be a count, a sum or an average.");
}

function fieldOf({ field }: { readonly field?: { readonly fieldPath: string } }): FieldPath {
  if (!field) throw invalidArgument("An aggregation must name a field.");
  const path = parseFieldPath(field.fieldPath);
  if (isDocumentName(path)) throw invalidArgument("Aggregations over __name__ are not supported.");
  return path;
}

/** Integers add up exactly and stay an integer while the sum fits into 64 bits; otherwise the sum is a double. */
function total(values: readonly Value[]): Value {
  let integers = 0n;
  let doubles = 0;
  let isDouble = false;
  for (const value of values) {
    if (typeof value === "bigint") integers += value;
    else if (typeof value === "number") {
      doubles += value;
      isDouble = true;
    }
  }
  if (isDouble) return doubles + Number(integers);
  return integers > MAX_INT64 || integers < MIN_INT64 ? Number(integers) : integers;
}

function average(values: readonly Value[]): Value {
  const numbers = values.filter(isNumber);
  return numbers.length === 0 ? null : Number(total(numbers)) / numbers.length;
}
