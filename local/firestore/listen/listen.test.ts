import { setTimeout as sleep } from "node:timers/promises";
import type { DocumentData, Query, QuerySnapshot } from "@google-cloud/firestore";
import { FieldPath, Filter } from "@google-cloud/firestore";
import * as fc from "fast-check";
import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import * as web from "firebase/firestore";
import { afterEach, describe, expect, test, vi } from "vitest";
import { startWire } from "../../harness.ts";
import { PROJECT, useServer } from "../harness.ts";

const harness = useServer();
let collections = 0;
const newCollection = () => harness.client.collection(`things-${++collections}`);
const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Listens, and remembers each snapshot as the ids it had. */
function listen(query: Query<DocumentData>) {
  const seen: string[][] = [];
  const snapshots: QuerySnapshot[] = [];
  const errors: Error[] = [];
  stops.push(
    query.onSnapshot(
      (snapshot) => {
        snapshots.push(snapshot);
        seen.push(snapshot.docs.map(({ id }) => id));
      },
      (error) => errors.push(error),
    ),
  );
  const until = (ids: string[]) => vi.waitFor(() => expect(seen.at(-1)).toEqual(ids), { timeout: 5_000 });
  return { seen, snapshots, errors, until };
}

describe("a listener to a query", () => {
  test("hears what there is, and then each change with its kind", async () => {
    const things = newCollection();
    await things.doc("a").set({ n: 1 });
    const { until, snapshots } = listen(things.where("n", "<", 10).orderBy("n"));
    await until(["a"]);
    await things.doc("b").set({ n: 2 });
    await until(["a", "b"]);
    await things.doc("a").update({ n: 3 });
    await until(["b", "a"]);
    await things.doc("b").update({ n: 10 });
    await until(["a"]);
    await things.doc("a").delete();
    await until([]);
    const kinds = snapshots.map((snapshot) => snapshot.docChanges().map(({ type, doc }) => `${type} ${doc.id}`));
    expect(kinds).toEqual([["added a"], ["added b"], ["modified a"], ["removed b"], ["removed a"]]);
  });

  test("hears of one commit in one snapshot", async () => {
    const things = newCollection();
    const { seen, until } = listen(things);
    await until([]);
    const batch = harness.client.batch();
    for (const id of ["a", "b", "c"]) batch.set(things.doc(id), { id });
    await batch.commit();
    await until(["a", "b", "c"]);
    expect(seen).toEqual([[], ["a", "b", "c"]]);
  });

  test("hears nothing of writes that change nothing, and nothing of other collections", async () => {
    const things = newCollection();
    await things.doc("a").set({ n: 1 });
    const { seen, until } = listen(things);
    await until(["a"]);
    await things.doc("a").set({ n: 1 });
    await newCollection().doc("a").set({ n: 2 });
    await things.doc("missing").delete();
    await things.doc("a/below/b").set({ n: 1 });
    await sleep(150);
    expect(seen).toEqual([["a"]]);
  });

  test("with a limit sees others move up and down over its edge", async () => {
    const things = newCollection();
    for (const n of [1, 2, 3, 4]) await things.doc(`t${n}`).set({ n });
    const { until } = listen(things.orderBy("n").limit(2));
    await until(["t1", "t2"]);
    await things.doc("t1").delete();
    await until(["t2", "t3"]);
    await things.doc("t0").set({ n: 0 });
    await until(["t0", "t2"]);
    await things.doc("t4").update({ n: 0.5 });
    await until(["t0", "t4"]);
    await things.doc("t4").update({ n: 9 });
    await until(["t0", "t2"]);
  });

  test("with a limit to last, cursors and disjunctions sees what the query run anew would give", async () => {
    const things = newCollection();
    for (const n of [1, 2, 3, 4, 5, 6]) await things.doc(`t${n}`).set({ n, even: n % 2 === 0 });
    const last = listen(things.orderBy("n").limitToLast(2));
    const between = listen(things.orderBy("n").startAfter(1).endBefore(5));
    const either = listen(things.where(Filter.or(Filter.where("n", "==", 1), Filter.where("even", "==", true))));
    await Promise.all([
      last.until(["t5", "t6"]),
      between.until(["t2", "t3", "t4"]),
      either.until(["t1", "t2", "t4", "t6"]),
    ]);
    await things.doc("t7").set({ n: 7, even: true });
    await things.doc("t3").update({ n: 0 });
    await Promise.all([
      last.until(["t6", "t7"]),
      between.until(["t2", "t4"]),
      either.until(["t1", "t2", "t4", "t6", "t7"]),
    ]);
  });

  test("of a collection group hears of every collection of that name, and of none longer", async () => {
    const group = `group${++collections}`;
    const { until } = listen(harness.client.collectionGroup(group).orderBy(FieldPath.documentId()));
    await until([]);
    await harness.client.doc(`users/ada/${group}/x`).set({});
    await harness.client.doc(`${group}/y`).set({});
    await harness.client.doc(`users/ada/other${group}/z`).set({});
    await until(["y", "x"]);
  });

  test("is told when the database is cleared", async () => {
    const other = harness.connect({ projectId: "demo-cleared" });
    await other.doc("c/a").set({ n: 1 });
    const { until } = listen(other.collection("c"));
    await until(["a"]);
    await harness.http("DELETE", "/emulator/v1/projects/demo-cleared/databases/(default)/documents");
    await until([]);
  });

  test("that cannot be run is refused, and the others of the client go on", async () => {
    const things = newCollection();
    const good = listen(things);
    const bad = listen(
      things.where("a", "<", 1).where(
        "b",
        "not-in",
        Array.from({ length: 11 }, (_, i) => i),
      ),
    );
    await good.until([]);
    await vi.waitFor(() => expect(bad.errors).toHaveLength(1));
    expect(bad.errors[0]?.message).toBe("Error 3: 'not-in' supports up to 10 comparison values.");
    await things.doc("a").set({});
    await good.until(["a"]);
  });
});

