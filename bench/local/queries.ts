import type { Value } from "../../local/firestore/model/value.ts";
import { startFirestore } from "../../local/firestore/server.ts";
import { table } from "../../scripts/table.ts";
import { connect, PROJECT } from "./program.ts";

/** Whether a query that an index serves costs the same however many documents there are. */
const QUERIES = 200;
const SIZES = [10_000, 100_000, 1_000_000];

const rows: [string, number, string, number, number][] = [];
for (const size of SIZES) rows.push(await query(size));
const [smallest] = rows;
console.log(
  table(
    ["documents", "ms for the first 100 by score (median)", "against the smallest", "bytes a document", "MB resident"],
    rows.map(([label, millis, , bytes, resident]) => [
      label,
      millis,
      `× ${(millis / (smallest?.[1] ?? 1)).toFixed(2)}`,
      bytes,
      resident,
    ]),
  ),
);

/** Fills a collection and asks for its best 100, over gRPC, by the official client. */
async function query(size: number): Promise<[string, number, string, number, number]> {
  const before = heap();
  const server = await startFirestore({ retention: { versions: 0 } });
  const { database } = server.firestore.open(`projects/${PROJECT}/databases/(default)`);
  for (let i = 0; i < size; i++) {
    const fields = new Map<string, Value>([
      ["name", `Player ${i}`],
      ["score", BigInt((i * 7_919) % 1_000_003)],
      ["country", ["DE", "FR", "US", "JP"][i % 4] as string],
    ]);
    database.apply([{ path: `players/player-${i}`, fields, bytes: 100 }], database.tick());
  }
  const client = connect(server.port);
  const best = client.collection("players").orderBy("score", "desc").limit(100);
  await best.get();
  const bytes = Math.round((heap() - before) / size);
  const resident = Math.round(process.memoryUsage().rss / 2 ** 20);
  const times: number[] = [];
  for (let i = 0; i < QUERIES; i++) {
    const began = performance.now();
    await best.get();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  await client.terminate();
  await server.close();
  return [size.toLocaleString("en"), Number((times[QUERIES / 2] ?? 0).toFixed(2)), "", bytes, resident];
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
