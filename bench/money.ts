import type { ChildProcess } from "node:child_process";
import { table } from "../scripts/table.ts";
import { connect, rounded } from "./local/program.ts";
import { checkBooks } from "./money/books.ts";
import { authorizationOf, HttpConnection } from "./serving/connection.ts";
import { buildBundle, circumstances, LATENCIES_MILLIS, measure, SPEED_COLUMNS } from "./serving/measure.ts";
import { type DatabaseProcess, end, serve, startDatabase } from "./serving/processes.ts";
import { CURRENCY, OPERATOR } from "./serving/requests.ts";
import { verificationMicros } from "./serving/tokens.ts";

/**
 * The speed of money: credits, `admin/ledger/credit`, against the production bundle served as Cloud Run does, each with a key of its own.
 * Afterwards the books are verified, and hold what was acknowledged, to the coin.
 *
 * `MONEY_ONLY=<word>` measures those settings whose name has the word; `BENCH_PROFILE=<folder>` leaves CPU profiles there.
 */
const PROCESSES = [1, 4];
const WALLETS = [
  { wallets: "2,000 wallets", users: 2_000, isHot: false },
  { wallets: "one wallet", users: 1, isHot: false },
  { wallets: "one wallet, flagged hot", users: 1, isHot: true },
];

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

buildBundle();
const only = process.env.MONEY_ONLY ?? "";
const rows: (string | number)[][] = [];
for (const setting of settings) {
  const name = `${setting.name}, ${setting.latencyMillis} ms`;
  if (!name.includes(only)) continue;
  console.error(`${name} …`);
  rows.push(await credited(setting));
}
console.log(
  table(
    [
      "credits to",
      "ms of latency",
      ...SPEED_COLUMNS,
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
    `${circumstances()} Connections go in turn over the processes' ports.`,
    "CPU is that of all processes of a kind, by the kernel's count. Tokens are decoded, not verified (there is no Google here to ask for keys):",
    `a deployed function also verifies RS256, once for each token of an hour, ${rounded(verificationMicros(), 0)} µs of CPU on this machine.`,
  ].join("\n  "),
);

async function credited({ name, users, isHot, processes, latencyMillis }: Setting): Promise<(string | number)[]> {
  const database = await startDatabase(latencyMillis);
  await makeOperator(database);
  const served: { process: ChildProcess; port: number }[] = [];
  for (let i = 0; i < processes; i++) served.push(await serve("admin", database));
  const given = isHot ? await makeHot(served[0]?.port ?? 0) : 0;
  const load = { users, requests: "credits" as const };
  const { outcome, speed, cpu, megabytes } = await measure({ name, database, served, load });
  await Promise.all(served.map(({ process }) => end(process)));
  const acknowledged = outcome.acknowledged + given;
  const { books, foldMillis } = await checkBooks(database, {
    acknowledged,
    amount: outcome.amount + given,
    currency: CURRENCY,
  });
  await end(database.process);
  if (books !== "fit") process.exitCode = 1;
  return [
    name,
    latencyMillis,
    ...speed,
    outcome.errors,
    cpu.functions,
    cpu.database,
    cpu.load,
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
