/** Something wrong in a source. Lines and columns count from 1, columns in characters (code points). */
export interface Issue {
  readonly line: number;
  readonly column: number;
  readonly description: string;
}

/** A source is not a ruleset. It has at least one issue, in the order of the text. */
export class RulesSyntaxError extends Error {
  override readonly name = "RulesSyntaxError";
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(issues.map(({ line, column, description }) => `${line}:${column} - ${description}`).join("\n"));
    this.issues = issues;
  }
}

export interface Position {
  readonly line: number;
  readonly column: number;
  /** Characters before it. */
  readonly offset: number;
}

/** Where in a source something is, by its offset in UTF-16 units. */
export class Positions {
  /** Offsets at which lines start. */
  readonly #lines: number[] = [0];
  /** Offsets of characters that take two units. */
  readonly #pairs: number[] = [];

  constructor(source: string) {
    for (let i = 0; i < source.length; i++) {
      if (source[i] === "\n") this.#lines.push(i + 1);
      if ((source.codePointAt(i) ?? 0) > 0xffff) this.#pairs.push(i++);
    }
  }

  at(unit: number): Position {
    const line = below(this.#lines, unit + 1);
    const start = this.#lines[line - 1] ?? 0;
    const offset = this.#characters(unit);
    return { line, column: offset - this.#characters(start) + 1, offset };
  }

  #characters(unit: number): number {
    return unit - below(this.#pairs, unit);
  }
}

/** How many of the ascending numbers are below a limit. */
function below(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? limit) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A found issue, by its offset in the source. */
export interface Finding {
  readonly start: number;
  readonly description: string;
}

/** What parsing throws inside of a statement; the statement's parser reports it and goes on behind. */
export class Unexpected extends Error {
  readonly start: number;

  constructor(start: number, description: string) {
    super(description);
    this.start = start;
  }
}
