import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterNews, type Basis, bought, cancelled, expired, refunded } from "./entitlement.ts";
import type { Entitlement } from "./records.ts";

const DAY = 86_400_000;

/** The n-th month of a subscription, or something bought for ever. */
const month = (n: number, product = "pro"): Basis => ({
  purchase: `${product}-${n}`,
  product,
  store: "APP_STORE",
  purchasedAt: n * 30 * DAY,
  expiresAt: (n + 1) * 30 * DAY,
});
const forever = (product: string): Basis => ({ ...month(0, product), expiresAt: null });

const told = (news: readonly [Basis, typeof bought][]) =>
  news.reduce<Entitlement | undefined>((current, [basis, one]) => afterNews(current, basis, one), undefined);
const shown = (entitlement: Entitlement | undefined) => ({
  days: entitlement?.expiresAt === null ? "for ever" : (entitlement?.expiresAt.toMillis() ?? 0) / DAY,
  willRenew: entitlement?.willRenew,
});

describe("an entitlement", () => {
  test("lasts as long as the latest period of its subscription", () => {
    expect(shown(told([[month(0), bought]]))).toEqual({ days: 30, willRenew: true });
    expect(
      shown(
        told([
          [month(0), bought],
          [month(1), bought],
        ]),
      ),
    ).toEqual({ days: 60, willRenew: true });
  });

  test("lasts until it ends when renewal is turned off, and ends when it has run out", () => {
    expect(
      shown(
        told([
          [month(0), bought],
          [month(0), cancelled],
        ]),
      ),
    ).toEqual({ days: 30, willRenew: false });
    expect(
      shown(
        told([
          [month(0), bought],
          [month(0), expired],
        ]),
      ),
    ).toEqual({ days: 30, willRenew: false });
  });

  test("is not ended by what is heard of an earlier period", () => {
    const news: [Basis, typeof bought][] = [
      [month(1), bought],
      [month(0), expired],
      [month(0), cancelled],
    ];
    expect(shown(told(news))).toEqual({ days: 60, willRenew: true });
  });

  test("ends at once when its purchase is refunded, and the expiry that follows does not prolong it", () => {
    const news: [Basis, typeof bought][] = [
      [month(0), bought],
      [month(0), refunded(5 * DAY)],
      [month(0), expired],
    ];
    expect(shown(told(news))).toEqual({ days: 5, willRenew: false });
  });

  test("that something else gives too is not lost with one of them", () => {
    const both: [Basis, typeof bought][] = [
      [forever("lifetime"), bought],
      [month(3), bought],
      [month(3), expired],
    ];
    expect(shown(told(both))).toEqual({ days: "for ever", willRenew: false });
    const refund: [Basis, typeof bought][] = [
      [month(0), bought],
      [forever("lifetime"), bought],
      [forever("lifetime"), refunded(DAY)],
    ];
    expect(shown(told(refund))).toEqual({ days: 30, willRenew: true });
  });

  test("is the same whatever the order in which the news comes", () => {
    const one = fc.tuple(
      fc
        .tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom("pro", "pro_yearly"))
        .map(([n, product]) => month(n, product)),
      fc.constantFrom(bought, cancelled, expired),
    );
    const news = fc.array(one, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        news.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          expect(shown(told(shuffled))).toEqual(shown(told(list)));
          expect(shown(told([...list, ...shuffled]))).toEqual(shown(told(list)));
        },
      ),
      { numRuns: 500 },
    );
  });
});
