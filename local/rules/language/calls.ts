import type { Finding } from "./issue.ts";
import { LIMITS } from "./limits.ts";
import type { FunctionSyntax } from "./syntax.ts";

type Calls = ReadonlyMap<FunctionSyntax, ReadonlySet<FunctionSyntax>>;

/** Refuses functions that call themselves, directly or through others, and chains of calls that are too long. */
export function checkCalls(calls: Calls, report: (finding: Finding) => void): void {
  const lengths = chainLengths(calls);
  for (const [fn, length] of lengths) {
    if (length <= LIMITS.callDepth) continue;
    const callees = [...(calls.get(fn) ?? [])];
    // Only where the limit is crossed: whoever calls this one is over it as well.
    if (callees.some((callee) => (lengths.get(callee) ?? 0) > LIMITS.callDepth)) continue;
    report({ start: fn.start, description: `Maximum allowed call depth of ${LIMITS.callDepth} is reached.` });
  }
  let left: number = LIMITS.issues;
  for (const fn of calls.keys()) {
    if (left === 0) return;
    if (lengths.has(fn) || !reachesItself(fn, calls)) continue;
    report({ start: fn.start, description: `Function ${fn.name} calls itself: recursion is not allowed.` });
    left--;
  }
}

/** How many functions the longest chain of calls from each holds. Functions whose calls lead into a circle are not in it. */
function chainLengths(calls: Calls): ReadonlyMap<FunctionSyntax, number> {
  const callers = callersOf(calls);
  const open = new Map([...calls].map(([fn, callees]) => [fn, callees.size]));
  const lengths = new Map<FunctionSyntax, number>();
  const ready = [...open].filter(([, count]) => count === 0).map(([fn]) => fn);
  for (let fn = ready.pop(); fn; fn = ready.pop()) {
    const below = [...(calls.get(fn) ?? [])].map((callee) => lengths.get(callee) ?? 0);
    lengths.set(fn, 1 + Math.max(0, ...below));
    for (const caller of callers.get(fn) ?? []) {
      const left = (open.get(caller) ?? 0) - 1;
      open.set(caller, left);
      if (left === 0) ready.push(caller);
    }
  }
  return lengths;
}

function callersOf(calls: Calls): ReadonlyMap<FunctionSyntax, readonly FunctionSyntax[]> {
  const callers = new Map<FunctionSyntax, FunctionSyntax[]>();
  for (const [fn, callees] of calls) {
    for (const callee of callees) {
      const known = callers.get(callee);
      if (known) known.push(fn);
      else callers.set(callee, [fn]);
    }
  }
  return callers;
}

function reachesItself(fn: FunctionSyntax, calls: Calls): boolean {
  const seen = new Set<FunctionSyntax>();
  const open = [...(calls.get(fn) ?? [])];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next === fn) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(calls.get(next) ?? []));
  }
  return false;
}
