import { type Entry, Leaderboard } from "redis-rank";
import { disconnect, withRedis } from "../../functions/src/platform/redis.ts";
import { startRedis } from "../../functions/testing/redis.ts";
import { table } from "../../scripts/table.ts";
import { PROJECT, rounded } from "../local/program.ts";
import { MEASURED_MILLIS, speedOf, WARM_UP_MILLIS } from "../serving/measure.ts";
import { fillRedis } from "./fill-redis.ts";
import { PAGE, questions, REACH, shownPageQuestion } from "./kept.ts";
import { askFor, LANES } from "./lanes.ts";
import { connectTo } from "./memory.ts";
import { faceOf, idOf, scoreOf } from "./players.ts";

const PLAYERS = [10_000, 100_000, 1_000_000];
const BATCH = 1_000;
/** They take turns, so that what else the machine does meets both. */
const TURNS = 10;

type Question = () => Promise<void>;
type Client = Leaderboard["redisClient"];

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
    `\n  From one process and over one connection, ${LANES} at a time: pages of ${PAGE} and ${REACH} neighbours on each side of somebody. Our rows have name, picture, country and time, too; theirs are id, score and rank, or with faces those of a hash that is read afterwards. What the product answers with as a page is at most a second old.`,
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
    { what: "page, theirs with faces", ours: ours.page, theirs: theirs.pageWithFaces },
    { what: "around", ours: ours.around, theirs: theirs.around },
    { what: "around, theirs with faces", ours: ours.around, theirs: theirs.aroundWithFaces },
  ];
}

/** Where faces lie that are shown beside what they answer: JSON in a hash, as those who use it would read them. */
const FACES = "redis-rank-faces";

/** What they are asked, with the same players on their board. */
async function theirQuestions(players: number) {
  const made = await withRedis(async (client) => ({ client, board: await theirBoard(client, players) }));
  if (!made) throw new Error("Redis does not answer");
  const { client, board } = made;
  const page = () => board.list(1, PAGE);
  const around = () => board.around(idOf(Math.floor(Math.random() * players)), REACH);
  const faced = async (entries: readonly Entry[]) => {
    const faces = await client.hmget(FACES, ...entries.map(({ id }) => id));
    return entries.map((entry, i) => ({ ...entry, ...(JSON.parse(faces[i] ?? "{}") as object) }));
  };
  const atLeast = (rows: readonly object[], least: number) => {
    if (rows.length < least) throw new Error(`redis-rank has ${rows.length} of ${least}`);
  };
  return {
    page: async () => atLeast(await page(), PAGE),
    pageWithFaces: async () => atLeast(await faced(await page()), PAGE),
    around: async () => atLeast(await around(), REACH + 1),
    aroundWithFaces: async () => atLeast(await faced(await around()), REACH + 1),
  };
}

async function theirBoard(client: Client, players: number): Promise<Leaderboard> {
  const board = new Leaderboard(client, "redis-rank", { sortPolicy: "high-to-low", updatePolicy: "replace" });
  for (let from = 0; from < players; from += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, players - from) }, (_, i) => from + i);
    await board.update(some.map((i) => ({ id: idOf(i), value: scoreOf(i) })));
    await client.hset(FACES, ...some.flatMap((i) => [idOf(i), JSON.stringify(faceOf(i))]));
  }
  return board;
}

async function compare(ours: Question, theirs: Question): Promise<number[]> {
  await askFor(WARM_UP_MILLIS, ours);
  await askFor(WARM_UP_MILLIS, theirs);
  const millis: { ours: number[][]; theirs: number[][] } = { ours: [], theirs: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    millis.ours.push(await askFor(MEASURED_MILLIS / TURNS, ours));
    millis.theirs.push(await askFor(MEASURED_MILLIS / TURNS, theirs));
  }
  const [one = 0, ...shares] = speedOf(millis.ours.flat(), MEASURED_MILLIS, 2).slice(0, 3);
  const [other = 0, ...theirShares] = speedOf(millis.theirs.flat(), MEASURED_MILLIS, 2).slice(0, 3);
  return [one, ...shares, other, ...theirShares, rounded(one / other, 2)];
}
