import { setTimeout as sleep } from "node:timers/promises";
import { FieldPath, type QueryDocumentSnapshot } from "@google-cloud/firestore";
import { beforeAll, describe, expect, test } from "vitest";
import { DATABASE, useServer } from "../harness.ts";

const harness = useServer();
const doc = (path: string) => harness.client.doc(path);

describe("listing", () => {
  beforeAll(async () => {
    const batch = harness.client.batch();
    for (const id of ["c", "a", "__id5__", "b", "__id10__"]) batch.set(doc(`letters/${id}`), { id });
    batch.set(doc("letters/missing/words/one"), {});
    batch.set(doc("letters/a/words/two"), {});
    batch.set(doc("letters/a/sounds/three"), {});
    await batch.commit();
  });

  const list = async (query: string) =>
    (await harness.http("GET", `/v1/${DATABASE}/documents/letters${query}`)).body as {
      documents?: { name: string; createTime?: string }[];
      nextPageToken?: string;
    };
  const ids = (documents: { name: string }[] = []) => documents.map(({ name }) => name.split("/").at(-1));

  test("goes page by page in the order of ids, numeric ids first", async () => {
    const seen: unknown[] = [];
    let token = "";
    do {
      const page = await list(`?pageSize=2&pageToken=${token}`);
      expect(page.documents?.length).toBeLessThanOrEqual(2);
      seen.push(...ids(page.documents));
      token = page.nextPageToken ?? "";
    } while (token !== "");
    expect(seen).toEqual(["__id5__", "__id10__", "a", "b", "c"]);
  });

  test("with missing documents shows ids that only have documents below them, without times", async () => {
    const page = await list("?showMissing=true&pageSize=100");
    expect(ids(page.documents)).toEqual(["__id5__", "__id10__", "a", "b", "c", "missing"]);
    expect(page.documents?.at(-1)).not.toHaveProperty("createTime");
    expect((await harness.client.collection("letters").listDocuments()).map(({ id }) => id)).toContain("missing");
  });

  test("with missing documents pages without a gap or a repetition", async () => {
    const first = await list("?showMissing=true&pageSize=5");
    const second = await list(`?showMissing=true&pageSize=5&pageToken=${first.nextPageToken}`);
    expect([...ids(first.documents), ...ids(second.documents)]).toEqual([
      "__id5__",
      "__id10__",
      "a",
      "b",
      "c",
      "missing",
    ]);
  });

  test("returns only the fields of a mask", async () => {
    const page = await list("?pageSize=1&mask.fieldPaths=nothing");
    expect(page.documents?.[0]).not.toHaveProperty("fields");
  });

  test("can be ordered by a field, and then pages by it", async () => {
    const first = await list("?pageSize=3&orderBy=id%20desc");
    expect(ids(first.documents)).toEqual(["c", "b", "a"]);
    const second = await list(`?pageSize=3&orderBy=id%20desc&pageToken=${first.nextPageToken}`);
    expect(ids(second.documents)).toEqual(["__id5__", "__id10__"]);
  });

  test("refuses pages of a negative size", async () => {
    const negative = await harness.http("GET", `/v1/${DATABASE}/documents/letters?pageSize=-1`);
    expect(negative).toMatchObject({ status: 400, body: { error: { status: "INVALID_ARGUMENT" } } });
    const ids = await harness.http("POST", `/v1/${DATABASE}/documents:listCollectionIds`, { pageSize: -1 });
    expect(ids).toMatchObject({ status: 400, body: { error: { status: "INVALID_ARGUMENT" } } });
  });

  test("names collections in order, those included that are below missing documents", async () => {
    expect((await doc("letters/a").listCollections()).map(({ id }) => id)).toEqual(["sounds", "words"]);
    expect((await doc("letters/missing").listCollections()).map(({ id }) => id)).toEqual(["words"]);
    expect((await harness.client.listCollections()).map(({ id }) => id)).toEqual(["letters"]);
    const page = await harness.http("POST", `/v1/${DATABASE}/documents/letters/a:listCollectionIds`, { pageSize: 1 });
    const { nextPageToken } = page.body as { nextPageToken: string };
    const next = await harness.http("POST", `/v1/${DATABASE}/documents/letters/a:listCollectionIds`, {
      pageToken: nextPageToken,
    });
    expect([page.body, next.body]).toMatchObject([{ collectionIds: ["sounds"] }, { collectionIds: ["words"] }]);
  });
});

describe("getting many documents", () => {
  test("answers for each, found or missing, with the fields of the mask", async () => {
    await doc("many/a").set({ x: 1, y: { z: 2, w: 3 } });
    const [found, missing] = await harness.client.getAll(doc("many/a"), doc("many/b"), { fieldMask: ["y.z"] });
    expect(found?.data()).toEqual({ y: { z: 2 } });
    expect(missing?.exists).toBe(false);
  });
});

