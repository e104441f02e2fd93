import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { timestamp } from "../platform/firestore.ts";
import { type Entitlement, withGround } from "../rewards/index.ts";
import { groundOf, type News, type PurchaseFact, purchaseId, purchaseOf, WHOLE, withNews } from "./purchase.ts";
import type { Foretold, Purchase } from "./records.ts";

const DAY = 86_400_000;
const GIVES: Pick<Purchase, "grant" | "via"> = {
  grant: { coins: {}, items: {}, entitlements: ["pro"] },
  via: "webhook",
};

/** The n-th month of a subscription, or something bought for ever. */
const month = (n: number, product = "pro"): PurchaseFact => ({
  user: "ada",
  product,
  store: "APP_STORE",
  environment: "PRODUCTION",
  transaction: `${product}-${n}`,
  purchasedAt: n * 30 * DAY,
  expiresAt: (n + 1) * 30 * DAY,
  isFree: false,
  price: undefined,
});
const forever = (product: string): PurchaseFact => ({ ...month(0, product), expiresAt: null });

/** What is heard, piece by piece: a purchase alone, or news of it. */
type Heard = readonly [PurchaseFact, News?];
const renewalOff = (fact: PurchaseFact, day: number): Heard => [fact, { kind: "renewalOff", at: day * DAY }];
const refunded = (fact: PurchaseFact, day: number): Heard => [fact, { kind: "refunded", at: day * DAY, ...WHOLE }];
const ended = (fact: PurchaseFact): Heard => [fact, { kind: "ended", at: fact.expiresAt ?? 0 }];

/** The entitlement after all that was heard, in the order in which it was: each purchase by itself, as the store keeps them. */
function after(heard: readonly Heard[]) {
  const known = new Map<string, Purchase | Foretold>();
  let entitlement: Entitlement | undefined;
  for (const [fact, news] of heard) {
    const id = purchaseId(fact);
    const before = known.get(id);
    const next = news ? withNews(before ?? foretold(), news) : bought(fact, before);
    known.set(id, next);
    if (next.state !== "foretold") entitlement = withGround(entitlement, id, groundOf(next));
  }
  if (!entitlement) return undefined;
  const { expiresAt, willRenew, product } = entitlement;
  return { days: expiresAt === null ? "for ever" : expiresAt.toMillis() / DAY, willRenew, product };
}

const foretold = (): Foretold => ({ state: "foretold", updatedAt: timestamp() });
const bought = (fact: PurchaseFact, known: Purchase | Foretold | undefined) =>
  known === undefined || known.state === "foretold" ? purchaseOf(fact, GIVES, known) : known;

describe("an entitlement", () => {
  test("lasts as long as the latest period of its subscription", () => {
    expect(after([[month(0)]])).toMatchObject({ days: 30, willRenew: true });
    expect(after([[month(0)], [month(1)]])).toMatchObject({ days: 60, willRenew: true });
  });

  test("lasts until it ends when renewal is turned off, and ends when it has run out", () => {
    expect(after([[month(0)], renewalOff(month(0), 3)])).toMatchObject({ days: 30, willRenew: false });
    expect(after([[month(0)], ended(month(0))])).toMatchObject({ days: 30, willRenew: false });
  });

  test("is not ended by what is heard of an earlier period", () => {
    const news = [[month(1)], ended(month(0)), [month(0)], renewalOff(month(0), 2)] satisfies Heard[];
    expect(after(news)).toMatchObject({ days: 60, willRenew: true });
  });

  test("ends at once when its purchase is refunded, and the expiry that follows does not prolong it", () => {
    const news = [[month(0)], refunded(month(0), 5), ended(month(0))] satisfies Heard[];
    expect(after(news)).toMatchObject({ days: 5, willRenew: false });
  });

  test("that something else gives too is not lost with one of them", () => {
    expect(after([[forever("lifetime")], [month(3)], ended(month(3))])).toMatchObject({ days: "for ever" });
    expect(after([[month(0)], [forever("lifetime")], refunded(forever("lifetime"), 1)])).toMatchObject({
      days: 30,
      willRenew: true,
      product: "pro",
    });
  });

  test("bought for ever twice outlives the refund of one", () => {
    const [one, other] = [forever("lifetime"), { ...forever("lifetime"), transaction: "another" }];
    expect(after([[one], [other], refunded(other, 1)])).toMatchObject({ days: "for ever" });
    expect(after([[one], [other], refunded(other, 1), refunded(one, 2)])).toMatchObject({ days: 2 });
  });

  test("ends with the sooner of a refund and an expiry, whichever is heard of first", () => {
    expect(after([[month(0)], ended(month(0)), refunded(month(0), 40)])).toMatchObject({ days: 30 });
    expect(after([refunded(month(0), 40), ended(month(0)), [month(0)]])).toMatchObject({ days: 30 });
  });

  test("is the same whatever the order in which the news comes, and however often", () => {
    const fact = fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom("pro", "pro_yearly")).map(([n, name]) => month(n, name)),
      fc.constantFrom("lifetime", "founder").map(forever),
    );
    const about = (one: PurchaseFact) =>
      fc.oneof(
        fc.constant<Heard>([one]),
        fc.integer({ min: 1, max: 200 }).map((day) => renewalOff(one, day)),
        fc.integer({ min: 1, max: 200 }).map((day) => refunded(one, day)),
        ...(one.expiresAt === null ? [] : [fc.constant(ended(one))]),
      );
    // Each purchase is heard of at some time: news of what was never bought gives nothing to compare.
    const story = fc
      .array(
        fact.chain((one) => fc.array(about(one), { maxLength: 3 }).map((news) => [...news, [one] as Heard])),
        {
          minLength: 1,
          maxLength: 4,
        },
      )
      .map((parts) => parts.flat());
    fc.assert(
      fc.property(
        story.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          expect(after(shuffled)).toEqual(after(list));
          expect(after([...list, ...shuffled])).toEqual(after(list));
        },
      ),
      { numRuns: 500 },
    );
  });
});
