import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { PAYOUT_SETTINGS, useStripe } from "../../testing/connect.ts";
import { post } from "../ledger/index.ts";
import { transactions } from "../ledger/records.ts";
import { verify } from "../ledger/verify.ts";
import { wallet } from "../ledger/wallet.ts";
import { onboard } from "./onboard.ts";
import { payoutAccounts, withdrawals } from "./records.ts";
import { advance } from "./run.ts";
import { STEPS } from "./steps.ts";
import { stripeConnect } from "./webhook.ts";
import { cancel, withdraw } from "./withdraw.ts";

useBackend({ ...PAYOUT_SETTINGS, PAYOUT_MAXIMUM_PER_DAY: "10000000", PAYOUT_MAXIMUM_PER_MONTH: "100000000" });
const stripe = useStripe(async () => stripeConnect);

const HOUR = 3_600_000;
const AMOUNT = 10_000;
const NET = 9_750;
const HOME = { country: "US", returnUrl: "https://example.com/back", refreshUrl: "https://example.com/again" };
const SETTLED = new Set(["paid", "returned", "rejected", "canceled"]);
const MAX_ROUNDS = 60;

beforeAll(async () => {
  await stripe.fund(9_000_000);
});

/** What happens to a withdrawal besides what should. */
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("advance" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("one-step" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("twice-at-once" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), hours: fc.constantFrom(0.1, 0.2, 7, 26, 80) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("fault" as const),
      mode: fc.constantFrom("timeout-before", "timeout-after-success", "500", "500-after-success", "429", "409-lock"),
      path: fc.constantFrom("/v1/transfers", "/v1/payouts"),
      method: fc.constantFrom("GET", "POST"),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("webhooks" as const),
      mode: fc.constantFrom("drop", "duplicate"),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** A process that ends after any of its steps, and between Stripe's answer and writing it down, is a step that nobody follows up. */
async function happen(id: string, uid: string, what: Event): Promise<void> {
  if (what.do === "advance") await advance(id);
  if (what.do === "twice-at-once") await Promise.allSettled([advance(id), advance(id)]);
  if (what.do === "cancel") await cancel({ uid }, { id }).catch(() => undefined);
  if (what.do === "wait") await pass(what.hours);
  if (what.do === "fault") await stripe.fault(what.mode, what.path, { method: what.method, times: what.times });
  if (what.do === "webhooks") await webhooks({ mode: what.mode, times: what.times });
  if (what.do === "one-step") {
    const current = (await withdrawals().doc(id).get()).data();
    if (current) await STEPS[current.state](id, current);
  }
}

/** Webhooks come when time passes, in any order, and not into the middle of a step: that would only cost time. */
async function webhooks(rule?: { mode: string; times: number }): Promise<void> {
  await stripe.simulate("DELETE", "webhooks/rules");
  if (rule) await stripe.simulate("POST", "webhooks/rules", rule);
  await stripe.simulate("POST", "webhooks/rules", { mode: "hold" });
}

async function pass(hours: number): Promise<void> {
  await stripe.advance(hours * HOUR);
  await stripe.simulate("POST", "webhooks/release", { order: "shuffled" });
  await stripe.advance(1);
}

async function settle(id: string): Promise<string> {
  await stripe.simulate("DELETE", "faults");
  await webhooks();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await advance(id);
    const state = (await withdrawals().doc(id).get()).data()?.state ?? "";
    if (SETTLED.has(state)) return state;
    await pass(7);
  }
  throw new Error("it does not settle");
}

async function atStripe(account: string, id: string) {
  const transfers = (await stripe.client.transfers.list({ transfer_group: `withdrawal_${id}` })).data;
  const payouts = (await stripe.client.payouts.list({}, { stripeAccount: account })).data;
  return {
    sent: transfers.reduce((sum, { amount, amount_reversed }) => sum + amount - amount_reversed, 0),
    paid: payouts.filter(({ status }) => status === "paid").reduce((sum, { amount }) => sum + amount, 0),
  };
}

async function booked(id: string): Promise<number> {
  const { docs } = await transactions().where("reference", "==", `withdrawal:${id}`).get();
  const postings = docs.flatMap((document) => document.data().postings);
  const sum = (side: "from" | "to") =>
    postings.filter((posting) => posting[side] === "system:stripe").reduce((whole, { amount }) => whole + amount, 0);
  return sum("to") - sum("from");
}

test("whatever goes wrong and whenever, what left Stripe is what left the books, once or not at all", {
  timeout: 240_000,
}, async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 3, maxLength: 14 }),
      fc.constantFrom("000123456789", "000111111113"),
      async (events, account_number) => {
        await stripe.simulate("DELETE", "faults");
        await webhooks();
        const { uid } = someone();
        await onboard({ uid }, HOME);
        const account = (await payoutAccounts().doc(uid).get()).data()?.account ?? "";
        await stripe.simulate("POST", `accounts/${account}/complete`, { account_number });
        await pass(0);
        await post({
          key: `earn ${uid}`,
          kind: "prize",
          postings: [{ from: "system:prizes", to: uid, amount: AMOUNT, currency: "USD", as: { source: "earned" } }],
          reference: "a test",
        });
        const { id } = await withdraw({ uid }, { key: "a withdrawal", currency: "USD", amount: AMOUNT });
        for (const what of events) await happen(id, uid, what);
        const state = await settle(id);
        seen.add(state);

        const [balance] = (await wallet({ uid })).balances;
        const left = state === "paid" ? NET : 0;
        expect(await atStripe(account, id)).toEqual({ sent: left, paid: left });
        expect(await booked(id)).toBe(left);
        expect(balance).toMatchObject({ available: state === "paid" ? 0 : AMOUNT, held: 0, owed: 0 });
      },
    ),
    { numRuns: 15 },
  );
  expect(seen).toContain("paid");
  expect(seen).toContain("returned");
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
