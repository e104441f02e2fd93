import { Batches } from "../platform/batches.ts";
import { type Outcome, readDocuments, type Write, writeEach } from "../platform/direct/index.ts";
import type { Caller } from "../platform/endpoint.ts";
import { busy } from "../platform/failure.ts";
import { checked, type Timestamp } from "../platform/firestore.ts";
import { type Entered, type Entering, enter, type Face, NOBODY } from "./enter.ts";
import { facesOf } from "./face.ts";
import { compare, disappointed, forgetPlayer, recall, remember } from "./memory.ts";
import { Player } from "./records.ts";
import type { Change } from "./redis/changes.ts";
import { announceAll, type Changed, followAll } from "./redis/follow.ts";
import type { Board } from "./settings.ts";

/**
 * Submissions that meet in an instance: their players are read in one request, or remembered, and written in one, each on condition that
 * nobody has changed it meanwhile, so that strangers do not fail each other. Whoever does fail is tried again.
 */
const BATCHES = { max: 200, parallel: 4, worthAnother: 16, patienceMillis: 10, waiting: 5_000 };
const MAX_ROUNDS = 10;
/** Somebody else was there first, or the database did not answer: NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, and what is transient. */
const MAY_PASS: ReadonlySet<number> = new Set([1, 2, 4, 5, 6, 8, 9, 10, 13, 14]);
/** NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED; after another it may have been written all the same. */
const NOT_WRITTEN: ReadonlySet<number> = new Set([5, 6, 9, 10]);

const UNKNOWN = 2;

export interface Submission {
  /** Of the board. */
  readonly id: string;
  readonly board: Board;
  readonly entering: Entering;
  readonly caller: Caller;
}

interface Stored {
  readonly player: Player;
  readonly version: Timestamp;
  /** Whether it was not read just now. */
  readonly isRemembered: boolean;
}

interface Trying extends Submission {
  readonly path: string;
  readonly place: number;
}

/** Whoever is remembered does not wait for others to be read. */
const ofRemembered = new Batches<Submission, Entered>(BATCHES, storeAll);
const ofStrangers = new Batches<Submission, Entered>(BATCHES, storeAll);

/** Enters a submission together with others; undefined if too many wait. */
export function store(submission: Submission): Promise<Entered> | undefined {
  const path = pathOf(submission);
  return (recall(path) ? ofRemembered : ofStrangers).add(path, submission);
}

function pathOf({ id, entering }: Submission): string {
  return `leaderboards/${id}/players/${entering.player}`;
}

async function storeAll(batch: readonly Submission[]): Promise<PromiseSettledResult<Entered>[]> {
  const results: PromiseSettledResult<Entered>[] = [];
  let left: Trying[] = batch.map((submission, place) => ({ ...submission, path: pathOf(submission), place }));
  for (let round = 0; left.length > 0; round++) {
    if (round === MAX_ROUNDS) {
      for (const { place } of left) results[place] = { status: "rejected", reason: busy() };
      break;
    }
    left = await tryOnce(left, results);
  }
  return results;
}

interface Writing {
  readonly one: Trying;
  readonly entered: Entered;
  readonly before: Player | undefined;
  readonly player: Player;
  readonly write: Write;
}

/** Answers with those who are to be tried again. */
async function tryOnce(left: readonly Trying[], results: PromiseSettledResult<Entered>[]): Promise<Trying[]> {
  const stored = await load(left);
  const faces = await facesOf(left.filter(({ path }) => !stored.has(path)).map(({ caller }) => caller));
  const { writing, unsure } = judge(left, { stored, faces }, results);
  const changed = repeatedOf(left, stored, results);
  const announced = announceAll(writing.map(({ one: { id, entering } }) => ({ id, player: entering.player })));
  const written = writing.length > 0 ? await writeEach(writing.map(({ write }) => write)) : [];
  const again: Trying[] = [...unsure];
  for (const [i, { one, entered, before, player }] of writing.entries()) {
    const outcome = written[i];
    if (outcome?.isWritten) {
      const { updateTime: version } = outcome;
      if (version) remember(one.path, { player, version });
      if (version) changed.push(changeOf(one, before, { player, version }));
      results[one.place] = { status: "fulfilled", value: entered };
      continue;
    }
    disappointed(one.path);
    const code = outcome?.code ?? UNKNOWN;
    if (MAY_PASS.has(code)) again.push(one);
    else results[one.place] = { status: "rejected", reason: new Error(`a player was not written: ${code}`) };
  }
  await followAll(changed, announced, written.every(isSure));
  return again;
}

