import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { GeoPoint } from "firebase-admin/firestore";
import { describe, expect, test } from "vitest";
import { useBackend } from "../../../testing/backend.ts";
import { FieldValue, firestore, Timestamp } from "../firestore.ts";
import { commitWrites, type Outcome, readDocuments, type Write, writeEach } from "./index.ts";

const backend = useBackend();
const somewhere = () => `things/${randomUUID()}`;
const made = (path: string, fields: Write["fields"]): Write => ({ path, fields, condition: "new" });

/** What a document can hold that is written here; Firestore keeps no lists in lists. */
const leaf = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.constant(null),
  fc
    .tuple(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.integer({ min: 0, max: 999_999 }))
    .map(([seconds, micros]) => new Timestamp(seconds, micros * 1_000)),
);
const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/^__.*__$/.test(text));
const map = (value: fc.Arbitrary<unknown>) => fc.dictionary(name, value, { maxKeys: 5, noNullPrototype: true });
const value = fc.oneof(leaf, fc.array(fc.oneof(leaf, map(leaf)), { maxLength: 5 }), map(fc.oneof(leaf, map(leaf))));

describe("a commit", () => {
  test("writes what the client would have written", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(map(value), { minLength: 20, maxLength: 20 }), async (documents) => {
        const ours = documents.map((fields) => made(somewhere(), fields));
        const theirs = documents.map((fields) => ({ document: firestore().doc(somewhere()), fields }));
        await commitWrites(ours);
        const batch = firestore().batch();
        for (const { document, fields } of theirs) batch.create(document, fields);
        await batch.commit();
        const read = await firestore().getAll(...ours.map(({ path }) => firestore().doc(path)));
        const expected = await firestore().getAll(...theirs.map(({ document }) => document));
        expect(read.map((one) => one.data())).toEqual(expected.map((one) => one.data()));
      }),
      { numRuns: 20 },
    );
  });

  test("of much more than there was room for at first is whole", async () => {
    const writes = Array.from({ length: 300 }, (_, i) => made(somewhere(), { i, text: "é".repeat(1_000) }));
    const times = await commitWrites(writes);
    expect(times).toHaveLength(300);
    const found = await firestore().getAll(...writes.map(({ path }) => firestore().doc(path)));
    expect(found.map((one) => one.data())).toEqual(writes.map(({ fields }) => fields));
    expect(found.map(({ updateTime }) => updateTime)).toEqual(times);
  });

  test("changes the fields that it names, and no others, of a document as it was last written", async () => {
    const path = somewhere();
    const [first] = await commitWrites([made(path, { a: 1, b: 2, c: 3 })]);
    const condition = first as Timestamp;
    await commitWrites([{ path, fields: { a: 4 }, removed: ["b"], condition }]);
    expect((await firestore().doc(path).get()).data()).toEqual({ a: 4, c: 3 });
    await expect(commitWrites([{ path, fields: { a: 5 }, condition }])).rejects.toMatchObject({ code: 9 });
    expect((await firestore().doc(path).get()).data()).toEqual({ a: 4, c: 3 });
  });

  test("of which one write is refused writes nothing, and is billed nothing", async () => {
    const [there, fresh] = [somewhere(), somewhere()];
    await commitWrites([made(there, {})]);
    const both = () => commitWrites([made(fresh, {}), made(there, {})]);
    const { bill } = await backend.billed(() => expect(both()).rejects.toMatchObject({ code: 6 }));
    expect(bill).toEqual({ reads: 0, writes: 0, deletes: 0 });
    expect((await firestore().doc(fresh).get()).exists).toBe(false);
  });

  test.each([[undefined], [new Date()], [() => 1], [Buffer.from("a")]])("refuses to write %o", async (odd) => {
    await expect(commitWrites([made(somewhere(), { odd })])).rejects.toThrow(TypeError);
  });
});

