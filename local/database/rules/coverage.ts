import { createHash } from "node:crypto";
import { coveragePage, type Mark } from "../../rules/coverage-page.ts";
import { type Expression, partsOf } from "./expression.ts";
import { Lines } from "./source.ts";
import type { Rule, RuleNode } from "./tree.ts";
import { describe, type RuleValue, type Scalar, shorten } from "./value.ts";

/** Different values that are kept of an expression, and of all of them together; those that came later are counted as others. */
const MAX_VALUES = 100;
const MAX_VALUES_IN_ALL = 50_000;
const HASH_DIGITS = 8;

/** A value that an expression had, and how often. What is no scalar is a text that starts with `hash@`. */
export interface ValueReport {
  readonly value: Scalar;
  readonly count: number;
  /** What kept the rule from being evaluated: then its value is false. */
  readonly error?: string;
}

/** An expression and those it is made of. Locations are `line:column` from 0, in UTF-16 units; the end is at the last one. */
export interface ExpressionReport {
  readonly text: string;
  readonly "location-start": string;
  readonly "location-end": string;
  readonly values: readonly ValueReport[];
  /** Evaluations whose values were too many to be kept. */
  readonly others?: number;
  readonly children?: readonly ExpressionReport[];
}

/** The shape of the rules: below `.read`, `.write` and `.validate` an {@link ExpressionReport}, else a tree again. */
export interface TreeReport {
  readonly [name: string]: TreeReport | ExpressionReport;
}

export interface CoverageReport {
  /** The rules as they were given. */
  readonly rules: string;
  readonly report: TreeReport;
}

interface Counted {
  readonly value: Scalar;
  readonly text: string;
  readonly error?: string;
  count: number;
}

/** Tells values apart: numbers, booleans and null by themselves, others by how they are shown. */
type Key = Scalar;

interface Evaluations {
  readonly values: Map<Key, Counted>;
  others: number;
}

/**
 * Counts the values that each expression of a file had, and reports them as the emulator does.
 * Source: https://firebase.google.com/docs/rules/emulator-reports
 */
export class Coverage {
  readonly #source: string;
  readonly #tree: RuleNode;
  readonly #evaluations = new Map<Expression, Evaluations>();
  #kept = 0;

  constructor(source: string, tree: RuleNode) {
    this.#source = source;
    this.#tree = tree;
  }

  record(expression: Expression, value: RuleValue): void {
    const key = keyOf(value);
    if (!this.#isCounted(expression, key))
      this.#keep(expression, key, { value: toScalar(value), text: describe(value) });
  }

  /** Counts a rule that is false because it could not be evaluated. */
  recordFailure(rule: Expression, error: string): void {
    const text = `false: ${error}`;
    if (!this.#isCounted(rule, text)) this.#keep(rule, text, { value: false, text, error });
  }

  report(): CoverageReport {
    return { rules: this.#source, report: this.#treeReport(this.#tree, new Lines(this.#source)) };
  }

  /** A page of the rules in which each expression says, when pointed at, what values it had how often. */
  html(name: string): string {
    const marks = rulesOf(this.#tree)
      .map((rule) => this.#mark(rule.expression, rule))
      .toSorted((a, b) => a.start - b.start);
    return coveragePage({ name, source: this.#source, marks });
  }

  /** Counts a value that is known already. */
  #isCounted(expression: Expression, key: Key): boolean {
    const known = this.#evaluations.get(expression)?.values.get(key);
    if (known) known.count++;
    return known !== undefined;
  }

  #keep(expression: Expression, key: Key, value: Omit<Counted, "count">): void {
    const evaluations = this.#evaluations.get(expression) ?? { values: new Map<Key, Counted>(), others: 0 };
    this.#evaluations.set(expression, evaluations);
    if (evaluations.values.size >= MAX_VALUES || this.#kept >= MAX_VALUES_IN_ALL) {
      evaluations.others++;
      return;
    }
    evaluations.values.set(key, { ...value, count: 1 });
    this.#kept++;
  }

  #treeReport({ rules, children, wildcard }: RuleNode, lines: Lines): TreeReport {
    return Object.fromEntries([
      ...Object.entries(rules).map(([kind, rule]) => [`.${kind}`, this.#expression(rule.expression, rule, lines)]),
      ...[...children].map(([name, node]) => [name, this.#treeReport(node, lines)]),
      ...(wildcard ? [[wildcard.name, this.#treeReport(wildcard.node, lines)]] : []),
    ]);
  }

  #expression(expression: Expression, rule: Rule, lines: Lines): ExpressionReport {
    const { at, end } = expression;
    const { values, others } = this.#evaluations.get(expression) ?? { values: new Map<Key, Counted>(), others: 0 };
    const children = partsOf(expression).map((part) => this.#expression(part, rule, lines));
    return {
      text: rule.text.slice(at, end),
      "location-start": locate(lines, rule.place(at)),
      "location-end": locate(lines, rule.place(end) - 1),
      values: [...values.values()].map(({ text: _, ...reported }) => reported),
      ...(others > 0 && { others }),
      ...(children.length > 0 && { children }),
    };
  }

  #mark(expression: Expression, rule: Rule): Mark {
    const { values, others } = this.#evaluations.get(expression) ?? { values: new Map<Key, Counted>(), others: 0 };
    return {
      start: rule.place(expression.at),
      end: rule.place(expression.end),
      values: [...values.values(), ...(others > 0 ? [{ text: "others", count: others }] : [])],
      children: partsOf(expression).map((part) => this.#mark(part, rule)),
    };
  }
}

function keyOf(value: RuleValue): Key {
  return typeof value === "string" || (typeof value === "object" && value !== null) ? describe(value) : value;
}

/** What reports show: objects by a hash, so that the same ones are counted together. */
function toScalar(value: RuleValue): Scalar {
  if (typeof value === "string") return shorten(value);
  if (value === null || typeof value !== "object") return value;
  return `hash@${createHash("sha1").update(describe(value)).digest("hex").slice(0, HASH_DIGITS)}`;
}

function rulesOf({ rules, children, wildcard }: RuleNode): Rule[] {
  const below = [...children.values(), ...(wildcard ? [wildcard.node] : [])];
  return [...Object.values(rules), ...below.flatMap(rulesOf)];
}

function locate(lines: Lines, offset: number): string {
  const { line, column } = lines.at(offset);
  return `${line}:${column}`;
}
