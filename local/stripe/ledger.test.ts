import fc from "fast-check";
import type Stripe from "stripe";
import { expect, test } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

/** Something that happens to money; numbers choose among what there is, and how much of it. */
type Step =
  | { readonly kind: "pay"; readonly method: string; readonly amount: number; readonly to: number }
  | { readonly kind: "pass"; readonly advance: number }
  | {
      readonly kind:
        | "refund"
        | "failRefund"
        | "dispute"
        | "decide"
        | "transfer"
        | "reverse"
        | "payout"
        | "arrive"
        | "cancel";
      readonly which: number;
      readonly amount: number;
      readonly isGood: boolean;
    };

const METHODS = [
  "pm_card_visa",
  "pm_card_bypassPending",
  "pm_card_chargeDeclined",
  "pm_card_createDispute",
  "pm_card_refundFail",
  "pm_usBankAccount_success",
  "pm_usBankAccount_insufficientFunds",
];
const amount = fc.integer({ min: 50, max: 20_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("pay" as const),
      method: fc.constantFrom(...METHODS),
      amount,
      to: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), advance: fc.constantFrom(0.3, 1, 3) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "refund",
        "failRefund",
        "dispute",
        "decide",
        "transfer",
        "reverse",
        "payout",
        "arrive",
        "cancel",
      ),
      which: fc.nat(20),
      amount,
      isGood: fc.boolean(),
    }),
  },
);

/** Refusals are part of every history. */
async function attempt(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Error) || /simulator has failed|fetch failed/.test(error.message)) throw error;
  });
}

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of list) found.push(one);
  return found;
}

class History {
  readonly #harness: Harness;
  readonly #stripe: Stripe;
  readonly accounts: readonly string[];

  constructor(harness: Harness, accounts: readonly string[]) {
    this.#harness = harness;
    this.#stripe = harness.stripe;
    this.accounts = accounts;
  }

  async take(taken: Step): Promise<void> {
    if (taken.kind === "pass") await this.#harness.advance(taken.advance);
    else if (taken.kind === "pay") await attempt(this.#pay(taken));
    else await attempt(this.#change(taken));
  }

  async #pay({ method, amount: sum, to }: Extract<Step, { kind: "pay" }>): Promise<void> {
    const destination = this.accounts[to];
    await this.#stripe.paymentIntents.create({
      amount: sum,
      currency: "usd",
      payment_method: method,
      confirm: true,
      return_url: "https://example.com",
      ...(destination === undefined
        ? {}
        : { transfer_data: { destination }, application_fee_amount: Math.floor(sum / 10) }),
    });
  }

  async #change({ kind, which, amount: sum, isGood }: Exclude<Step, { kind: "pay" | "pass" }>): Promise<unknown> {
    const stripe = this.#stripe;
    const account = this.accounts[which % this.accounts.length] ?? "";
    const own = { stripeAccount: account };
    const pick = async (list: AsyncIterable<{ id: string }>) => {
      const found = await all(list);
      return found[which % Math.max(1, found.length)]?.id ?? "none";
    };
    const act = (path: string, body: object) => this.#harness.simulate("POST", path, body);
    switch (kind) {
      case "refund":
        return await stripe.refunds.create({
          charge: await pick(stripe.charges.list()),
          ...(isGood ? { amount: sum } : { reverse_transfer: true, refund_application_fee: true }),
        });
      case "failRefund":
        return await act(`refunds/${await pick(stripe.refunds.list())}/fail`, {});
      case "dispute":
        return await act(`charges/${await pick(stripe.charges.list())}/dispute`, { inquiry: which % 5 === 0 });
      case "decide":
        return await act(`disputes/${await pick(stripe.disputes.list())}/decide`, { outcome: isGood ? "won" : "lost" });
      case "transfer":
        return await stripe.transfers.create({ amount: sum, currency: "usd", destination: account });
      case "reverse":
        return await stripe.transfers.createReversal(
          await pick(stripe.transfers.list()),
          isGood ? { amount: sum } : {},
        );
      case "payout":
        return await stripe.payouts.create({ amount: sum, currency: "usd" }, own);
      case "arrive":
        return await act(
          `payouts/${await pick(stripe.payouts.list({}, own))}/arrive`,
          isGood ? {} : { failure: "could_not_process" },
        );
      case "cancel":
        return await stripe.payouts.cancel(await pick(stripe.payouts.list({}, own)), {}, own);
    }
  }

  /** Every balance transaction of an account, or of the platform. */
  async transactions(account?: string): Promise<Stripe.BalanceTransaction[]> {
    return await all(
      this.#stripe.balanceTransactions.list({ limit: 100 }, account === undefined ? {} : { stripeAccount: account }),
    );
  }

  async balance(account?: string): Promise<{ available: number; pending: number }> {
    const { available, pending } = await this.#stripe.balance.retrieve(
      {},
      account === undefined ? {} : { stripeAccount: account },
    );
    return { available: available[0]?.amount ?? 0, pending: pending[0]?.amount ?? 0 };
  }
}

