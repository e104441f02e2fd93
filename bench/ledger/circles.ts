import { verify } from "../../functions/src/ledger/verify.ts";
import { table } from "../../scripts/table.ts";
import { give, openBooks } from "./books.ts";
import { inProcesses } from "./processes.ts";

/**
 * Fifty users send coins around in circles from one process and from four, some of it twice and some of it from all processes at once.
 * CIRCLES_SECONDS says for how long, a minute unless said otherwise.
 */
const SECONDS = Number(process.env.CIRCLES_SECONDS ?? "60");
const USERS = 50;
const COINS = 100;
const PARALLEL = 25;

const rows: (string | number)[][] = [];
for (const processes of [1, 4]) rows.push(await trade(processes));
console.log(
  table(
    ["processes", "seconds", "transfers a second", "sent twice", "refused", "coins before", "after", "problems"],
    rows,
  ),
);
process.exit(process.exitCode ?? 0);

async function trade(processes: number): Promise<number[]> {
  const server = await openBooks();
  const users = Array.from({ length: USERS }, (_, i) => `user-${i}`);
  await give(`coins ${processes}`, users, USERS * COINS);
  const before = await verify({ scope: "all" });
  const jobs = Array.from({ length: processes }, (_, i) => {
    return { does: "circle", name: `process ${i}`, users, seconds: SECONDS, parallel: PARALLEL };
  });
  const began = performance.now();
  const outcomes = await inProcesses(jobs);
  const seconds = (performance.now() - began) / 1_000;
  const after = await verify({ scope: "all" });
  server.process.kill();
  const [had, have] = [before.totals.COIN ?? 0, after.totals.COIN ?? 0];
  if (had !== have || after.problems.length > 0) process.exitCode = 1;
  return [
    processes,
    Math.round(seconds),
    Math.round((after.transactions - before.transactions) / seconds),
    outcomes.reduce((sum, { repeated }) => sum + repeated, 0),
    outcomes.reduce((sum, { refused }) => sum + Object.values(refused).reduce((all, count) => all + count, 0), 0),
    had,
    have,
    after.problems.length,
  ];
}
