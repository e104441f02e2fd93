import { checkCalls } from "./calls.ts";
import type { Finding } from "./issue.ts";
import { LIMITS } from "./limits.ts";
import { BUILT_IN_FUNCTIONS, isNamespace, LOOKUPS, LOOKUPS_OF_STORAGE, VARIABLES } from "./names.ts";
import { type Block, blockIn, findFunction, type Program, seesCapture } from "./program.ts";
import {
  childrenOf,
  type Expression,
  type File,
  type FunctionSyntax,
  type Match,
  type Of,
  type PatternSegment,
  type Service,
} from "./syntax.ts";

export interface Checked {
  readonly program: Program;
  readonly errors: readonly Finding[];
  /** What production only warns of: such a ruleset is released. */
  readonly warnings: readonly Finding[];
}

/** Checks what can be checked without a request: names, calls and limits. */
export function check(file: File): Checked {
  return new Checker(file).check();
}

class Checker {
  readonly #file: File;
  readonly #errors: Finding[] = [];
  readonly #warnings: Finding[] = [];
  readonly #calls = new Map<Of<"call">, FunctionSyntax>();
  readonly #callers = new Map<FunctionSyntax, Set<FunctionSyntax>>();
  readonly #levels = new Map<FunctionSyntax, number>();
  readonly #roots: Expression[] = [];
  /** Inside of a service for Storage; functions of the file may be called from any. */
  #isStorage = false;

  constructor(file: File) {
    this.#file = file;
  }

  check(): Checked {
    const block = blockIn(undefined, this.#file.functions);
    this.#functions(this.#file.functions, block);
    for (const service of this.#file.services) this.#service(service, block);
    checkCalls(this.#callers, (finding) => this.#errors.push(finding));
    this.#unused();
    const program = { file: this.#file, calls: this.#calls, levels: this.#levels, roots: this.#roots };
    return { program, errors: this.#errors, warnings: this.#warnings };
  }

  #error(start: number, description: string): void {
    this.#errors.push({ start, description });
  }

  #service(service: Service, outer: Block): void {
    const block = blockIn(outer, service.functions);
    this.#isStorage = service.name === "firebase.storage";
    this.#functions(service.functions, block);
    for (const match of service.matches) this.#match(match, block, []);
  }

  #match(match: Match, outer: Block, above: readonly PatternSegment[]): void {
    const pattern = [...above, ...match.pattern];
    const block = blockIn(
      outer,
      match.functions,
      match.pattern.flatMap((segment) => (segment.kind === "literal" ? [] : [segment.name])),
    );
    this.#pattern(match, pattern, block.level - 1);
    this.#functions(match.functions, block);
    for (const { condition } of match.allows) if (condition) this.#root(condition, block);
    for (const inner of match.matches) this.#match(inner, block, pattern);
  }

  #pattern(match: Match, pattern: readonly PatternSegment[], depth: number): void {
    const { start } = match;
    if (depth > LIMITS.matchDepth) this.#error(start, `More than ${LIMITS.matchDepth} match blocks inside each other.`);
    if (pattern.length > LIMITS.matchSegments) {
      this.#error(start, `The path of a match has more than ${LIMITS.matchSegments} segments.`);
    }
    if (pattern.filter(({ kind }) => kind !== "literal").length > LIMITS.captures) {
      this.#error(start, `The path of a match has more than ${LIMITS.captures} wildcards.`);
    }
    this.#captures(match);
    this.#rest(match);
  }

  #captures({ pattern, start }: Match): void {
    const names = pattern.flatMap((segment) => (segment.kind === "literal" ? [] : [segment.name]));
    this.#distinct(names, (name) => this.#error(start, `Variable ${name} is already defined.`));
  }