const sumOf = (transactions: readonly Stripe.BalanceTransaction[], field: "net" | "amount" = "net") =>
  transactions.reduce((sum, transaction) => sum + transaction[field], 0);

/** Sees that an account's balance is what its transactions make it; gives what it got from other accounts, less what it gave. */
async function checked(history: History, owner: string | undefined): Promise<number> {
  const transactions = await history.transactions(owner);
  const { available, pending } = await history.balance(owner);
  expect(available).toBe(sumOf(transactions.filter(({ status }) => status === "available")));
  expect(available + pending).toBe(sumOf(transactions));
  for (const { net, amount: whole, fee } of transactions) expect(net).toBe(whole - fee);
  const types = owner === undefined ? ["transfer", "transfer_refund"] : ["payment", "payment_refund"];
  const between = transactions.filter(({ type }) => types.includes(type));
  return sumOf(between, "amount");
}

test("whatever happens, balances are the sum of their transactions, and what one account sends another gets", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const harness = await startHarness();
      try {
        const accounts: string[] = [];
        for (const interval of ["manual", "daily"] as const) {
          const { id } = await harness.stripe.accounts.create({
            type: "express",
            settings: { payouts: { schedule: { interval } } },
          });
          await harness.simulate("POST", `accounts/${id}/complete`, {});
          accounts.push(id);
        }
        const history = new History(harness, accounts);
        for (const taken of steps) await history.take(taken);
        let moved = 0;
        for (const owner of [undefined, ...accounts]) moved += await checked(history, owner);
        expect(moved).toBe(0);
      } finally {
        await harness.close();
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
}, 60_000);

test("no more is ever refunded than was paid, nor reversed than was transferred", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(amount, { minLength: 1, maxLength: 8 }), async (amounts) => {
      const harness = await startHarness();
      try {
        const { id: destination } = await harness.stripe.accounts.create({
          type: "express",
          settings: { payouts: { schedule: { interval: "manual" } } },
        });
        await harness.simulate("POST", `accounts/${destination}/complete`, {});
        const intent = await harness.stripe.paymentIntents.create({
          amount: 20_000,
          currency: "usd",
          payment_method: "pm_card_bypassPending",
          confirm: true,
          return_url: "https://example.com",
        });
        const transfer = await harness.stripe.transfers.create({ amount: 10_000, currency: "usd", destination });
        for (const part of amounts) {
          await attempt(harness.stripe.refunds.create({ payment_intent: intent.id, amount: part }));
          await attempt(harness.stripe.transfers.createReversal(transfer.id, { amount: part }));
        }
        const refunds = await all(harness.stripe.refunds.list({ payment_intent: intent.id }));
        const reversals = await all(harness.stripe.transfers.listReversals(transfer.id));
        const total = (list: readonly { amount: number }[]) => list.reduce((sum, one) => sum + one.amount, 0);
        expect(total(refunds)).toBeLessThanOrEqual(20_000);
        expect(total(reversals)).toBeLessThanOrEqual(10_000);
        const charge = await harness.stripe.charges.retrieve(String(intent.latest_charge));
        expect(charge.amount_refunded).toBe(total(refunds));
        expect((await harness.stripe.transfers.retrieve(transfer.id)).amount_reversed).toBe(total(reversals));
      } finally {
        await harness.close();
      }
    }),
    { numRuns: 15 },
  );
}, 60_000);