/** Whether it is known what became of a write. */
function isSure(outcome: Outcome): boolean {
  return outcome.isWritten ? outcome.updateTime !== undefined : NOT_WRITTEN.has(outcome.code);
}

/** Those who have submitted this before: perhaps because whoever wrote it did not get to telling Redis. */
function repeatedOf(
  left: readonly Trying[],
  stored: ReadonlyMap<string, Stored>,
  results: readonly PromiseSettledResult<Entered>[],
): Changed[] {
  return left.flatMap((one) => {
    const [result, known] = [results[one.place], stored.get(one.path)];
    const isRepeated = result?.status === "fulfilled" && result.value.repeated;
    return isRepeated && known ? [changeOf(one, "unknown", known)] : [];
  });
}

function changeOf(
  { id, board, entering }: Trying,
  before: Change["before"],
  { player, version }: Pick<Stored, "player" | "version">,
): Changed {
  return { id, board, change: { player: entering.player, before, after: player, version } };
}

interface Judged {
  readonly writing: Writing[];
  /** Who would have their answer by what was only remembered: others may have changed it. */
  readonly unsure: Trying[];
}

/** Those who have something to write; the others have their answer. */
function judge(
  left: readonly Trying[],
  { stored, faces }: { stored: ReadonlyMap<string, Stored>; faces: ReadonlyMap<string, Face> },
  results: PromiseSettledResult<Entered>[],
): Judged {
  const judged: Judged = { writing: [], unsure: [] };
  for (const one of left) {
    const before = stored.get(one.path);
    const result = resultOf(one, before?.player, faces.get(one.caller.uid));
    const entered = result.status === "fulfilled" ? result.value : undefined;
    const player = entered?.player;
    if (entered && player) {
      const write = writeOf(one.path, before, player);
      judged.writing.push({ one, entered, before: before?.player, player, write });
    } else if (before?.isRemembered) {
      forgetPlayer(one.path);
      judged.unsure.push(one);
    } else results[one.place] = result;
  }
  return judged;
}

function resultOf(
  { board, entering }: Trying,
  before: Player | undefined,
  face: Face = NOBODY,
): PromiseSettledResult<Entered> {
  try {
    return { status: "fulfilled", value: enter(board, before, entering, face) };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}

function writeOf(path: string, before: Stored | undefined, after: Player): Write {
  if (!before) return { path, fields: after, condition: "new" };
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(after)) {
    if (value !== before.player[name as keyof Player]) fields[name] = value;
  }
  const removed = Object.keys(before.player).filter((name) => !(name in after));
  return { path, fields, removed, condition: before.version };
}

async function load(batch: readonly Trying[]): Promise<Map<string, Stored>> {
  const stored = new Map<string, Stored>();
  const missing: Trying[] = [];
  for (const one of batch) {
    const known = recall(one.path);
    if (known) stored.set(one.path, { ...known, isRemembered: true });
    else missing.push(one);
  }
  if (missing.length === 0) return stored;
  const found = await readDocuments(missing.map(({ path }) => path));
  for (const [i, { path }] of missing.entries()) {
    const document = found[i];
    compare(path, document?.updateTime);
    if (document)
      stored.set(path, {
        player: checked(Player, path, document.fields),
        version: document.updateTime,
        isRemembered: false,
      });
  }
  return stored;
}
