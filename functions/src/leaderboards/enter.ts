import { Failure } from "../platform/failure.ts";
import { FieldValue, timestamp } from "../platform/firestore.ts";
import { NO_ATTEMPTS, submittedIn, withAttempt } from "./attempts.ts";
import { localDay } from "./calendar.ts";
import { cohortFor } from "./leagues/cohort.ts";
import { isoDay, type Period, type Season, seasonAt, slotOf } from "./periods.ts";
import { GLOBAL, orderOf, placeOf } from "./place.ts";
import { type Given, isRanked, type Reached, reachedBy, together } from "./policy.ts";
import { type Day, type Player, SLOT_NAMES, type Slot, type SlotName } from "./records.ts";
import type { Board } from "./settings.ts";
import { checkEntered } from "./tournaments/entered.ts";

/** What makes a player's document of the one before and a submission; nothing here reads or writes. */

/** A submission that the board accepts. */
export interface Entering extends Given {
  readonly player: string;
  readonly attempt: string;
  readonly metadata?: Slot["metadata"];
  /** Of a league, where the player has a seat. */
  readonly cohort?: { readonly season: string; readonly id: string };
  /** When it is submitted; `at` is when it was played. In milliseconds since the epoch. */
  readonly now: number;
}

/** How a player is shown, and whether among the ranked. */
export type Face = Pick<Player, "name" | "picture" | "country" | "group" | "hidden">;

/** Of whom there is a document already, that says how they are shown. */
export const NOBODY: Face = { name: "" };

export interface Best {
  readonly season: string;
  readonly score: number | null;
  readonly improved: boolean;
}

/** What a submission has come to. */
export interface Entered {
  /** Undefined if nothing has changed. */
  readonly player: Player | undefined;
  readonly bests: Readonly<Partial<Record<Period, Best>>>;
  readonly repeated: boolean;
}

/**
 * Enters a score. Refuses `user-banned`, `not-entered`, `tournament-not-on`, `attempt-reused`, `attempts-used-up`, `too-late`,
 * `season-closing`, and `score-out-of-bounds` of a sum; of a league, all of them before a seat is asked for.
 * @param face how a player is shown who is new here
 */
export function enter(board: Board, before: Player | undefined, entering: Entering, face: Face): Entered {
  if (before && isRepeated(before, entering))
    return { player: undefined, bests: bestsOf(board, before, entering, before), repeated: true };
  checkEntered(board, before, entering);
  const known: Player = before ?? { player: entering.player, attempts: NO_ATTEMPTS, ...face };
  checkNotBanned(known);
  const rolled = board.periods.includes("rolling") ? rolledWith(board, known, entering) : {};
  const slots: Partial<Record<SlotName, Slot>> = {};
  let isChanged = before === undefined;
  for (const period of withLeagueLast(board)) {
    if (period === "rolling") continue;
    const season = seasonOf(board, period, entering);
    const name = slotOf(period, season);
    const slot = slotAfter(board, { period, season, current: known[name] }, entering, known);
    if (slot === known[name]) continue;
    slots[name] = slot;
    isChanged = true;
  }
  if (!isChanged && !("days" in rolled))
    return { player: undefined, bests: bestsOf(board, known, entering, known), repeated: false };
  const attempts = withAttempt(known.attempts, entering.attempt, submittedBy(entering));
  const player: Player = { ...known, ...slots, ...rolled, attempts };
  return { player, bests: bestsOf(board, player, entering, before), repeated: false };
}

/** Refuses whom a ban has taken off the boards. Who is hidden in the shadow, or was disqualified here, plays on unranked. */
export function checkNotBanned({ hidden }: Pick<Face, "hidden">): void {
  if (hidden !== "banned") return;
  throw new Failure("permission-denied", "You are banned.", { reason: "user-banned" });
}

/** Whoever is refused in another period is not to have taken a seat for it. */
function withLeagueLast({ periods, league }: Board): readonly Period[] {
  if (!league) return periods;
  return [...periods.filter((period) => period !== league.period), league.period];
}

/** What a submission comes to that had been made before, or is not to count. */
export function unchanged(board: Board, player: Player | undefined, entering: Entering, repeated: boolean): Entered {
  const known = player ?? { player: entering.player, name: "", attempts: NO_ATTEMPTS };
  return { player: undefined, bests: bestsOf(board, known, entering, known), repeated };
}

