import { setTimeout as sleep } from "node:timers/promises";
import type * as App from "firebase/app";
import type * as Sdk from "firebase/firestore";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Browser, hasChromium, startChromium, type Tab } from "../../chromium.ts";
import { startWire } from "../../harness.ts";
import { PROJECT, useServer } from "../harness.ts";
import { type Page, servePage } from "./page.ts";

/** What pages have: the SDK, a Firestore and what it has told. */
declare global {
  var sdk: typeof App & typeof Sdk;
  var db: Sdk.Firestore;
  var heard: Heard[];
  var failed: string[];
}

interface Heard {
  readonly ids: string[];
  readonly documents: Record<string, unknown>[];
  readonly isFromCache: boolean;
  readonly isPending: boolean;
}

interface Connection {
  readonly port: number;
  readonly settings?: object;
  readonly user?: string;
  readonly isShared?: boolean;
}

const RULES = `rules_version = "2";
service cloud.firestore {
  match /databases/{database}/documents {
    match /own/{user} { allow read, write: if request.auth.uid == user; }
    match /{room}/{id} { allow read, write: if room.matches("rooms-.*"); }
  }
}`;

/** The settings by which the SDK takes each way; the second is how it was before there was `fetch`. */
const TRANSPORTS = {
  streams: { experimentalForceLongPolling: false },
  "streams of XMLHttpRequest": { experimentalForceLongPolling: false, useFetchStreams: false },
  "long polls": { experimentalForceLongPolling: true },
};

const harness = useServer({ rules: { [PROJECT]: RULES } });
let browser: Browser;
let page: Page;
let collections = 0;
const tabs: Tab[] = [];
const patience = { timeout: 12_000, interval: 20 };

describe.skipIf(!hasChromium)(
  `a page in a browser${hasChromium ? "" : " (skipped: Chromium is not installed)"}`,
  () => {
    beforeAll(async () => {
      [browser, page] = await Promise.all([startChromium(), servePage()]);
    });
    afterEach(async () => {
      await Promise.all(tabs.splice(0).map((tab) => tab.close()));
    });
    afterAll(async () => {
      page.close();
      await browser.close();
    });

    for (const [how, settings] of Object.entries(TRANSPORTS)) {
      describe(`by ${how}`, () => {
        test("is told what there is and each change, its own before the server has it", async () => {
          const [name, tab] = [newCollection(), await connect({ settings })];
          await harness.client.collection(name).doc("a").set({ n: 1 });
          await tab.run(listen, name);
          await waitFor(tab, ({ ids }) => expect(ids).toEqual(["a"]));
          await tab.run(set, `${name}/b`, { n: 2 });
          await harness.client.collection(name).doc("a").update({ n: 3 });
          await waitFor(tab, (last) => {
            expect(last.documents).toEqual([{ n: 3 }, { n: 2 }]);
            expect(last.isPending || last.isFromCache).toBe(false);
          });
          expect((await tab.run(all)).some(({ ids, isPending }) => ids.includes("b") && isPending)).toBe(true);
        });

        test("goes on where it was after it was offline, and brings what it has written meanwhile", async () => {
          const [name, tab] = [newCollection(), await connect({ settings })];
          await tab.run(listen, name);
          await waitFor(tab, ({ isFromCache }) => expect(isFromCache).toBe(false));
          await tab.run(() => sdk.disableNetwork(db));
          await tab.run((path) => void sdk.setDoc(sdk.doc(db, path), { by: "page" }), `${name}/page`);
          await harness.client.collection(name).doc("server").set({ by: "server" });
          await waitFor(tab, (last) =>
            expect(last).toMatchObject({ ids: ["page"], isFromCache: true, isPending: true }),
          );
          await tab.run(() => sdk.enableNetwork(db));
          await waitFor(tab, (last) =>
            expect(last).toMatchObject({ ids: ["page", "server"], isFromCache: false, isPending: false }),
          );
          expect((await harness.client.collection(name).doc("page").get()).data()).toEqual({ by: "page" });
        });

        test("gets through a cut connection without losing or doubling a write", async () => {
          const wire = await startWire(harness.server.port);
          const [name, tab] = [newCollection(), await connect({ settings, port: wire.port })];
          await tab.run(listen, name);
          await tab.run(set, `${name}/counter`, { n: 0 });
          await waitFor(tab, ({ isPending, ids }) =>
            expect({ isPending, ids }).toEqual({ isPending: false, ids: ["counter"] }),
          );
          await tab.run(countSlowly, `${name}/counter`, 20);
          for (let i = 0; i < 3; i++) {
            await sleep(100);
            wire.cut();
          }
          await harness.client.collection(name).doc("other").set({ n: 1 });
          await waitFor(tab, (last) => {
            expect(last.documents).toEqual([{ n: 20 }, { n: 1 }]);
            expect(last.isPending).toBe(false);
          });
        });

        test("reads more than one answer of the channel carries", async () => {
          const [name, tab] = [newCollection(), await connect({ settings })];
          const batch = harness.client.batch();
          for (let i = 0; i < 400; i++)
            batch.set(harness.client.collection(name).doc(), { text: "ä".repeat(10_000), i });
          await batch.commit();
          const numbers = await tab.run(async (path) => {
            const { docs } = await sdk.getDocs(sdk.query(sdk.collection(db, path), sdk.orderBy("i")));
            return docs.map((doc) => [doc.get("i"), doc.get("text").length]);
          }, name);
          expect(numbers).toEqual(Array.from({ length: 400 }, (_, i) => [i, 10_000]));
        });
      });
    }

    test("two pages that count in transactions miss no count", async () => {
      const path = `${newCollection()}/counter`;
      const pair = [await connect(), await connect()];
      await harness.client.doc(path).set({ n: 0 });
      await Promise.all(pair.map((tab) => tab.run(count, path, 5)));
      expect((await harness.client.doc(path).get()).get("n")).toBe(10);
    });

    test("counts, sums and averages on the server", async () => {
      const [name, tab] = [newCollection(), await connect()];
      for (const n of [1, 2, 6]) await harness.client.collection(name).add({ n });
      const sums = await tab.run(async (path) => {
        const { average, collection, getAggregateFromServer, count: number, sum } = sdk;
        const wanted = { count: number(), sum: sum("n"), average: average("n") };
        return (await getAggregateFromServer(collection(db, path), wanted)).data();
      }, name);
      expect(sums).toEqual({ count: 3, sum: 9, average: 3 });
    });

    test("is refused what rules deny, in listening, writing and transactions", async () => {
      const tab = await connect();
      await tab.run(listen, "secrets");
      await vi.waitFor(async () => expect(await tab.run(() => failed)).toEqual(["permission-denied"]), patience);
      expect(await tab.run(codeOf, "set", "secrets/x")).toBe("permission-denied");
      expect(await tab.run(codeOf, "transact", "secrets/x")).toBe("permission-denied");
    });

    test("is who it signs in as, over channels and single calls", async () => {
      const tab = await connect({ user: "ada" });
      expect(await tab.run(codeOf, "set", "own/ada")).toBe("ok");
      expect(await tab.run(codeOf, "get", "own/ada")).toBe("ok");
      expect(await tab.run(codeOf, "transact", "own/ada")).toBe("ok");
      expect(await tab.run(codeOf, "get", "own/bo")).toBe("permission-denied");
    });

    test("two tabs share what is stored, and the other goes on when one is closed", async () => {
      const name = newCollection();
      const first = await connect({ isShared: true });
      const second = await connect({ isShared: true });
      await Promise.all([first, second].map((tab) => tab.run(listen, name)));
      await second.run(set, `${name}/a`, { n: 1 });
      await waitFor(first, ({ documents }) => expect(documents).toEqual([{ n: 1 }]));
      await waitFor(second, ({ documents, isPending }) =>
        expect({ documents, isPending }).toEqual({ documents: [{ n: 1 }], isPending: false }),
      );
      tabs.splice(tabs.indexOf(first), 1);
      await first.close();
      await harness.client.collection(name).doc("b").set({ n: 2 });
      await waitFor(second, ({ ids }) => expect(ids).toEqual(["a", "b"]));
    });
  },
);

