import * as z from "zod";
import { nodeFromJson, toText } from "../model/json.ts";
import { Node, type Priority } from "../model/node.ts";
import { type Path, PRIORITY, splitPath } from "../model/path.ts";
import type { Change } from "../store/commit.ts";

/**
 * Records of the Realtime Database's log and snapshots, in JSON: a database and what stands at places of it from then on, in their order.
 * Nodes have the form of exports, with priorities. A place that ends in `.priority` says what only that is.
 */
const Record = z.object({ name: z.string(), places: z.array(z.tuple([z.string(), z.unknown()])) });

/** Leaves of one record of a snapshot, give or take as many again. */
const PAGE = 200;

export function commitRecord(name: string, changes: readonly Change[]): Buffer {
  return writeRecord(
    name,
    changes.map(({ path, after }) => placeText(path, toText(after, "export"))),
  );
}

/** Puts what a record says into the trees of databases. */
export function restore(bytes: Uint8Array, database: (name: string) => { root: Node }): void {
  const { name, places } = Record.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  const restored = database(name);
  let { root } = restored;
  for (const [text, json] of places) root = withPlace(root, splitPath(text), json);
  restored.root = root;
}

/** The records of whole trees. They never change, so this may take its time. */
export function* recordsOf(roots: ReadonlyMap<string, Node>): Generator<Buffer> {
  for (const [name, root] of roots) {
    let places: string[] = [];
    let leaves = 0;
    for (const part of partsOf([], root)) {
      places.push(part.text);
      leaves += part.leaves;
      if (leaves < PAGE) continue;
      yield writeRecord(name, places);
      places = [];
      leaves = 0;
    }
    if (places.length > 0) yield writeRecord(name, places);
  }
}

interface Part {
  readonly text: string;
  readonly leaves: number;
}

/** A tree in parts that are not large; a node that is goes child by child, its priority last. */
function* partsOf(path: Path, node: Node): Generator<Part> {
  const leaves = leavesUpTo(node, PAGE);
  if (leaves <= PAGE) {
    yield { text: placeText(path, toText(node, "export")), leaves };
    return;
  }
  for (const [key, child] of node.entries()) yield* partsOf([...path, key], child);
  if (node.priority !== null) {
    yield { text: placeText([...path, PRIORITY], JSON.stringify(node.priority)), leaves: 1 };
  }
}

/** How many leaves there are below a node; it stops counting when there are more than `limit`. */
function leavesUpTo(node: Node, limit: number): number {
  if (node.leaf !== undefined) return 1;
  let leaves = 0;
  for (const [, child] of node.entries()) {
    leaves += leavesUpTo(child, limit - leaves);
    if (leaves > limit) break;
  }
  return leaves;
}

function withPlace(root: Node, path: Path, json: unknown): Node {
  if (path.at(-1) === PRIORITY) {
    const place = path.slice(0, -1);
    return root.with(place, root.at(place).withPriority(json as Priority));
  }
  return root.with(path, nodeFromJson(json, { now: 0, existing: Node.EMPTY, depth: path.length }));
}

function placeText(path: Path, json: string): string {
  return `[${JSON.stringify(path.join("/"))},${json}]`;
}

function writeRecord(name: string, places: readonly string[]): Buffer {
  return Buffer.from(`{"name":${JSON.stringify(name)},"places":[${places.join(",")}]}`);
}
