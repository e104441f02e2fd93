import { setTimeout as sleep } from "node:timers/promises";
import { HttpConnection } from "./connection.ts";
import { REQUESTS, type RequestKind } from "./requests.ts";

/** The load: each connection sends a request, waits for the answer and sends the next, through a warm-up and the time that is measured. */
export interface Load {
  /** Where the functions are served; connections take turns over them. */
  readonly ports: readonly number[];
  readonly connections: number;
  /** What is asked for; see `requests.ts`. */
  readonly requests: RequestKind;
  /** Requests are of, or for, users picked evenly among so many. */
  readonly users: number;
  readonly warmUpMillis: number;
  readonly millis: number;
}

/** Sent when the measured time begins, and with the result when it is over and nothing is under way any more. */
export type Told = { readonly phase: "measuring" } | { readonly phase: "measured" } | { readonly result: Outcome };

export interface Outcome {
  /** Of each request that was answered in the measured time. */
  readonly millis: number[];
  /** From the beginning, the warm-up too. */
  readonly acknowledged: number;
  /** Sum of the amounts that were acknowledged. */
  readonly amount: number;
  readonly errors: number;
  readonly firstError?: string;
}

process.once("message", async (load: Load) => {
  const result = await run(load);
  process.send?.({ result } satisfies Told, () => process.disconnect());
});

async function run(load: Load): Promise<Outcome> {
  const outcome = { millis: [] as number[], acknowledged: 0, amount: 0, errors: 0, firstError: "" };
  const began = performance.now();
  const from = began + load.warmUpMillis;
  const until = from + load.millis;
  const { path, next } = REQUESTS[load.requests];
  const connections = await Promise.all(
    Array.from({ length: load.connections }, (_, i) =>
      HttpConnection.open(load.ports[i % load.ports.length] as number, path),
    ),
  );
  const phases = (async () => {
    await sleep(load.warmUpMillis);
    tell({ phase: "measuring" });
    await sleep(load.millis);
    tell({ phase: "measured" });
  })();
  await Promise.all([phases, ...connections.map(keepSending)]);
  for (const connection of connections) connection.close();
  return outcome;

  async function keepSending(connection: HttpConnection, index: number): Promise<void> {
    for (let i = 0; performance.now() < until; i++) {
      const { data, authorization, amount } = next(load.users, `${index}-${i}-${began}`);
      const sent = performance.now();
      const { status, body } = await connection.post(JSON.stringify({ data }), authorization);
      const answered = performance.now();
      if (status !== 200) {
        outcome.errors++;
        outcome.firstError ||= `${status} ${body}`;
        continue;
      }
      outcome.acknowledged++;
      outcome.amount += amount;
      if (answered >= from && answered < until) outcome.millis.push(answered - sent);
    }
  }
}

function tell(told: Told): void {
  process.send?.(told);
}
