import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge } from "./judge.ts";
import { DEFAULTS, RULES, Settings } from "./settings.ts";
import type { Signals } from "./signals.ts";

const QUIET: Signals = {
  kind: "purchase",
  otherClaimants: 0,
  sandboxed: 0,
  amount: 499,
  priceExpected: 499,
  country: "DE",
  ipCountry: "DE",
  countries: ["DE", "AT"],
  counts: { user: { hour: 1, day: 1, week: 1 } },
  users: {},
  usual: [499, 499, 999, 499, 499, 199],
  refunds: 0,
  chargebacks: 0,
};
const scoreOf = (signals: Partial<Signals>, settings = DEFAULTS) => judge({ ...QUIET, ...signals }, settings).score;
const ruleOf = (signals: Partial<Signals>) => judge({ ...QUIET, ...signals }, DEFAULTS).findings;
const times = (hour: number, day = hour, week = day) => ({ hour, day, week });

test("an ordinary purchase raises no doubt", () => {
  expect(judge(QUIET, DEFAULTS)).toEqual({ score: 0, verdict: "allow", findings: [] });
});

describe("a rule", () => {
  test.each<[string, Partial<Signals>, string, number]>([
    ["a receipt that another user came with", { otherClaimants: 1 }, "receipt-reused", 80],
    ["one receipt of a sandbox", { sandboxed: 1 }, "sandbox", 20],
    ["five receipts of a sandbox", { sandboxed: 5 }, "sandbox", 67],
    ["half of the price", { amount: 249 }, "price", 45],
    ["a hundredth of the price", { amount: 5 }, "price", 89],
    ["a country where it is not sold", { country: "US", ipCountry: "US" }, "country", 45],
    ["a request from elsewhere", { ipCountry: "FR" }, "country", 30],
    ["both", { country: "US", ipCountry: "FR" }, "country", 60],
    ["thirty purchases in an hour", { counts: { user: times(30) } }, "velocity-user", 56],
    ["a hundred and twenty in a day", { counts: { user: times(1, 120) } }, "velocity-user", 75],
    ["twenty with a card in an hour", { counts: { card: times(20) } }, "velocity-card", 75],
    ["sixty on a device in an hour", { counts: { device: times(60) } }, "velocity-device", 75],
    ["a card of six users", { users: { card: 6 } }, "shared", 75],
    ["a device of eight", { users: { device: 8 } }, "shared", 75],
    ["a hundred times the usual", { amount: 49_900 }, "unusual-amount", 70],
    ["five refunds", { refunds: 5 }, "refunds", 39],
    ["two chargebacks", { chargebacks: 2 }, "refunds", 64],
  ])("finds %s", (_what, signals, rule, score) => {
    expect(ruleOf(signals)).toMatchObject([{ rule, score, counted: true }]);
  });

  test.each<[string, Partial<Signals>]>([
    ["a price a third off", { amount: 330 }],
    ["a price that the catalog does not name", { priceExpected: undefined, amount: 1 }],
    ["more than the price", { amount: 600 }],
    ["a country that nobody knows", { country: undefined, ipCountry: undefined }],
    ["a product sold everywhere", { countries: [], country: "JP", ipCountry: "JP" }],
    ["as many purchases as are allowed", { counts: { user: times(20, 60, 200) } }],
    ["twice the usual", { amount: 998 }],
    ["a large amount of somebody new", { amount: 49_900, usual: [499, 499] }],
    ["two refunds", { refunds: 2 }],
  ])("leaves %s alone", (_what, signals) => {
    expect(ruleOf(signals)).toEqual([]);
  });

  test("that is off says nothing; one in shadow says it, and it does not count", () => {
    const settings = (mode: "off" | "shadow") => Settings.parse({ rules: { refunds: { mode } } });
    expect(judge({ ...QUIET, chargebacks: 9 }, settings("off"))).toMatchObject({ score: 0, findings: [] });
    expect(judge({ ...QUIET, chargebacks: 9 }, settings("shadow"))).toMatchObject({
      score: 0,
      verdict: "allow",
      findings: [{ rule: "refunds", counted: false }],
    });
  });

  test("counts by its weight", () => {
    const weighed = (weight: number) => Settings.parse({ rules: { sandbox: { weight } } });
    expect(scoreOf({ sandboxed: 2 }, weighed(0))).toBe(0);
    expect(scoreOf({ sandboxed: 2 }, weighed(0.5))).toBe(18);
    expect(scoreOf({ sandboxed: 2 }, weighed(2))).toBe(72);
  });
});

