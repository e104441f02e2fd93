import * as z from "zod";
import { now } from "../../platform/clock.ts";
import { DocumentId } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { enqueue } from "../../platform/tasks.ts";
import { PeriodName } from "../settings.ts";

/** The function that carries on what takes more than one request; see functions/src/index.ts. */
const QUEUE = "leaderboardTasks";
/** For so long a rebuild or a histogram that was asked for is not asked for again. */
export const SLOT_MILLIS = 600_000;
/** Players whom one task mends. */
export const MAX_MENDED = 200;
const MAX_SEASONS = 12;

const Building = z.object({ period: PeriodName, season: z.string() });
export type Building = z.infer<typeof Building>;

/** Puts the seasons of a board that are on into Redis, out of Firestore. */
const Rebuild = z.object({
  kind: z.literal("rebuild"),
  board: DocumentId,
  /** Names this attempt; what another one has begun is not gone on with. */
  generation: z.string().max(60),
  restarts: z.int().nonnegative().default(0),
  /** Also what is ready is built anew. */
  again: z.boolean().default(false),
  step: z.int().nonnegative().default(0),
  /** What is being built; absent: not begun yet. */
  seasons: z.array(Building).max(MAX_SEASONS).optional(),
  /** The last player who was seen. */
  after: z.string().optional(),
});
export type Rebuild = z.output<typeof Rebuild>;

/** Brings players in Redis up to what they are in Firestore. */
const Mend = z.object({
  kind: z.literal("mend"),
  board: DocumentId,
  players: z.array(DocumentId).max(MAX_MENDED),
});

/** Counts how the players of a season spread; see `histogram.ts`. */
const Count = z.object({
  kind: z.literal("count"),
  board: DocumentId,
  period: PeriodName,
  season: z.string(),
  scope: z.union([
    z.object({ kind: z.literal("global") }),
    z.object({ kind: z.enum(["country", "group"]), id: z.string() }),
  ]),
  /** Of the ten minutes in which it was asked for. */
  slot: z.int(),
  step: z.int().nonnegative().default(0),
});
export type Count = z.output<typeof Count>;

export const BoardTask = z.discriminatedUnion("kind", [Rebuild, Mend, Count]);
export type BoardTask = z.output<typeof BoardTask>;

/** Puts a task on the queue; of a name that was there before nothing is put there again. */
export async function putTask(name: string, data: z.input<typeof BoardTask>, delaySeconds?: number): Promise<void> {
  await enqueue(QUEUE, { name, data, ...(delaySeconds === undefined ? {} : { delaySeconds }) });
}

/** As {@link putTask}, for what must not fail because of it. */
export async function tryTask(name: string, data: z.input<typeof BoardTask>): Promise<boolean> {
  try {
    await putTask(name, data);
    return true;
  } catch (error) {
    log.error("a task of leaderboards was not put on its queue", error, { task: name, kind: data.kind });
    return false;
  }
}

/** Which ten minutes it is. */
export function currentSlot(): number {
  return Math.floor(now() / SLOT_MILLIS);
}