describe("a read", () => {
  test("finds what the client would have found", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(map(value), { minLength: 20, maxLength: 20 }), async (documents) => {
        const writes = documents.map((fields) => made(somewhere(), fields));
        await commitWrites(writes);
        const paths = writes.map(({ path }) => path);
        const theirs = await firestore().getAll(...paths.map((path) => firestore().doc(path)));
        const expected = theirs.map((one) => ({ fields: one.data(), updateTime: one.updateTime }));
        expect(await readDocuments(paths)).toStrictEqual(expected);
      }),
      { numRuns: 20 },
    );
  });

  test.each([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53, -(2 ** 63), 2 ** 60 + 2 ** 9])(
    "finds the whole number %d",
    async (number) => {
      const path = somewhere();
      const document = `projects/demo-modules/databases/(default)/documents/${path}`;
      await fetch(`http://${process.env.FIRESTORE_EMULATOR_HOST}/v1/${document}`, {
        method: "PATCH",
        headers: { authorization: "Bearer owner", "content-type": "application/json" },
        body: JSON.stringify({ fields: { number: { integerValue: String(BigInt(number)) } } }),
      });
      expect((await readDocuments([path]))[0]?.fields).toEqual({ number });
    },
  );

  test("answers in the order in which it was asked, for what is not there and what is asked for twice, too", async () => {
    const [a, b, nowhere] = [somewhere(), somewhere(), somewhere()];
    await commitWrites([made(a, { a: 1 }), made(b, { b: 2 })]);
    const read = () => readDocuments([b, nowhere, a, b]);
    const { result, bill } = await backend.billed(read);
    expect(result.map((found) => found?.fields)).toEqual([{ b: 2 }, undefined, { a: 1 }, { b: 2 }]);
    expect(bill).toEqual({ reads: 3, writes: 0, deletes: 0 });
    expect(await readDocuments([])).toEqual([]);
  });

  test("leaves to the client what nobody writes here", async () => {
    const document = firestore().doc(somewhere());
    const point = new GeoPoint(1, 2);
    await document.set({ bytes: Buffer.from("a"), document, point, vector: FieldValue.vector([1, 2]) });
    const [found] = await readDocuments([document.path]);
    expect(found?.fields).toEqual((await document.get()).data());
    expect(found?.fields.point).toEqual(point);
  });
});

describe("writes that are each for themselves", () => {
  test("are each told what became of them, and only those that were made are billed", async () => {
    const [there, changed, fresh, nowhere] = [somewhere(), somewhere(), somewhere(), somewhere()];
    const times = await commitWrites([made(there, { a: 1 }), made(changed, { a: 1 })]);
    const [condition, old] = times as [Timestamp, Timestamp];
    await commitWrites([{ path: changed, fields: { a: 2 }, condition: old }]);
    const writes: Write[] = [
      made(there, {}),
      made(fresh, { a: 3 }),
      { path: changed, fields: { a: 4 }, condition: old },
      { path: nowhere, fields: { a: 5 }, condition: old },
    ];
    const { result, bill } = await backend.billed(() => writeEach(writes));
    expect(bill).toEqual({ reads: 0, writes: 1, deletes: 0 });
    const [found] = await readDocuments([fresh]);
    const refused = (code: number): Outcome => ({ isWritten: false, code });
    const isWritten = { isWritten: true, updateTime: found?.updateTime };
    expect(result).toEqual([refused(6), isWritten, refused(9), refused(9)]);
    const after = await readDocuments([there, changed, fresh, nowhere]);
    expect(after.map((one) => one?.fields)).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }, undefined]);
    expect(await writeEach([{ path: there, fields: {}, removed: ["a"], condition }])).toMatchObject([
      { isWritten: true },
    ]);
    expect((await readDocuments([there]))[0]?.fields).toEqual({});
  });

  test("are at most as many as Firestore takes at once", async () => {
    const writes = Array.from({ length: 501 }, (_, i) => made(somewhere(), { i }));
    await expect(writeEach(writes)).rejects.toThrow(RangeError);
    expect((await writeEach(writes.slice(1))).filter(({ isWritten }) => isWritten)).toHaveLength(500);
    expect(await writeEach([])).toEqual([]);
  });

  test("are refused together where one names something that cannot be written", async () => {
    const fresh = somewhere();
    await expect(writeEach([made(fresh, {}), made(somewhere(), { odd: undefined })])).rejects.toThrow(TypeError);
    expect(await readDocuments([fresh])).toEqual([undefined]);
  });
});
