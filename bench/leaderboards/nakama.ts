import { startRedis } from "../../functions/testing/redis.ts";
import { table } from "../../scripts/table.ts";
import { rounded } from "../local/program.ts";
import { HttpConnection } from "../serving/connection.ts";
import { buildBundle, CONNECTIONS, MEASURED_MILLIS, measure } from "../serving/measure.ts";
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
type Asked = Exclude<keyof typeof THERE, "bare">;
const ASKED: readonly Asked[] = ["scores", "pages", "around"];

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
  const served = await serve("api", database, { REDIS_URL: redis.url });
  const bare = await serveBare(await pageBy(served.port));
  const here = { bare: 0, scores: 0, pages: 0, around: 0 };
  const micros = { ...here };
  for (let turn = 1; turn <= TURNS; turn++) {
    console.error(`beside Nakama, turn ${turn} of ${TURNS} …`);
    for (const what of ["bare", ...ASKED] as const) {
      const requests: RequestKind = what === "bare" ? "pages" : what;
      const by = what === "bare" ? bare : served;
      const load = { requests, users: PLAYERS };
      const { speed, cpu } = await measure({ name: what, database, served: [by], load });
      here[what] += (speed[0] ?? 0) / TURNS;
      micros[what] += cpu.functions / TURNS;
    }
  }
  for (const { process } of [served, bare, database]) await end(process);
  redis.kill();
  const rows = ASKED.map((what) => {
    const [ours, theirs] = [here[what] / here.bare, THERE[what] / THERE.bare];
    const percents = [ours, theirs].map((share) => rounded(100 * share));
    return [
      what,
      Math.round(here[what]),
      Math.round(micros[what]),
      THERE[what],
      ...percents,
      rounded(ours / theirs, 2),
    ];
  });
  const columns = ["2,000 players, Redis", "a second", "µs of CPU", "Nakama, there", "% of bare", "there", "ours ×"];
  console.log(`\n${table(columns, rows)}`);
  console.log(
    `\n  ${CONNECTIONS} connections that are kept, one process of functions, ${TURNS} turns of ${MEASURED_MILLIS / 1_000} s. A bare server of node:http, which answers with the JSON of the page, does ${Math.round(here.bare)} a second here (${Math.round(micros.bare)} µs of CPU each), and ${THERE.bare.toLocaleString("en")} where Nakama was measured.`,
  );
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
