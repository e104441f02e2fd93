import type { Bill } from "../local/inspect/bill.ts";
import type { Invocation } from "../local/inspect/invocations.ts";
import type { RequestRecord } from "../local/inspect/requests.ts";

/** What a person who has the suite running is told of it: a line for each request that is denied and each function that fails. */

const MAX_LINES_PER_SECOND = 5;
const SECOND = 1_000;
const MAX_REASON = 200;

/** A suite that is watched. */
export interface Watch {
  /** Answers with what was billed; by half a second ago where the suite is already going down. */
  stop(): Promise<Bill | undefined>;
}

/** @param url of the look inside. @param print takes a line */
export function watchSuite(url: string, print: (line: string) => void): Watch {
  const abort = new AbortController();
  const limited = limit(print);
  let bill: Bill | undefined;
  const told: Readonly<Record<string, (data: unknown) => void>> = {
    requests: (data) => (data as RequestRecord[]).map(deniedLine).forEach(limited),
    functions: (data) => (data as Invocation[]).map(failedLine).forEach(limited),
    bill: (data) => {
      bill = data as Bill;
    },
  };
  void follow(`${url}/events?denied&failed&last=0`, told, abort.signal).catch((error: Error) => {
    if (!abort.signal.aborted) print(`What is denied or fails is not told any more: ${error.message}`);
  });
  return {
    stop: async () => {
      abort.abort();
      return await billAt(url).catch(() => bill);
    },
  };
}

async function billAt(url: string): Promise<Bill> {
  const response = await fetch(`${url}/bill`, { signal: AbortSignal.timeout(SECOND) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return (await response.json()) as Bill;
}

/** `8 reads, 7 writes, 0 deletes, 1.2 KB from the Realtime Database: $0.0000088 at the prices of us-central1` */
export function billLine({ reads, writes, deletes, database, functions, cost, prices }: Bill): string {
  const kilobytes = (database.bytesDown / 1_000).toFixed(1);
  return (
    `${reads} reads, ${writes} writes, ${deletes} deletes, ${kilobytes} KB from the Realtime Database, ${functions.calls} calls of ` +
    `functions (${functions.failed} failed); $${cost.toPrecision(2)} for the databases at the prices of ${prices.place}`
  );
}

function deniedLine({ service, method, subject, by, user, rule = "" }: RequestRecord): string {
  const [outcome = "", ...reasons] = rule.split("\n").filter((line) => line.trim() !== "");
  const why = service === "firestore" ? (reasons[0] ?? outcome) : (reasons.at(-2) ?? outcome);
  const short = why.length > MAX_REASON ? `${why.slice(0, MAX_REASON)}…` : why;
  return `denied   ${method} ${subject} by ${user ?? by}: ${short.trim()}`;
}

function failedLine({ name, trigger, path, status, millis }: Invocation): string {
  const how = path ?? trigger;
  return `failed   ${name} (${how}): ${status === 0 ? "no answer" : status} after ${Math.round(millis)} ms; its output is in the log`;
}

/** Passes on so many lines a second; when it is over, how many it has left out. */
function limit(print: (line: string) => void): (line: string) => void {
  let lines = 0;
  const tellRest = () => {
    if (lines > MAX_LINES_PER_SECOND) print(`         and ${lines - MAX_LINES_PER_SECOND} more`);
    lines = 0;
  };
  return (line) => {
    if (lines === 0) setTimeout(tellRest, SECOND).unref();
    lines++;
    if (lines <= MAX_LINES_PER_SECOND) print(line);
  };
}

/** Reads server-sent events until the signal or their end. */
async function follow(
  url: string,
  told: Readonly<Record<string, (data: unknown) => void>>,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, { signal });
  if (!response.body) throw new Error(`${url} answers ${response.status}`);
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + text).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
      told[name]?.(JSON.parse(data));
    }
  }
}
