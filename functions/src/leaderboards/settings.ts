import { Cron } from "croner";
import * as z from "zod";
import { Reward } from "../rewards/index.ts";
import { PERIODS } from "./periods.ts";

const MAX_ROLLING_DAYS = 60;
const MAX_KEPT = 100_000;
/** Half a day: a season is closed before the one after the next begins, because that one uses its slots again. */
const MAX_LATE_SECONDS = 43_200;
const MAX_PRIZES = 100;
/** No shorter may be what a cron gives, so that each of its seasons can be closed while the next is on. */
const MIN_SEASON_MILLIS = 3_600_000;
/** How many seasons of a cron are looked at to tell. */
const LOOKED_AT = 50;

export const PeriodName = z.enum(PERIODS);

/** How scores of one season make a player's score; see `policy.ts`. */
export const Policy = z.enum(["best", "last", "sum", "increment", "decrement", "ratio"]);
export type Policy = z.infer<typeof Policy>;

/** What those get who end a season on some ranks: of all, or, by scope, of each country or each group. */
export const Prize = z
  .object({
    period: PeriodName.exclude(["allTime", "rolling"]),
    scope: z.enum(["global", "country", "group"]).default("global"),
    /** The first and the last rank that it is for. */
    from: z.int().positive(),
    to: z.int().positive().max(MAX_KEPT),
    reward: Reward,
  })
  .refine(({ from, to }) => from <= to, { path: ["to"], error: "must not be before from" });
export type Prize = z.infer<typeof Prize>;

const Sum = z.object({ currency: z.string(), amount: z.int().positive() });
/** Of a pool, in hundredths of a percent. */
const WHOLE = 10_000;

/**
 * A board that ranks one season and whom it has let join. Times are milliseconds since the epoch. What players pay to join, and what the
 * house adds, is given by rank when it is over; to fewer players than there are shares, in the same proportion.
 */
const Tournament = z
  .object({
    /** When it can be joined. */
    opensAt: z.int().nonnegative(),
    closesAt: z.int().nonnegative(),
    /** When it is played. */
    startsAt: z.int().nonnegative(),
    endsAt: z.int().nonnegative(),
    fee: Sum.optional(),
    guaranteed: Sum.optional(),
    capacity: z.int().positive().max(1_000_000).optional(),
    /** Of the pool, in hundredths of a percent, by rank. */
    shares: z.array(z.int().positive()).max(100).default([]),
  })
  .refine(({ opensAt, closesAt, endsAt }) => opensAt < closesAt && closesAt <= endsAt, {
    path: ["closesAt"],
    error: "must lie between opensAt and endsAt",
  })
  .refine(({ startsAt, endsAt }) => startsAt < endsAt, { path: ["endsAt"], error: "must be after startsAt" })
  .refine(({ shares }) => shares.length === 0 || shares.reduce((sum, share) => sum + share, 0) === WHOLE, {
    path: ["shares"],
    error: "must be 10,000 together",
  })
  .refine(({ fee, guaranteed, shares }) => (fee ?? guaranteed) === undefined || shares.length > 0, {
    path: ["shares"],
    error: "must say who gets what there is",
  })
  .refine(({ fee, guaranteed }) => !fee || !guaranteed || fee.currency === guaranteed.currency, {
    path: ["guaranteed", "currency"],
    error: "must be the currency of the fee",
  });
export type Tournament = z.infer<typeof Tournament>;

/**
 * Players play in cohorts of their tier, of which there are as many as are needed; when a season ends the first of each go up a tier, and the
 * last down. Tier 1 is the lowest, and the first of everybody.
 */
export const League = z
  .object({
    period: PeriodName.exclude(["allTime", "rolling"]),
    tiers: z.int().min(2).max(20),
    /** Players of a cohort, at most. */
    size: z.int().min(2).max(100),
    promote: z.int().nonnegative(),
    demote: z.int().nonnegative(),
  })
  .refine(({ size, promote, demote }) => promote + demote <= size, {
    path: ["demote"],
    error: "must not be more, with promote, than a cohort has players",
  });
export type League = z.infer<typeof League>;