describe("a listener to a document", () => {
  test("hears that it is not there, that it comes, changes and goes", async () => {
    const document = newCollection().doc("d");
    const seen: (number | undefined)[] = [];
    stops.push(document.onSnapshot((snapshot) => seen.push(snapshot.get("n"))));
    const until = (states: typeof seen) => vi.waitFor(() => expect(seen).toEqual(states));
    await until([undefined]);
    await document.set({ n: 1 });
    await until([undefined, 1]);
    await document.set({ n: 2 });
    await until([undefined, 1, 2]);
    await document.delete();
    await until([undefined, 1, 2, undefined]);
  });
});

test("after any writes, what a listener has is what its query gives", async () => {
  const things = newCollection();
  const queries = [
    things,
    things.where("n", ">", 3).orderBy("n"),
    things.orderBy("n").limit(3),
    things.orderBy("n", "desc").offset(1).limit(2),
    things.where("tags", "array-contains", "x").orderBy("n"),
    things.where(Filter.or(Filter.where("n", "==", 2), Filter.where("tags", "array-contains", "y"))),
  ];
  const listeners = queries.map((query) => listen(query));
  const write = fc.record({
    id: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    fields: fc.option(
      fc.record({ n: fc.integer({ min: 0, max: 6 }), tags: fc.subarray(["x", "y"]) }, { requiredKeys: [] }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 8 }), async (writes) => {
      for (const { id, fields } of writes) await (fields ? things.doc(id).set(fields) : things.doc(id).delete());
      for (const [i, query] of queries.entries()) {
        const expected = (await query.get()).docs.map((document) => [document.id, document.data()]);
        await vi.waitFor(() => {
          const shown = listeners[i]?.snapshots.at(-1)?.docs.map((document) => [document.id, document.data()]);
          expect(shown).toEqual(expected);
        });
      }
    }),
    { numRuns: 40 },
  );
});

function openApp(port: number, name = `app-${Math.random()}`): { app: FirebaseApp; db: web.Firestore } {
  const app = initializeApp({ projectId: PROJECT, apiKey: "local" }, name);
  const db = web.getFirestore(app);
  web.connectFirestoreEmulator(db, "127.0.0.1", port, { mockUserToken: "owner" });
  return { app, db };
}

