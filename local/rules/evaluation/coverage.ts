import { coveragePage, type Mark } from "../coverage-page.ts";
import { type Position, Positions } from "../language/issue.ts";
import type { Program } from "../language/program.ts";
import { childrenOf, type Expression } from "../language/syntax.ts";
import { formatValue } from "../library/format.ts";
import { valueToJson } from "./json.ts";
import type { Outcome } from "./trace.ts";
import { Unknown, type Value } from "./unknown.ts";

/** Different values that are kept of an expression; what else it had is not counted. */
const MAX_VALUES = 100;

interface Counted {
  readonly value: object;
  readonly text: string;
  count: number;
}

/** An expression, the values it had and the expressions it is made of, as the emulator reports them. */
export interface ExpressionReport {
  /** Counted in characters, `endOffset` at the last one. */
  readonly sourcePosition: SourcePosition;
  readonly values?: ReadonlyArray<{ readonly value: object; readonly count: number }>;
  readonly children?: readonly ExpressionReport[];
}

interface SourcePosition {
  readonly line: number;
  readonly column: number;
  readonly currentOffset: number;
  readonly endOffset: number;
}

export interface CoverageReport {
  readonly rules: { readonly files: ReadonlyArray<{ readonly name: string; readonly content: string }> };
  readonly report: readonly ExpressionReport[];
}

/** Counts the values that each expression of a source had. Constants are left out, as the emulator does. */
export class Coverage {
  readonly #source: string;
  readonly #program: Program;
  readonly #values = new Map<Expression, Map<string, Counted>>();

  constructor(source: string, program: Program) {
    this.#source = source;
    this.#program = program;
  }

  record(expression: Expression, outcome: Outcome): void {
    if (expression.kind === "literal") return;
    const values = this.#values.get(expression) ?? new Map<string, Counted>();
    this.#values.set(expression, values);
    const text = textOf(outcome);
    const known = values.get(text);
    if (known) known.count++;
    else if (values.size < MAX_VALUES) values.set(text, { value: jsonOf(outcome), text, count: 1 });
  }

  report(fileName: string): CoverageReport {
    const positions = new Positions(this.#source);
    return {
      rules: { files: [{ name: fileName, content: this.#source }] },
      report: this.#roots().map((expression) => this.#expression(expression, positions)),
    };
  }

  #roots(): readonly Expression[] {
    return this.#program.roots.filter(({ kind }) => kind !== "literal").toSorted((a, b) => a.start - b.start);
  }

  #expression(expression: Expression, positions: Positions): ExpressionReport {
    const start: Position = positions.at(expression.start);
    const values = [...(this.#values.get(expression)?.values() ?? [])].map(({ value, count }) => ({ value, count }));
    const children = childrenOf(expression)
      .filter(({ kind }) => kind !== "literal")
      .map((child) => this.#expression(child, positions));
    return {
      sourcePosition: {
        line: start.line,
        column: start.column,
        currentOffset: start.offset,
        endOffset: positions.at(expression.end).offset - 1,
      },
      ...(values.length > 0 && { values }),
      ...(children.length > 0 && { children }),
    };
  }

  /** A page of the source in which each expression says, when pointed at, what values it had how often. */
  html(fileName: string): string {
    const marks = this.#roots().map((expression) => this.#mark(expression));
    return coveragePage({ name: fileName, source: this.#source, marks });
  }

  #mark(expression: Expression): Mark {
    return {
      start: expression.start,
      end: expression.end,
      values: [...(this.#values.get(expression)?.values() ?? [])],
      children: childrenOf(expression)
        .filter(({ kind }) => kind !== "literal")
        .map((child) => this.#mark(child)),
    };
  }
}

function textOf({ value, error }: Outcome): string {
  if (error) return `error: ${error.message}`;
  return isSettled(value) ? formatValue(value) : "(not settled by the query)";
}

function jsonOf({ value, error }: Outcome): object {
  if (error) return { undefined: { causeMessage: error.message } };
  return isSettled(value) ? valueToJson(value) : { undefined: { causeMessage: "Not settled by the query." } };
}

function isSettled(value: Value): value is Exclude<Value, Unknown> {
  return !(value instanceof Unknown);
}
