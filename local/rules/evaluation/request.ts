import type { RulesMap, RulesTimestamp, RulesValue } from "../value.ts";

/** What somebody wants to do, as rules see it. */
export interface RulesRequest {
  readonly service: "cloud.firestore" | "firebase.storage";
  readonly method: "get" | "list" | "create" | "update" | "delete";
  /** Segments from the root: `["databases", "(default)", "documents", "users", "ada"]`; for a list those of the collection. */
  readonly path: readonly string[];
  /** `uid` and `token`; null for who is not signed in. */
  readonly auth: RulesMap | null;
  readonly time: RulesTimestamp;
  /** `data`, `id` and `__name__` of the document, or the fields of a file; null when there is none. Lists of documents leave it out of account. */
  readonly resource: RulesMap | null;
  /** The document as it will be, after transforms; null for a delete. */
  readonly requestResource?: RulesMap | null;
  /** Further members of `request`. */
  readonly requestExtras?: RulesMap;
  readonly query?: RulesQuery;
  /**
   * A document as `get()` sees it, or with `after` as the commit will leave it; null when there is none. What it throws
   * goes through to the caller of the evaluation.
   */
  readonly document: (path: readonly string[], after: boolean) => RulesMap | null;
  /** How many different documents may be looked up: 10 for single documents and queries, 20 for requests of several. */
  readonly readLimit: number;
  /** Takes what `debug()` is given, as text. */
  readonly debug?: (text: string) => void;
}

export interface Constraint {
  /** Segments of the field's path; `["__name__"]` is the document, whose value is an absolute path. */
  readonly field: readonly string[];
  readonly operator: "==" | "!=" | "<" | "<=" | ">" | ">=" | "array-contains" | "in" | "not-in" | "array-contains-any";
  readonly value: RulesValue;
}

/** What is known of a query before it runs. */
export interface RulesQuery {
  readonly limit?: bigint;
  readonly offset?: bigint;
  readonly orderBy?: ReadonlyArray<{ readonly field: string; readonly descending: boolean }>;
  /** Of each, all constraints hold; of all, at least one holds. */
  readonly disjunctions: readonly (readonly Constraint[])[];
  /** Any document below the path in a collection of this id. */
  readonly collectionGroup?: string;
}

export interface Verdict {
  readonly allowed: boolean;
  /** How many different documents were looked up; Firestore bills them. */
  readonly reads: number;
  /**
   * For people: which rule allowed. Or what came of each that could have, as the emulator says it
   * (`false for 'get' @ L5, Null value error. for 'get' @ L8`), and below a line for each that tells why.
   */
  readonly explanation: string;
  /** The statement that allowed, with its line: `L6: allow read: if isOwner(user)`. */
  readonly statement?: string;
}
