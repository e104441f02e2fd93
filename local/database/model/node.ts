import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import type BTreeClass from "sorted-btree";
import { type Index, positionIn } from "./child-index.ts";
import { compareKeys, comparePositions, compareValues, type Position } from "./order.ts";
import type { Path } from "./path.ts";

// The package's types declare an ES module, but what Node loads is CommonJS.
const { default: BTree } = createRequire(import.meta.url)("sorted-btree") as { default: typeof BTreeClass.default };
type Children = InstanceType<typeof BTree<string, Node>>;
type Ordered = InstanceType<typeof BTree<Position, Node>>;

export type Leaf = string | number | boolean;
export type Priority = string | number | null;

/** Indexes that a node keeps in order beside its children; the oldest goes when there are more. */
const MAX_INDEXES = 16;

/**
 * A tree of data, or a part of one; never changed once made. What is written below a node gives a new node that shares all
 * children but those on the way.
 */
export class Node {
  static readonly EMPTY = new Node(null, null, undefined);

  /** A value, `null` where there is nothing, `undefined` where there are children. */
  readonly leaf: Leaf | null | undefined;
  readonly priority: Priority;
  readonly #children: Children | undefined;
  readonly #indexes = new Map<string, { readonly index: Index; readonly ordered: Ordered }>();
  #hash: string | undefined;

  private constructor(leaf: Leaf | null | undefined, priority: Priority, children: Children | undefined) {
    this.leaf = leaf;
    this.priority = priority;
    this.#children = children;
  }

  static ofLeaf(value: Leaf, priority: Priority = null): Node {
    return new Node(value, priority, undefined);
  }

  /** Empty children are left out; without any, the node is empty and has no priority. */
  static ofChildren(entries: Iterable<readonly [string, Node]>, priority: Priority = null): Node {
    const children: Children = new BTree<string, Node>(undefined, compareKeys);
    for (const [key, child] of entries) if (!child.isEmpty) children.set(key, child);
    return children.size === 0 ? Node.EMPTY : new Node(undefined, priority, children);
  }

  get isEmpty(): boolean {
    return this.leaf === null;
  }

  /** The number of children. */
  get size(): number {
    return this.#children?.size ?? 0;
  }

  child(key: string): Node {
    return this.#children?.get(key) ?? Node.EMPTY;
  }

  at(path: Path): Node {
    let node: Node = this;
    for (const key of path) {
      if (!node.#children) return Node.EMPTY;
      node = node.child(key);
    }
    return node;
  }

  /** Keys in their order. */
  keys(): Iterable<string> {
    return this.#children?.keys() ?? [];
  }

  /** Children in the order of their keys, from `from` on. */
  entries(from?: string): Iterable<[string, Node]> {
    return this.#children?.entries(from) ?? [];
  }

  /** Children in the reverse order of their keys, from `from` down. */
  entriesReversed(from?: string): Iterable<[string, Node]> {
    return this.#children?.entriesReversed(from) ?? [];
  }

  /** Children as an index orders them; the index is made when first asked for and kept up to date by later writes. */
  ordered(index: Index): Ordered | undefined {
    if (!this.#children) return undefined;
    const known = this.#indexes.get(index.name);
    if (known) return known.ordered;
    const pairs = [...this.#children.entries()].map(([key, child]): [Position, Node] => [
      positionIn(index, key, child),
      child,
    ]);
    pairs.sort(([a], [b]) => comparePositions(a, b));
    const ordered: Ordered = new BTree<Position, Node>(pairs, comparePositions);
    const oldest = this.#indexes.keys().next().value;
    if (this.#indexes.size >= MAX_INDEXES && oldest !== undefined) this.#indexes.delete(oldest);
    this.#indexes.set(index.name, { index, ordered });
    return ordered;
  }

  withPriority(priority: Priority): Node {
    if (this.isEmpty || priority === this.priority) return this;
    return new Node(this.leaf, priority, this.#children);
  }

  /** The tree with another node at a place. A leaf on the way gives way to children, but not to their absence. */
  with(path: Path, node: Node, depth = 0): Node {
    const key = path[depth];
    if (key === undefined) return node;
    const before = this.child(key);
    const after = before.with(path, node, depth + 1);
    return after === before ? this : this.#withChild(key, before, after);
  }

  #withChild(key: string, before: Node, after: Node): Node {
    const children: Children = this.#children?.clone() ?? new BTree<string, Node>(undefined, compareKeys);
    if (after.isEmpty) children.delete(key);
    else children.set(key, after);
    if (children.size === 0) return this.#children ? Node.EMPTY : this;
    const changed = new Node(undefined, this.priority, children);
    for (const [name, { index, ordered }] of this.#indexes) {
      const updated = ordered.clone();
      if (!before.isEmpty) updated.delete(positionIn(index, key, before));
      if (!after.isEmpty) updated.set(positionIn(index, key, after), after);
      changed.#indexes.set(name, { index, ordered: updated });
    }
    return changed;
  }

  /** Whether both hold the same values and priorities. */
  equals(other: Node): boolean {
    if (this === other) return true;
    if (this.leaf !== other.leaf || this.priority !== other.priority || this.size !== other.size) return false;
    for (const [key, child] of this.entries()) if (!child.equals(other.child(key))) return false;
    return true;
  }

  /**
   * The hash that clients send to say what they know, in base64; empty for nothing.
   * Source: Node.hash() of the Firebase JavaScript SDK.
   */
  hash(): string {
    this.#hash ??= this.isEmpty ? "" : createHash("sha1").update(this.#hashedText(), "utf8").digest("base64");
    return this.#hash;
  }

  #hashedText(): string {
    const own = this.priority === null ? "" : `priority:${hashedLeaf(this.priority)}:`;
    if (typeof this.leaf !== "undefined") return own + hashedLeaf(this.leaf ?? "");
    const children = [...this.entries()];
    if (children.some(([, child]) => child.priority !== null)) {
      children.sort(([, a], [, b]) => compareValues(a.priority, b.priority));
    }
    return own + children.map(([key, child]) => `:${key}:${child.hash()}`).join("");
  }
}

function hashedLeaf(value: Leaf): string {
  if (typeof value !== "number") return `${typeof value}:${value}`;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return `number:${bytes.toString("hex")}`;
}
