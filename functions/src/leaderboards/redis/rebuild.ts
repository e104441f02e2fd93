import type { Redis } from "ioredis";
import { now } from "../../platform/clock.ts";
import { FieldPath, type QueryDocumentSnapshot } from "../../platform/firestore.ts";
import { log } from "../../platform/log.ts";
import { hasRedis, runScript, withRedis } from "../../platform/redis.ts";
import { boardOf } from "../board.ts";
import { seasonAt } from "../periods.ts";
import { type Player, players } from "../records.ts";
import type { Board } from "../settings.ts";
import { entryIn } from "./changes.ts";
import { SILENT_MILLIS } from "./read.ts";
import { ABSENT, BEGIN, FINISH, UPDATE } from "./scripts.ts";
import { expiryOf, openNext, scriptKeys } from "./seasons.ts";
import { type Building, putTask, type Rebuild } from "./tasks.ts";

const PAGE_SIZE = 500;
const PAGES_A_TASK = 40;
/** How often a rebuild begins anew because Redis lost what it had; after that somebody has to ask for it again. */
const MAX_RESTARTS = 5;
/** Rounds in which what was there is taken away, a thousand countries and groups each. */
const MAX_CLEARINGS = 1_000;

/** How a rebuild goes about it; only tests say so. */
export interface Pace {
  readonly pageSize?: number;
  readonly pagesATask?: number;
}

/**
 * Builds the seasons of a board that are on, one walk over its players for all of them, by tasks that follow on each other. Scores that
 * are submitted meanwhile reach Redis, too; the versions of documents say what is newer. If Redis loses what it had, it is begun anew.
 * Throws where Redis does not answer, for the queue to try again. A read for each player of the board.
 */
export async function rebuild(task: Rebuild, { pageSize = PAGE_SIZE, pagesATask = PAGES_A_TASK }: Pace = {}) {
  if (!hasRedis()) return;
  const board = await boardOf(task.board);
  const seasons = task.seasons ?? (await begin(task, board));
  if (seasons.length === 0) return;
  await openNext(task.board, board);
  let after = task.after;
  for (let i = 0; i < pagesATask; i++) {
    const page = await nextPage(task.board, after, pageSize);
    if (!(await takePage({ ...task, seasons }, board, page))) return await restart(task);
    after = page.at(-1)?.id ?? after;
    if (page.length < pageSize) return await finish({ ...task, seasons }, board);
  }
  const step = task.step + 1;
  const name = `rebuild-${task.board}-${task.generation}-${step}`;
  await putTask(name, { ...task, step, seasons, ...(after === undefined ? {} : { after }) });
}

/** Marks a board that was just made as complete if nobody has played yet; one read. */
export async function openNew(id: string, board: Board): Promise<void> {
  if (!hasRedis()) return;
  const task: Rebuild = { kind: "rebuild", board: id, generation: `new-${now()}`, restarts: 0, again: false, step: 0 };
  try {
    const seasons = await begin(task, board);
    if (seasons.length === 0) return;
    await openNext(id, board);
    const [first] = await nextPage(id, undefined, 1);
    if (first) await putTask(`rebuild-${id}-${task.generation}`, { ...task, seasons });
    else await finish({ ...task, seasons }, board);
  } catch (error) {
    log.warn("a new board is not in Redis yet", { board: id, why: String(error) });
  }
}

/** The seasons that are on and not ready, cleared and marked as being built. */
async function begin({ board: id, generation, again }: Rebuild, board: Board): Promise<Building[]> {
  const seasons: Building[] = [];
  for (const period of board.periods) {
    const season = seasonAt(period, now(), board);
    const keys = scriptKeys(id, board, { period, season: season.key });
    const expires = expiryOf(season) ?? "";
    const answer = await told(async (client) => {
      for (let i = 0; i < MAX_CLEARINGS; i++) {
        const args = [generation, now(), now() - SILENT_MILLIS, expires, again ? "again" : ""];
        const state = await runScript(client, BEGIN, keys, args);
        if (state !== "clearing") return state;
      }
      return "other";
    });
    if (answer === "building") seasons.push({ period, season: season.key });
  }
  return seasons;
}

async function nextPage(id: string, after: string | undefined, limit: number) {
  const all = players(id).orderBy(FieldPath.documentId()).limit(limit);
  return (await (after === undefined ? all : all.startAfter(after)).get()).docs;
}

/** Whether the seasons were still there. */
async function takePage(
  { board: id, generation, seasons = [] }: Rebuild,
  board: Board,
  page: readonly QueryDocumentSnapshot<Player>[],
): Promise<boolean> {
  const answers = await told((client) =>
    Promise.all(
      seasons.map((season) => {
        const args = page.flatMap((document) => {
          const change = {
            player: document.id,
            before: "unknown",
            after: document.data(),
            version: document.updateTime,
          };
          const packed = entryIn(board, season, { ...change, before: "unknown" });
          return packed === undefined ? [] : [document.id, packed];
        });
        return runScript(client, UPDATE, scriptKeys(id, board, season), [generation, "", now(), ...args]);
      }),
    ),
  );
  return answers.every((answer) => answer !== ABSENT);
}

async function finish(task: Rebuild, board: Board): Promise<void> {
  const { board: id, generation, seasons = [], step } = task;
  const answers = await told((client) =>
    Promise.all(seasons.map((season) => runScript(client, FINISH, scriptKeys(id, board, season), [generation]))),
  );
  if (answers.some((answer) => answer !== 1)) return await restart(task);
  log.info("a leaderboard was built", { board: id, generation, seasons: seasons.length, tasks: step + 1 });
}

/** Redis was wiped, or another has taken over: in the second case, beginning comes to nothing. */
async function restart({ board, generation, restarts, again }: Rebuild): Promise<void> {
  log.warn("what was built of a leaderboard is gone", { board, generation, restarts });
  if (restarts >= MAX_RESTARTS) return;
  const next = restarts + 1;
  const name = `${generation.replace(/-r\d+$/, "")}-r${next}`;
  await putTask(`rebuild-${board}-${name}`, { kind: "rebuild", board, generation: name, restarts: next, again });
}

async function told<T>(ask: (client: Redis) => Promise<T>): Promise<T> {
  const answer = await withRedis(ask);
  if (answer === undefined) throw new Error("Redis does not answer");
  return answer;
}
