import * as fc from "fast-check";
import {
  child,
  type DatabaseReference,
  type DataSnapshot,
  endAt,
  endBefore,
  equalTo,
  get,
  goOffline,
  increment,
  limitToFirst,
  limitToLast,
  orderByChild,
  orderByKey,
  orderByPriority,
  orderByValue,
  type Query,
  query,
  ref,
  remove,
  runTransaction,
  serverTimestamp,
  set,
  setPriority,
  setWithPriority,
  startAfter,
  startAt,
  update,
} from "firebase/database";
import { describe, expect, test, vi } from "vitest";
import { follow, useDatabase } from "./harness.ts";
import { anyJson, anyKey } from "./model/arbitrary.ts";
import { Node } from "./model/node.ts";
import { ADMIN } from "./security.ts";

const harness = useDatabase();

/** Children in the order in which a client sees them. */
function inOrder(snapshot: DataSnapshot): [string | null, unknown][] {
  const children: [string | null, unknown][] = [];
  snapshot.forEach((one) => {
    children.push([one.key, one.exportVal()]);
  });
  return children;
}

describe("a listener", () => {
  test("is told what stands there, then of every change, in the order of the writes", async () => {
    const [writer, reader] = [harness.connect(), harness.connect()];
    await set(ref(writer, "room"), { title: "one" });
    const followed = follow(ref(reader, "room"));
    await vi.waitFor(() => expect(followed.values).toEqual([{ title: "one" }]));
    await set(ref(writer, "room/title"), "two");
    await update(ref(writer, "room"), { title: "three", open: true });
    await remove(ref(writer, "room/title"));
    await set(ref(writer, "elsewhere"), 1);
    await remove(ref(writer, "room"));
    await vi.waitFor(() =>
      expect(followed.values).toEqual([
        { title: "one" },
        { title: "two" },
        { title: "three", open: true },
        { open: true },
        null,
      ]),
    );
  });

  test("sees an update of several places at once, not one after the other", async () => {
    const [writer, reader] = [harness.connect(), harness.connect()];
    const followed = follow(ref(reader, "accounts"));
    await vi.waitFor(() => expect(followed.values).toEqual([null]));
    await update(ref(writer), { "accounts/a/coins": 5, "accounts/b/coins": 7, "other/x": 1 });
    await vi.waitFor(() => expect(followed.values).toEqual([null, { a: { coins: 5 }, b: { coins: 7 } }]));
  });

  test("hears its own writes with what the server made of them", async () => {
    const client = harness.connect();
    const place = ref(client, "mine");
    const followed = follow(place);
    await set(place, { at: serverTimestamp(), n: increment(3) });
    await update(place, { n: increment(4) });
    const { at } = followed.last().val() as { at: number };
    expect(Math.abs(at - Date.now())).toBeLessThan(5_000);
    expect(followed.last().val()).toEqual({ at, n: 7 });
    expect(harness.database.root.at(["mine", "n"]).leaf).toBe(7);
  });

  test("is told the server's time and that it is connected", async () => {
    const client = harness.connect();
    const followed = follow(ref(client, ".info/connected"));
    const offset = follow(ref(client, ".info/serverTimeOffset"));
    await set(ref(client, "x"), 1);
    expect(followed.values).toEqual([false, true]);
    expect(Math.abs(Number(offset.values.at(-1)))).toBeLessThan(2_000);
  });
});

describe("priorities", () => {
  test("are kept, changed and sorted by", async () => {
    const [writer, reader] = [harness.connect(), harness.connect()];
    const list = ref(writer, "list");
    await setWithPriority(child(list, "a"), "x", 2);
    await set(list, { b: { ".value": "y", ".priority": 1 }, a: { ".value": "x", ".priority": 2 } });
    const followed = follow(query(ref(reader, "list"), orderByPriority(), limitToFirst(1)));
    await vi.waitFor(() => expect(followed.values).toEqual([{ b: "y" }]));
    await setPriority(child(list, "a"), 0);
    await vi.waitFor(() => expect(followed.values.at(-1)).toEqual({ a: "x" }));
    expect((await get(ref(reader, "list"))).exportVal()).toEqual({
      a: { ".value": "x", ".priority": 0 },
      b: { ".value": "y", ".priority": 1 },
    });
  });
});