const settings = {
  title: z.string().min(1).max(200),
  /** IANA name of the zone by whose calendar seasons begin and end. */
  timeZone: z.string().refine(isTimeZone, "must be the name of a time zone, as Europe/Berlin"),
  /** 0 is Sunday. */
  weekStartsOn: z.int().min(0).max(6).default(1),
  /** Which scores are first: the high ones, or the low ones. */
  order: z.enum(["descending", "ascending"]).default("descending"),
  policy: Policy.default("best"),
  /** Of a ratio: who has submitted fewer times in a season is not ranked yet. */
  minimumSample: z.int().positive().max(10_000).default(1),
  /** Which of equal scores are first by a second number, before the earlier is. */
  subscore: z.enum(["none", "descending", "ascending"]).default("none"),
  periods: z
    .array(PeriodName)
    .min(1)
    .refine((names) => new Set(names).size === names.length, "must not name one twice")
    .default(["daily", "weekly", "monthly", "allTime"]),
  /** When seasons of the period `custom` begin, as `0 18 * * 5`, in the board's time zone. */
  cron: z.string().max(100).refine(isCron, "must be a cron expression of five fields").optional(),
  /** Over how many days, today among them, the period `rolling` goes. */
  rollingDays: z.int().min(1).max(MAX_ROLLING_DAYS).optional(),
  /** Whose scores they are: who submits them, or the group that they are in. */
  owner: z.enum(["player", "group"]).default("player"),
  /** What is ranked for itself, besides everybody together. */
  scopes: z.array(z.enum(["country", "group"])).default([]),
  /** Scores outside of these are refused. Whole numbers. */
  minScore: z.int(),
  maxScore: z.int(),
  /** The same for the second number; any whole number unless said otherwise. */
  minSubscore: z.int().optional(),
  maxSubscore: z.int().optional(),
  /** How often a player may submit in each season of one of the board's periods, as three times a day. */
  attempts: z.object({ period: PeriodName.exclude(["rolling"]), max: z.int().positive().max(100_000) }).optional(),
  /** Whether a score counts only with the token of a game's session; see `games/start`. */
  session: z.enum(["none", "required"]).default("none"),
  /** The most that can be scored in a second of a session; boards that require one. */
  maxPerSecond: z.number().positive().optional(),
  /** Which scores count only after somebody has looked at them. */
  review: z
    .object({
      /** Those better than this. */
      beyond: z.int().optional(),
      /** Those this many times as good as the best of the board, or for low scores as far below it; from a hundred players on. */
      timesTheBest: z.number().min(1).max(1_000).optional(),
    })
    .default({}),
  /** For how long after a season's end scores that were played in it are accepted. */
  late: z.object({ acceptSeconds: z.int().min(0).max(MAX_LATE_SECONDS) }).default({ acceptSeconds: 0 }),
  /** How many ranks of a season that is over are kept. */
  keep: z.int().positive().max(MAX_KEPT).default(1_000),
  pageSize: z.int().positive().max(100).default(100),
  prizes: z.array(Prize).max(MAX_PRIZES).default([]),
  /** Whether anybody can read it over HTTP, signed in or not. */
  isPublic: z.boolean().default(false),
  /** Of what the first hundred are kept live in the Realtime Database: of everybody together, of each country, of each group. */
  live: z.array(z.enum(["global", "country", "group"])).default(["global"]),
  /** The one season of the period `custom`, instead of a cron. */
  tournament: Tournament.optional(),
  league: League.optional(),
};

type Checked = z.output<z.ZodObject<typeof settings>>;

/** What only a player can have or do. */
function isForPlayers({ scopes, session, prizes, tournament, league }: Checked): boolean {
  return (
    scopes.length > 0 || session !== "none" || prizes.length > 0 || tournament !== undefined || league !== undefined
  );
}

