import { FieldPath, FieldValue, GeoPoint, Timestamp } from "@google-cloud/firestore";
import { describe, expect, test } from "vitest";
import { DATABASE, useServer } from "../harness.ts";

const harness = useServer();
const doc = (path: string) => harness.client.doc(path);

describe("a document", () => {
  test("comes back as it was written, every type of value", async () => {
    const written = {
      nothing: null,
      yes: true,
      integer: 42,
      negative: -7,
      fraction: 1.5,
      infinite: Number.POSITIVE_INFINITY,
      notANumber: Number.NaN,
      minusZero: -0,
      text: "naïve 🦊 \u0000 end",
      empty: "",
      bytes: Buffer.from([0, 1, 255]),
      when: Timestamp.fromMillis(1_700_000_000_123),
      where: new GeoPoint(52.5, -13.4),
      who: doc("users/ada"),
      list: [1, "two", { three: [3] }],
      map: { "a.b": 1, "`quoted`": { deep: true }, "": undefined },
      vector: FieldValue.vector([1, 2.5, 3]),
    };
    const { "": _empty, ...map } = written.map;
    await doc("types/all").set({ ...written, map });
    const { vector, ...read } = (await doc("types/all").get()).data() as Record<string, unknown>;
    const { vector: _vector, ...expected } = { ...written, map };
    expect(read).toEqual(expected);
    expect(Object.is(read.minusZero, -0)).toBe(true);
    expect((vector as { toArray(): number[] }).toArray()).toEqual([1, 2.5, 3]);
  });

  test("keeps its create time and gets a later update time with every change", async () => {
    await doc("times/a").set({ n: 1 });
    const first = await doc("times/a").get();
    await doc("times/a").set({ n: 2 });
    const second = await doc("times/a").get();
    expect(second.createTime?.isEqual(first.createTime as Timestamp)).toBe(true);
    expect((second.updateTime as Timestamp) > (first.updateTime as Timestamp)).toBe(true);
  });

  test("that is written as it is keeps its update time, and the write's result says so", async () => {
    const { writeTime } = await doc("times/same").set({ n: 1, nested: { a: [1] } });
    const again = await doc("times/same").set({ n: 1, nested: { a: [1] } });
    const merged = await doc("times/same").set({ n: 1 }, { merge: true });
    expect(again.writeTime.isEqual(writeTime)).toBe(true);
    expect(merged.writeTime.isEqual(writeTime)).toBe(true);
    const retyped = await doc("times/same").set({ n: 1.5, nested: { a: [1] } });
    expect(retyped.writeTime.isEqual(writeTime)).toBe(false);
  });

  test("deleted and made again begins a new life", async () => {
    await doc("times/again").set({ n: 1 });
    const first = await doc("times/again").get();
    await doc("times/again").delete();
    expect((await doc("times/again").get()).exists).toBe(false);
    await doc("times/again").set({ n: 1 });
    const second = await doc("times/again").get();
    expect((second.createTime as Timestamp) > (first.createTime as Timestamp)).toBe(true);
  });

  test("update times of commits never repeat, however many come at once", async () => {
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => doc(`rush/${i}`).set({ i })));
    const times = results.map(({ writeTime }) => `${writeTime.seconds}.${writeTime.nanoseconds}`);
    expect(new Set(times).size).toBe(50);
  });
});

