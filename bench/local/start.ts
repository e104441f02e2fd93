import { spawn } from "node:child_process";
import { once } from "node:events";
import { startSuite } from "../../scripts/suite.ts";
import { table } from "../../scripts/table.ts";
import { percentile, programArguments, residentOf, rounded, startProgram } from "./program.ts";

/** How soon each server is there and what it takes before there is data, and how soon the whole suite is, functions built and loaded. */
const RUNS = 5;
const SUITES = 3;
/** Beside a suite that is up. */
const PORT_OFFSET = 700;

const rows: (string | number)[][] = [];
let sum = 0;
for (const [what, start] of [
  ["Firestore", () => startServer("firestore/main.ts")],
  ["Realtime Database", () => startServer("database/main.ts")],
  ["Storage rules", startRules],
] as const) {
  const runs: (readonly [millis: number, megabytes: number])[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await start());
  const millis = percentile(
    runs.map(([millis]) => millis),
    0.5,
  );
  sum += millis;
  rows.push([
    what,
    rounded(millis / 1_000, 2),
    percentile(
      runs.map(([, megabytes]) => megabytes),
      0.5,
    ),
  ]);
}
rows.push(["all three, one after the other", rounded(sum / 1_000, 2), ""]);
for (let run = 1; run <= SUITES; run++) {
  const began = performance.now();
  const suite = await startSuite({ project: "demo-pot-of-gold-test", portOffset: PORT_OFFSET });
  rows.push([`the suite, run ${run}`, rounded((performance.now() - began) / 1_000, 2), ""]);
  await suite.stop();
}
console.log(table(["start", "s until it answers", "MB resident"], rows));

async function startServer(path: string): Promise<[number, number]> {
  const { millis, process } = await startProgram(path);
  const resident = residentOf(process.pid);
  process.kill("SIGKILL");
  return [millis, resident];
}

/** It speaks first, over standard output. */
async function startRules(): Promise<[number, number]> {
  const began = performance.now();
  const child = spawn(process.execPath, [...programArguments("storage/main.ts"), "serve"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const millis = performance.now() - began;
  const resident = residentOf(child.pid);
  child.kill("SIGKILL");
  return [millis, resident];
}
