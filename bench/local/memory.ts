import { table } from "../../scripts/table.ts";
import { connect, residentOf, rounded, startProgram } from "./program.ts";

/** What a million small documents take in the memory of the Firestore server, written over gRPC, and with an index on them. */
const DOCUMENTS = 1_000_000;
const STEPS = 4;
const BATCH = 500;
const AT_ONCE = 4;

const server = await startProgram("firestore/main.ts");
const client = connect(server.port);
const rows: (string | number)[][] = [];
const began = performance.now();
let next = 0;
for (let step = 1; step <= STEPS; step++) {
  await Promise.all(Array.from({ length: AT_ONCE }, () => writeUntil((DOCUMENTS / STEPS) * step)));
  rows.push(row(`${next.toLocaleString("en")} written`));
}
await client.collection("players").orderBy("score", "desc").limit(100).get();
rows.push(row("first 100 by score asked for"));
console.log(table(["documents", "MB resident", "s"], rows));
await client.terminate();
server.process.kill("SIGKILL");

async function writeUntil(end: number): Promise<void> {
  while (next < end) {
    const batch = client.batch();
    for (let i = 0; i < BATCH; i++, next++) {
      const score = (next * 7_919) % 1_000_003;
      batch.set(client.doc(`players/player-${next}`), { name: `Player ${next}`, score, country: "DE" });
    }
    await batch.commit();
  }
}

function row(what: string): [string, number, number] {
  return [what, residentOf(server.process.pid), rounded((performance.now() - began) / 1_000)];
}
