import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { NO_ATTEMPTS, submittedIn } from "./attempts.ts";
import { localDay } from "./calendar.ts";
import { type Entering, enter } from "./enter.ts";
import { seasonAt, slotOf } from "./periods.ts";
import type { Player } from "./records.ts";
import { Board } from "./settings.ts";

const DAY = 86_400_000;
const START = Date.parse("2026-03-27T09:00:00Z");
const FACE = { name: "Ada" };

const boardOf = (settings: Partial<z.input<typeof Board>>) =>
  Board.parse({
    title: "A board",
    timeZone: "Europe/Berlin",
    minScore: 0,
    maxScore: 1_000,
    periods: ["daily", "weekly", "monthly", "allTime", "rolling"],
    rollingDays: 3,
    ...settings,
  });

interface Submitted {
  readonly score: number;
  readonly sub: number;
  readonly of: number;
  /** How long after the one before it was made. */
  readonly wait: number;
}

const history = fc.array(
  fc.record({
    score: fc.integer({ min: 0, max: 20 }),
    sub: fc.integer({ min: -2, max: 2 }),
    of: fc.integer({ min: 1, max: 9 }),
    wait: fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 2 * DAY })),
  }),
  { maxLength: 40 },
);

const settings = fc.record({
  policy: fc.constantFrom(
    "best" as const,
    "last" as const,
    "sum" as const,
    "increment" as const,
    "decrement" as const,
    "ratio" as const,
  ),
  order: fc.constantFrom("descending" as const, "ascending" as const),
  subscore: fc.constantFrom("none" as const, "descending" as const, "ascending" as const),
  minimumSample: fc.integer({ min: 1, max: 3 }),
});

/** Submissions as they are entered, with the time of each. */
function enteringsOf({ policy, subscore }: Board, submitted: readonly Submitted[]): Entering[] {
  let at = START;
  return submitted.map(({ score, sub, of, wait }, i) => {
    at += wait;
    return {
      player: "ada",
      attempt: `attempt-${i}`,
      score,
      ...(subscore === "none" ? {} : { sub }),
      ...(policy === "ratio" ? { of } : {}),
      at,
      now: at,
    };
  });
}

function entered(board: Board, enterings: readonly Entering[]): Player | undefined {
  let player: Player | undefined;
  for (const one of enterings) player = enter(board, player, one, FACE).player ?? player;
  return player;
}

/** What a player is expected to be ranked with, worked out anew from everything that was submitted in a season. */
function expected(
  board: Board,
  all: readonly Entering[],
): { score: number; sub?: number | undefined; at: number } | undefined {
  const last = all.at(-1);
  if (!last) return undefined;
  const total = all.reduce((sum, { score }) => sum + score, 0);
  const way = board.order === "descending" ? 1 : -1;
  const second = board.subscore === "descending" ? 1 : -1;
  switch (board.policy) {
    case "best":
      return all.reduce((best, one) => {
        const difference = way * (one.score - best.score) || second * ((one.sub ?? 0) - (best.sub ?? 0));
        return difference > 0 ? one : best;
      });
    case "last":
      return last;
    case "ratio": {
      const parts = Math.round((total / all.reduce((sum, { of = 0 }) => sum + of, 0)) * 1_000_000);
      return { ...last, score: parts };
    }
    case "decrement":
      return { ...last, score: total === 0 ? 0 : -total };
    default:
      return { ...last, score: total };
  }
}

describe("whatever is submitted and whenever", () => {
  test("each season has just what was played in it, by the board's policy", () => {
    fc.assert(
      fc.property(settings, history, (chosen, submitted) => {
        const board = boardOf(chosen);
        const all = enteringsOf(board, submitted);
        const player = entered(board, all);
        const end = all.at(-1)?.at ?? START;
        for (const period of ["daily", "weekly", "monthly", "allTime"] as const) {
          const season = seasonAt(period, end, board);
          const inside = all.filter(({ at }) => seasonAt(period, at, board).key === season.key);
          const slot = player?.[slotOf(period, season)];
          const found = slot?.season === season.key ? slot : undefined;
          const wanted = expected(board, inside);
          expect(found && { score: found.score, sub: found.sub, at: found.at.toMillis() }).toEqual(
            wanted && { score: wanted.score, sub: wanted.sub, at: wanted.at },
          );
          const isRanked = board.policy !== "ratio" || inside.length >= board.minimumSample;
          expect(found?.order !== undefined).toBe(found !== undefined && isRanked);
        }
      }),
    );
  });

  test("a rolling period goes over the last days, and forgets the others", () => {
    fc.assert(
      fc.property(settings, history, (chosen, submitted) => {
        const board = boardOf(chosen);
        const all = enteringsOf(board, submitted);
        const player = entered(board, all);
        const today = localDay(board.timeZone, all.at(-1)?.at ?? START);
        const inside = all.filter(({ at }) => localDay(board.timeZone, at) > today - 3);
        const wanted = expected(board, inside);
        expect(player?.r0 && { score: player.r0.score, at: player.r0.at.toMillis() }).toEqual(
          wanted && { score: wanted.score, at: wanted.at },
        );
        expect(Object.keys(player?.days ?? {}).length).toBeLessThanOrEqual(3);
      }),
    );
  });

  test("what was submitted lately changes nothing when it comes again, and is refused with another score", () => {
    fc.assert(
      fc.property(settings, history, fc.nat(), (chosen, submitted, pick) => {
        const board = boardOf(chosen);
        const all = enteringsOf(board, submitted);
        const player = entered(board, all);
        const { attempts = NO_ATTEMPTS } = player ?? {};
        const kept = all.filter(({ attempt }) => submittedIn(attempts, attempt) !== undefined);
        const again = kept[pick % Math.max(1, kept.length)];
        if (!player || !again) return;
        expect(enter(board, player, again, FACE)).toMatchObject({ player: undefined, repeated: true });
        expect(() => enter(board, player, { ...again, score: again.score + 1 }, FACE)).toThrow(
          expect.objectContaining({ reason: "attempt-reused" }),
        );
      }),
    );
  });
});

