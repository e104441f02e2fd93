import type { RulesNode } from "./contract.ts";

/** Nothing, with nothing below. */
const NOTHING: RulesNode = { leaf: null, priority: null, child: () => NOTHING, keys: () => [] };
/** No key has these, so that a path with them leads nowhere. */
const NOT_IN_KEYS = /[.#$[\]]/;
const MAX_PATH_SEGMENTS = 768;

/** A location as rules see it: its data, and the way up. */
export class Snapshot {
  readonly node: RulesNode;
  /** Undefined at the root of the database. */
  readonly parent: Snapshot | undefined;

  constructor(node: RulesNode, parent?: Snapshot) {
    this.node = node;
    this.parent = parent;
  }

  /** Whether there is anything here. */
  get exists(): boolean {
    return this.node.leaf !== null;
  }

  get hasChildren(): boolean {
    return this.node.leaf === undefined;
  }

  /** The child of one key. */
  child(key: string): Snapshot {
    return new Snapshot(NOT_IN_KEYS.test(key) ? NOTHING : this.node.child(key), this);
  }

  /** What is below, at a path with slashes between its keys. Undefined if it is longer than any path of the database. */
  descendant(path: string): Snapshot | undefined {
    const keys = path.split("/").filter((key) => key !== "");
    if (keys.length > MAX_PATH_SEGMENTS) return undefined;
    return keys.reduce<Snapshot>((at, key) => at.child(key), this);
  }
}
