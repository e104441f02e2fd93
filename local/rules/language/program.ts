import type { Expression, File, FunctionSyntax, Of } from "./syntax.ts";

/**
 * Where names are looked for: the file, a service or a `match`, inside of each other. A function sees what its own block
 * sees, not what its caller does.
 */
export interface Block {
  /** 0 for the file, 1 for a service, 2 and more for `match` blocks. */
  readonly level: number;
  readonly outer: Block | undefined;
  readonly functions: ReadonlyMap<string, FunctionSyntax>;
  readonly captures: ReadonlySet<string>;
}

/** A checked file: what its calls call, and where its functions stand. */
export interface Program {
  readonly file: File;
  /** The functions of the file that are called; calls of built-in functions are not in it. */
  readonly calls: ReadonlyMap<Of<"call">, FunctionSyntax>;
  /** The level of the block that a function stands in. */
  readonly levels: ReadonlyMap<FunctionSyntax, number>;
  /** Conditions and what functions are made of, in the order of the text. */
  readonly roots: readonly Expression[];
}

export function blockIn(
  outer: Block | undefined,
  functions: readonly FunctionSyntax[],
  captures: readonly string[] = [],
): Block {
  return {
    level: outer ? outer.level + 1 : 0,
    outer,
    // The first of the same name stays: the others are refused.
    functions: new Map(functions.toReversed().map((fn) => [fn.name, fn])),
    captures: new Set(captures),
  };
}

export function findFunction(block: Block, name: string): FunctionSyntax | undefined {
  for (let at: Block | undefined = block; at; at = at.outer) {
    const found = at.functions.get(name);
    if (found) return found;
  }
  return undefined;
}

export function seesCapture(block: Block, name: string): boolean {
  for (let at: Block | undefined = block; at; at = at.outer) if (at.captures.has(name)) return true;
  return false;
}
