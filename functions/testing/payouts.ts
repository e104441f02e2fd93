import { beforeAll } from "vitest";
import { post } from "../src/ledger/index.ts";
import { wallet } from "../src/ledger/wallet.ts";
import { onboard } from "../src/payouts/onboard.ts";
import { payoutAccounts, withdrawals } from "../src/payouts/records.ts";
import { advance } from "../src/payouts/run.ts";
import { stripeConnect } from "../src/payouts/webhook.ts";
import { withdraw } from "../src/payouts/withdraw.ts";
import { someone } from "./backend.ts";
import { useStripe } from "./connect.ts";

/** For tests of payouts: people with accounts at Stripe, what they withdraw, and what becomes of it. */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const HOME = { country: "US", returnUrl: "https://example.com/back", refreshUrl: "https://example.com/again" };

/** To be called after `useBackend`. */
export function usePayouts() {
  const stripe = useStripe(async () => stripeConnect);
  let n = 0;

  const earn = (uid: string, amount: number) =>
    post({
      key: `earn ${n++}`,
      kind: "prize",
      postings: [{ from: "system:stripe", to: uid, amount, currency: "USD", as: { source: "earned" } }],
      reference: "a test",
    });
  const has = async (uid: string) => {
    const balance = (await wallet({ uid })).balances.find(({ currency }) => currency === "USD");
    return { available: balance?.available ?? 0, held: balance?.held ?? 0, owed: balance?.owed ?? 0 };
  };
  const ask = (uid: string, amount: number, key = `withdrawal ${n++}`) =>
    withdraw({ uid }, { key, currency: "USD", amount });
  const stateOf = async (id: string) => (await withdrawals().doc(id).get()).data();
  const accountOf = async (uid: string) => (await payoutAccounts().doc(uid).get()).data()?.account ?? "";
  /** Somebody whose account at Stripe can be paid, and who has earned something. */
  const worker = async (amount: number, bank: object = {}) => {
    const { uid } = someone();
    await onboard({ uid }, HOME);
    await stripe.simulate("POST", `accounts/${await accountOf(uid)}/complete`, bank);
    await stripe.advance(MINUTE);
    await earn(uid, amount);
    return uid;
  };
  /** What tasks and time do to a withdrawal. */
  const settle = async (id: string) => {
    for (let round = 0; round < 6; round++) {
      await advance(id);
      await stripe.advance(6 * HOUR);
    }
    await stripe.advance(3 * DAY);
    await advance(id);
  };
  /** What Stripe has been sent for a withdrawal, less what it has sent back. */
  const sentFor = async (id: string) => {
    const { data } = await stripe.client.transfers.list({ transfer_group: `withdrawal_${id}` });
    return data.reduce((sum, { amount, amount_reversed }) => sum + amount - amount_reversed, 0);
  };
  const atBank = async (uid: string) => {
    const { data } = await stripe.client.payouts.list({}, { stripeAccount: await accountOf(uid) });
    return data.filter(({ status }) => status === "paid").reduce((sum, { amount }) => sum + amount, 0);
  };
  beforeAll(() => stripe.fund(10_000_000));
  return { stripe, earn, has, ask, stateOf, accountOf, worker, settle, sentFor, atBank };
}
