import { fileURLToPath } from "node:url";
import { initializeApp } from "firebase/app";
import {
  connectDatabaseEmulator,
  type Database,
  get,
  getDatabase,
  goOffline,
  ref,
  remove,
  runTransaction,
  set,
  update,
} from "firebase/database";
import { expect } from "vitest";
import { type Clients, testKills } from "../../durability/killing.ts";
import { NAMESPACE } from "../harness.ts";

const module = fileURLToPath(new URL("../server.ts", import.meta.url));
const PARTS = 5;

/** What clients have heard of, over all the lives of the server. */
class Acknowledged {
  readonly written = new Map<string, number>();
  readonly removed = new Set<string>();
  /** Updates of several places that were tried: each has written to all of them, or to none. */
  readonly updates: string[] = [];
  counted = 0;
  tried = 0;

  get size(): number {
    return this.written.size + this.removed.size + this.counted;
  }
}

let clients = 0;

/** The official client of apps. */
function clientOn(port: number): Database {
  const database = getDatabase(
    initializeApp({ projectId: "demo" }, `killed-${++clients}`),
    `https://${NAMESPACE}.firebaseio.com`,
  );
  connectDatabaseEmulator(database, "127.0.0.1", port);
  return database;
}

function connect(port: number, acknowledged: Acknowledged): Clients {
  const { written, removed, updates } = acknowledged;
  const client = clientOn(port);
  const at = (path: string) => ref(client, path);
  const forever = async (isOver: () => boolean, act: (i: number) => Promise<unknown>) => {
    for (let i = 0; !isOver(); i++) await act(i);
  };
  return {
    write: (run, isOver) =>
      Promise.all([
        forever(isOver, async (i) => {
          await set(at(`single/${run}/${i}`), { i, ".priority": i });
          written.set(`single/${run}/${i}`, i);
        }),
        forever(isOver, async (i) => {
          await set(at(`overwritten/${run}`), { i });
          written.set(`overwritten/${run}`, i);
        }),
        forever(isOver, async (i) => {
          await set(at(`removed/${run}-${i}`), { i });
          await remove(at(`removed/${run}-${i}`));
          removed.add(`removed/${run}-${i}`);
        }),
        forever(isOver, async (i) => {
          updates.push(`updates/${run}-${i}`);
          const parts = Array.from({ length: PARTS }, (_, part) => [`${part}/${run}-${i}`, { i }]);
          await update(at("updates"), Object.fromEntries(parts));
        }),
        forever(isOver, async () => {
          acknowledged.tried++;
          await runTransaction(at("counter"), (n: number | null) => (n ?? 0) + 1);
          acknowledged.counted++;
        }),
      ]),
    check: async () => {
      const all = ((await get(at("/"))).val() ?? {}) as Record<string, never>;
      const valueAt = (path: string) => path.split("/").reduce<unknown>((value, key) => (value as never)?.[key], all);
      for (const [path, i] of written) expect(valueAt(`${path}/i`), path).toBeGreaterThanOrEqual(i);
      for (const path of removed) expect(valueAt(path), path).toBeUndefined();
      for (const path of updates) {
        const key = path.split("/")[1];
        const parts = Array.from({ length: PARTS }, (_, part) => valueAt(`updates/${part}/${key}/i`));
        expect(new Set(parts).size, `${path}: ${parts}`).toBe(1);
      }
      expect(valueAt("counter") ?? 0).toBeGreaterThanOrEqual(acknowledged.counted);
      expect(valueAt("counter") ?? 0).toBeLessThanOrEqual(acknowledged.tried);
    },
    close: async () => goOffline(client),
  };
}

const acknowledged = new Acknowledged();
testKills(
  "what was acknowledged outlasts kill -9 of a server that is written to, and updates are there whole or not at all",
  {
    module,
    start: "startDatabase",
    connect: (port) => connect(port, acknowledged),
    acknowledged: () => acknowledged.size,
  },
);
