/** What the rules are asked about and what they answer. The server's trees satisfy `RulesNode` as they are. */

/** A location of a tree of data. Never changes while a request is judged. */
export interface RulesNode {
  /** The leaf's value; `undefined` for a node with children; null where there is nothing. */
  readonly leaf: string | number | boolean | null | undefined;
  readonly priority: string | number | null;
  /** The child of that key; an empty node where there is none. */
  child(key: string): RulesNode;
  /** The keys of its children. */
  keys(): Iterable<string>;
}

/** Who asks: what rules see as `auth`. Without `provider` it is the token's `firebase.sign_in_provider`. */
export interface RulesAuth {
  readonly uid: string;
  readonly token: Readonly<Record<string, unknown>>;
  readonly provider?: string;
  /** What a server that speaks for somebody has put beside these. */
  readonly [claim: string]: unknown;
}

/**
 * What rules see as `query`. A condition that the query does not set is left out: rules see `false` in the place of an
 * order, null in the place of anything else.
 * Source: https://firebase.google.com/docs/database/security/rules-conditions#query-based_rules
 */
export interface QueryVariables {
  readonly orderByKey?: boolean;
  readonly orderByValue?: boolean;
  readonly orderByPriority?: boolean;
  readonly orderByChild?: string | null;
  readonly startAt?: string | number | boolean | null;
  readonly endAt?: string | number | boolean | null;
  readonly equalTo?: string | number | boolean | null;
  readonly limitToFirst?: number | null;
  readonly limitToLast?: number | null;
}

/** Milliseconds since the epoch are `now`; `root` is the whole database. */
interface Request {
  readonly auth: RulesAuth | null;
  readonly now: number;
  readonly root: RulesNode;
}

/** A read of one location. `query` is left out for a read of all of it. */
export interface ReadRequest extends Request {
  readonly path: readonly string[];
  readonly query?: QueryVariables;
}

/** A write of all `paths` at once: `root` is the database before it, `newRoot` the one that it would leave. */
export interface WriteRequest extends Request {
  readonly paths: readonly (readonly string[])[];
  readonly newRoot: RulesNode;
}

export interface Verdict {
  readonly allowed: boolean;
  /** For people: the rules that were asked, where they stand, and what they saw. */
  readonly explanation: string;
}
