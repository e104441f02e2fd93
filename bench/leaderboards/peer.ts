import { Leaderboard } from "redis-rank";
import { disconnect, withRedis } from "../../functions/src/platform/redis.ts";
import { startRedis } from "../../functions/testing/redis.ts";
import { table } from "../../scripts/table.ts";
import { PROJECT, rounded } from "../local/program.ts";
import { MEASURED_MILLIS, speedOf, WARM_UP_MILLIS } from "../serving/measure.ts";
import { fillRedis } from "./fill-redis.ts";
import { PAGE, questions, REACH, shownPageQuestion } from "./kept.ts";
import { askFor, LANES } from "./lanes.ts";
import { connectTo } from "./memory.ts";
import { idOf, scoreOf } from "./players.ts";

const PLAYERS = [10_000, 100_000, 1_000_000];
const BATCH = 1_000;
/** They take turns, so that what else the machine does meets both. */
const TURNS = 10;

type Question = () => Promise<void>;

/** Pages and neighbours, by the product and by `redis-rank`: the same players with the same scores, in one Redis, asked from one process. */
export async function measurePeer(isWanted: (name: string) => boolean): Promise<void> {
  const sizes = PLAYERS.filter((players) => isWanted(`redis-rank, ${players.toLocaleString("en")} players`));
  if (sizes.length === 0) return;
  process.env.GCLOUD_PROJECT ??= PROJECT;
  const rows: (string | number)[][] = [];
  for (const players of sizes) {
    const count = players.toLocaleString("en");
    console.error(`redis-rank, ${count} players …`);
    const redis = await startRedis();
    try {
      await connectTo(redis);
      await fillRedis(players);
      for (const { what, ours, theirs } of await pairs(players))
        rows.push([what, count, ...(await compare(ours, theirs))]);
    } finally {
      await disconnect();
      redis.kill();
    }
  }
  console.log(
    `\n${table(["in one Redis", "players", "ours: a second", "p50 ms", "p95 ms", "redis-rank: a second", "p50 ms", "p95 ms", "ours ×"], rows)}`,
  );
  console.log(
    `\n  From one process and over one connection, ${LANES} at a time: pages of ${PAGE} and ${REACH} neighbours on each side of somebody. Our rows have name, picture, country and time, too; theirs are id, score and rank. What the product answers with as a page is at most a second old.`,
  );
}

interface Pair {
  readonly what: string;
  readonly ours: Question;
  readonly theirs: Question;
}

async function pairs(players: number): Promise<Pair[]> {
  const theirs = await theirQuestions(players);
  const ours = questions(players);
  return [
    { what: "page, as it is answered", ours: await shownPageQuestion(), theirs: theirs.page },
    { what: "page, read for each", ours: ours.page, theirs: theirs.page },
    { what: "around", ours: ours.around, theirs: theirs.around },
  ];
}

/** What they are asked, with the same players on their board. */
async function theirQuestions(players: number): Promise<{ page: Question; around: Question }> {
  const board = await withRedis(async (client) => {
    const made = new Leaderboard(client, "redis-rank", { sortPolicy: "high-to-low", updatePolicy: "replace" });
    for (let from = 0; from < players; from += BATCH) {
      const length = Math.min(BATCH, players - from);
      await made.update(Array.from({ length }, (_, i) => ({ id: idOf(from + i), value: scoreOf(from + i) })));
    }
    return made;
  });
  if (!board) throw new Error("Redis does not answer");
  return {
    page: async () => {
      if ((await board.list(1, PAGE)).length !== PAGE) throw new Error("redis-rank has no page");
    },
    around: async () => {
      const found = await board.around(idOf(Math.floor(Math.random() * players)), REACH);
      if (found.length <= REACH) throw new Error("redis-rank has nobody around");
    },
  };
}

async function compare(ours: Question, theirs: Question): Promise<number[]> {
  await askFor(WARM_UP_MILLIS, ours);
  await askFor(WARM_UP_MILLIS, theirs);
  const millis: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    millis.ours.push(...(await askFor(MEASURED_MILLIS / TURNS, ours)));
    millis.theirs.push(...(await askFor(MEASURED_MILLIS / TURNS, theirs)));
  }
  const [one = 0, ...shares] = speedOf(millis.ours, MEASURED_MILLIS, 2).slice(0, 3);
  const [other = 0, ...theirShares] = speedOf(millis.theirs, MEASURED_MILLIS, 2).slice(0, 3);
  return [one, ...shares, other, ...theirShares, rounded(one / other, 2)];
}