describe("preconditions", () => {
  test("create refuses a document that exists, with ALREADY_EXISTS", async () => {
    await doc("pre/a").create({ n: 1 });
    await expect(doc("pre/a").create({ n: 2 })).rejects.toMatchObject({
      code: 6,
      details: `Document already exists: ${DATABASE}/documents/pre/a`,
    });
  });

  test("update refuses a document that does not, with NOT_FOUND", async () => {
    await expect(doc("pre/missing").update({ n: 1 })).rejects.toMatchObject({
      code: 5,
      details: `No document to update: ${DATABASE}/documents/pre/missing`,
    });
    expect((await doc("pre/missing").get()).exists).toBe(false);
  });

  test("an update time that is not the current one refuses with FAILED_PRECONDITION", async () => {
    const { writeTime } = await doc("pre/timed").set({ n: 1 });
    await doc("pre/timed").set({ n: 2 });
    await expect(doc("pre/timed").update({ n: 3 }, { lastUpdateTime: writeTime })).rejects.toMatchObject({ code: 9 });
    await expect(doc("pre/timed").delete({ lastUpdateTime: writeTime })).rejects.toMatchObject({ code: 9 });
    const { updateTime } = await doc("pre/timed").get();
    await doc("pre/timed").update({ n: 4 }, { lastUpdateTime: updateTime as Timestamp });
    expect((await doc("pre/timed").get()).get("n")).toBe(4);
  });

  test("of one write refuse the whole commit", async () => {
    const batch = harness.client.batch();
    batch.set(doc("atomic/a"), { n: 1 });
    batch.create(doc("pre/a"), { n: 1 });
    batch.set(doc("atomic/b"), { n: 1 });
    await expect(batch.commit()).rejects.toMatchObject({ code: 6 });
    expect((await harness.client.collection("atomic").get()).empty).toBe(true);
  });

  test("of later writes in a commit see the earlier ones", async () => {
    const batch = harness.client.batch();
    batch.create(doc("order/a"), { n: 1 });
    batch.update(doc("order/a"), { m: 2 });
    batch.delete(doc("order/a"));
    batch.create(doc("order/a"), { n: 3 });
    await batch.commit();
    expect((await doc("order/a").get()).data()).toEqual({ n: 3 });
  });
});

describe("masks", () => {
  test("change the named fields and leave the others", async () => {
    await doc("masks/a").set({ keep: 1, change: 1, drop: 1, nested: { keep: 1, change: 1, drop: 1 } });
    await doc("masks/a").update({
      change: 2,
      drop: FieldValue.delete(),
      "nested.change": 2,
      "nested.drop": FieldValue.delete(),
      "fresh.deep": 1,
    });
    expect((await doc("masks/a").get()).data()).toEqual({
      keep: 1,
      change: 2,
      nested: { keep: 1, change: 2 },
      fresh: { deep: 1 },
    });
  });

  test("reach fields whose names need quoting", async () => {
    await doc("masks/quoted").set({ "a.b": { "c`d": 1, "e\\f": 1 } });
    await doc("masks/quoted").update(new FieldPath("a.b", "c`d"), 2, new FieldPath("a.b", "e\\f"), FieldValue.delete());
    expect((await doc("masks/quoted").get()).data()).toEqual({ "a.b": { "c`d": 2 } });
  });

  test("make a map of what is none on the way to a nested field", async () => {
    await doc("masks/flat").set({ a: "text" });
    await doc("masks/flat").set({ a: { b: 1 } }, { merge: true });
    expect((await doc("masks/flat").get()).data()).toEqual({ a: { b: 1 } });
  });

  test("may be empty: the document is then made, or left as it is", async () => {
    await doc("masks/empty").set({}, { merge: true });
    expect((await doc("masks/empty").get()).data()).toEqual({});
  });

  test("that name a field and one inside it, in either order and more than once, change the larger", async () => {
    const name = `${DATABASE}/documents/masks/overlapping`;
    for (const fieldPaths of [
      ["a", "a.b"],
      ["a.b", "a"],
      ["a.b", "a", "a"],
    ]) {
      await doc("masks/overlapping").set({ a: { b: 1, c: 1 }, d: 1 });
      const fields = { a: { mapValue: { fields: { b: { integerValue: 2 } } } } };
      const write = { update: { name, fields }, updateMask: { fieldPaths } };
      await harness.http("POST", `/v1/${DATABASE}/documents:commit`, { writes: [write] });
      expect((await doc("masks/overlapping").get()).data()).toEqual({ a: { b: 2 }, d: 1 });
    }
  });

  test("of a document that the same commit has deleted are refused with INVALID_ARGUMENT", async () => {
    const batch = harness.client.batch();
    batch.delete(doc("masks/deleted"));
    batch.update(doc("masks/deleted"), { n: 1 });
    await expect(batch.commit()).rejects.toMatchObject({ code: 3 });
  });
});