function newCollection(): string {
  return `rooms-${++collections}`;
}

/** A page of its own with a client of its own. */
async function connect(connection: Partial<Connection> = {}): Promise<Tab> {
  const tab = await browser.open(page.url);
  tabs.push(tab);
  await tab.run(
    ({ port, settings, user, isShared, projectId }) => {
      const { persistentLocalCache, persistentMultipleTabManager } = sdk;
      sdk.setLogLevel("silent");
      heard = [];
      failed = [];
      db = sdk.initializeFirestore(sdk.initializeApp({ projectId, apiKey: "key", appId: "1:2:web:3" }), {
        ...settings,
        ...(isShared ? { localCache: persistentLocalCache({ tabManager: persistentMultipleTabManager() }) } : {}),
      });
      const as = user === undefined ? {} : { mockUserToken: { user_id: user } };
      sdk.connectFirestoreEmulator(db, "127.0.0.1", port, as);
    },
    { port: harness.server.port, projectId: PROJECT, ...connection },
  );
  return tab;
}

function waitFor(tab: Tab, check: (last: Heard) => void): Promise<void> {
  return vi.waitFor(async () => {
    const last = (await tab.run(all)).at(-1);
    if (!last) throw new Error("nothing was heard yet");
    check(last);
  }, patience);
}

/** What follows runs in pages. */

function all(): Heard[] {
  return heard;
}

function listen(path: string): void {
  sdk.onSnapshot(
    sdk.collection(db, path),
    { includeMetadataChanges: true },
    ({ docs, metadata }) => {
      heard.push({
        ids: docs.map(({ id }) => id),
        documents: docs.map((doc) => doc.data()),
        isFromCache: metadata.fromCache,
        isPending: metadata.hasPendingWrites,
      });
    },
    ({ code }) => failed.push(code),
  );
}

function set(path: string, fields: Record<string, unknown>): Promise<void> {
  return sdk.setDoc(sdk.doc(db, path), fields);
}

async function count(path: string, times: number): Promise<void> {
  const ref = sdk.doc(db, path);
  for (let i = 0; i < times; i++) {
    await sdk.runTransaction(
      db,
      async (transaction) => {
        transaction.update(ref, { n: (await transaction.get(ref)).get("n") + 1 });
      },
      { maxAttempts: 50 },
    );
  }
}

/** Counts on while the test does something else. */
function countSlowly(path: string, times: number): void {
  // Once it tries again at once; from then on the SDK waits for a time that is left to chance, five seconds at the least.
  Math.random = () => 0;
  for (let i = 0; i < times; i++) {
    setTimeout(() => sdk.updateDoc(sdk.doc(db, path), { n: sdk.increment(1) }), i * 20);
  }
}

async function codeOf(act: "get" | "set" | "transact", path: string): Promise<string> {
  const ref = sdk.doc(db, path);
  try {
    if (act === "get") await sdk.getDoc(ref);
    else if (act === "set") await sdk.setDoc(ref, { n: 1 });
    else await sdk.runTransaction(db, async (transaction) => void (await transaction.get(ref)));
    return "ok";
  } catch (error) {
    return (error as Sdk.FirestoreError).code;
  }
}
