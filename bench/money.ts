import type { ChildProcess } from "node:child_process";
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { root } from "../scripts/suite.ts";
import { table } from "../scripts/table.ts";
import { connect, percentile, residentOf, rounded } from "./local/program.ts";
import { checkBooks } from "./money/books.ts";
import { authorizationOf, HttpConnection } from "./serving/connection.ts";
import { cpuSecondsOf, type DatabaseProcess, end, runLoad, serve, startDatabase } from "./serving/processes.ts";
import { CURRENCY, OPERATOR } from "./serving/requests.ts";
import { verificationMicros } from "./serving/tokens.ts";

/**
 * The speed of money: credits, `admin/ledger/credit`, against the production bundle served as Cloud Run does, each with a key of its own.
 * Afterwards the books are verified, and hold what was acknowledged, to the coin.
 *
 * `MONEY_ONLY=<word>` measures those settings whose name has the word; `BENCH_PROFILE=<folder>` leaves CPU profiles there.
 */
const CONNECTIONS = 32;
/** For each process, so that all have as much behind them: after a thousand credits one takes 600 µs of CPU, after 25,000 it takes 240. */
const WARM_UP_MILLIS = 5_000;
const MEASURED_MILLIS = 10_000;
const LATENCIES_MILLIS = [0, 8];
const PROCESSES = [1, 4];
const WALLETS = [
  { wallets: "2,000 wallets", users: 2_000, isHot: false },
  { wallets: "one wallet", users: 1, isHot: false },
  { wallets: "one wallet, flagged hot", users: 1, isHot: true },
];

// Otherwise Google's client looks for a metadata server first.
process.env.METADATA_SERVER_DETECTION ??= "none";

interface Setting {
  readonly name: string;
  readonly users: number;
  readonly isHot: boolean;
  readonly processes: number;
  readonly latencyMillis: number;
}

const settings: Setting[] = LATENCIES_MILLIS.flatMap((latencyMillis) =>
  WALLETS.flatMap(({ wallets, ...kind }) =>
    PROCESSES.map((processes) => ({ ...kind, name: `${wallets}, ${processes} × functions`, processes, latencyMillis })),
  ),
);

const built = spawnSync(process.execPath, [join(root, "functions/build/build.ts")], { stdio: "inherit" });
if (built.status !== 0) throw new Error("The functions could not be built.");
const only = process.env.MONEY_ONLY ?? "";
const rows: (string | number)[][] = [];
for (const setting of settings) {
  const name = `${setting.name}, ${setting.latencyMillis} ms`;
  if (!name.includes(only)) continue;
  console.error(`${name} …`);
  rows.push(await measure(setting));
}
console.log(
  table(
    [
      "credits to",
      "ms of latency",
      "a second",
      "p50 ms",
      "p95 ms",
      "p99 ms",
      "errors",
      "CPU µs each: functions",
      "Firestore",
      "load",
      "MB: functions",
      "Firestore",
      "books",
    ],
    rows,
  ),
);
console.log(
  [
    "",
    `${CONNECTIONS} connections that are kept, in turn over the processes' ports; ${MEASURED_MILLIS / 1_000} s after ${WARM_UP_MILLIS / 1_000} s of warm-up for each process; ${cpus().length} cores for all of it.`,
    "CPU is that of all processes of a kind, by the kernel's count. Tokens are decoded, not verified (there is no Google here to ask for keys):",
    `a deployed function also verifies RS256, once for each token of an hour, ${rounded(verificationMicros(), 0)} µs of CPU on this machine.`,
  ].join("\n  "),
);

async function measure({ name, users, isHot, processes, latencyMillis }: Setting): Promise<(string | number)[]> {
  const database = await startDatabase(latencyMillis);
  await makeOperator(database);
  const served: { process: ChildProcess; port: number }[] = [];
  for (let i = 0; i < processes; i++) served.push(await serve("admin", database));
  const given = isHot ? await makeHot(served[0]?.port ?? 0) : 0;
  const cpu = { functions: 0, database: 0, load: 0 };
  const megabytes = { functions: 0, database: 0 };
  const outcome = await runLoad(
    {
      ports: served.map(({ port }) => port),
      connections: CONNECTIONS,
      users,
      requests: "credits",
      warmUpMillis: WARM_UP_MILLIS * processes,
      millis: MEASURED_MILLIS,
    },
    (phase, pid) => {
      const sign = phase === "measured" ? 1 : -1;
      for (const { process } of served) cpu.functions += sign * cpuSecondsOf(process.pid);
      cpu.database += sign * cpuSecondsOf(database.process.pid);
      cpu.load += sign * cpuSecondsOf(pid);
      if (phase === "measuring") return;
      megabytes.functions = served.reduce((sum, { process }) => sum + residentOf(process.pid), 0);
      megabytes.database = residentOf(database.process.pid);
    },
  );
  await Promise.all(served.map(({ process }) => end(process)));
  const acknowledged = outcome.acknowledged + given;
  const { books, foldMillis } = await checkBooks(database, {
    acknowledged,
    amount: outcome.amount + given,
    currency: CURRENCY,
  });
  await end(database.process);
  if (outcome.firstError) console.error(`  ${name}: ${outcome.firstError}`);
  if (books !== "fit") process.exitCode = 1;
  const count = outcome.millis.length;
  const microsEach = (seconds: number) => Math.round((seconds * 1e6) / count);
  return [
    name,
    latencyMillis,
    Math.round(count / (MEASURED_MILLIS / 1_000)),
    ...[0.5, 0.95, 0.99].map((share) => rounded(percentile(outcome.millis, share))),
    outcome.errors,
    microsEach(cpu.functions),
    microsEach(cpu.database),
    microsEach(cpu.load),
    megabytes.functions,
    megabytes.database,
    isHot ? `${books}; folded at ${rounded(foldMillis, 2)} ms each` : books,
  ];
}

/** Gives the one user a coin and flags the account, over HTTP. Returns how many coins. */
async function makeHot(port: number): Promise<number> {
  const account = { user: "user-0", currency: CURRENCY };
  const authorization = authorizationOf(OPERATOR);
  const connection = await HttpConnection.open(port, "/ledger/credit");
  const credited = await connection.post(
    JSON.stringify({ data: { ...account, key: "first", amount: 1, note: "bench" } }),
    authorization,
  );
  connection.close();
  const flag = await HttpConnection.open(port, "/ledger/hot");
  const flagged = await flag.post(JSON.stringify({ data: { ...account, hot: true } }), authorization);
  flag.close();
  if (credited.status !== 200 || flagged.status !== 200) throw new Error(`${credited.body} ${flagged.body}`);
  return 1;
}

async function makeOperator({ port }: DatabaseProcess): Promise<void> {
  const client = connect(port);
  await client.doc(`admins/${OPERATOR}`).set({ name: "Olga" });
  await client.terminate();
}
