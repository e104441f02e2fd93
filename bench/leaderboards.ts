import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { hasRedis, startRedis } from "../functions/testing/redis.ts";
import { root } from "../scripts/suite.ts";
import { table } from "../scripts/table.ts";
import { build } from "./leaderboards/build.ts";
import { percentile, residentOf, rounded } from "./local/program.ts";
import { cpuSecondsOf, end, runLoad, serve, startDatabase } from "./serving/processes.ts";
import type { RequestKind } from "./serving/requests.ts";

/**
 * The speed of leaderboards: scores, pages of 100 and the caller's place with five neighbours on each side, against the production bundle
 * served as Cloud Run does, with Redis and without.
 *
 * `BOARDS_ONLY=<word>` measures those settings whose name has the word; `BENCH_PROFILE=<folder>` leaves CPU profiles there.
 */
const CONNECTIONS = 32;
const WARM_UP_MILLIS = 5_000;
const MEASURED_MILLIS = 10_000;
const PLAYERS = [2_000, 10_000, 100_000, 1_000_000];
const LATENCIES_MILLIS = [0, 8];
const KINDS: readonly RequestKind[] = ["scores", "pages", "around"];
/** As a board of the peers': one season that never ends. */
const BOARD_SETTINGS = { periods: ["allTime"] };

// Otherwise Google's client looks for a metadata server first.
process.env.METADATA_SERVER_DETECTION ??= "none";

interface Setting {
  readonly name: string;
  readonly kind: RequestKind;
  readonly players: number;
  readonly withRedis: boolean;
  readonly latencyMillis: number;
}

const settings: Setting[] = PLAYERS.flatMap((players) =>
  LATENCIES_MILLIS.flatMap((latencyMillis) =>
    [true, false].flatMap((withRedis) =>
      KINDS.map((kind) => ({
        name: `${kind}, ${players.toLocaleString("en")} players, ${withRedis ? "Redis" : "no Redis"}, ${latencyMillis} ms`,
        kind,
        players,
        withRedis,
        latencyMillis,
      })),
    ),
  ),
);

const built = spawnSync(process.execPath, [join(root, "functions/build/build.ts")], { stdio: "inherit" });
if (built.status !== 0) throw new Error("The functions could not be built.");
if (!hasRedis) console.error("redis-server is not installed: only what goes without it is measured.");
const only = process.env.BOARDS_ONLY ?? "";
const rows: (string | number)[][] = [];
for (const setting of settings) {
  if (!setting.name.includes(only) || (setting.withRedis && !hasRedis)) continue;
  console.error(`${setting.name} …`);
  rows.push(await measure(setting));
}
console.log(
  table(
    [
      "what",
      "a second",
      "p50 ms",
      "p95 ms",
      "p99 ms",
      "errors",
      "CPU µs each: functions",
      "Firestore",
      "load",
      "MB: functions",
      "s to build Redis",
    ],
    rows,
  ),
);
console.log(
  `\n  ${CONNECTIONS} connections that are kept; ${MEASURED_MILLIS / 1_000} s after ${WARM_UP_MILLIS / 1_000} s of warm-up; ${cpus().length} cores for all of it, one process of functions.`,
);

async function measure({ name, kind, players, withRedis, latencyMillis }: Setting): Promise<(string | number)[]> {
  const database = await startDatabase(latencyMillis);
  await database.fill(players, BOARD_SETTINGS);
  const redis = withRedis ? await startRedis() : undefined;
  database.setLatency(0);
  const buildSeconds = redis ? await build(database, redis) : 0;
  database.setLatency(latencyMillis);
  const served = await serve("api", database, redis ? { REDIS_URL: redis.url } : {});
  const cpu = { functions: 0, database: 0, load: 0 };
  let megabytes = 0;
  const outcome = await runLoad(
    {
      ports: [served.port],
      connections: CONNECTIONS,
      requests: kind,
      users: players,
      warmUpMillis: WARM_UP_MILLIS,
      millis: MEASURED_MILLIS,
    },
    (phase, pid) => {
      const sign = phase === "measured" ? 1 : -1;
      cpu.functions += sign * cpuSecondsOf(served.process.pid);
      cpu.database += sign * cpuSecondsOf(database.process.pid);
      cpu.load += sign * cpuSecondsOf(pid);
      megabytes = residentOf(served.process.pid);
    },
  );
  await end(served.process);
  await end(database.process);
  redis?.kill();
  if (outcome.firstError) console.error(`  ${name}: ${outcome.firstError}`);
  const count = outcome.millis.length;
  const microsEach = (seconds: number) => Math.round((seconds * 1e6) / count);
  return [
    name,
    Math.round(count / (MEASURED_MILLIS / 1_000)),
    ...[0.5, 0.95, 0.99].map((share) => rounded(percentile(outcome.millis, share))),
    outcome.errors,
    microsEach(cpu.functions),
    microsEach(cpu.database),
    microsEach(cpu.load),
    megabytes,
    redis ? rounded(buildSeconds) : "",
  ];
}
