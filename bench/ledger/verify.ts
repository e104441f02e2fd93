import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { table } from "../../scripts/table.ts";
import { residentOf } from "../local/program.ts";
import { give, openBooks } from "./books.ts";

/** What it takes to verify books of different sizes: seconds, and the memory of the process that does it. */
const PROGRAM = fileURLToPath(new URL("verifying.ts", import.meta.url));
/** What the verifier has to make do with, however large the books: more would be garbage that nobody had collected yet. */
const HEAP_MEGABYTES = 96;
const BOOKS = [
  { transactions: 1_000, accounts: 1 },
  { transactions: 10_000, accounts: 1 },
  { transactions: 100_000, accounts: 1 },
  { transactions: 100_000, accounts: 1_000 },
];

const rows: number[][] = [];
for (const { transactions, accounts } of BOOKS) {
  const server = await openBooks();
  const users = Array.from({ length: accounts }, (_, i) => `user-${i}`);
  await give(`${transactions} ${accounts}`, users, transactions);
  const { stdout, status } = spawnSync(process.execPath, [`--max-old-space-size=${HEAP_MEGABYTES}`, PROGRAM], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const found = JSON.parse(status === 0 ? stdout : "{}") as { seconds: number; megabytes: number; problems: number };
  if (found.problems !== 0) process.exitCode = 1;
  rows.push([transactions, accounts, found.seconds, found.megabytes, residentOf(server.process.pid), found.problems]);
  server.process.kill();
}
const columns = ["transactions", "accounts", "seconds", "MB of the verifier, at most", "MB of the server", "problems"];
console.log(table(columns, rows));
process.exit(process.exitCode ?? 0);
