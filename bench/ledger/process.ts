import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { post } from "../../functions/src/ledger/index.ts";
import { Failure } from "../../functions/src/platform/failure.ts";

/**
 * One of several processes that use the ledger at the same time, as instances of a function do. Takes its job as JSON on the command line,
 * with Firestore and the ledger's keys from the environment, and prints what became of it as JSON.
 */
const Job = z.discriminatedUnion("does", [
  /** Spends one coin of one user many times at once. */
  z.object({ does: z.literal("spend"), name: z.string(), user: z.string(), times: z.int() }),
  /** Users send each other coins around in circles, for a while. */
  z.object({
    does: z.literal("circle"),
    name: z.string(),
    users: z.array(z.string()).min(2),
    seconds: z.number(),
    parallel: z.int(),
  }),
]);

export interface Outcome {
  /** Requests that were carried out, each under a key of its own. */
  readonly made: number;
  /** Requests that were sent a second time, at the same time or by another process too. */
  readonly repeated: number;
  /** By reason, how many were refused. */
  readonly refused: Readonly<Record<string, number>>;
}

const MAX_TRIES = 20;
/** Of so many requests one is sent twice, and another by every process under the same key. */
const REPEATED_OF = 8;
const SHARED_OF = 10;

const refused: Record<string, number> = {};
let [made, repeated] = [0, 0];

const job = Job.parse(JSON.parse(process.argv[2] ?? "{}"));
if (job.does === "spend") await spendMany(job);
else await Promise.all(Array.from({ length: job.parallel }, (_, lane) => circle(job, lane)));
const outcome: Outcome = { made, repeated, refused };
console.log(JSON.stringify(outcome));

async function spendMany({ name, user, times }: { name: string; user: string; times: number }): Promise<void> {
  const one = (i: number) => move(`${name} ${i}`, user, "system:revenue", 1);
  await Promise.all(Array.from({ length: times }, (_, i) => one(i)));
}

async function circle(
  { name, users, seconds }: { name: string; users: readonly string[]; seconds: number },
  lane: number,
): Promise<void> {
  const until = Date.now() + seconds * 1_000;
  for (let i = 0; Date.now() < until; i++) {
    const place = i * 7 + lane * 13;
    const [from = "", to = ""] = [users[place % users.length], users[(place + 1 + (i % 3)) % users.length]];
    const isShared = i % SHARED_OF === 0;
    // What is shared has the same key, and asks for the same, in every process.
    const key = isShared ? `shared ${lane} ${i}` : `${name} ${lane} ${i}`;
    if (i % REPEATED_OF === 0) {
      repeated++;
      await Promise.all([move(key, from, to, 1 + (i % 5)), post(transfer(key, from, to, 1 + (i % 5))).catch(() => 0)]);
    } else await move(key, from, to, 1 + (i % 5));
  }
}

async function move(key: string, from: string, to: string, amount: number): Promise<void> {
  for (let i = 0; i < MAX_TRIES; i++) {
    try {
      await post(transfer(key, from, to, amount));
      made++;
      return;
    } catch (error) {
      const reason = error instanceof Failure ? error.reason : String(error);
      if (reason !== "busy") {
        refused[reason] = (refused[reason] ?? 0) + 1;
        return;
      }
      await sleep(50 * (i + 1));
    }
  }
  refused.busy = (refused.busy ?? 0) + 1;
}

function transfer(key: string, from: string, to: string, amount: number): Parameters<typeof post>[0] {
  const kind = to.startsWith("system:") ? "spend" : "transfer";
  return { key, kind, postings: [{ from, to, amount, currency: "COIN" }], reference: "bench" };
}
