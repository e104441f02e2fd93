import { positionIn } from "../model/child-index.ts";
import { Node } from "../model/node.ts";
import { comparePositions, type Position } from "../model/order.ts";
import { isWithin, type Path, ROOT } from "../model/path.ts";
import { isInRange, type Query, select } from "../query/query.ts";
import type { Commit } from "./commit.ts";

/** A place and what is to stand there; paths are relative to the place that is viewed. */
export type Entry = readonly [Path, Node];

/** What somebody who knew a view before a commit must be told to know it after. */
export type Update =
  | { readonly kind: "put"; readonly path: Path; readonly node: Node }
  | { readonly kind: "merge"; readonly entries: readonly Entry[] };

/**
 * What is seen at a place: all that stands there, or what a query selects of it. Many may look through one view: each commit moves it on
 * once, and all are told the same.
 */
export class View {
  readonly path: Path;
  readonly query: Query | undefined;
  #node: Node;
  #commit: Commit | undefined;
  #update: Update | undefined;
  /** Where a limited query ends; what comes behind it is not seen. */
  #edge: Position | undefined;

  constructor(root: Node, path: Path, query: Query | undefined) {
    this.path = path;
    this.query = query;
    this.#node = look(root, path, query);
    this.#edge = query && edgeOf(this.#node, query);
  }

  get node(): Node {
    return this.#node;
  }

  /** Moves on to the tree after a commit. Undefined if nothing that is seen has changed. */
  update(commit: Commit): Update | undefined {
    if (this.#commit !== commit) {
      this.#update = this.#moveOn(commit);
      this.#commit = commit;
    }
    return this.#update;
  }

  #moveOn(commit: Commit): Update | undefined {
    const known = this.#node;
    if (commit.changes.some(({ path }) => isWithin(this.path, path))) {
      this.#see(look(commit.after, this.path, this.query));
      return known.equals(this.#node) ? undefined : { kind: "put", path: ROOT, node: this.#node };
    }
    const all = commit.after.at(this.path);
    const within = this.#changesWithin(commit);
    if (!this.query) {
      this.#see(all);
      return toUpdate(within);
    }
    const touched = new Set(within.map(([[key]]) => key as string));
    if (this.query.limit === undefined) {
      this.#see(withTouched(known, all, this.query, touched));
      return toUpdate(differences(known, this.#node, touched, within));
    }
    if (![...touched].some((key) => this.#concerns(key, all.child(key)))) return undefined;
    this.#see(select(all, this.query));
    const keys = new Set([...known.keys(), ...this.#node.keys()]);
    return toUpdate(differences(known, this.#node, keys, within));
  }

  #see(node: Node): void {
    this.#node = node;
    this.#edge = this.query && edgeOf(node, this.query);
  }

  /** Whether a changed child was within a limit or comes into it. */
  #concerns(key: string, child: Node): boolean {
    const { query } = this;
    if (!query || !this.#node.child(key).isEmpty) return true;
    if (!isInRange(query, key, child)) return false;
    if (!this.#edge) return true;
    const order = comparePositions(positionIn(query.index, key, child), this.#edge);
    return query.fromEnd ? order > 0 : order < 0;
  }

  #changesWithin(commit: Commit): Entry[] {
    return commit.changes
      .filter(({ path }) => isWithin(path, this.path))
      .map(({ path, after }) => [path.slice(this.path.length), after]);
  }
}

/** The position of the last child that a full limit takes in, seen from where it counts. */
function edgeOf(node: Node, { index, limit, fromEnd }: Query): Position | undefined {
  if (limit === undefined || node.size < limit) return undefined;
  let edge: Position | undefined;
  for (const [key, child] of node.entries()) {
    const position = positionIn(index, key, child);
    const isFurther = !edge || comparePositions(position, edge) > 0 !== fromEnd;
    if (isFurther) edge = position;
  }
  return edge;
}

function look(root: Node, path: Path, query: Query | undefined): Node {
  const node = root.at(path);
  return query ? select(node, query) : node;
}

/** A range without a limit changes only where children were touched. */
function withTouched(known: Node, all: Node, query: Query, touched: ReadonlySet<string>): Node {
  let node = known;
  for (const key of touched) {
    const child = all.child(key);
    node = node.with([key], isInRange(query, key, child) ? child : Node.EMPTY);
  }
  return node;
}

/** What to tell of children that came, went or changed; of those that stay only what was written. */
function differences(known: Node, now: Node, keys: Iterable<string>, within: readonly Entry[]): Entry[] {
  const entries: Entry[] = [];
  for (const key of keys) {
    const [before, after] = [known.child(key), now.child(key)];
    if (before === after || before.equals(after)) continue;
    if (before.isEmpty || after.isEmpty) entries.push([[key], after]);
    else entries.push(...within.filter(([[first]]) => first === key));
  }
  return entries;
}

function toUpdate(entries: readonly Entry[]): Update | undefined {
  const [first] = entries;
  if (!first) return undefined;
  return entries.length === 1 ? { kind: "put", path: first[0], node: first[1] } : { kind: "merge", entries };
}
