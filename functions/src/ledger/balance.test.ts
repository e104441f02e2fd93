import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { atTime, type Balance, clawBack, credit, debit, EMPTY, putAside, takeFromAside, total } from "./balance.ts";
import { type Lot, SOURCES, sum } from "./lots.ts";

const MAX_LOTS = 40;
const amount = fc.integer({ min: 1, max: 1_000_000 });
const lot: fc.Arbitrary<Lot> = fc
  .record({
    source: fc.constantFrom(...SOURCES),
    amount,
    clearsAt: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
    expiresAt: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
  })
  .map(({ clearsAt, expiresAt, ...rest }) => ({
    ...rest,
    ...(clearsAt === undefined ? {} : { clearsAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }));
/** A balance after something has happened to it, and by how much its worth in the books has changed. */
type Step = (balance: Balance) => { balance: Balance; booked: number };

/** Takes what is there; what is not is refused and changes nothing. */
function take(balance: Balance, by: number, change: () => Balance, booked: number): ReturnType<Step> {
  if (by <= balance.available) return { balance: change(), booked };
  expect(change).toThrow(expect.objectContaining({ reason: "insufficient-funds" }));
  return { balance, booked: 0 };
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.array(lot, { minLength: 1, maxLength: 4 }).map(
    (lots): Step =>
      (balance) => ({
        balance: credit(balance, lots, "COIN"),
        booked: sum(lots),
      }),
  ),
  amount.map(
    (by): Step =>
      (balance) =>
        take(balance, by, () => debit(balance, by, "COIN").balance, -by),
  ),
  amount.map(
    (by): Step =>
      (balance) => ({ balance: clawBack(balance, by, "COIN").balance, booked: -by }),
  ),
  amount.map(
    (by): Step =>
      (balance) =>
        take(balance, by, () => putAside(debit(balance, by, "COIN").balance, by), 0),
  ),
  amount.map(
    (by): Step =>
      (balance) => {
        const held = Math.min(by, balance.held);
        return { balance: takeFromAside(balance, held), booked: -held };
      },
  ),
  fc.integer({ min: 1, max: 1_000 }).map(
    (now): Step =>
      (balance) => {
        const aged = atTime(balance, now);
        return { balance: aged.balance, booked: -sum(aged.lots) };
      },
  ),
);

const bought = (coins: number): Lot[] => [{ source: "bought", amount: coins }];

describe("a balance", () => {
  test("is what was put in less what was taken out, in lots that add up, and never below nothing", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let balance: Balance = EMPTY;
        let booked = 0;
        for (const happens of steps) {
          const after = happens(balance);
          balance = after.balance;
          booked += after.booked;
          expect(total(balance)).toBe(booked);
          expect(sum(balance.lots)).toBe(balance.available);
          expect(balance.lots.length).toBeLessThanOrEqual(MAX_LOTS);
          expect(balance.lots.every((each) => each.amount > 0)).toBe(true);
          expect(Math.min(balance.available, balance.held, balance.owed)).toBeGreaterThanOrEqual(0);
          expect([balance.owed, balance.available]).toContain(0);
        }
      }),
    );
  });

  test("settles what is owed before anything can be spent again", () => {
    const { balance: spent } = clawBack(credit(EMPTY, bought(30), "COIN"), 100, "COIN");
    expect(spent).toEqual({ available: 0, held: 0, owed: 70, lots: [] });
    expect(credit(spent, bought(50), "COIN")).toEqual({ available: 0, held: 0, owed: 20, lots: [] });
    expect(credit(spent, bought(100), "COIN")).toEqual({ available: 30, held: 0, owed: 0, lots: bought(30) });
  });

  test("has an end: past its currency's maximum it takes nothing more", () => {
    const full = credit(EMPTY, bought(1_000_000_000), "GEM");
    expect(() => credit(full, bought(1), "GEM")).toThrow(expect.objectContaining({ reason: "balance-too-large" }));
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("does not know an amount of %s", (wrong) => {
    for (const change of [() => debit(EMPTY, wrong, "COIN"), () => clawBack(EMPTY, wrong, "COIN")]) {
      expect(change).toThrow(expect.objectContaining({ reason: "invalid-amount" }));
    }
  });
});

describe("lots", () => {
  const promotional: Lot = { source: "promotional", amount: 10 };
  const earned: Lot = { source: "earned", amount: 10 };
  const ending: Lot = { source: "bought", amount: 10, expiresAt: 500 };
  const mixed = credit(EMPTY, [...bought(10), earned, promotional, ending], "COIN");

  test("are spent in the order that their currency declares, but what expires goes first", () => {
    const spent = (by: number) => debit(mixed, by, "COIN").lots.map(({ source, amount }) => `${amount} ${source}`);
    expect(spent(5)).toEqual(["5 bought"]);
    expect(spent(25)).toEqual(["10 bought", "10 promotional", "5 earned"]);
    expect(spent(40)).toEqual(["10 bought", "10 promotional", "10 earned", "10 bought"]);
    const dollars = credit(EMPTY, [...bought(10), earned, promotional], "USD");
    expect(debit(dollars, 30, "USD").lots.map(({ source }) => source)).toEqual(["promotional", "bought", "earned"]);
  });

  test("expire when their time has come, and not before", () => {
    expect(atTime(mixed, 499).lots).toEqual([]);
    const { balance, lots } = atTime(mixed, 500);
    expect(lots).toEqual([ending]);
    expect(balance.available).toBe(30);
  });

  test("clear when their time has come, and are then like those that never had to", () => {
    const waiting = credit(EMPTY, [earned, { source: "earned", amount: 5, clearsAt: 100 }], "USD");
    expect(atTime(waiting, 99).balance.lots).toHaveLength(2);
    expect(atTime(waiting, 100).balance.lots).toEqual([{ source: "earned", amount: 15 }]);
  });

  test("of a grant go first when it is taken back, and others for what is missing", () => {
    const { lots, balance } = clawBack(mixed, 15, "COIN", [earned, { source: "earned", amount: 5 }]);
    expect(lots.map(({ source, amount }) => [source, amount])).toEqual([
      ["earned", 10],
      ["bought", 5],
    ]);
    expect(balance).toMatchObject({ available: 25, owed: 0 });
  });

  test("never become so many that an account grows with its history, and nobody loses by it", () => {
    let balance = EMPTY;
    for (let day = 1; day <= 500; day++)
      balance = credit(balance, [{ source: "promotional", amount: 1, expiresAt: day }], "COIN");
    expect(balance.lots.length).toBeLessThanOrEqual(MAX_LOTS);
    expect(balance.available).toBe(500);
    for (const day of [1, 100, 250, 499])
      expect(atTime(balance, day).balance.available).toBeGreaterThanOrEqual(500 - day);
    expect(atTime(balance, 500).balance.available).toBe(0);
  });
});
