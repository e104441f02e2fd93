import * as z from "zod";

/** The rules, by what they look at. Names are kept with assessments, so none is ever renamed. */
export const RULES = [
  "receipt-reused",
  "sandbox",
  "price",
  "country",
  "velocity-user",
  "velocity-device",
  "velocity-card",
  "shared",
  "unusual-amount",
  "refunds",
] as const;
export const RuleName = z.enum(RULES);
export type RuleName = z.infer<typeof RuleName>;

/** 0: nothing speaks for fraud; 100: there is no doubt. */
export const Score = z.int().min(0).max(100);

const MAX_WEIGHT = 2;
const MAX_LIMIT = 100_000;
const MAX_CURRENCIES = 50;

const Limit = z.int().min(1).max(MAX_LIMIT);
const Limits = (hour: number, day: number, week: number) =>
  z.object({ hour: Limit.default(hour), day: Limit.default(day), week: Limit.default(week) }).prefault({});

/** How the rules judge; what is left out is as it stands here. */
export const Settings = z
  .object({
    thresholds: z
      .object({
        /** From this score on a person has a look first. */
        review: Score.min(1).default(60),
        /** From this score on nothing is given. */
        block: Score.min(1).default(95),
      })
      .prefault({}),
    rules: z
      .partialRecord(
        RuleName,
        z.object({
          /** `shadow`: scored and written down, but not counted. */
          mode: z.enum(["on", "shadow", "off"]).default("on"),
          /** What its score is multiplied by. */
          weight: z.number().min(0).max(MAX_WEIGHT).default(1),
        }),
      )
      .default({}),
    /** What a receipt leads to that another user came with first. */
    receiptReuse: z.enum(["review", "block"]).default("review"),
    /** How many purchases, withdrawals or gifts, each by itself, raise no doubt. */
    limits: z
      .object({ user: Limits(20, 60, 200), device: Limits(30, 80, 250), card: Limits(10, 30, 100) })
      .prefault({}),
    /** How many users of one device or card raise no doubt. */
    sharedBy: z.object({ device: Limit.default(4), card: Limit.default(3) }).prefault({}),
    /** Above so much, by currency in smallest units, two operators have to approve. */
    fourEyesAbove: z
      .record(z.string().max(20), z.int().nonnegative())
      .refine(
        (amounts) => Object.keys(amounts).length <= MAX_CURRENCIES,
        `must be ${MAX_CURRENCIES} currencies at most`,
      )
      .default({}),
  })
  .refine(({ thresholds: { review, block } }) => review <= block, {
    path: ["thresholds", "block"],
    error: "must not be below the threshold for reviews",
  });
export type Settings = z.infer<typeof Settings>;

export const DEFAULTS: Settings = Settings.parse({});
