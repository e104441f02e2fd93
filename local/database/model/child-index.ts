import { invalidQuery } from "./failure.ts";
import type { Node } from "./node.ts";
import { OBJECT, type Position, type SortValue } from "./order.ts";
import { isKey, type Path, splitPath } from "./path.ts";

/** What children are ordered by. `name` is how rules (`.indexOn`) and the WebSocket protocol spell it. */
export type Index =
  | { readonly kind: "key" | "priority" | "value"; readonly name: string }
  | { readonly kind: "child"; readonly name: string; readonly path: Path };

export const BY_KEY: Index = { kind: "key", name: ".key" };
export const BY_PRIORITY: Index = { kind: "priority", name: ".priority" };
export const BY_VALUE: Index = { kind: "value", name: ".value" };

/** `.key`, `.priority`, `.value`, or the path of a descendant of each child. */
export function parseIndex(name: string): Index {
  if (name === BY_KEY.name) return BY_KEY;
  if (name === BY_PRIORITY.name) return BY_PRIORITY;
  if (name === BY_VALUE.name) return BY_VALUE;
  const path = splitPath(name);
  if (path.length === 0 || !path.every(isKey)) throw invalidQuery("Invalid path in orderBy");
  return { kind: "child", name: path.join("/"), path };
}

/** Where a child stands in an index. */
export function positionIn(index: Index, key: string, child: Node): Position {
  return { value: sortValue(index, child), key };
}

function sortValue(index: Index, child: Node): SortValue {
  if (index.kind === "key") return null;
  if (index.kind === "priority") return child.priority;
  const { leaf } = index.kind === "child" ? child.at(index.path) : child;
  return leaf === undefined ? OBJECT : leaf;
}
