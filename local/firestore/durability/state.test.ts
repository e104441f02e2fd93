import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Firestore } from "../firestore.ts";
import { GeoPoint, identical, Reference, Timestamp, type Value } from "../model/value.ts";
import type { Database } from "../store/database.ts";
import { commitRecord, readRecord } from "./records.ts";
import { stateOfFirestore } from "./state.ts";

const NAMES = ["projects/p/databases/(default)", "projects/p/databases/second"];

/** A commit: documents of one database by their numbers, and what they become; null deletes. */
interface Step {
  readonly database: number;
  readonly writes: ReadonlyMap<number, number | null>;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  database: fc.nat(NAMES.length - 1),
  writes: fc
    .array(fc.tuple(fc.nat(300), fc.option(fc.nat(9), { freq: 3 })), { minLength: 1, maxLength: 4 })
    .map((pairs) => new Map(pairs)),
});

/** Some in collections of others, so that the order of collections matters. */
function pathOf(document: number): string {
  return document % 3 === 0 ? `a/${document % 5}/b/${document}` : `c${document % 4}/${document}`;
}

function commit(firestore: Firestore, { database, writes }: Step): void {
  const open = firestore.open(NAMES[database] as string).database;
  const mutations = [...writes].map(([document, n]) => ({
    path: pathOf(document),
    fields: n === null ? null : new Map<string, Value>([["n", BigInt(n)]]),
    bytes: 40,
  }));
  open.apply(mutations, open.tick());
}

function dump(firestore: Firestore): object {
  return Object.fromEntries(NAMES.map((name) => [name, documentsOf(firestore.open(name).database)]));
}

function documentsOf(database: Database): object {
  const live = [...database.documentsBelow("")].filter(({ current }) => current.fields !== null);
  return Object.fromEntries(
    live.map(({ path, current: { fields, createTime, updateTime, bytes } }) => [
      path,
      { fields, createTime, updateTime, bytes },
    ]),
  );
}

function restored(records: Iterable<Uint8Array>): Firestore {
  const firestore = new Firestore();
  const state = stateOfFirestore(firestore);
  for (const record of records) state.restore(record);
  return firestore;
}

test("a snapshot is what there was when it was begun, whatever is committed while it is written", () => {
  fc.assert(
    fc.property(
      fc.array(anyStep, { maxLength: 150 }),
      fc.array(fc.array(anyStep, { maxLength: 6 }), { maxLength: 8 }),
      (before, during) => {
        const firestore = new Firestore();
        for (const step of before) commit(firestore, step);
        const expected = dump(firestore);
        const records = stateOfFirestore(firestore).snapshot();
        const snapshot: Uint8Array[] = [];
        for (const steps of [...during, []]) {
          for (const step of steps) commit(firestore, step);
          const { value, done } = records.next();
          if (!done) snapshot.push(value);
        }
        for (let next = records.next(); !next.done; next = records.next()) snapshot.push(next.value);
        expect(dump(restored(snapshot))).toEqual(expected);
      },
    ),
  );
});

test("commits that are made again in their order lead to the same documents, with their times", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const firestore = new Firestore();
      const log: Uint8Array[] = [];
      firestore.subscribe((made) => log.push(commitRecord(made)));
      for (const step of steps) commit(firestore, step);
      const again = restored(log);
      expect(dump(again)).toEqual(dump(firestore));
      for (const name of NAMES) {
        const [a, b] = [firestore, again].map((one) => one.open(name).database.childCollectionIds(""));
        expect(b).toEqual(a);
      }
      expect(again.clock.tick()).toBeGreaterThan(log.length === 0 ? 0 : readRecord(log.at(-1) as Uint8Array).time);
    }),
  );
});

test("a snapshot is given up when a database is cleared meanwhile", () => {
  const firestore = new Firestore();
  commit(firestore, { database: 0, writes: new Map([[1, 1]]) });
  const records = stateOfFirestore(firestore).snapshot();
  firestore.clear();
  expect(() => records.next()).toThrow("cleared meanwhile");
});

test("every type of value comes back to the last bit", () => {
  const fields = new Map<string, Value>([
    ["null", null],
    ["small", -0],
    ["nan", Number.NaN],
    ["large", 2n ** 63n - 1n],
    ["text", "é\u{1f600}\0"],
    ["time", new Timestamp(-62_135_596_800, 999_999_000)],
    ["bytes", Uint8Array.of(0, 255)],
    ["place", new GeoPoint(-90, 180)],
    ["reference", new Reference("projects/p/databases/d/documents/a/b")],
    ["nested", [new Map<string, Value>([["", []]]), false]],
  ]);
  const version = {
    fields,
    createTime: 1_700_000_000_000_001,
    updateTime: 1_700_000_000_000_002,
    bytes: 1_048_576,
    previous: undefined,
  };
  const change = { path: "a/b", before: undefined, after: version };
  const record = commitRecord({
    database: "projects/p/databases/d",
    time: version.updateTime,
    changes: [change],
    unchanged: [],
  });
  const [state] = readRecord(record).states;
  expect(state).toMatchObject({
    path: "a/b",
    createTime: version.createTime,
    updateTime: version.updateTime,
    bytes: 1_048_576,
  });
  expect(identical(state?.fields as Value, fields)).toBe(true);
});
