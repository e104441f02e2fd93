import * as z from "zod";
import { type DocumentReference, FieldPath, firestore } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { enqueue } from "../platform/tasks.ts";
import { dropPending } from "./pending.ts";
import { showOnBoard, takeOffBoard } from "./profile.ts";
import { SEASON_QUEUE } from "./seasons/queue.ts";
import { eraseResult, showAnew } from "./seasons/show-anew.ts";

/** Everything that boards have of a player follows their profile: what is on, then what is over. */

/** Documents that are found, and changed, at a time. */
const PAGE = 20;
/** Pages of one task. */
const MAX_PAGES = 50;
/** A token lasts an hour, with which an app may go on submitting for somebody who is gone. */
const TOKENS_GONE_SECONDS = 3_900;

/** Where a walk through the documents of a player is. */
export const Walk = z.object({
  user: z.string(),
  /** Whether the user is erased; else they are shown as their profile is. */
  erased: z.boolean(),
  /** The id of the event that it is for, which tells walks apart. */
  event: z.string(),
  /** First the boards, so that no season is kept any more with what was, and then those that were. */
  stage: z.enum(["players", "results", "pending"]),
  /** The path of the document behind which it goes on. */
  after: z.string().optional(),
  /** Whether it is the second for somebody who is gone, when no token is valid any more. */
  again: z.boolean().optional(),
});
export type Walk = z.infer<typeof Walk>;
type Stage = Walk["stage"];

/**
 * Whose documents a board has is in them, and where they are in their path:
 * `leaderboards/{board}/players|pending/{id}`, `leaderboards/{board}/seasons/{season}/results/{uid}`.
 */
type Change = (reference: DocumentReference, user: string) => Promise<void>;

const SHOW: Partial<Record<Stage, Change>> = {
  players: ({ path }, player) => showOnBoard({ board: boardIn(path), player }),
  results: ({ path }, player) => showAnew({ board: boardIn(path), season: seasonIn(path), player }),
};

const ERASE: Record<Stage, Change> = {
  players: ({ path }, player) => takeOffBoard({ board: boardIn(path), player }),
  results: ({ path }, player) => eraseResult({ board: boardIn(path), season: seasonIn(path), player }),
  pending: ({ path, id }) => dropPending(boardIn(path), id),
};

const Told = z.object({ user: z.string() });

/**
 * A profile was changed: the player is shown so, and ranked or not as it says, wherever they are. What the profile is at each place when it
 * is written counts, not what it was then; told again it changes nothing. Bill: that of {@link walk}.
 */
export async function profileChanged(event: string, data: unknown): Promise<void> {
  await walk({ user: Told.parse(data).user, erased: false, event, stage: "players" });
}

/**
 * A user was erased: nothing that boards have names them any more. That they are looked for once more, when their last token is not valid, is
 * put on the queue first, whatever becomes of the rest. Bill: that of {@link walk}, twice.
 */
export async function userErased(event: string, data: unknown): Promise<void> {
  const first: Walk = { user: Told.parse(data).user, erased: true, event, stage: "players" };
  await put({ ...first, again: true }, TOKENS_GONE_SECONDS);
  await walk(first);
}

/**
 * Takes a walk on, and leaves what is more than a task's part to another, of which there is one however often this is tried.
 *
 * Bill: a read for each board that the player is on, each season that they have a result of, and where they were erased each score in review,
 * one for each of these kinds of which there is nothing; and for each what {@link showOnBoard}, {@link showAnew}, {@link takeOffBoard},
 * {@link eraseResult} or {@link dropPending} costs.
 */
export async function walk(from: Walk, maxPages = MAX_PAGES): Promise<void> {
  let next: Walk | undefined = from;
  for (let n = 0; next && n < maxPages; n++) next = await takePage(next);
  if (next) return await put(next, 0);
  const { user, erased, event, again = false } = from;
  log.info("boards follow a user", { user, erased, event, again });
}

/** Changes the next documents; answers with where the walk is then, undefined at its end. */
async function takePage(walk: Walk): Promise<Walk | undefined> {
  const { user, erased, stage } = walk;
  const changes = erased ? ERASE : SHOW;
  const docs = await find(walk);
  await Promise.all(docs.map(({ ref }) => changes[stage]?.(ref, user)));
  const { after: _, ...rest } = walk;
  const last = docs.at(-1);
  if (last && docs.length === PAGE) return { ...rest, after: last.ref.path };
  const stages = Object.keys(changes) as Stage[];
  const following = stages[stages.indexOf(stage) + 1];
  return following && { ...rest, stage: following };
}

async function find({ user, stage, after }: Walk) {
  const all = firestore()
    .collectionGroup(stage)
    .where("player", "==", user)
    .orderBy(FieldPath.documentId())
    .limit(PAGE)
    .select();
  return (await (after === undefined ? all : all.startAfter(firestore().doc(after))).get()).docs;
}

function boardIn(path: string): string {
  return path.split("/")[1] ?? "";
}

function seasonIn(path: string): string {
  return path.split("/")[3] ?? "";
}

async function put(walk: Walk, delaySeconds: number): Promise<void> {
  const { event, stage, after = "", again = false } = walk;
  const name = deterministicId("walk", event, stage, after, String(again));
  await enqueue(SEASON_QUEUE, { name, data: { ...walk }, ...(delaySeconds > 0 ? { delaySeconds } : {}) });
}