describe("a query", () => {
  const QUERIES: Readonly<Record<string, (list: DatabaseReference) => Query>> = {
    "the first two by key": (list) => query(list, orderByKey(), limitToFirst(2)),
    "the last two by child": (list) => query(list, orderByChild("a"), limitToLast(2)),
    "the first three by a deeper child": (list) => query(list, orderByChild("b/c"), limitToFirst(3)),
    "from a value on": (list) => query(list, orderByChild("a"), startAt(0)),
    "behind a value": (list) => query(list, orderByChild("a"), startAfter(0), limitToFirst(2)),
    "up to a key": (list) => query(list, orderByKey(), endAt("b")),
    "before a value": (list) => query(list, orderByValue(), endBefore("b"), limitToLast(3)),
    "equal to a value": (list) => query(list, orderByChild("a"), equalTo(1)),
    "by priority": (list) => query(list, orderByPriority(), startAt(1), limitToLast(2)),
    everything: (list) => list,
  };

  test("followed through any writes shows what a client sees that asks only now", async () => {
    await harness.rules({ ".read": true, ".write": true, list: { ".indexOn": [".value", "a", "b/c"] } });
    const put = fc.record({ path: fc.array(anyKey, { maxLength: 3 }), json: anyJson });
    const run = fc.record({ start: anyJson, puts: fc.array(put, { minLength: 5, maxLength: 25 }) });
    for (const { start, puts } of fc.sample(run, 12)) {
      harness.database.write({ path: [], puts: [{ path: ["list"], json: start }] }, ADMIN);
      const [early, late] = [harness.connect(), harness.connect()];
      const followed = Object.values(QUERIES).map((build) => follow(build(ref(early, "list"))));
      await vi.waitFor(() => expect(followed.every(({ values }) => values.length > 0)).toBe(true));
      for (const { path, json } of puts) {
        harness.database.write({ path: [], puts: [{ path: ["list", ...path], json }] }, ADMIN);
      }
      await set(ref(early, "done"), true);
      for (const [i, [name, build]] of Object.entries(QUERIES).entries()) {
        const anew = await get(build(ref(late, "list")));
        expect(inOrder(followed[i]?.last() as DataSnapshot), name).toEqual(inOrder(anew));
      }
      goOffline(early);
      goOffline(late);
    }
  });

  test("without an index is served all that is there, and warned of it", async () => {
    const client = await harness.raw();
    const d = { x: { n: 2 }, y: { n: 1 } };
    await client.ask("p", { p: "/list", d });
    const listen = { p: "/list", q: { i: "n", l: 1, vf: "l" }, t: 1, h: "" };
    const answer = await client.ask("q", listen);
    expect(answer).toEqual({ s: "ok", d: { w: ["no_index"] } });
    expect(client.messages).toContainEqual({ t: "d", d: { a: "d", b: { p: "list", d, t: 1 } } });
    await client.ask("n", listen);
    // What the client has selected, and not what it was selected from, is what it says it knows.
    const before = client.messages.length;
    const selected = Node.ofChildren([["y", harness.database.root.at(["list", "y"])]]);
    await client.ask("q", { ...listen, h: selected.hash() });
    expect(client.messages).toHaveLength(before + 1);
    await harness.rules({ ".read": true, ".write": true, list: { ".indexOn": "n" } });
    expect(await client.ask("q", { p: "/list", q: { i: "n", l: 2, vf: "l" }, t: 2, h: "" })).toEqual({
      s: "ok",
      d: {},
    });
  });

  test("without an index, followed through any writes, shows what a client sees that looks only now", async () => {
    const put = fc.record({ path: fc.array(anyKey, { maxLength: 3 }), json: anyJson });
    const run = fc.record({ start: anyJson, puts: fc.array(put, { minLength: 5, maxLength: 25 }) });
    for (const { start, puts } of fc.sample(run, 6)) {
      harness.database.write({ path: [], puts: [{ path: ["list"], json: start }] }, ADMIN);
      const [early, late] = [harness.connect(), harness.connect()];
      const followed = Object.values(QUERIES).map((build) => follow(build(ref(early, "list"))));
      await vi.waitFor(() => expect(followed.every(({ values }) => values.length > 0)).toBe(true));
      for (const { path, json } of puts) {
        harness.database.write({ path: [], puts: [{ path: ["list", ...path], json }] }, ADMIN);
      }
      await set(ref(early, "done"), true);
      for (const [i, [name, build]] of Object.entries(QUERIES).entries()) {
        const anew = follow(build(ref(late, "list")));
        await vi.waitFor(() => expect(anew.values).toHaveLength(1));
        expect(inOrder(followed[i]?.last() as DataSnapshot), name).toEqual(inOrder(anew.last()));
      }
      goOffline(early);
      goOffline(late);
    }
  });

  test("that is read once needs its index", async () => {
    const client = harness.connect();
    await expect(get(query(ref(client, "list"), orderByChild("n"), limitToFirst(1)))).rejects.toThrow(
      'Index not defined, add ".indexOn": "n", for path "/list", to the rules',
    );
  });
});

describe("transactions", () => {
  test("of ten clients that add to one number 200 times at once leave it at 200", async () => {
    const clients = Array.from({ length: 10 }, () => harness.connect());
    const adding = clients.flatMap((client) =>
      Array.from({ length: 20 }, () => runTransaction(ref(client, "counter"), (n: number | null) => (n ?? 0) + 1)),
    );
    const results = await Promise.all(adding);
    expect(results.every(({ committed }) => committed)).toBe(true);
    expect(harness.database.root.child("counter").leaf).toBe(200);
  });

  test("on any tree that is known are taken at the first try: both sides hash alike", async () => {
    const client = harness.connect();
    let runs = 0;
    for (const [i, json] of fc.sample(anyJson, 100).entries()) {
      const place = ref(client, `trees/${i}`);
      harness.database.write({ path: [], puts: [{ path: ["trees", String(i)], json }] }, ADMIN);
      const followed = follow(place);
      await vi.waitFor(() => expect(followed.values).toHaveLength(1));
      const { committed } = await runTransaction(place, () => {
        runs++;
        return "changed";
      });
      expect(committed).toBe(true);
      expect(runs, JSON.stringify(json)).toBe(i + 1);
    }
  });
});