function isRepeated({ attempts }: Player, entering: Entering): boolean {
  const before = submittedIn(attempts, entering.attempt);
  if (before !== undefined && before !== submittedBy(entering)) {
    throw new Failure("already-exists", "This attempt had another score.", {
      reason: "attempt-reused",
      field: "attempt",
    });
  }
  return before !== undefined;
}

function submittedBy({ score, sub, of }: Entering): string {
  return [score, sub ?? "", of ?? ""].join("|");
}

/** The season that a score was played in, if it still takes scores. */
function seasonOf(board: Board, period: Period, { at, now }: Entering): Season {
  const season = seasonAt(period, at, board);
  if (now < season.endsAt + board.late.acceptSeconds * 1_000) return season;
  throw new Failure("failed-precondition", "The season that this was played in takes no scores any more.", {
    reason: "too-late",
    season: season.key,
    field: "playedAt",
  });
}

function slotAfter(
  board: Board,
  { period, season, current }: { period: Period; season: Season; current: Slot | undefined },
  entering: Entering,
  player: Player,
): Slot {
  const one = reachedBy(board.policy, entering);
  const held = current?.season === season.key ? current : undefined;
  if (current && !held) checkClosed(board, period, season);
  if (!held) {
    const fixed = { ...fixedOf(board, player), ...cohortFor(board, { period, season }, entering, player) };
    return slotOfReached(board, season, one, { ...entering, ...fixed, hidden: player.hidden });
  }
  if (period === board.attempts?.period) checkAttempts(board.attempts, season, held);
  const reached = together(board, reachedIn(held), one);
  const isSame = reached.score === held.score && reached.at === held.at.toMillis() && reached.sub === held.sub;
  if (isSame && !countsSubmissions(board)) return held;
  const { country, group } = held;
  // What goes with a score is shown with that score.
  const metadata = reached.at === one.at && !isSame ? entering.metadata : held.metadata;
  return slotOfReached(board, season, reached, { ...entering, metadata, country, group, hidden: player.hidden });
}

/** A slot is used again when what it keeps has been put aside. */
function checkClosed({ closedThrough = {} }: Board, period: Period, { number }: Season): void {
  const closed = closedThrough[period];
  if (closed === undefined || closed >= number - 2) return;
  throw new Failure("unavailable", "An earlier season is being closed; submit this again later.", {
    reason: "season-closing",
  });
}

function checkAttempts({ max }: NonNullable<Board["attempts"]>, season: Season, { count = 1 }: Slot): void {
  if (count < max) return;
  throw new Failure("resource-exhausted", "All attempts of this season have been made.", {
    reason: "attempts-used-up",
    season: season.key,
    limit: max,
    remaining: 0,
  });
}

/** Whether it is kept how often was submitted. */
function countsSubmissions({ policy, attempts }: Board): boolean {
  return policy === "ratio" || attempts !== undefined;
}

/** What a player is ranked under as long as a season goes. */
function fixedOf({ scopes }: Board, { country, group }: Player): Pick<Slot, "country" | "group"> {
  return {
    ...(scopes.includes("country") && country !== undefined ? { country } : {}),
    ...(scopes.includes("group") && group !== undefined ? { group } : {}),
  };
}

function reachedIn({ score, sub, at, count = 1, sum, of }: Slot | Day): Reached {
  return { score, sub, at: at.toMillis(), count, sum, of };
}

interface Rest {
  readonly player: string;
  readonly country?: string | undefined;
  readonly group?: string | undefined;
  readonly metadata?: Slot["metadata"];
  readonly hidden?: Player["hidden"];
}

function slotOfReached(board: Board, season: Season, reached: Reached, rest: Rest): Slot {
  const { country, group, metadata } = rest;
  const slot: Slot = {
    season: season.key,
    ...fieldsOf(board, reached),
    ...(country === undefined ? {} : { country }),
    ...(group === undefined ? {} : { group }),
    ...(metadata === undefined ? {} : { metadata }),
  };
  return rest.hidden === undefined && isRanked(board, reached) ? withOrders(board, slot, rest.player) : slot;
}

function fieldsOf(board: Board, { score, sub, at, count, sum, of }: Reached): Day {
  return {
    score,
    ...(sub === undefined ? {} : { sub }),
    at: timestamp(at),
    ...(countsSubmissions(board) ? { count } : {}),
    ...(sum === undefined ? {} : { sum }),
    ...(of === undefined ? {} : { of }),
  };
}

