import { AggregateField, FieldPath, Filter, GeoPoint, Timestamp } from "@google-cloud/firestore";
import { PassThroughClient } from "google-auth-library";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../harness.ts";

/** The official client for servers with `preferRest`, which uses gRPC only to listen. */
const harness = useServer();
const connect = (databaseId?: string) =>
  harness.connect({
    preferRest: true,
    authClient: new PassThroughClient(),
    ...(databaseId === undefined ? {} : { databaseId }),
  });
let client: ReturnType<typeof connect>;

beforeAll(async () => {
  client = connect();
  const batch = client.batch();
  for (const n of [1, 2, 3, 4, 5, 6]) batch.set(client.doc(`numbers/n${n}`), { n, even: n % 2 === 0, tags: [`t${n}`] });
  await batch.commit();
});

describe("over REST", () => {
  test("documents keep values of every type", async () => {
    const data = {
      text: "grün 🎲",
      long: Number.MAX_SAFE_INTEGER,
      double: 0.1,
      nan: Number.NaN,
      infinity: Number.POSITIVE_INFINITY,
      yes: true,
      nothing: null,
      at: new Timestamp(1_700_000_000, 123_456_000),
      place: new GeoPoint(1.5, -2),
      bytes: Buffer.from([0, 250, 255]),
      link: client.doc("rooms/grün"),
      list: [1, { deep: [] }],
      map: { "a.b": { c: 1 } },
    };
    await client.doc("rooms/a b:c").set(data);
    expect((await client.doc("rooms/a b:c").get()).data()).toEqual(data);
  });

  test("masks, transforms and preconditions do what they say", async () => {
    const room = client.doc("rooms/changes");
    await room.create({ a: { b: 1, c: 2 } });
    await expect(room.create({})).rejects.toThrow("already exists");
    await room.update({ "a.b": 5, n: 1 });
    const { updateTime } = await room.get();
    if (!updateTime) throw new Error("the room is there");
    await room.update({ "a.c": 6 }, { lastUpdateTime: updateTime });
    await expect(room.update({ "a.c": 7 }, { lastUpdateTime: updateTime })).rejects.toThrow(
      "does not match the required base version",
    );
    expect((await room.get()).data()).toEqual({ a: { b: 5, c: 6 }, n: 1 });
    await room.delete({ exists: true });
    await expect(room.delete({ exists: true })).rejects.toThrow("No document to update");
  });

  test("queries filter, order, page, project, and find in groups", async () => {
    const numbers = client.collection("numbers");
    const ids = async (query: FirebaseFirestore.Query) => (await query.get()).docs.map(({ id }) => id);
    expect(await ids(numbers.where("n", ">", 2).orderBy("n", "desc").limit(2))).toEqual(["n6", "n5"]);
    expect(await ids(numbers.where("n", "in", [1, 4]).orderBy("n"))).toEqual(["n1", "n4"]);
    expect(await ids(numbers.orderBy("n").startAfter(2).endAt(4))).toEqual(["n3", "n4"]);
    expect(await ids(numbers.orderBy("n").limitToLast(2))).toEqual(["n5", "n6"]);
    expect(
      await ids(numbers.where(Filter.or(Filter.where("n", "==", 1), Filter.where("tags", "array-contains", "t6")))),
    ).toEqual(["n1", "n6"]);
    expect(await ids(client.collectionGroup("numbers").where(FieldPath.documentId(), "==", numbers.doc("n3")))).toEqual(
      ["n3"],
    );
    expect((await numbers.where("n", "==", 1).select("even").get()).docs[0]?.data()).toEqual({ even: false });
    expect((await numbers.get()).size).toBe(6);
    expect((await client.collection("nobody").get()).empty).toBe(true);
  });

  test("aggregations, partitions, collections and missing documents", async () => {
    const query = client.collection("numbers").where("even", "==", true);
    const found = await query
      .aggregate({ all: AggregateField.count(), sum: AggregateField.sum("n"), mean: AggregateField.average("n") })
      .get();
    expect(found.data()).toEqual({ all: 3, sum: 12, mean: 4 });
    let partitions = 0;
    let documents = 0;
    for await (const partition of client.collectionGroup("numbers").getPartitions(3)) {
      partitions++;
      documents += (await partition.toQuery().get()).size;
    }
    expect(partitions).toBeGreaterThan(1);
    expect(documents).toBe(6);
    await client.doc("attic/missing/boxes/1").set({});
    expect((await client.listCollections()).map(({ id }) => id)).toEqual(expect.arrayContaining(["attic", "numbers"]));
    expect((await client.doc("attic/missing").listCollections()).map(({ id }) => id)).toEqual(["boxes"]);
    expect((await client.collection("attic").listDocuments()).map(({ id }) => id)).toEqual(["missing"]);
  });

  test("transactions that meet are made one after the other", async () => {
    const counter = client.doc("rooms/counter");
    await counter.set({ n: 0 });
    const others = [client, connect(), connect()];
    await Promise.all(
      others.map((other) =>
        other.runTransaction(async (transaction) => {
          const { n } = (await transaction.get(other.doc("rooms/counter"))).data() as { n: number };
          transaction.update(other.doc("rooms/counter"), { n: n + 1 });
        }),
      ),
    );
    expect((await counter.get()).get("n")).toBe(3);
    const seen = await client.runTransaction(
      async (transaction) => (await transaction.get(client.collection("numbers").where("n", "<", 3))).size,
      { readOnly: true },
    );
    expect(seen).toBe(2);
  });

  test("many writes go in batches, of which one can fail alone", async () => {
    const writer = client.bulkWriter();
    const failures: string[] = [];
    writer.onWriteError(({ documentRef }) => {
      failures.push(documentRef.id);
      return false;
    });
    for (let n = 0; n < 50; n++) void writer.set(client.doc(`many/${n}`), { n });
    writer.create(client.doc("numbers/n1"), {}).catch(() => undefined);
    await writer.close();
    expect((await client.collection("many").count().get()).data()).toEqual({ count: 50 });
    expect(failures).toEqual(["n1"]);
    await client.recursiveDelete(client.collection("many"));
    expect((await client.collection("many").count().get()).data()).toEqual({ count: 0 });
  });

  test("named databases are their own", async () => {
    const other = connect("other");
    await other.doc("numbers/n1").set({ n: -1 });
    expect((await other.collection("numbers").get()).docs.map((doc) => doc.get("n"))).toEqual([-1]);
    expect((await client.doc("numbers/n1").get()).get("n")).toBe(1);
  });
});
