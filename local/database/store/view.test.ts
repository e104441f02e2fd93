import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyJson, anyKey, anyLeaf, toNode } from "../model/arbitrary.ts";
import { BY_KEY, BY_PRIORITY, BY_VALUE, type Index, parseIndex, positionIn } from "../model/child-index.ts";
import { toText } from "../model/json.ts";
import { Node } from "../model/node.ts";
import { comparePositions } from "../model/order.ts";
import { type Path, PRIORITY } from "../model/path.ts";
import { asksForAll, isInRange, type Query, select, toBound } from "../query/query.ts";
import { ADMIN } from "../security.ts";
import type { Commit } from "./commit.ts";
import { Namespace, type Put, toPuts } from "./namespace.ts";
import { type Update, View } from "./view.ts";

const anyIndex = fc.constantFrom<Index>(BY_KEY, BY_PRIORITY, BY_VALUE, parseIndex("a"), parseIndex("b/c"));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const anyBound = (index: Index, end: "start" | "end") =>
  fc
    .record({
      value: index === BY_KEY ? anyKey : fc.oneof(anyLeaf, fc.constant(null)),
      key: maybe(anyKey),
      inclusive: fc.boolean(),
    })
    .map((given) => toBound(index, end, given));

const anyQuery: fc.Arbitrary<Query> = anyIndex
  .chain((index) =>
    fc.record({
      index: fc.constant(index),
      start: maybe(anyBound(index, "start")),
      end: maybe(anyBound(index, "end")),
      limit: maybe(fc.integer({ min: 1, max: 4 })),
      fromEnd: fc.boolean(),
    }),
  )
  .filter((query) => !asksForAll(query));

const anyPriority = fc.constantFrom<unknown>(null, 0, 1, "p");

/** Writes that mostly fall to where somebody looks, or right below. */
function anyWriteAround(place: Path): fc.Arbitrary<readonly Put[]> {
  const path = fc.oneof(
    { weight: 6, arbitrary: fc.array(anyKey, { minLength: 1, maxLength: 3 }).map((below) => [...place, ...below]) },
    fc.array(anyKey, { maxLength: 4 }),
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ path, json: anyJson }).map((put) => [put]) },
    { weight: 2, arbitrary: fc.record({ path, json: anyLeaf }).map((put) => [put]) },
    fc.record({ path: path.map((at) => [...at, PRIORITY]), json: anyPriority }).map((put) => [put]),
    fc.tuple(path, fc.dictionary(anyKey, anyJson, { maxKeys: 4 })).map(([at, json]) => toPuts(at, json)),
  );
}

/** A place, what stands there at first, and what is written then. */
const anyStory = fc.array(anyKey, { maxLength: 2 }).chain((path) =>
  fc.record({
    path: fc.constant<Path>(path),
    start: fc.dictionary(anyKey, anyJson),
    writes: fc.array(anyWriteAround(path), { minLength: 1, maxLength: 12 }),
  }),
);
type Story = typeof anyStory extends fc.Arbitrary<infer T> ? T : never;

/** The query run the slow way: everything sorted, then cut. */
function slowly(node: Node, query: Query): Node {
  const fitting = [...node.entries()].filter(([key, child]) => isInRange(query, key, child));
  fitting.sort(([a, x], [b, y]) => comparePositions(positionIn(query.index, a, x), positionIn(query.index, b, y)));
  const limit = query.limit ?? fitting.length;
  return Node.ofChildren(query.fromEnd ? fitting.slice(Math.max(0, fitting.length - limit)) : fitting.slice(0, limit));
}

/** What a client makes of an update. */
function follow(known: Node, update: Update | undefined): Node {
  if (!update) return known;
  if (update.kind === "put") return known.with(update.path, update.node);
  return update.entries.reduce((node, [path, child]) => node.with(path, child), known);
}

/** Writes to a database; answers with how it began and what was committed. */
function run({ path, start, writes }: Story) {
  const commits: Commit[] = [];
  const database = new Namespace({ name: "n", now: () => 0, onCommit: (_, commit) => commits.push(commit) });
  database.write({ path, puts: [{ path, json: start }] }, ADMIN);
  commits.length = 0;
  const root = database.root;
  for (const puts of writes) database.write({ path, puts }, ADMIN);
  return { root, commits };
}

describe("a query", () => {
  test("selects what sorting everything and cutting selects", () => {
    fc.assert(
      fc.property(anyJson, anyQuery, (json, query) => {
        const node = toNode(json);
        expect(toText(select(node, query), "export")).toBe(toText(slowly(node, query), "export"));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a view", () => {
  const check = (story: Story, query: Query | undefined) => {
    const { root, commits } = run(story);
    const view = new View(root, story.path, query);
    let known = view.node;
    for (const commit of commits) {
      known = follow(known, view.update(commit));
      const anew = commit.after.at(story.path);
      expect(toText(known, "export")).toBe(toText(query ? slowly(anew, query) : anew, "export"));
      expect(view.node.equals(known)).toBe(true);
    }
  };

  test("of a query, kept up to date by updates, is the query run anew", () => {
    fc.assert(fc.property(anyStory, anyQuery, check), { numRuns: 2_000 });
  });

  test("of a place, kept up to date by updates, is what stands there", () => {
    fc.assert(fc.property(anyStory, fc.constant(undefined), check), { numRuns: 500 });
  });

  test("is told only what was written, not all of what it stands in", () => {
    const start = { a: { x: 1, y: "long" }, b: { x: 2 } };
    const { root, commits } = run({ path: ["list"], start, writes: [[{ path: ["list", "a", "x"], json: 5 }]] });
    const update = new View(root, ["list"], undefined).update(commits[0] as Commit);
    expect(update).toEqual({ kind: "put", path: ["a", "x"], node: Node.ofLeaf(5) });
  });
});
