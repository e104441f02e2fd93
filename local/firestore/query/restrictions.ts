import { isDocumentName } from "../model/path.ts";
import type { Filter } from "../wire/messages.ts";
import { invalidArgument } from "../wire/status.ts";
import { type Comparison, type Conjunction, comparisonsOf, isInequality } from "./filter.ts";

/**
 * Refuses combinations of comparisons that the service refuses.
 * Source: https://firebase.google.com/docs/firestore/query-data/queries#query_limitations
 * @param conjunctions the filter in disjunctive normal form
 */
export function checkCombinations(filter: Filter | undefined, conjunctions: readonly Conjunction[]): void {
  const comparisons = comparisonsOf(filter);
  checkPinned(comparisons);
  checkExclusions(comparisons, conjunctions.length > 1);
  for (const conjunction of conjunctions) {
    if (count(conjunction, "contains", "contains-any") > 1) {
      throw invalidArgument("A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction.");
    }
  }
}

/** A document pinned by name goes with inequalities only if its name is in one of them. */
function checkPinned(comparisons: readonly Comparison[]): void {
  const unequal = comparisons.filter(({ operator }) => isInequality(operator));
  const isPinned = comparisons.some(({ operator, path }) => operator === "==" && isDocumentName(path));
  if (!isPinned || unequal.length === 0 || unequal.some(({ path }) => isDocumentName(path))) return;
  throw invalidArgument(
    "Equality on key is not allowed if there are other inequality fields and key does not appear in inequalities.",
  );
}

function checkExclusions(comparisons: readonly Comparison[], hasAlternatives: boolean): void {
  if (count(comparisons, "!=", "not-in") > 1) {
    throw invalidArgument(
      "Only a single 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NAN', or 'IS_NOT_NULL' filter allowed per query.",
    );
  }
  if (count(comparisons, "not-in") > 0 && (hasAlternatives || count(comparisons, "in", "contains-any") > 0)) {
    throw invalidArgument("'NOT_IN' cannot be used in the same query with 'IN', 'ARRAY_CONTAINS_ANY' or 'OR'.");
  }
}

function count(comparisons: readonly Comparison[], ...operators: readonly Comparison["operator"][]): number {
  return comparisons.filter(({ operator }) => operators.includes(operator)).length;
}