/** A slot with what sorts it, in all scopes that it belongs to. */
function withOrders(board: Board, slot: Slot, player: string): Slot {
  const { season, score, sub, at, country, group } = slot;
  const place = placeOf(board, { score, sub, at: at.toMillis() });
  const of = { season, place, player };
  return {
    ...slot,
    order: orderOf({ ...of, scope: GLOBAL }),
    ...(country === undefined ? {} : { countryOrder: orderOf({ ...of, scope: { kind: "country", id: country } }) }),
    ...(group === undefined ? {} : { groupOrder: orderOf({ ...of, scope: { kind: "group", id: group } }) }),
  };
}

/** A player's document with everything sorted anew: by whether they are ranked now. */
export function sortedAnew(board: Board, player: Player): Player {
  const slots: Partial<Record<SlotName, Slot>> = {};
  for (const name of SLOT_NAMES) {
    const slot = player[name];
    if (!slot) continue;
    const { order: _, countryOrder: __, groupOrder: ___, ...rest } = slot;
    const isVisible = player.hidden === undefined && isRanked(board, reachedIn(slot));
    slots[name] = isVisible ? withOrders(board, rest, player.player) : rest;
  }
  return { ...player, ...slots };
}

const ROLLING_SLOT = "r0";

/** The days of a player with a submission, and what they come to. */
function rolledWith(board: Board, player: Player, entering: Entering): Partial<Player> {
  const name = isoDay(localDay(board.timeZone, entering.at));
  const one = reachedBy(board.policy, entering);
  const held = player.days?.[name];
  const day = fieldsOf(board, held ? together(board, reachedIn(held), one) : one);
  return rolled(board, { ...player, days: { ...player.days, [name]: day } }, entering);
}

/**
 * The part of a player's document that `rolling` ranks, as of a moment: what the last days come to, without those that count no more.
 */
function rolled(board: Board, player: Player, { player: id, now }: Pick<Entering, "player" | "now">): Partial<Player> {
  const today = localDay(board.timeZone, now);
  const oldest = isoDay(today - (board.rollingDays ?? 1) + 1);
  const names = Object.keys(player.days ?? {})
    .filter((name) => name >= oldest)
    .sort();
  const days: Record<string, Day> = {};
  let reached: Reached | undefined;
  for (const name of names) {
    const day = player.days?.[name] as Day;
    days[name] = day;
    reached = reached ? together(board, reached, reachedIn(day)) : reachedIn(day);
  }
  if (!reached) return { days };
  const held = player[ROLLING_SLOT];
  const season = seasonAt("rolling", now, board);
  const fixed = held ? { country: held.country, group: held.group } : fixedOf(board, player);
  const slot = slotOfReached(board, season, reached, { player: id, ...fixed, hidden: player.hidden });
  return { days, agesOn: names[0] ?? "", [ROLLING_SLOT]: slot };
}

/**
 * What of a player's document changes when a day has begun in which their oldest counts no more. Nothing is left of who has none.
 * @returns the fields that are written, and those that go as `FieldValue.delete()`
 */
export function aged(board: Board, player: Player, of: Pick<Entering, "player" | "now">) {
  const { days = {}, agesOn, r0 } = rolled(board, player, of);
  const gone = FieldValue.delete();
  return { days, agesOn: agesOn ?? gone, [ROLLING_SLOT]: r0 ?? gone };
}

/** What the player has reached in the seasons of a submission, and which of it is new. */
function bestsOf(board: Board, player: Player, { at }: Entering, before: Player | undefined): Entered["bests"] {
  const bests: Partial<Record<Period, Best>> = {};
  for (const period of board.periods) {
    const season = seasonAt(period, at, board);
    const name = slotOf(period, season);
    const slot = player[name];
    const score = slot?.season === season.key ? slot.score : null;
    bests[period] = { season: season.key, score, improved: isNews(slot, before?.[name], season) };
  }
  return bests;
}

function isNews(slot: Slot | undefined, before: Slot | undefined, { key }: Season): boolean {
  if (slot === before || slot?.season !== key) return false;
  return (
    before?.season !== key || slot.score !== before.score || slot.sub !== before.sub || !slot.at.isEqual(before.at)
  );
}
