import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { firestore } from "./firestore.ts";
import { keepable } from "./keepable.ts";

useBackend();
const MAX_BYTES = 1_024;
const shape = keepable(MAX_BYTES);

test("what is accepted comes back from Firestore as it was, and what Firestore refuses is not accepted", async () => {
  const names = fc.constantFrom("a", "", "__a__", "a.b", "__proto__", "ä", "\ud800", "constructor");
  // At the top it is left out.
  const outerNames = names.filter((name) => name !== "__proto__");
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom(null, true, -0, 1.5, "text", "\ud800"),
      fc.array(tie("json"), { maxLength: 2 }),
      fc.array(fc.tuple(names, tie("json")), { maxLength: 2 }).map(Object.fromEntries),
    ),
  }));
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.dictionary(outerNames, json, { maxKeys: 3, noNullPrototype: true }), async (given) => {
      const value = JSON.parse(JSON.stringify(given)) as object;
      const parsed = shape.safeParse(value);
      if (!parsed.success) return;
      accepted++;
      const reference = firestore().doc(`things/${randomUUID()}`);
      await reference.set({ slot: { metadata: parsed.data } });
      expect((await reference.get()).get("slot.metadata")).toEqual(value);
    }),
    { numRuns: 200 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test("is bounded in bytes and in levels, however deep it goes", () => {
  const long = (length: number) => ({ a: "é".repeat(length) });
  expect(shape.safeParse(long((MAX_BYTES - 8) / 2)).success).toBe(true);
  expect(shape.safeParse(long((MAX_BYTES - 8) / 2 + 1)).success).toBe(false);
  const deep = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`);
  expect([8, 9, 100_000].map((levels) => shape.safeParse(deep(levels)).success)).toEqual([true, false, false]);
});
