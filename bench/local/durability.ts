import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Keeping } from "../../local/durability/data.ts";
import type { Value } from "../../local/firestore/model/value.ts";
import { startFirestore } from "../../local/firestore/server.ts";
import { table } from "../../scripts/table.ts";
import { connect, PROJECT, rounded, startProgram } from "./program.ts";

/** What keeping data on disk costs: commits with and without it, by turns, and a start with a million documents. */
const TURNS = 6;
const TURN_MILLIS = 2_000;
const WRITERS = [1, 32];
const DOCUMENTS = 1_000_000;
/** Documents that are written before others have their turn. */
const AT_ONCE = 500;

const folder = mkdtempSync(join(tmpdir(), "durability-"));
try {
  await commits();
  await start();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function commits(): Promise<void> {
  const servers = [
    await startProgram("firestore/main.ts"),
    await startProgram("firestore/main.ts", ["--data", join(folder, "commits")]),
  ];
  const clients = servers.map(({ port }) => connect(port));
  const rows: (string | number)[][] = [];
  for (const writers of WRITERS) {
    const counts = [0, 0];
    for (let turn = 0; turn <= TURNS; turn++) {
      for (const [i, client] of clients.entries()) {
        const count = await commitFor(client, writers);
        // The first turn is for the compiler.
        if (turn > 0) counts[i] = (counts[i] as number) + count;
      }
    }
    const [memory, disk] = counts.map((count) => count / ((TURNS * TURN_MILLIS) / 1_000)) as [number, number];
    rows.push([`${writers}`, Math.round(memory), Math.round(disk), rounded(disk / memory, 2)]);
  }
  console.log(table(["writers at the same time", "commits a second in memory", "with --data", "ratio"], rows));
  await Promise.all(clients.map((client) => client.terminate()));
  for (const { process } of servers) process.kill("SIGKILL");
}

async function commitFor(client: ReturnType<typeof connect>, writers: number): Promise<number> {
  const until = performance.now() + TURN_MILLIS;
  let count = 0;
  const write = async (writer: number) => {
    for (let i = 0; performance.now() < until; i++, count++)
      await client.doc(`writers/${writer}-${i % 100}`).set({ i });
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return count;
}

async function start(): Promise<void> {
  const directory = join(folder, "start");
  const memory = await fill();
  globalThis.gc?.();
  const disk = await fill({ directory });
  const { millis, process } = await startProgram("firestore/main.ts", ["--data", directory]);
  const [, kilobytes = "0"] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${process.pid}/status`, "utf8")) ?? [];
  process.kill("SIGKILL");
  console.log();
  console.log(
    table(
      [`${DOCUMENTS.toLocaleString("en")} small documents`, ""],
      [
        ["seconds to write them in memory", String(rounded(memory.seconds))],
        ["seconds to write them with --data, snapshots included", String(rounded(disk.seconds))],
        ["ms that nobody else had a turn meanwhile, at most, in memory", String(Math.round(memory.longest))],
        ["ms that nobody else had a turn meanwhile, at most, with --data", String(Math.round(disk.longest))],
        ["seconds until a server with them answers", String(rounded(millis / 1_000))],
        ["MB resident at most until then", String(Math.round(Number(kilobytes) / 1_024))],
      ],
    ),
  );
}

async function fill(data?: Keeping): Promise<{ longest: number; seconds: number }> {
  const began = performance.now();
  const server = await startFirestore({ retention: { versions: 0 }, data });
  const { database } = server.firestore.open(`projects/${PROJECT}/databases/(default)`);
  let longest = 0;
  let last = performance.now();
  const turns = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  for (let i = 0; i < DOCUMENTS; i++) {
    const fields = new Map<string, Value>([
      ["name", `Player ${i}`],
      ["score", BigInt((i * 7_919) % 1_000_003)],
    ]);
    database.apply([{ path: `players/player-${i}`, fields, bytes: 100 }], database.tick());
    if (i % AT_ONCE !== 0) continue;
    if (i % (100 * AT_ONCE) === 0) await server.firestore.data?.settled();
    else await new Promise((resolve) => setImmediate(resolve));
  }
  clearInterval(turns);
  await server.close();
  return { longest, seconds: (performance.now() - began) / 1_000 };
}
