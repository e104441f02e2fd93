import { startRedis } from "../../functions/testing/redis.ts";
import { table } from "../../scripts/table.ts";
import { rounded } from "../local/program.ts";
import { HttpConnection } from "../serving/connection.ts";
import { buildBundle, CONNECTIONS, MEASURED_MILLIS, type Measuring, measure } from "../serving/measure.ts";
import { end, serve, serveBare, startDatabase } from "../serving/processes.ts";
import { REQUESTS, type RequestKind } from "../serving/requests.ts";
import { build } from "./build.ts";

const PLAYERS = 2_000;
/** They take turns, so that what else the machine does meets all. */
const TURNS = 3;

/**
 * Nakama 3 with PostgreSQL on two cores, 32 connections, 2,000 players: a score, a page of 100, ten around oneself. And what a bare server of
 * node:http does on that machine, answering with the JSON of such a page.
 */
const THERE = { bare: 40_000, scores: 3_415, pages: 1_720, around: 3_270 };
const ASKED = ["scores", "pages", "around"] as const;
/** Cloud Run has as many as it takes; Nakama had both cores. */
const PROCESSES = [1, 2];

interface Contender {
  readonly name: keyof typeof THERE;
  readonly requests: RequestKind;
  readonly served: Measuring["served"];
  /** By turn. */
  readonly perSecond: number[];
  readonly micros: number[];
}

/**
 * What is served beside Nakama's figures, which are another machine's: each as a share of what a bare server does on the same machine, at about
 * the same time.
 */
export async function measureBesideNakama(isWanted: (name: string) => boolean): Promise<void> {
  if (!isWanted("Nakama, 2,000 players")) return;
  buildBundle();
  const database = await startDatabase(0);
  await database.fill(PLAYERS);
  const redis = await startRedis();
  await build(database, redis);
  const functions = await Promise.all(PROCESSES.map(() => serve("api", database, { REDIS_URL: redis.url })));
  const [first] = functions;
  if (!first) throw new Error("nothing is served");
  const bare = contender("bare", [await serveBare(await pageBy(first.port))]);
  const ours = ASKED.flatMap((name) => PROCESSES.map((count) => contender(name, functions.slice(0, count))));
  for (let turn = 1; turn <= TURNS; turn++) {
    console.error(`beside Nakama, turn ${turn} of ${TURNS} …`);
    for (const { name, requests, served, perSecond, micros } of [bare, ...ours]) {
      const load = { requests, users: PLAYERS };
      const { speed, cpu } = await measure({ name, database, served, load });
      perSecond.push(speed[0] ?? 0);
      micros.push(cpu.functions);
    }
  }
  for (const { process } of [...functions, ...bare.served, database]) await end(process);
  redis.kill();
  show(ours, bare);
}

function contender(name: Contender["name"], served: Contender["served"]): Contender {
  return { name, requests: name === "bare" ? "pages" : name, served, perSecond: [], micros: [] };
}

function show(ours: readonly Contender[], bare: Contender): void {
  const rows = ours.map(({ name, served, perSecond, micros }) => {
    const shares = [mean(perSecond) / mean(bare.perSecond), THERE[name] / THERE.bare] as const;
    const percents = shares.map((share) => rounded(100 * share));
    const speed = [Math.round(mean(perSecond)), Math.round(mean(micros))];
    return [name, served.length, ...speed, THERE[name], ...percents, rounded(shares[0] / shares[1], 2)];
  });
  const columns = ["2,000 players, Redis", "functions", "a second", "µs of CPU", "Nakama, there"];
  console.log(`\n${table([...columns, "% of bare", "there", "ours ×"], rows)}`);
  const here = `${Math.round(mean(bare.perSecond))} a second here (${Math.round(mean(bare.micros))} µs of CPU each)`;
  console.log(
    `\n  ${CONNECTIONS} connections that are kept, ${TURNS} turns of ${MEASURED_MILLIS / 1_000} s. A bare server of node:http in one process, which answers with the JSON of the page, does ${here}, and ${THERE.bare.toLocaleString("en")} where Nakama was measured.`,
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The JSON of a page. */
async function pageBy(port: number): Promise<string> {
  const { path, next } = REQUESTS.pages;
  const connection = await HttpConnection.open(port, path);
  const { data, authorization } = next(PLAYERS, "page");
  const { status, body } = await connection.post(JSON.stringify({ data }), authorization);
  connection.close();
  if (status !== 200) throw new Error(`there is no page: ${status} ${body}`);
  return body;
}