describe("the firebase SDK", () => {
  test("sees its own writes at once, and as done when the server has them", async () => {
    const { app, db } = openApp(harness.server.port);
    const document = web.doc(db, `web-${++collections}/d`);
    const seen: [unknown, boolean][] = [];
    web.onSnapshot(document, { includeMetadataChanges: true }, (snapshot) => {
      seen.push([snapshot.data()?.n, snapshot.metadata.hasPendingWrites]);
    });
    await vi.waitFor(() => expect(seen).toEqual([[undefined, false]]));
    await web.setDoc(document, { n: 1 });
    await vi.waitFor(() =>
      expect(seen.slice(1)).toEqual([
        [1, true],
        [1, false],
      ]),
    );
    await web.setDoc(document, { n: 1 });
    await vi.waitFor(() =>
      expect(seen.slice(3)).toEqual([
        [1, true],
        [1, false],
      ]),
    );
    await web.updateDoc(document, { n: web.increment(2) });
    await vi.waitFor(() => expect(seen.at(-1)).toEqual([3, false]));
    await deleteApp(app);
  });

  test("is told what of its writes is refused, and takes it back", async () => {
    const { app, db } = openApp(harness.server.port);
    const document = web.doc(db, `web-${++collections}/d`);
    await expect(web.updateDoc(document, { n: 1 })).rejects.toMatchObject({ code: "not-found" });
    await web.setDoc(document, { n: 1 });
    expect((await web.getDocFromServer(document)).data()).toEqual({ n: 1 });
    await deleteApp(app);
  });

  test("has many targets on one stream, and each hears its own", async () => {
    const { app, db } = openApp(harness.server.port);
    const path = `web-${++collections}`;
    const seen = new Map<number, string[][]>();
    for (let n = 0; n < 30; n++) {
      web.onSnapshot(web.query(web.collection(db, path), web.where("n", "==", n)), ({ docs }) => {
        seen.set(n, [...(seen.get(n) ?? []), docs.map(({ id }) => id)]);
      });
    }
    await vi.waitFor(() => expect(seen.size).toBe(30));
    await web.setDoc(web.doc(db, `${path}/x`), { n: 7 });
    await web.setDoc(web.doc(db, `${path}/x`), { n: 8 });
    await vi.waitFor(() => expect(seen.get(8)).toEqual([[], ["x"]]));
    expect(seen.get(7)?.at(-1)).toEqual([]);
    expect(seen.get(9)).toEqual([[]]);
    await deleteApp(app);
  });

  test("whose network is cut misses nothing and sees nothing twice when it comes back", {
    timeout: 60_000,
  }, async () => {
    const wire = await startWire(harness.server.port);
    const { app, db } = openApp(wire.port);
    const things = newCollection();
    await things.doc("kept").set({ n: 0 });
    await things.doc("deleted").set({ n: 0 });
    await things.doc("moved").set({ n: 0 });
    const changes: string[] = [];
    web.onSnapshot(web.query(web.collection(db, things.id), web.where("n", "<", 10)), (snapshot) => {
      for (const { type, doc } of snapshot.docChanges()) changes.push(`${type} ${doc.id} ${doc.data().n}`);
    });
    await vi.waitFor(() => expect(changes).toHaveLength(3));
    changes.length = 0;
    wire.cut();
    await things.doc("new").set({ n: 1 });
    await things.doc("deleted").delete();
    await things.doc("moved").update({ n: 10 });
    await vi.waitFor(() => expect(changes).toHaveLength(3), { timeout: 30_000 });
    for (let n = 2; n < 8; n++) {
      await things.doc("new").set({ n });
      if (n % 3 === 0) wire.cut();
    }
    await vi.waitFor(() => expect(changes.at(-1)).toBe("modified new 7"), { timeout: 30_000 });
    expect(changes.slice(0, 3).sort()).toEqual(["added new 1", "removed deleted 0", "removed moved 0"]);
    expect(new Set(changes).size).toBe(changes.length);
    await deleteApp(app);
  });
});
