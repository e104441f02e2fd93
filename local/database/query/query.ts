import * as z from "zod";
import { BY_KEY, BY_PRIORITY, type Index, parseIndex, positionIn } from "../model/child-index.ts";
import { invalidQuery } from "../model/failure.ts";
import { Node } from "../model/node.ts";
import { comparePositions, MAX_KEY, MIN_KEY, type Position } from "../model/order.ts";

/** One end of a range. */
export interface Bound {
  readonly position: Position;
  readonly inclusive: boolean;
}

/** Which children of a place are asked for. */
export interface Query {
  readonly index: Index;
  readonly start: Bound | undefined;
  readonly end: Bound | undefined;
  readonly limit: number | undefined;
  /** Whether the limit counts from the end. */
  readonly fromEnd: boolean;
}

/** An end of a range as callers give it: `value` to sort by, or a key when ordering by key. */
export interface GivenBound {
  readonly value: unknown;
  readonly key: unknown;
  readonly inclusive: boolean;
}

/** Whether a query asks for all children: then it is a plain listen, whatever its order. */
export function asksForAll({ start, end, limit }: Query): boolean {
  return !start && !end && limit === undefined;
}

/** Builds one end of a range; without a key it stands before or behind all keys of its value. */
export function toBound(index: Index, end: "start" | "end", given: GivenBound): Bound {
  const { value, key, inclusive } = given;
  if (index === BY_KEY) {
    if (typeof value !== "string") throw invalidQuery("Provided key index type is invalid, must be string");
    return { position: { value: null, key: value }, inclusive };
  }
  if (value !== null && !["string", "number", "boolean"].includes(typeof value)) {
    throw invalidQuery("Constraint index field must be a JSON primitive");
  }
  if (key !== undefined && key !== null && typeof key !== "string") {
    throw invalidQuery("Constraint key field must be a string");
  }
  const outermost = (end === "start") === inclusive ? MIN_KEY : MAX_KEY;
  return { position: { value: value as Position["value"], key: key || outermost }, inclusive };
}

const Primitive = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/**
 * A query as clients send it over WebSocket: index, start and end (value, key, whether it is inclusive), limit and the side from
 * which it counts. Source: queryParamsGetQueryObject of the Firebase JavaScript SDK.
 */
export const WireQuery = z.object({
  i: z.string().optional(),
  sp: Primitive.optional(),
  sn: z.string().optional(),
  sin: z.boolean().optional(),
  ep: Primitive.optional(),
  en: z.string().optional(),
  ein: z.boolean().optional(),
  l: z.number().optional(),
  vf: z.enum(["l", "r"]).optional(),
});
export type WireQuery = z.infer<typeof WireQuery>;

/** What a query of a client asks for, or undefined if that is everything. */
export function parseWireQuery(wire: WireQuery | undefined): Query | undefined {
  if (wire === undefined) return undefined;
  const { i, sp, sn, sin = true, ep, en, ein = true, l, vf } = wire;
  const index = i === undefined ? BY_PRIORITY : parseIndex(i);
  const start = sp === undefined ? undefined : toBound(index, "start", { value: sp, key: sn, inclusive: sin });
  const end = ep === undefined ? undefined : toBound(index, "end", { value: ep, key: en, inclusive: ein });
  const limit = l === undefined ? undefined : checkLimit(l, "limit");
  const fromEnd = vf === undefined ? start === undefined : vf === "r";
  const query: Query = { index, start, end, limit, fromEnd };
  return asksForAll(query) ? undefined : query;
}

export function checkLimit(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isInteger(value)) throw invalidQuery(`${name} must be an integer`);
  if (value <= 0) throw invalidQuery(`${name} must be positive`);
  return value;
}

/** Whether a child lies in a query's range, its limit left aside. */
export function isInRange({ index, start, end }: Query, key: string, child: Node): boolean {
  if (child.isEmpty) return false;
  const position = positionIn(index, key, child);
  return !isBefore(position, start) && !isBehind(position, end);
}

function isBefore(position: Position, start: Bound | undefined): boolean {
  if (!start) return false;
  const order = comparePositions(position, start.position);
  return start.inclusive ? order < 0 : order <= 0;
}

function isBehind(position: Position, end: Bound | undefined): boolean {
  if (!end) return false;
  const order = comparePositions(position, end.position);
  return end.inclusive ? order > 0 : order >= 0;
}

/** The children that a query selects, as a node of their own without a priority. Of a leaf it selects nothing. */
export function select(node: Node, query: Query): Node {
  return Node.ofChildren(selected(node, query));
}

function* selected(node: Node, query: Query): Generator<[string, Node]> {
  const { index, limit = Number.POSITIVE_INFINITY, fromEnd } = query;
  let taken = 0;
  for (const [key, child] of fromEnd ? descending(node, query) : ascending(node, query)) {
    if (taken === limit) return;
    const position = positionIn(index, key, child);
    const [early, late] = [isBefore(position, query.start), isBehind(position, query.end)];
    if (fromEnd ? early : late) return;
    if (early || late) continue;
    taken++;
    yield [key, child];
  }
}

function* ascending(node: Node, { index, start }: Query): Generator<[string, Node]> {
  if (index === BY_KEY) return yield* node.entries(start?.position.key);
  for (const [{ key }, child] of node.ordered(index)?.entries(start?.position) ?? []) yield [key, child];
}

function* descending(node: Node, { index, end }: Query): Generator<[string, Node]> {
  if (index === BY_KEY) return yield* node.entriesReversed(end?.position.key);
  for (const [{ key }, child] of node.ordered(index)?.entriesReversed(end?.position) ?? []) yield [key, child];
}
