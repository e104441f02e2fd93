import { AggregateField, FieldPath, type Query } from "@google-cloud/firestore";
import { beforeAll, describe, expect, test } from "vitest";
import { PROJECT, useServer } from "../harness.ts";
import { IndexesFile } from "./file.ts";

/** A project's firestore.indexes.json as clients meet it. */
const FILE = {
  indexes: [
    {
      collectionGroup: "rooms",
      queryScope: "COLLECTION",
      fields: [
        { fieldPath: "city", order: "ASCENDING" },
        { fieldPath: "price", order: "ASCENDING" },
      ],
    },
  ],
  fieldOverrides: [{ collectionGroup: "rooms", fieldPath: "note", indexes: [] }],
};
const harness = useServer({ indexes: { [PROJECT]: IndexesFile.parse(FILE) } });

const PARENT = `/v1/projects/${PROJECT}/databases/(default)/documents/hotels/ritz`;
const ROOMS = { from: [{ collectionId: "rooms" }] };
const UNSERVED = {
  ...ROOMS,
  where: { fieldFilter: { field: { fieldPath: "city" }, op: "EQUAL", value: { stringValue: "Oslo" } } },
  orderBy: [{ field: { fieldPath: "price" }, direction: "DESCENDING" }],
};
const rooms = () => harness.client.collection("hotels/ritz/rooms");
const unserved = () => rooms().where("city", "==", "Oslo").orderBy("price", "desc");

beforeAll(async () => {
  for (const price of [30, 10, 20]) await rooms().doc(`room${price}`).set({ city: "Oslo", price, note: "quiet" });
});

test("a query that has its index is answered, with what counts and adds up, and as a listener", async () => {
  const query = rooms().where("city", "==", "Oslo").orderBy("price");
  expect((await query.get()).docs.map(({ id }) => id)).toEqual(["room10", "room20", "room30"]);
  const sums = await query.aggregate({ all: AggregateField.count(), sum: AggregateField.sum("price") }).get();
  expect(sums.data()).toEqual({ all: 3, sum: 60 });
  expect(await first(query)).toBe(3);
});

describe("a query without its index is refused", () => {
  test("with the index to add", async () => {
    const message = await unserved()
      .get()
      .then(String, ({ message }: Error) => message);
    expect(message).toContain("FAILED_PRECONDITION: The query requires an index. You can create it here: https://");
    const index = JSON.parse(/firestore\.indexes\.json: (.*)$/.exec(message)?.[1] ?? "null");
    expect(index).toEqual({
      collectionGroup: "rooms",
      queryScope: "COLLECTION",
      fields: [
        { fieldPath: "city", order: "ASCENDING" },
        { fieldPath: "price", order: "DESCENDING" },
      ],
    });
    await enforce({ ...FILE, indexes: [...FILE.indexes, index] });
    expect((await unserved().get()).docs.map(({ id }) => id)).toEqual(["room30", "room20", "room10"]);
    await enforce(FILE);
  });

  test.each([
    ["runQuery", { structuredQuery: UNSERVED }],
    ["runQuery", { structuredQuery: UNSERVED, newTransaction: { readWrite: {} } }],
    ["runQuery", { structuredQuery: UNSERVED, readTime: new Date().toISOString() }],
    [
      "runAggregationQuery",
      { structuredAggregationQuery: { structuredQuery: UNSERVED, aggregations: [{ count: {} }] } },
    ],
    [
      "runAggregationQuery",
      {
        structuredAggregationQuery: {
          structuredQuery: ROOMS,
          aggregations: [{ sum: { field: { fieldPath: "note" } } }],
        },
      },
    ],
    [
      "partitionQuery",
      { structuredQuery: { ...UNSERVED, from: [{ collectionId: "rooms", allDescendants: true }] }, partitionCount: 2 },
    ],
  ])("whichever way it is asked, and costs nothing: %s", async (method, body) => {
    const { usage } = harness.server.firestore;
    const mark = usage.mark();
    const answer = await harness.http("POST", `${PARENT}:${method}`, body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toMatch(/"FAILED_PRECONDITION"/);
    expect(JSON.stringify(answer.body)).toMatch(/The query requires an? /);
    expect(usage.since(mark)?.reads).toBe(0);
  });

  test("as a listener, and as a listing", async () => {
    await expect(first(unserved())).rejects.toThrow("The query requires an index.");
    const listed = await harness.http("GET", `${PARENT}/rooms?orderBy=note`);
    expect(listed).toMatchObject({ status: 400, body: { error: { status: "FAILED_PRECONDITION" } } });
    expect((await harness.http("GET", `${PARENT}/rooms?orderBy=price`)).status).toBe(200);
  });

  test("of a single field, naming scope, direction and field", async () => {
    await expect(first(rooms().where("note", "==", "quiet"))).rejects.toThrow(
      "The query requires a COLLECTION_ASC index for collection rooms and field note. You can create it here: https://",
    );
    await expect(first(harness.client.collectionGroup("rooms").orderBy("price", "desc"))).rejects.toThrow(
      "The query requires a COLLECTION_GROUP_DESC index for collection rooms and field price.",
    );
  });

  test("and one of names is not", async () => {
    const group = harness.client.collectionGroup("rooms");
    expect((await group.orderBy(FieldPath.documentId()).get()).size).toBe(3);
    const partitions = [];
    for await (const partition of group.getPartitions(2)) partitions.push(partition);
    expect(partitions).toHaveLength(2);
  });
});

test("an app is told of a missing index only where rules let it ask", async () => {
  const rules = `service cloud.firestore { match /databases/{database}/documents {
    match /hotels/ritz/rooms/{room} { allow read; }
  } }`;
  await harness.http("PUT", `/emulator/v1/projects/${PROJECT}:securityRules`, {
    rules: { files: [{ content: rules }] },
  });
  const ask = async (hotel: string) => {
    const parent = PARENT.replace("ritz", hotel);
    return JSON.stringify((await harness.http("POST", `${parent}:runQuery`, { structuredQuery: UNSERVED }, {})).body);
  };
  expect(await ask("ritz")).toContain("The query requires an index.");
  expect(await ask("other")).toContain("PERMISSION_DENIED");
});

test("a project that has told of no indexes is answered whatever it asks", async () => {
  const other = harness.connect({ projectId: "demo-other" });
  const query = other.collection("rooms").where("city", "==", "Oslo").orderBy("price", "desc");
  expect((await query.get()).size).toBe(0);
});

test("a file that cannot be is refused, and the one before it stays", async () => {
  const bad = { indexes: [{ collectionGroup: "rooms", fields: [{ fieldPath: "a-b", order: "ASCENDING" }] }] };
  expect((await enforce(bad)).status).toBe(400);
  expect((await enforce({ indexes: [{ fields: [] }] })).status).toBe(400);
  await expect(first(unserved())).rejects.toThrow("The query requires an index.");
});

function enforce(file: object): Promise<{ status: number; body: unknown }> {
  return harness.http("PUT", `/emulator/v1/projects/${PROJECT}/indexes?enforce=true`, file);
}

/** How many documents a listener is first told of. */
function first(query: Query): Promise<number> {
  return new Promise((resolve, reject) => {
    const stop = query.onSnapshot(({ size }) => {
      stop();
      resolve(size);
    }, reject);
  });
}
