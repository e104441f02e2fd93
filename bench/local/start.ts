import { table } from "../../scripts/table.ts";
import { residentOf, startProgram } from "./program.ts";

/** How fast the Firestore server is there, and what it takes before there is data. */
const RUNS = 3;

const rows: (string | number)[][] = [];
for (let run = 1; run <= RUNS; run++) {
  const { millis, process } = await startProgram("firestore/main.ts");
  rows.push([`run ${run}`, Math.round(millis), residentOf(process.pid)]);
  process.kill("SIGKILL");
}
console.log(table(["start", "ms until it answers", "MB resident"], rows));
