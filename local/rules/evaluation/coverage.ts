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
    const parts: string[] = [];
    let at = 0;
    for (const root of this.#roots()) {
      parts.push(escapeHtml(this.#source.slice(at, root.start)), this.#marked(root));
      at = root.end;
    }
    parts.push(escapeHtml(this.#source.slice(at)));
    return page(fileName, parts.join(""));
  }

  #marked(expression: Expression): string {
    const values = [...(this.#values.get(expression)?.values() ?? [])];
    const title = values.map(({ text, count }) => `${text} ×${count}`).join(", ");
    const parts: string[] = [];
    let at = expression.start;
    for (const child of childrenOf(expression).filter(({ kind }) => kind !== "literal")) {
      parts.push(escapeHtml(this.#source.slice(at, child.start)), this.#marked(child));
      at = child.end;
    }
    parts.push(escapeHtml(this.#source.slice(at, expression.end)));
    const kind = values.length === 0 ? "missed" : "hit";
    return `<span class="${kind}" title="${escapeHtml(title || "never evaluated")}">${parts.join("")}</span>`;
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

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Coverage of ${escapeHtml(title)}</title>
<style>
body { font: 14px/1.5 ui-monospace, monospace; margin: 2em; }
.hit { background: #e2f5e2; }
.missed { background: #fbe3e3; }
span:hover { outline: 1px solid #888; }
</style>
</head>
<body>
<h1>Coverage of ${escapeHtml(title)}</h1>
<p>Point at an expression to see which values it had how often. Red ones were never evaluated.</p>
<pre>${body}</pre>
</body>
</html>
`;
}
