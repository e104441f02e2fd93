import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { answers, freePort } from "../../local/ports.ts";
import { table } from "../../scripts/table.ts";
import { connectBare, requestOf } from "./bare-client.ts";
import { connect, PROJECT, percentile, startProgram } from "./program.ts";

/**
 * What a client gets done with the Firestore server, against what the same client gets done with a gRPC server that does nothing but give
 * the same answers: the official client, and a bare one that leaves bytes as they are, so that the server is what takes the time. Each
 * server is a process of its own; rounds alternate, and the middle one counts.
 */
const ROUNDS = 7;
const CALLS = 1_000;
const QUERIES = 150;
const AT_ONCE = [1, 50];
const ROOT = `projects/${PROJECT}/databases/(default)`;

type Acts = Readonly<Record<"get a document" | "set a document" | "query 100 of 1,000", () => Promise<unknown>>>;

const server = await startProgram("firestore/main.ts");
const emptyPort = await freePort();
const empty = spawn(
  process.execPath,
  [fileURLToPath(new URL("empty.ts", import.meta.url)), String(emptyPort), String(server.port)],
  { stdio: ["ignore", "ignore", "inherit"] },
);
process.once("exit", () => {
  for (const child of [server.process, empty]) child.kill("SIGKILL");
});
while (!(await answers(emptyPort))) await sleep(5);

await fill();
const rows: (string | number)[][] = [];
for (const [client, clientOf] of [
  ["official", officialActs],
  ["bare", bareActs],
] as const) {
  const [ours, nothing] = [clientOf(server.port), clientOf(emptyPort)];
  for (const atOnce of AT_ONCE) {
    for (const [what, calls] of [
      ["get a document", CALLS],
      ["set a document", CALLS],
      ["query 100 of 1,000", QUERIES],
    ] as const) {
      const [fast = 0, fastest = 0] = await sideBySide(
        () => pace(ours[what], calls, atOnce),
        () => pace(nothing[what], calls, atOnce),
      );
      rows.push([client, what, atOnce, Math.round(fast), Math.round(fastest), (fast / fastest).toFixed(2)]);
    }
  }
}
console.log(table(["client", "call", "at once", "a second", "a server that does nothing", "ratio"], rows));
process.exit();

async function fill(): Promise<void> {
  const client = connect(server.port);
  const writer = client.bulkWriter();
  for (let i = 0; i < 1_000; i++) {
    void writer.set(client.doc(`players/player-${i}`), { name: `Player ${i}`, score: i, country: "DE" });
  }
  await writer.close();
  await client.terminate();
}

function officialActs(port: number): Acts {
  const client = connect(port);
  return {
    "get a document": () => client.doc("players/player-7").get(),
    "set a document": () => client.doc("players/player-8").set({ name: "Player 8", score: 8 }),
    "query 100 of 1,000": () => client.collection("players").orderBy("score").limit(100).get(),
  };
}

function bareActs(port: number): Acts {
  const client = connectBare(port);
  const get = requestOf("BatchGetDocuments", { database: ROOT, documents: [`${ROOT}/documents/players/player-7`] });
  const fields = new Map<string, unknown>([
    ["name", "Player 8"],
    ["score", 8n],
  ]);
  const set = requestOf("Commit", {
    database: ROOT,
    writes: [{ update: { name: `${ROOT}/documents/players/player-8`, fields } }],
  });
  const query = requestOf("RunQuery", {
    parent: `${ROOT}/documents`,
    structuredQuery: {
      from: [{ collectionId: "players" }],
      orderBy: [{ field: { fieldPath: "score" }, direction: 1 }],
      limit: { value: 100 },
    },
  });
  return {
    "get a document": () => client(get),
    "set a document": () => client(set),
    "query 100 of 1,000": () => client(query),
  };
}

/** Calls a second. */
async function pace(act: () => Promise<unknown>, calls: number, atOnce: number): Promise<number> {
  let left = calls;
  const began = performance.now();
  const work = async () => {
    while (left-- > 0) await act();
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return (calls * 1_000) / (performance.now() - began);
}

async function sideBySide(...measured: (() => Promise<number>)[]): Promise<number[]> {
  for (const measure of measured) await measure();
  const paces = measured.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, measure] of measured.entries()) paces[i]?.push(await measure());
  }
  return paces.map((values) => percentile(values, 0.5));
}
