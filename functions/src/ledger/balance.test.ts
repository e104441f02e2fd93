import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Balance, clawBack, credit, debit, EMPTY, total } from "./balance.ts";

const amount = fc.integer({ min: 1, max: 1_000_000 });
/** What can happen to a balance, and what the books say of it. */
const operations = {
  credit: { sign: 1, apply: (balance: Balance, by: number) => credit(balance, by, "COIN") },
  debit: { sign: -1, apply: (balance: Balance, by: number) => debit(balance, by, "COIN") },
  clawBack: { sign: -1, apply: (balance: Balance, by: number) => clawBack(balance, by) },
} as const;
const operation = fc.tuple(fc.constantFrom(...Object.values(operations)), amount);

describe("a balance", () => {
  test("is what was put in less what was taken out, and never below nothing, whatever happens to it", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (list) => {
        let balance: Balance = EMPTY;
        let booked = 0;
        for (const [{ sign, apply }, by] of list) {
          const isOverdraft = apply === operations.debit.apply && by > balance.available;
          if (isOverdraft) {
            expect(() => apply(balance, by)).toThrow(expect.objectContaining({ reason: "insufficient-funds" }));
          } else {
            balance = apply(balance, by);
            booked += sign * by;
          }
          expect(total(balance)).toBe(booked);
          expect(Math.min(balance.available, balance.held, balance.owed)).toBeGreaterThanOrEqual(0);
          expect([balance.owed, balance.available]).toContain(0);
        }
      }),
    );
  });

  test("settles what is owed before anything can be spent again", () => {
    const spent = clawBack(credit(EMPTY, 30, "COIN"), 100);
    expect(spent).toEqual({ available: 0, held: 0, owed: 70 });
    expect(credit(spent, 50, "COIN")).toEqual({ available: 0, held: 0, owed: 20 });
    expect(credit(spent, 100, "COIN")).toEqual({ available: 30, held: 0, owed: 0 });
  });

  test("has an end: past its currency's maximum it takes nothing more", () => {
    const full = credit(EMPTY, 1_000_000_000, "GEM");
    expect(() => credit(full, 1, "GEM")).toThrow(expect.objectContaining({ reason: "balance-too-large" }));
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("does not know an amount of %s", (wrong) => {
    for (const change of [
      () => credit(EMPTY, wrong, "COIN"),
      () => debit(EMPTY, wrong, "COIN"),
      () => clawBack(EMPTY, wrong),
    ]) {
      expect(change).toThrow(expect.objectContaining({ reason: "invalid-amount" }));
    }
  });
});