describe("the past", () => {
  test("can be read as it was, documents and queries", async () => {
    await doc("past/a").set({ n: 1 });
    const { readTime } = await doc("past/b").get();
    await sleep(5);
    await Promise.all([doc("past/a").set({ n: 2 }), doc("past/b").set({ n: 2 })]);
    await doc("past/a").delete();
    const seen = await harness.client.runTransaction(
      async (tx) => {
        const documents = await tx.get(harness.client.collection("past"));
        return [(await tx.get(doc("past/a"))).get("n"), documents.docs.map((found) => found.id)];
      },
      { readOnly: true, readTime },
    );
    expect(seen).toEqual([1, ["a"]]);
  });

  test("is refused beyond the retention, and so is the future", async () => {
    const read = async (millis: number) => {
      const readTime = new Date(Date.now() + millis).toISOString();
      return (await harness.http("GET", `/v1/${DATABASE}/documents/past/a?readTime=${readTime}`)).body;
    };
    expect(await read(-2 * 3_600_000)).toMatchObject({ error: { status: "FAILED_PRECONDITION" } });
    expect(await read(3_600_000)).toMatchObject({ error: { status: "INVALID_ARGUMENT" } });
  });
});

describe("partitions of a collection group", () => {
  test("cover every document exactly once", async () => {
    const batch = harness.client.batch();
    for (let i = 0; i < 97; i++) batch.set(doc(`places/${i % 9}/visits/v${i}`), { i });
    await batch.commit();
    const group = harness.client.collectionGroup("visits");
    const found: QueryDocumentSnapshot[] = [];
    let parts = 0;
    for await (const partition of group.getPartitions(5)) {
      parts++;
      found.push(...(await partition.toQuery().get()).docs);
    }
    expect(parts).toBe(5);
    expect(found.map(({ id }) => id).sort()).toEqual(Array.from({ length: 97 }, (_, i) => `v${i}`).sort());
    const inOrder = await group.orderBy(FieldPath.documentId()).get();
    expect(found.map(({ ref }) => ref.path)).toEqual(inOrder.docs.map(({ ref }) => ref.path));
  });
});

describe("aggregations", () => {
  beforeAll(async () => {
    const batch = harness.client.batch();
    const rows = [{ n: 1, m: 2 }, { n: 2 }, { n: 1.5, m: "text" }, { m: 10 }, { n: Number.NaN, m: 1 }];
    for (const [i, row] of rows.entries()) batch.set(doc(`sums/${i}`), row);
    await batch.commit();
  });

  test("count, add up and average what is numeric; integers stay integers", async () => {
    const { AggregateField } = await import("@google-cloud/firestore");
    const sums = harness.client.collection("sums");
    const integers = await sums
      .where("n", "in", [1, 2])
      .aggregate({ sum: AggregateField.sum("n"), average: AggregateField.average("n") })
      .get();
    expect(integers.data()).toEqual({ sum: 3, average: 1.5 });
    const all = await sums.aggregate({ sum: AggregateField.sum("n") }).get();
    expect(all.data().sum).toBeNaN();
    const none = await sums
      .where("n", "==", "x")
      .aggregate({ sum: AggregateField.sum("n"), average: AggregateField.average("n") })
      .get();
    expect(none.data()).toEqual({ sum: 0, average: null });
  });

  test("leave documents out that lack one of the fields", async () => {
    const { AggregateField } = await import("@google-cloud/firestore");
    const result = await harness.client
      .collection("sums")
      .aggregate({ count: AggregateField.count(), sum: AggregateField.sum("m") })
      .get();
    expect(result.data()).toEqual({ count: 4, sum: 13 });
  });

  test("stop at a bound, and turn to doubles when 64 bits are not enough", async () => {
    await doc("huge/a").set({ n: 1 });
    const big = { integerValue: "9223372036854775807" };
    const name = (id: string) => `${DATABASE}/documents/huge/${id}`;
    const writes = ["a", "b"].map((id) => ({ update: { name: name(id), fields: { n: big } } }));
    await harness.http("POST", `/v1/${DATABASE}/documents:commit`, { writes });
    const ask = async (aggregations: unknown) =>
      (
        await harness.http("POST", `/v1/${DATABASE}/documents:runAggregationQuery`, {
          structuredAggregationQuery: { structuredQuery: { from: [{ collectionId: "huge" }] }, aggregations },
        })
      ).body;
    expect(await ask([{ alias: "c", count: { upTo: "1" } }])).toMatchObject([
      { result: { aggregateFields: { c: { integerValue: "1" } } } },
    ]);
    expect(await ask([{ sum: { field: { fieldPath: "n" } } }])).toMatchObject([
      { result: { aggregateFields: { field_1: { doubleValue: 2 ** 64 } } } },
    ]);
  });
});