  /** Source: https://firebase.google.com/docs/firestore/security/rules-structure#recursive_wildcards */
  #rest({ pattern, start }: Match): void {
    const rest = pattern.flatMap(({ kind }, i) => (kind === "rest" ? [i] : []));
    if (rest.length > 1) this.#error(start, "A match can have at most one recursive wildcard.");
    if (this.#file.version === 1 && rest.some((i) => i < pattern.length - 1)) {
      this.#error(start, "With rules_version = '1' a recursive wildcard must come last in a path.");
    }
  }

  #distinct(names: readonly string[], onDuplicate: (name: string) => void): void {
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) onDuplicate(name);
      seen.add(name);
    }
  }

  #functions(functions: readonly FunctionSyntax[], block: Block): void {
    const seen = new Set<string>();
    for (const fn of functions) {
      if (seen.has(fn.name)) this.#error(fn.start, `Function ${fn.name} is already defined.`);
      seen.add(fn.name);
      this.#levels.set(fn, block.level);
      this.#function(fn, block);
    }
  }

  #function(fn: FunctionSyntax, block: Block): void {
    const { name, parameters, lets, start } = fn;
    if (parameters.length > LIMITS.parameters) {
      this.#error(start, `Function ${name} has more than ${LIMITS.parameters} parameters.`);
    }
    if (lets.length > LIMITS.lets) {
      const description = `Maximum allowed variable count of ${LIMITS.lets} for a given function has been reached.`;
      this.#error(lets[LIMITS.lets]?.start ?? start, description);
    }
    const variables = new Set<string>();
    for (const parameter of parameters) this.#declare(variables, parameter, start);
    this.#callers.set(fn, new Set());
    for (const binding of lets) {
      this.#root(binding.value, block, variables, fn);
      this.#declare(variables, binding.name, binding.start);
    }
    this.#root(fn.result, block, variables, fn);
  }

  #declare(variables: Set<string>, name: string, start: number): void {
    if (variables.has(name)) this.#error(start, `Variable ${name} is already defined.`);
    variables.add(name);
  }

  #root(
    expression: Expression,
    block: Block,
    variables: ReadonlySet<string> = new Set(),
    caller?: FunctionSyntax,
  ): void {
    this.#roots.push(expression);
    this.#expression(expression, { block, variables, caller });
  }

  #expression(expression: Expression, within: Within): void {
    if (expression.kind === "name") this.#name(expression, within);
    if (expression.kind === "call") this.#call(expression, within);
    if (expression.kind === "method") this.#method(expression, within);
    for (const child of childrenOf(expression)) {
      if (isNamespaceOf(child, expression, within)) continue;
      this.#expression(child, within);
    }
  }

  #name({ name, start }: Of<"name">, { block, variables }: Within): void {
    if (variables.has(name) || VARIABLES.has(name) || seesCapture(block, name)) return;
    this.#warnings.push({ start, description: `Invalid variable name: ${name}.` });
  }

  #call(call: Of<"call">, { block, caller }: Within): void {
    const fn = findFunction(block, call.name);
    if (!fn) {
      const isKnown = BUILT_IN_FUNCTIONS.has(call.name) && !(this.#isStorage && LOOKUPS.has(call.name));
      if (!isKnown) this.#invalid(call.start, call.name);
      return;
    }
    this.#calls.set(call, fn);
    if (caller) this.#callers.get(caller)?.add(fn);
    const { length } = fn.parameters;
    if (call.values.length === length) return;
    this.#error(call.start, `Function ${fn.name} takes ${length} argument(s), but is given ${call.values.length}.`);
  }

  #method(call: Of<"method">, within: Within): void {
    const { target, name, start } = call;
    if (!this.#isStorage || target.kind !== "name" || target.name !== "firestore") return;
    if (isNamespaceOf(target, call, within) && !LOOKUPS_OF_STORAGE.has(name)) this.#invalid(start, `firestore.${name}`);
  }

  #invalid(start: number, name: string): void {
    this.#warnings.push({ start, description: `Invalid function name: ${name}.` });
  }

  #unused(): void {
    const called = new Set(this.#calls.values());
    for (const fn of this.#levels.keys()) {
      if (!called.has(fn)) this.#warnings.push({ start: fn.start, description: `Unused function: ${fn.name}.` });
    }
  }
}

/** What an expression stands in. */
interface Within {
  readonly block: Block;
  readonly variables: ReadonlySet<string>;
  readonly caller: FunctionSyntax | undefined;
}

/** Whether it is the `math` of `math.abs(x)`, which is no variable. */
function isNamespaceOf(child: Expression, parent: Expression, { block, variables }: Within): boolean {
  if (parent.kind !== "method" || child !== parent.target || child.kind !== "name") return false;
  return isNamespace(child.name) && !variables.has(child.name) && !seesCapture(block, child.name);
}
