import type { Node } from "../model/node.ts";
import type { Path } from "../model/path.ts";
import type { Caller } from "../security.ts";

/** One place that a write changed. */
export interface Change {
  readonly path: Path;
  readonly before: Node;
  readonly after: Node;
}

/** A write that was taken: the whole tree before and after, and the places that differ, none of them within another. */
export interface Commit {
  readonly before: Node;
  readonly after: Node;
  readonly changes: readonly Change[];
  readonly caller: Caller;
  /** Milliseconds since the epoch. */
  readonly time: number;
}