describe("a query that names no collection", () => {
  const parent = `${DATABASE}/documents/shelves/a`;
  const ask = async (structuredQuery: unknown) => {
    const { body } = await harness.http("POST", `/v1/${parent}:runQuery`, { structuredQuery });
    return (body as { document?: { name: string } }[]).flatMap(
      ({ document }) => document?.name.slice(parent.length) ?? [],
    );
  };
  beforeAll(async () => {
    for (const path of [
      "shelves/a",
      "shelves/a/books/1",
      "shelves/a/books/1/pages/1",
      "shelves/a/atlases/2",
      "shelves/b/books/3",
    ]) {
      await doc(path).set({});
    }
  });

  test("finds the documents of all collections directly below its parent", async () => {
    expect(await ask({})).toEqual(["/atlases/2", "/books/1"]);
    expect(await ask({ from: [{ collectionId: "" }], limit: 1 })).toEqual(["/atlases/2"]);
  });

  test("finds with all descendants those below them, too", async () => {
    expect(await ask({ from: [{ allDescendants: true }] })).toEqual(["/atlases/2", "/books/1", "/books/1/pages/1"]);
  });
});

describe("queries that are refused", () => {
  const ask = async (structuredQuery: unknown) =>
    (await harness.http("POST", `/v1/${DATABASE}/documents:runQuery`, { structuredQuery })).status;
  const from = [{ collectionId: "things" }];
  const filter = (op: string, value: unknown, fieldPath = "a") => ({
    fieldFilter: { field: { fieldPath }, op, value },
  });
  const composite = (op: string, ...filters: unknown[]) => ({ compositeFilter: { op, filters } });
  const one = { integerValue: "1" };
  const values = (count: number) => ({
    arrayValue: { values: Array.from({ length: count }, (_, i) => ({ integerValue: String(i) })) },
  });

  test.each([
    ["all collections by a field", { where: filter("EQUAL", one) }],
    ["all collections in the order of a field", { orderBy: [{ field: { fieldPath: "a" } }] }],
    ["a negative limit", { from, limit: -1 }],
    ["a negative offset", { from, offset: -1 }],
    ["more than 30 alternatives", { from, where: filter("IN", values(31)) }],
    ["more than 10 exclusions", { from, where: filter("NOT_IN", values(11)) }],
    ["'in' without a list", { from, where: filter("IN", { integerValue: "1" }) }],
    ["'in' with an empty list", { from, where: filter("IN", { arrayValue: {} }) }],
    ["a cursor longer than the order", { from, startAt: { values: [{ integerValue: "1" }, { integerValue: "2" }] } }],
    ["the same order twice", { from, orderBy: [{ field: { fieldPath: "a" } }, { field: { fieldPath: "a" } }] }],
    [
      "a name compared with text",
      { from, where: { fieldFilter: { field: { fieldPath: "__name__" }, op: "EQUAL", value: { stringValue: "x" } } } },
    ],
    ["a field path that is none", { from, where: { unaryFilter: { field: { fieldPath: "a..b" }, op: "IS_NULL" } } }],
    [
      "two fields that differ",
      { from, where: composite("AND", filter("NOT_EQUAL", one), filter("NOT_EQUAL", one, "b")) },
    ],
    [
      "exclusions beside 'in'",
      { from, where: composite("AND", filter("IN", values(1)), filter("NOT_IN", values(1), "b")) },
    ],
    [
      "exclusions as an alternative",
      { from, where: composite("OR", filter("NOT_IN", values(1)), filter("EQUAL", one)) },
    ],
    [
      "two array memberships at once",
      { from, where: composite("AND", filter("ARRAY_CONTAINS", one), filter("ARRAY_CONTAINS_ANY", values(1), "b")) },
    ],
    [
      "a name compared with a collection's",
      { from, where: filter("LESS_THAN", { referenceValue: `${DATABASE}/documents/things` }, "__name__") },
    ],
    ["an empty OR", { from, where: { compositeFilter: { op: "OR", filters: [] } } }],
  ])("%s", async (_, query) => {
    expect(await ask(query)).toBe(400);
  });

  test("one below a collection", async () => {
    const structuredQuery = { from };
    const { status } = await harness.http("POST", `/v1/${DATABASE}/documents/things:runQuery`, { structuredQuery });
    expect(status).toBe(400);
  });

  test("an empty AND asks for nothing", async () => {
    expect(await ask({ from, where: composite("AND") })).toBe(200);
  });

  test("array memberships are taken as alternatives", async () => {
    const memberships = [filter("ARRAY_CONTAINS", one), filter("ARRAY_CONTAINS", one, "b")];
    expect(await ask({ from, where: composite("OR", ...memberships) })).toBe(200);
  });

  test("what is left out on purpose answers UNIMPLEMENTED", async () => {
    const findNearest = { vectorField: { fieldPath: "v" }, queryVector: { nullValue: null }, limit: 1 };
    expect(await ask({ from, findNearest })).toBe(501);
    const explained = await harness.http("POST", `/v1/${DATABASE}/documents:runQuery`, {
      structuredQuery: { from },
      explainOptions: {},
    });
    expect(explained.status).toBe(501);
  });
});

describe("the latency dial", () => {
  const slow = useServer({ latencyMillis: 60 });

  test("delays reads and commits, and nothing else", async () => {
    const began = performance.now();
    await slow.client.doc("slow/a").set({ n: 1 });
    const written = performance.now();
    await slow.client.doc("slow/a").get();
    const read = performance.now();
    expect(written - began).toBeGreaterThanOrEqual(59);
    expect(read - written).toBeGreaterThanOrEqual(59);
  });
});