describe("transforms", () => {
  test("set the time of the request, the same for all fields of a commit, to the millisecond", async () => {
    const batch = harness.client.batch();
    batch.set(doc("clock/a"), { at: FieldValue.serverTimestamp(), also: { at: FieldValue.serverTimestamp() } });
    batch.set(doc("clock/b"), { at: FieldValue.serverTimestamp() });
    const [result] = await batch.commit();
    const [a, b] = await harness.client.getAll(doc("clock/a"), doc("clock/b"));
    const at = a?.get("at") as Timestamp;
    expect(at.isEqual(a?.get("also.at"))).toBe(true);
    expect(at.isEqual(b?.get("at"))).toBe(true);
    expect(at.nanoseconds % 1_000_000).toBe(0);
    expect(at.toMillis()).toBe(result?.writeTime.toMillis());
  });

  test("increment what is there, or set what is no number", async () => {
    await doc("count/a").set({ integer: 1, fraction: 1.5, text: "x" });
    await doc("count/a").update({
      integer: FieldValue.increment(2),
      fraction: FieldValue.increment(1),
      text: FieldValue.increment(5),
      missing: FieldValue.increment(-3),
    });
    expect((await doc("count/a").get()).data()).toEqual({ integer: 3, fraction: 2.5, text: 5, missing: -3 });
  });

  test("add to arrays what they lack, and take every occurrence out", async () => {
    await doc("lists/a").set({ list: [1, 2, { a: 1 }], flat: "x" });
    await doc("lists/a").update({
      list: FieldValue.arrayUnion(2, 3, { a: 1 }, { a: 2 }, 3),
      flat: FieldValue.arrayUnion("y"),
      missing: FieldValue.arrayRemove("z"),
    });
    expect((await doc("lists/a").get()).data()).toEqual({
      list: [1, 2, { a: 1 }, 3, { a: 2 }],
      flat: ["y"],
      missing: [],
    });
    await doc("lists/a").update({ list: FieldValue.arrayRemove(1, { a: 1 }), flat: FieldValue.arrayRemove("nothing") });
    expect((await doc("lists/a").get()).data()).toMatchObject({ list: [2, 3, { a: 2 }], flat: ["y"] });
  });
});

describe("what cannot be stored", () => {
  const refused = async (data: Record<string, unknown>) =>
    await expect(doc("limits/a").set(data)).rejects.toMatchObject({ code: 3 });

  test("is a document of more than 1 MiB; one of just that is taken", async () => {
    const overhead = "limits".length + 1 + "a".length + 1 + 16 + 32 + 2 * ("a".length + 1 + 1);
    const half = "x".repeat(500_000);
    await doc("limits/a").set({ a: half, b: "x".repeat(1_048_576 - overhead - half.length) });
    await refused({ a: half, b: "x".repeat(1_048_577 - overhead - half.length) });
  });

  test("is a text or bytes of more than 1 MiB less 89 bytes; those of just that are taken", async () => {
    await doc("limits/a").set({ a: "x".repeat(1_048_487) });
    await refused({ a: ["x".repeat(1_048_488)] });
    await refused({ a: { b: "é".repeat(524_244) } });
    await refused({ a: Buffer.alloc(1_048_488) });
  });

  test("is more than 20 levels of nesting; 20 are taken", async () => {
    const nested = (levels: number): Record<string, unknown> => (levels === 0 ? {} : { a: nested(levels - 1) });
    await doc("limits/a").set(nested(20));
    await refused(nested(21));
  });

  test("is an array in an array, over the wire too", async () => {
    const inner = { arrayValue: { values: [{ integerValue: "1" }] } };
    const fields = { a: { arrayValue: { values: [inner] } } };
    const { status, body } = await harness.http("PATCH", `/v1/${DATABASE}/documents/limits/a`, { fields });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { message: "Cannot convert an array value in an array value." } });
  });

  test("vectors have a dimension, and lie in no array", async () => {
    const set = (value: unknown) => doc("vectors/a").set({ value });
    await expect(set(FieldValue.vector([]))).rejects.toThrow("Cannot have a zero length vector.");
    await expect(set([FieldValue.vector([1])])).rejects.toThrow("Cannot convert a vector value in an array value.");
    await set({ in: { maps: FieldValue.vector([1]) } });
  });

  test("is a field whose name is reserved or too long", async () => {
    await refused({ __reserved__: 1 });
    await refused({ ["x".repeat(1_501)]: 1 });
    await doc("limits/a").set({ ["x".repeat(1_500)]: 1 });
  });

  test("is a document whose id is reserved or too long", async () => {
    await expect(doc("limits/__reserved__").set({})).rejects.toMatchObject({ code: 3 });
    await expect(doc(`limits/${"x".repeat(1_501)}`).set({})).rejects.toMatchObject({ code: 3 });
    await doc("limits/__id42__").set({});
  });
});