const one = (attempt: string, at: number, rest: Partial<Entering> = {}): Entering => ({
  player: "ada",
  attempt,
  score: 10,
  at,
  now: at,
  ...rest,
});

describe("a season that is over", () => {
  const daily = { periods: ["daily" as const], rollingDays: undefined };
  const midnight = Date.parse("2026-03-28T23:00:00Z");

  test("takes what was played in it for as long as the board says, and not a millisecond longer", () => {
    const board = boardOf({ ...daily, late: { acceptSeconds: 60 } });
    const before = entered(board, [one("attempt-1", midnight + 1_000, { score: 5 })]);
    const played = midnight - 1;
    const late = enter(board, before, one("attempt-2", played, { now: midnight + 59_999 }), FACE);
    expect(late.bests.daily).toEqual({ season: "2026-03-28", score: 10, improved: true });
    expect([late.player?.d0, late.player?.d1].map((slot) => slot?.score).sort()).toEqual([10, 5]);
    expect(() => enter(board, before, one("attempt-3", played, { now: midnight + 60_000 }), FACE)).toThrow(
      expect.objectContaining({ reason: "too-late", details: expect.objectContaining({ season: "2026-03-28" }) }),
    );
  });

  test("keeps its slot until it is closed", () => {
    const board = boardOf(daily);
    const played = entered(board, [one("attempt-1", midnight - 1)]);
    const later = one("attempt-2", midnight + DAY);
    const { number } = seasonAt("daily", later.at, board);
    const closedThrough = (season: number) => ({ ...board, closedThrough: { daily: season } });
    expect(() => enter(closedThrough(number - 3), played, later, FACE)).toThrow(
      expect.objectContaining({ reason: "season-closing" }),
    );
    expect(enter(closedThrough(number - 2), played, later, FACE).bests.daily?.score).toBe(10);
  });
});

describe("a player", () => {
  test.each([
    ["weekly" as const, "daily" as const],
    ["daily" as const, "weekly" as const],
  ])("has as many attempts a day as the board says, and new ones the next day, with %s named first", (...periods) => {
    const attempts = { period: "daily" as const, max: 2 };
    const board = boardOf({ periods: [...periods, "allTime"], rollingDays: undefined, attempts });
    const player = entered(board, [one("attempt-1", START), one("attempt-2", START + 1, { score: 1 })]);
    expect(() => enter(board, player, one("attempt-3", START + 2), FACE)).toThrow(
      expect.objectContaining({
        reason: "attempts-used-up",
        details: expect.objectContaining({ season: "2026-03-27", limit: 2, remaining: 0 }),
      }),
    );
    expect(enter(board, player, one("attempt-4", START + DAY), FACE).bests.daily?.improved).toBe(true);
  });

  test("has attempts in every season of the period by itself, also in one that is over and still takes scores", () => {
    const attempts = { period: "daily" as const, max: 1 };
    const board = boardOf({
      periods: ["daily", "allTime"],
      rollingDays: undefined,
      attempts,
      late: { acceptSeconds: 60 },
    });
    const midnight = Date.parse("2026-03-28T23:00:00Z");
    const today = entered(board, [one("attempt-1", midnight + 1_000)]);
    const late = enter(board, today, one("attempt-2", midnight - 1, { now: midnight + 2_000 }), FACE).player;
    for (const at of [midnight - 2, midnight + 3_000]) {
      expect(() => enter(board, late, one("attempt-3", at, { now: midnight + 3_000 }), FACE)).toThrow(
        expect.objectContaining({ reason: "attempts-used-up" }),
      );
    }
  });

  test("cannot be limited in a period that the board does not rank", () => {
    const parsed = Board.safeParse({
      ...{ title: "Cup", timeZone: "Etc/UTC", minScore: 0, maxScore: 10, periods: ["weekly"] },
      attempts: { period: "daily", max: 3 },
    });
    expect(parsed.error?.issues.map(({ path }) => path.join("."))).toEqual(["attempts.period"]);
  });

  test("stays in the country of the first score for as long as a season goes", () => {
    const board = boardOf({ periods: ["daily"], rollingDays: undefined, scopes: ["country"] });
    const home = enter(board, undefined, one("attempt-1", START), { ...FACE, country: "DE" }).player;
    const moved: Player = { ...(home as Player), country: "FR" };
    const away = enter(board, moved, one("attempt-2", START + 1, { score: 20 }), FACE).player;
    const slot = slotOf("daily", seasonAt("daily", START, board));
    expect(away?.[slot]).toMatchObject({ country: "DE", countryOrder: expect.stringContaining("|DE|") });
    const next = enter(board, away, one("attempt-3", START + DAY), FACE).player;
    expect(next?.[slotOf("daily", seasonAt("daily", START + DAY, board))]?.country).toBe("FR");
  });

  test("who is hidden has scores and no place", () => {
    const board = boardOf({ periods: ["daily"], rollingDays: undefined });
    const hidden: Player = { player: "ada", name: "Ada", attempts: NO_ATTEMPTS, hidden: "shadow" };
    const { player } = enter(board, hidden, one("attempt-1", START), FACE);
    const slot = player?.[slotOf("daily", seasonAt("daily", START, board))];
    expect(slot).toMatchObject({ score: 10 });
    expect(slot?.order).toBeUndefined();
  });
});
