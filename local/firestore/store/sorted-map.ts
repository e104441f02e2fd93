import { createRequire } from "node:module";
import type BTree from "sorted-btree";
import { compareKeys, type SortKey } from "../model/order.ts";

/** CommonJS with a default export of its own: bundlers and Node disagree on what importing it gives, not on what requiring it does. */
const sorted = createRequire(import.meta.url)("sorted-btree") as typeof BTree;

const NODE_SIZE = 64;

/** A map in the order of its sort keys. */
export type SortedMap<T> = BTree.default<SortKey, T>;

export function sortedMap<T>(): SortedMap<T> {
  return new sorted.default<SortKey, T>(undefined, compareKeys, NODE_SIZE);
}

/** Values whose key is at or behind `low` and in front of `high`, in order or, with `reverse`, from the end. */
export function* scan<T>(map: SortedMap<T>, low: SortKey, high: SortKey, reverse: boolean): Generator<T> {
  if (reverse) {
    for (const [key, value] of map.entriesReversed(high)) {
      if (key < low) return;
      if (key < high) yield value;
    }
  } else {
    for (const [key, value] of map.entries(low)) {
      if (key >= high) return;
      yield value;
    }
  }
}
