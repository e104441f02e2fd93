import { disconnect } from "../../functions/src/platform/redis.ts";
import { startRedis } from "../../functions/testing/redis.ts";
import { table } from "../../scripts/table.ts";
import { PROJECT, rounded } from "../local/program.ts";
import { MEASURED_MILLIS, SPEED_COLUMNS, speedOf, WARM_UP_MILLIS } from "../serving/measure.ts";
import { fillRedis } from "./fill-redis.ts";
import { PAGE, questions, REACH } from "./kept.ts";
import { askFor, LANES } from "./lanes.ts";
import { connectTo, takenBy } from "./memory.ts";

const PLAYERS = [10_000, 100_000, 1_000_000, 10_000_000];

/**
 * Redis alone, up to as many players as no laptop's Firestore holds: what the product asks it and tells it, from this process. The
 * cost is the CPU of both, next to how the logarithm of the number of players grows.
 */
export async function measureAlone(isWanted: (name: string) => boolean): Promise<void> {
  const sizes = PLAYERS.filter((players) => isWanted(`Redis alone, ${players.toLocaleString("en")} players`));
  if (sizes.length === 0) return;
  process.env.GCLOUD_PROJECT ??= PROJECT;
  const filled: (string | number)[][] = [];
  const rows: (string | number)[][] = [];
  const costs = new Map<string, number>();
  for (const players of sizes) {
    const count = players.toLocaleString("en");
    console.error(`Redis alone, ${count} players …`);
    const redis = await startRedis();
    try {
      await connectTo(redis);
      const empty = await takenBy();
      const began = performance.now();
      await fillRedis(players);
      const seconds = rounded((performance.now() - began) / 1_000);
      await connectTo(redis);
      filled.push([count, seconds, Math.round(((await takenBy()).bytes - empty.bytes) / players)]);
      for (const [what, ask] of Object.entries(questions(players))) {
        const { redisMicros, ownMicros, speed } = await costOf(ask);
        const cost = redisMicros + ownMicros;
        const first = costs.get(what) ?? cost;
        costs.set(what, first);
        const growth = Math.log(players) / Math.log(sizes[0] ?? players);
        const micros = [rounded(redisMicros), rounded(ownMicros)];
        rows.push([what, count, ...speed, ...micros, rounded(cost / first, 2), rounded(growth, 2)]);
      }
    } finally {
      await disconnect();
      redis.kill();
    }
  }
  console.log(`\n${table(["players in Redis", "s to fill", "bytes a player"], filled)}\n`);
  rows.sort(([one], [other]) => ORDER.indexOf(String(one)) - ORDER.indexOf(String(other)));
  const columns = ["Redis alone", "players", ...SPEED_COLUMNS, "µs of CPU: Redis", "functions"];
  console.log(table([...columns, "both × the first", "log N ×"], rows));
  console.log(
    `\n  From one process, ${LANES} at a time: pages of ${PAGE}, ${REACH} neighbours on each side of somebody, somebody's rank among how many, and what Redis is told of a score.`,
  );
}

const ORDER = ["page", "around", "standing", "score"];

interface Cost {
  /** Of CPU for each, of Redis and of the process that asks. */
  readonly redisMicros: number;
  readonly ownMicros: number;
  readonly speed: readonly number[];
}

async function costOf(ask: () => Promise<void>): Promise<Cost> {
  await askFor(WARM_UP_MILLIS, ask);
  const [before, ownBefore] = [await takenBy(), process.cpuUsage()];
  let asked = 0;
  const millis = await askFor(MEASURED_MILLIS, async () => {
    asked++;
    await ask();
  });
  const own = process.cpuUsage(ownBefore);
  const redisSeconds = (await takenBy()).cpuSeconds - before.cpuSeconds;
  return {
    redisMicros: (redisSeconds * 1e6) / asked,
    ownMicros: (own.user + own.system) / asked,
    speed: speedOf(millis, MEASURED_MILLIS, 2),
  };
}