describe("the verdict", () => {
  test("follows from the score by the thresholds", () => {
    const settings = Settings.parse({ thresholds: { review: 40, block: 80 } });
    expect(judge({ ...QUIET, refunds: 5 }, settings).verdict).toBe("allow");
    expect(judge({ ...QUIET, refunds: 6 }, settings).verdict).toBe("review");
    expect(judge({ ...QUIET, otherClaimants: 1 }, settings).verdict).toBe("block");
  });

  test("on a reused receipt is the one that operators have chosen", () => {
    expect(judge({ ...QUIET, otherClaimants: 1 }, DEFAULTS).verdict).toBe("review");
    expect(judge({ ...QUIET, otherClaimants: 1 }, Settings.parse({ receiptReuse: "block" })).verdict).toBe("block");
  });

  test("adds up weak signs: none of them alone is reviewed, all of them together are", () => {
    const [refunds, elsewhere, sandboxed] = [{ chargebacks: 1 }, { ipCountry: "FR" }, { sandboxed: 1 }];
    for (const sign of [refunds, elsewhere, sandboxed])
      expect(judge({ ...QUIET, ...sign }, DEFAULTS).verdict).toBe("allow");
    expect(judge({ ...QUIET, ...refunds, ...elsewhere, ...sandboxed }, DEFAULTS).verdict).toBe("review");
  });
});

const few = fc.nat({ max: 300 });
const counts = fc.record({ hour: few, day: few, week: few });
const anySignals: fc.Arbitrary<Signals> = fc.record({
  kind: fc.constantFrom("purchase" as const, "withdrawal" as const, "gift" as const),
  otherClaimants: fc.nat({ max: 5 }),
  sandboxed: fc.nat({ max: 50 }),
  amount: fc.option(fc.nat({ max: 2 ** 40 }), { nil: undefined }),
  priceExpected: fc.option(fc.nat({ max: 2 ** 40 }), { nil: undefined }),
  country: fc.constantFrom("DE", "US", undefined),
  ipCountry: fc.constantFrom("DE", "US", undefined),
  countries: fc.subarray(["DE", "FR"]),
  counts: fc.record({ user: counts, device: counts, card: counts }, { requiredKeys: [] }),
  users: fc.record({ device: few, card: few }, { requiredKeys: [] }),
  usual: fc.array(fc.nat({ max: 2 ** 40 }), { maxLength: 31 }),
  refunds: few,
  chargebacks: few,
});
const rule = fc.record({
  mode: fc.constantFrom("on", "shadow", "off"),
  weight: fc.double({ min: 0, max: 2, noNaN: true }),
});
const anySettings = fc
  .record({
    rules: fc.dictionary(fc.constantFrom(...RULES), rule),
    receiptReuse: fc.constantFrom("review", "block"),
  })
  .map((settings) => Settings.parse(settings));

describe("whatever is known and however it is weighed", () => {
  test("the score lies between 0 and 100, and so does each rule's", () => {
    fc.assert(
      fc.property(anySignals, anySettings, (signals, settings) => {
        const { score, findings } = judge(signals, settings);
        for (const one of [score, ...findings.map((finding) => finding.score)]) {
          expect(Number.isInteger(one) && one >= 0 && one <= 100).toBe(true);
        }
      }),
    );
  });

  test("more evidence never lowers it", () => {
    const more = fc.record({
      otherClaimants: few,
      sandboxed: few,
      refunds: few,
      chargebacks: few,
      velocity: few,
      users: few,
      spent: fc.nat({ max: 2 ** 40 }),
    });
    fc.assert(
      fc.property(anySignals, more, anySettings, (signals, extra, settings) => {
        const { hour = 0, day = 0, week = 0 } = signals.counts.user ?? {};
        const before = judge(signals, settings).score;
        const after = judge(
          {
            ...signals,
            otherClaimants: signals.otherClaimants + extra.otherClaimants,
            sandboxed: signals.sandboxed + extra.sandboxed,
            refunds: signals.refunds + extra.refunds,
            chargebacks: signals.chargebacks + extra.chargebacks,
            counts: {
              ...signals.counts,
              user: { hour: hour + extra.velocity, day: day + extra.velocity, week: week + extra.velocity },
            },
            users: { ...signals.users, card: (signals.users.card ?? 0) + extra.users },
          },
          settings,
        ).score;
        expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  test("paying less of the price, or spending more than usual where there is none, never lowers it", () => {
    fc.assert(
      fc.property(anySignals, fc.nat({ max: 2 ** 40 }), anySettings, (signals, less, settings) => {
        const amount = signals.amount ?? 0;
        const priced = { ...signals, usual: [] };
        const cheaper = { ...priced, amount: Math.max(0, amount - less) };
        expect(judge(cheaper, settings).score).toBeGreaterThanOrEqual(judge({ ...priced, amount }, settings).score);
        const unpriced = { ...signals, priceExpected: undefined };
        const dearer = { ...unpriced, amount: amount + less };
        expect(judge(dearer, settings).score).toBeGreaterThanOrEqual(judge({ ...unpriced, amount }, settings).score);
      }),
    );
  });
});
