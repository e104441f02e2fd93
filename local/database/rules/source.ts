/** Rules that cannot be used. The message starts with where, as the service's does: `line:column: what`, both from 1. */
export class DatabaseRulesError extends Error {
  override readonly name = "DatabaseRulesError";
  readonly line: number;
  readonly column: number;

  constructor(line: number, column: number, message: string) {
    super(`${line}:${column}: ${message}`);
    this.line = line;
    this.column = column;
  }
}

/** Makes the error for something wrong at an offset. */
export type Fail = (offset: number, message: string) => DatabaseRulesError;

/** The error for an offset into a text, in UTF-16 units. */
export function errorAt(text: string, offset: number, message: string): DatabaseRulesError {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  return new DatabaseRulesError(line, before.length - lineStart + 1, message);
}

/** Where in a text something is, by its offset in UTF-16 units. */
export class Lines {
  /** Offsets at which lines start. */
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  /** Line and column, both from 0. */
  at(offset: number): { readonly line: number; readonly column: number } {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low, column: offset - (this.#starts[low] ?? 0) };
  }
}
