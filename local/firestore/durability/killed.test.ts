import { fileURLToPath } from "node:url";
import { Firestore } from "@google-cloud/firestore";
import { expect } from "vitest";
import { type Clients, testKills } from "../../durability/killing.ts";
import { PROJECT } from "../harness.ts";

const module = fileURLToPath(new URL("../server.ts", import.meta.url));
const PARTS = 5;
const COUNTERS = 3;

/** What clients have heard of, over all the lives of the server. */
class Acknowledged {
  /** Documents by their paths. */
  readonly written = new Map<string, number>();
  readonly deleted = new Set<string>();
  /** Batches that were tried: each has written its number to all of its parts, or to none. */
  readonly batches: string[] = [];
  readonly counts = new Map<string, { done: number; tried: number }>();

  get size(): number {
    return this.written.size + this.deleted.size + [...this.counts.values()].reduce((sum, { done }) => sum + done, 0);
  }
}

/** The official client for servers, as one of many instances. */
function connect(port: number, acknowledged: Acknowledged): Clients {
  const client = new Firestore({
    projectId: PROJECT,
    host: `127.0.0.1:${port}`,
    ssl: false,
    customHeaders: { Authorization: "Bearer owner" },
  });
  const { written, deleted, batches, counts } = acknowledged;
  const forever = async (isOver: () => boolean, act: (i: number) => Promise<unknown>) => {
    for (let i = 0; !isOver(); i++) await act(i);
  };
  return {
    write: (run, isOver) =>
      Promise.all([
        forever(isOver, async (i) => {
          await client.doc(`single/${run}-${i}`).set({ i });
          written.set(`single/${run}-${i}`, i);
        }),
        forever(isOver, async (i) => {
          await client.doc(`overwritten/${run}`).set({ i });
          written.set(`overwritten/${run}`, i);
        }),
        forever(isOver, async (i) => {
          const document = client.doc(`deleted/${run}-${i}`);
          await document.create({ i });
          await document.delete();
          deleted.add(document.path);
        }),
        forever(isOver, async (i) => {
          const batch = client.batch();
          batches.push(`batches/${run}-${i}`);
          for (let part = 0; part < PARTS; part++) batch.set(client.doc(`batches/${run}-${i}/parts/${part}`), { i });
          await batch.commit();
          written.set(`batches/${run}-${i}/parts/0`, i);
        }),
        forever(isOver, async (i) => {
          const path = `counters/${i % COUNTERS}`;
          const count = counts.get(path) ?? { done: 0, tried: 0 };
          counts.set(path, count);
          await client.runTransaction(async (tx) => {
            count.tried++;
            const before = (await tx.get(client.doc(path))).get("n") ?? 0;
            tx.set(client.doc(path), { n: before + 1 });
          });
          count.done++;
        }),
      ]),
    check: async () => {
      const paths = ["nothing/there", ...written.keys(), ...deleted, ...batches.flatMap(partsOf), ...counts.keys()];
      const found = new Map<string, FirebaseFirestore.DocumentSnapshot>();
      for (let at = 0; at < paths.length; at += 1_000) {
        const references = paths.slice(at, at + 1_000).map((path) => client.doc(path));
        for (const snapshot of await client.getAll(...references)) found.set(snapshot.ref.path, snapshot);
      }
      for (const [path, i] of written) expect(found.get(path)?.get("i"), path).toBeGreaterThanOrEqual(i);
      for (const path of deleted) expect(found.get(path)?.exists, path).toBe(false);
      for (const path of batches) {
        const parts = partsOf(path).map((part) => found.get(part)?.get("i"));
        expect(new Set(parts).size, `${path}: ${parts}`).toBe(1);
      }
      for (const [path, { done, tried }] of counts) {
        const n = found.get(path)?.get("n") ?? 0;
        expect(n, path).toBeGreaterThanOrEqual(done);
        expect(n, path).toBeLessThanOrEqual(tried);
      }
    },
    // Of a server that is gone it cannot be closed before its tries to reach it are over.
    close: async (wasKilled) => (wasKilled ? undefined : await client.terminate()),
  };
}

function partsOf(batch: string): string[] {
  return Array.from({ length: PARTS }, (_, part) => `${batch}/parts/${part}`);
}

const acknowledged = new Acknowledged();
testKills(
  "what was acknowledged outlasts kill -9 of a server that is written to, and batches are there whole or not at all",
  {
    module,
    start: "startFirestore",
    connect: (port) => connect(port, acknowledged),
    acknowledged: () => acknowledged.written.size,
  },
);
