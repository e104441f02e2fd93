import { hasRedis, startRedis } from "../../functions/testing/redis.ts";
import { table } from "../../scripts/table.ts";
import { rounded } from "../local/program.ts";
import { buildBundle, circumstances, LATENCIES_MILLIS, measure, SPEED_COLUMNS } from "../serving/measure.ts";
import { type DatabaseProcess, end, serve, startDatabase } from "../serving/processes.ts";
import type { RequestKind } from "../serving/requests.ts";
import { build } from "./build.ts";

const PLAYERS = [2_000, 10_000, 100_000, 1_000_000];
const KINDS: readonly RequestKind[] = ["scores", "pages", "around", "standing"];

interface Setting {
  readonly name: string;
  readonly kind: RequestKind;
  readonly withRedis: boolean;
  readonly latencyMillis: number;
}

/**
 * Scores, pages of 100, the caller's place with five neighbours on each side and without, against the production bundle served as Cloud Run
 * does. For each number of players the database is filled once and Redis built once; what goes without Redis comes last, for Redis does not
 * hear of it.
 */
export async function measureServed(isWanted: (name: string) => boolean): Promise<void> {
  const isMeasured = ({ name, withRedis }: Setting) => isWanted(name) && (hasRedis || !withRedis);
  const sizes = PLAYERS.map((players) => ({ players, settings: settingsOf(players).filter(isMeasured) }));
  const wanted = sizes.filter(({ settings }) => settings.length > 0);
  if (wanted.length === 0) return;
  buildBundle();
  for (const { players, settings } of wanted) await measureAll(players, settings);
  console.log(`\n  ${circumstances()} One process of functions.`);
}

function settingsOf(players: number): Setting[] {
  const count = players.toLocaleString("en");
  return [true, false].flatMap((withRedis) =>
    LATENCIES_MILLIS.flatMap((latencyMillis) =>
      KINDS.map((kind) => {
        const name = `served ${kind}, ${count} players, ${withRedis ? "Redis" : "no Redis"}, ${latencyMillis} ms`;
        return { name, kind, withRedis, latencyMillis };
      }),
    ),
  );
}

async function measureAll(players: number, settings: readonly Setting[]): Promise<void> {
  const count = players.toLocaleString("en");
  console.error(`${count} players …`);
  const database = await startDatabase(0);
  await database.fill(players);
  const redis = settings.some(({ withRedis }) => withRedis) ? await startRedis() : undefined;
  const built = await build(database, redis);
  const rows: (string | number)[][] = [];
  for (const setting of settings) {
    console.error(`${setting.name} …`);
    rows.push(await rowOf(setting, players, { database, redisUrl: setting.withRedis ? (redis?.url ?? "") : "" }));
  }
  await end(database.process);
  redis?.kill();
  const bytes = built
    ? `; Redis takes ${Math.round(built.redisBytes / players)} bytes a player and was built in ${rounded(built.seconds)} s`
    : "";
  console.log(`\n  ${count} players${bytes}\n`);
  console.log(table(COLUMNS, rows));
}

const COLUMNS = [
  "what",
  "Redis",
  "ms of latency",
  ...SPEED_COLUMNS,
  "errors",
  "µs of CPU: functions",
  "Firestore",
  "billed reads",
  "writes",
  "MB",
];

async function rowOf(
  { name, kind, withRedis, latencyMillis }: Setting,
  users: number,
  { database, redisUrl }: { database: DatabaseProcess; redisUrl: string },
): Promise<(string | number)[]> {
  database.setLatency(latencyMillis);
  const served = await serve("api", database, { REDIS_URL: redisUrl });
  const load = { requests: kind, users };
  const { outcome, speed, cpu, bill, megabytes } = await measure({ name, database, served: [served], load });
  await end(served.process);
  return [
    kind,
    withRedis ? "yes" : "no",
    latencyMillis,
    ...speed,
    outcome.errors,
    cpu.functions,
    cpu.database,
    bill.reads,
    bill.writes,
    megabytes.functions,
  ];
}
