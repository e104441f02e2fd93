import type { Node } from "./model/node.ts";
import type { Path } from "./model/path.ts";
import type { Query } from "./query/query.ts";
import type { QueryVariables, RulesAuth, Verdict } from "./rules/contract.ts";
import type { Coverage } from "./rules/coverage.ts";

/** Who asks: the owner, whom no rule binds, or somebody whom rules see as `auth`. */
export interface Caller {
  readonly admin: boolean;
  readonly auth: RulesAuth | null;
  /** When the proof of who asks runs out, in milliseconds since the epoch; absent: never. */
  readonly expiresAt?: number;
}

const MAX_TIMER_MILLIS = 2 ** 31 - 1;

/** Calls back when the proof of who asks runs out, if it does. Returns the way to take that back. */
export function whenExpired({ expiresAt }: Caller, callback: () => void): () => void {
  if (expiresAt === undefined) return () => undefined;
  const timer = setTimeout(callback, Math.min(Math.max(0, expiresAt - Date.now()), MAX_TIMER_MILLIS)).unref();
  return () => clearTimeout(timer);
}

export const ADMIN: Caller = { admin: true, auth: null };
export const ANYBODY: Caller = { admin: false, auth: null };

interface Asked {
  readonly caller: Caller;
  readonly root: Node;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface ReadAsked extends Asked {
  readonly path: Path;
  readonly query: Query | undefined;
}

export interface WriteAsked extends Asked {
  readonly paths: readonly Path[];
  readonly newRoot: Node;
}

/** Rules in force. */
export interface Security {
  /** As they were given. */
  readonly source: string;
  /** Whether a change of data may change who may read. */
  readonly readsData: boolean;
  mayRead(asked: ReadAsked): Verdict;
  mayWrite(asked: WriteAsked): Verdict;
  /** What `.indexOn` names for a place. */
  indexes(path: Path): readonly string[];
  /** What has been evaluated since they were put into force. */
  coverage(): Promise<Coverage>;
}

/** To whom no rule applies. */
const ALLOWED: Verdict = { allowed: true, explanation: "" };

/**
 * Without rules the emulator lets everybody read and write.
 * Source: https://firebase.google.com/docs/emulator-suite/install_and_configure#security_rules_configuration
 */
export const OPEN: Security = {
  source: JSON.stringify({ rules: { ".read": true, ".write": true } }, undefined, 2),
  readsData: false,
  mayRead: () => ALLOWED,
  mayWrite: () => ALLOWED,
  indexes: () => [],
  coverage: async () => (await readRules(OPEN.source)).coverage(),
};

const READS_DATA = /\b(data|root)\b/;

/**
 * Puts rules into a form that can be asked.
 *
 * @throws an error whose message starts with `line:column:` if they cannot be understood
 */
export async function readRules(source: string): Promise<Security> {
  // Most databases of a test run have no rules: what understands them is loaded with the first.
  const { parseDatabaseRules } = await import("./rules/rules.ts");
  const rules = parseDatabaseRules(source);
  const allows = (caller: Caller, ask: () => Verdict) => (caller.admin ? ALLOWED : ask());
  return {
    source,
    readsData: READS_DATA.test(source),
    mayRead: ({ caller, path, query, root, now }) =>
      allows(caller, () =>
        rules.mayRead({ path, auth: caller.auth, now, root, ...(query ? { query: variablesOf(query) } : {}) }),
      ),
    mayWrite: ({ caller, paths, root, newRoot, now }) =>
      allows(caller, () => rules.mayWrite({ paths, auth: caller.auth, now, root, newRoot })),
    indexes: (path) => rules.indexes(path),
    coverage: async () => rules.coverage,
  };
}

/** A query as rules see it. */
function variablesOf({ index, start, end, limit, fromEnd }: Query): QueryVariables {
  const bound = (position: typeof start) => {
    const given = index.kind === "key" ? position?.position.key : position?.position.value;
    return typeof given === "symbol" || given === undefined ? null : given;
  };
  const [startAt, endAt] = [bound(start), bound(end)];
  return {
    orderByKey: index.kind === "key",
    orderByValue: index.kind === "value",
    orderByPriority: index.kind === "priority",
    ...(index.kind === "child" ? { orderByChild: index.name } : {}),
    ...(start ? { startAt } : {}),
    ...(end ? { endAt } : {}),
    ...(start && end && startAt === endAt ? { equalTo: startAt } : {}),
    ...(limit === undefined ? {} : fromEnd ? { limitToLast: limit } : { limitToFirst: limit }),
  };
}
