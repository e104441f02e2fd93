import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { useBackend } from "../../../testing/backend.ts";
import { firestore, Timestamp } from "../firestore.ts";
import { commitWrites, type Write } from "./index.ts";

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

  test("goes by way of the client for a while after its own connection has failed", async () => {
    const host = process.env.FIRESTORE_EMULATOR_HOST;
    process.env.FIRESTORE_EMULATOR_HOST = "127.0.0.1:1";
    await expect(commitWrites([made(somewhere(), {})])).rejects.toMatchObject({ code: 14 });
    // Where our own way would lead nowhere, the client, which is connected already, still knows where to go.
    const path = somewhere();
    const [time] = await commitWrites([made(path, { a: 1 })]);
    expect((await firestore().doc(path).get()).updateTime).toEqual(time);
    await commitWrites([{ path, fields: {}, removed: ["a"], condition: time as Timestamp }]);
    expect((await firestore().doc(path).get()).data()).toEqual({});
    process.env.FIRESTORE_EMULATOR_HOST = host;
  });
});