function checked<Shape extends z.ZodType<Checked>>(shape: Shape) {
  return shape
    .refine((board: Checked) => board.owner === "player" || !isForPlayers(board), {
      path: ["owner"],
      error: "must be player where there are scopes, sessions, prizes, a tournament or a league",
    })
    .refine(({ minScore, maxScore }: Checked) => minScore <= maxScore, {
      path: ["maxScore"],
      error: "must not be below minScore",
    })
    .refine(({ subscore, minSubscore: min, maxSubscore: max }) => subscore !== "none" || (min ?? max) === undefined, {
      path: ["subscore"],
      error: "must say which subscores are first where these have bounds",
    })
    .refine(({ minSubscore = -Infinity, maxSubscore = Infinity }) => minSubscore <= 0 && maxSubscore >= 0, {
      path: ["minSubscore"],
      error: "must leave room for 0, which counts where none is given",
    })
    .refine(
      ({ periods, cron, tournament }: Checked) =>
        periods.includes("custom") === ((cron ?? tournament) !== undefined) && !(cron && tournament),
      { path: ["cron"], error: "must be given for the period custom, if that is no tournament, and only for that" },
    )
    .refine(({ periods, tournament }: Checked) => !tournament || periods.join() === "custom", {
      path: ["periods"],
      error: "must be custom alone: a tournament is one season",
    })
    .refine(
      ({ tournament, prizes, keep }: Checked) => {
        const { shares = [] } = tournament ?? {};
        return shares.length === 0 || (prizes.every(({ scope }) => scope !== "global") && keep >= shares.length);
      },
      { path: ["prizes"], error: "must not be for ranks of a tournament that has shares, which must be kept" },
    )
    .refine(({ periods, rollingDays }: Checked) => periods.includes("rolling") === (rollingDays !== undefined), {
      path: ["rollingDays"],
      error: "must be given for the period rolling, and only for that",
    })
    .refine(({ session, maxPerSecond }: Checked) => maxPerSecond === undefined || session === "required", {
      path: ["maxPerSecond"],
      error: "is for boards that require a session",
    })
    .refine(({ cron, timeZone }: Checked) => cron === undefined || areLongEnough(cron, timeZone), {
      path: ["cron"],
      error: "must leave an hour at least from one season to the next",
    })
    .refine(({ cron, late }: Checked) => cron === undefined || late.acceptSeconds * 2_000 <= MIN_SEASON_MILLIS, {
      path: ["late", "acceptSeconds"],
      error: "must be half an hour at most where seasons go by a cron",
    })
    .refine(({ prizes, keep }: Checked) => prizes.every(({ scope, to }) => scope !== "global" || to <= keep), {
      path: ["keep"],
      error: "must not be less than the ranks that there are prizes for",
    })
    .refine(({ prizes, periods }: Checked) => prizes.every(({ period }) => periods.includes(period)), {
      path: ["prizes"],
      error: "must be for periods that the board ranks",
    })
    .refine(
      ({ prizes, scopes, league }: Checked) =>
        prizes.every(
          ({ scope, period }) =>
            scope === "global" || scopes.includes(scope) || (scope === "group" && league?.period === period),
        ),
      { path: ["prizes"], error: "must be for scopes that the board ranks; groups are also the cohorts of a league" },
    )
    .refine(
      ({ league, periods, scopes }: Checked) =>
        !league || (periods.includes(league.period) && !scopes.includes("group")),
      { path: ["league"], error: "must be of a period that the board ranks, and groups must not be ranked besides" },
    )
    .refine(({ attempts, periods }: Checked) => !attempts || periods.includes(attempts.period), {
      path: ["attempts", "period"],
      error: "must be one that the board ranks",
    })
    .refine(({ live, scopes }: Checked) => live.every((kind) => kind === "global" || scopes.includes(kind)), {
      path: ["live"],
      error: "must not name a scope that the board does not rank for itself",
    })
    .refine(({ policy, minScore }: Checked) => minScore >= 0 || (policy !== "increment" && policy !== "decrement"), {
      path: ["minScore"],
      error: "must not be below 0: what is added or taken off has no sign",
    });
}

/** What operators say of a board. */
export const BoardSettings = checked(z.object(settings));

/** `leaderboards/{board}`: what a board ranks and what it accepts. Written by operators, and by what closes seasons. */
export const Board = checked(
  z.object({
    ...settings,
    /** From when the seasons of `custom` are counted: when the board was defined. */
    anchor: z.int().optional(),
    /** By period the number of the last season that is closed, so that its slots can be used again. */
    closedThrough: z.partialRecord(PeriodName, z.int()).optional(),
    /** When the next season is to be closed, in milliseconds since the epoch; indexed. */
    nextCloseAt: z.int().optional(),
  }),
);
export type Board = z.output<typeof Board>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function areLongEnough(pattern: string, timeZone: string): boolean {
  // What is wrong with these for themselves is said where they are.
  if (!isCron(pattern) || !isTimeZone(timeZone)) return true;
  const starts = new Cron(pattern, { timezone: timeZone }).nextRuns(LOOKED_AT).map((start) => start.getTime());
  return starts.every((start, i) => i === 0 || start - (starts[i - 1] ?? 0) >= MIN_SEASON_MILLIS);
}

function isCron(pattern: string): boolean {
  try {
    return pattern.trim().split(/\s+/).length === 5 && new Cron(pattern).nextRun() !== null;
  } catch {
    return false;
  }
}