describe("a batch write", () => {
  test("makes each write on its own, and says for each what became of it", async () => {
    await doc("bulk/there").set({ n: 0 });
    const writer = harness.client.bulkWriter();
    writer.onWriteError(() => false);
    const outcomes = [
      writer.create(doc("bulk/there"), { n: 1 }),
      writer.create(doc("bulk/new"), { n: 1 }),
      writer.delete(doc("bulk/none")),
    ];
    await writer.close();
    const settled = await Promise.allSettled(outcomes);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect((await doc("bulk/there").get()).get("n")).toBe(0);
  });

  test("refuses the same document twice", async () => {
    const write = { delete: `${DATABASE}/documents/bulk/there` };
    const { status } = await harness.http("POST", `/v1/${DATABASE}/documents:batchWrite`, { writes: [write, write] });
    expect(status).toBe(400);
  });

  test("is refused as a whole where one of its writes could never be made", async () => {
    const writes = [{ __x__: { nullValue: null } }, { n: { integerValue: "1" } }].map((fields, index) => ({
      update: { name: `${DATABASE}/documents/whole/${index}`, fields },
    }));
    const refused = await harness.http("POST", `/v1/${DATABASE}/documents:batchWrite`, { writes });
    expect(refused).toMatchObject({ status: 400, body: { error: { status: "INVALID_ARGUMENT" } } });
    expect((await doc("whole/1").get()).exists).toBe(false);
  });
});

describe("a verification", () => {
  const name = `${DATABASE}/documents/verified/a`;
  const commit = (...writes: object[]) => harness.http("POST", `/v1/${DATABASE}/documents:commit`, { writes });
  const there = { currentDocument: { exists: true } };

  test("checks a condition and writes nothing", async () => {
    await doc("verified/a").set({ n: 1 });
    expect((await commit({ verify: name, ...there })).status).toBe(200);
    expect((await commit({ verify: `${name}2`, ...there })).status).toBe(404);
    expect((await commit({ verify: `${name}2`, currentDocument: { exists: false } })).status).toBe(200);
    expect((await doc("verified/a2").get()).exists).toBe(false);
  });

  test.each([
    ["no condition", [{ verify: name }]],
    ["a mask", [{ verify: name, ...there, updateMask: { fieldPaths: ["n"] } }]],
    [
      "transforms",
      [{ verify: name, ...there, updateTransforms: [{ fieldPath: "n", increment: { integerValue: 1 } }] }],
    ],
    ["the same document verified before", [1, 2].map(() => ({ verify: name, ...there }))],
    ["the same document written", [{ verify: name, ...there }, { delete: name }]],
  ])("with %s is refused", async (_, writes) => {
    expect(await commit(...writes)).toMatchObject({ status: 400, body: { error: { status: "INVALID_ARGUMENT" } } });
  });
});

test("writes of one database are not seen in another", async () => {
  const other = harness.connect({ databaseId: "other" });
  await doc("rooms/a").set({ in: "default" });
  expect((await other.doc("rooms/a").get()).exists).toBe(false);
  await other.doc("rooms/a").set({ in: "other" });
  expect((await doc("rooms/a").get()).get("in")).toBe("default");
});
