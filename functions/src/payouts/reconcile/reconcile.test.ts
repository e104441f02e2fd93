import { beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { PAYOUT_SETTINGS, useStripe } from "../../../testing/connect.ts";
import { post } from "../../ledger/index.ts";
import { transactions } from "../../ledger/records.ts";
import { verify } from "../../ledger/verify.ts";
import { audit } from "../../platform/audit.ts";
import { now } from "../../platform/clock.ts";
import { timestamp } from "../../platform/firestore.ts";
import { outbox } from "../../platform/outbox.ts";
import type { Corrections } from "../contract.ts";
import { onboard } from "../onboard.ts";
import { payoutAccounts, withdrawals } from "../records.ts";
import { advance } from "../run.ts";
import { stripeConnect } from "../webhook.ts";
import { withdraw } from "../withdraw.ts";
import { correct, listDifferences } from "./correct.ts";
import { differences, reconciliations } from "./records.ts";
import { reconcile } from "./run.ts";

const backend = useBackend(PAYOUT_SETTINGS);
const stripe = useStripe(async () => stripeConnect);

const DAY = 86_400_000;
const OLGA = { uid: "olga" };
const HOME = { country: "US", returnUrl: "https://example.com/back", refreshUrl: "https://example.com/again" };

let n = 0;
/** A payment at Stripe; booked, if it is, as the store books a top-up. */
const payment = async (amount: number, booked: number | undefined = amount, card = "pm_card_bypassPending") => {
  const { id } = await stripe.client.paymentIntents.create({
    amount,
    currency: "usd",
    payment_method: card,
    confirm: true,
    return_url: "https://example.com",
  });
  if (booked === 0) return id;
  await post({
    key: `top-up ${id}`,
    kind: "purchase",
    postings: [{ from: "system:stripe", to: "system:prizes", amount: booked, currency: "USD" }],
    reference: `purchase:${id}`,
    metadata: { stripe: id },
  });
  return id;
};
const worker = async () => {
  const { uid } = someone();
  await onboard({ uid }, HOME);
  const account = (await payoutAccounts().doc(uid).get()).data()?.account ?? "";
  await stripe.simulate("POST", `accounts/${account}/complete`);
  await stripe.advance(1_000);
  await post({
    key: `earn ${uid}`,
    kind: "prize",
    postings: [{ from: "system:prizes", to: uid, amount: 50_000, currency: "USD", as: { source: "earned" } }],
    reference: "a test",
  });
  return { uid, account };
};
const ask = async (uid: string) =>
  (await withdraw({ uid }, { key: `withdrawal ${n++}`, currency: "USD", amount: 10_000 })).id;
const transferOf = async (id: string) => (await withdrawals().doc(id).get()).data()?.transfer ?? "";
/** Goes to the beginning of a day, so that all that a test does is of one. */
const newDay = async () => {
  await stripe.advance(DAY - (now() % DAY) + 3_600_000);
  return new Date(now()).toISOString().slice(0, 10);
};
const compared = async (day: string) => {
  await stripe.advance(DAY);
  expect(await reconcile(OLGA, { day })).toMatchObject({ done: true });
  const { docs } = await differences().where("day", "==", day).get();
  return docs.map((document) => ({ id: document.id, ...document.data() }));
};
const named = (found: { kind: string; object: string }[]) =>
  found.map(({ kind, object }) => `${kind} ${object}`).sort();
const withoutFees = <T extends { kind: string }>(found: T[]) => found.filter(({ kind }) => kind !== "fees-not-booked");
const fix = (request: object): Promise<Corrections> =>
  correct(OLGA, { dryRun: false, limit: 100, note: "a test", ...request });

beforeAll(async () => {
  await payment(5_000_000);
});

describe("a day's books", () => {
  test("fit, when everything was booked but Stripe's fees, and these are booked once", async () => {
    const day = await newDay();
    await payment(20_000);
    const { uid } = await worker();
    const id = await ask(uid);
    await advance(id);
    const found = await compared(day);
    expect(named(found)).toEqual([`fees-not-booked fees:${day}:USD`]);
    expect(found[0]).toMatchObject({ there: 610, here: 0, state: "open" });
    expect(await correct(OLGA, { kind: "fees-not-booked", dryRun: true, limit: 100, note: "to see" })).toEqual({
      corrections: [{ id: found[0]?.id, result: "booked" }],
    });
    expect(
      (
        await differences()
          .doc(found[0]?.id ?? "")
          .get()
      ).data()?.state,
    ).toBe("open");
    await fix({ ids: [found[0]?.id] });
    await fix({ ids: [found[0]?.id] });
    const booked = await transactions().where("metadata.stripe", "==", `fees:${day}:USD`).get();
    expect(booked.docs.map((document) => document.data().postings)).toEqual([
      [expect.objectContaining({ from: "system:fees", to: "system:stripe", amount: 610 })],
    ]);
    expect((await audit().where("subject", "==", `differences/${found[0]?.id}`).get()).size).toBe(1);
    await reconciliations().doc(day).delete();
    expect((await reconcile(OLGA, { day })).differences).toBe(0);
  });

  test("name payments that are missing or of another amount, and have whoever is in charge look again", async () => {
    const day = await newDay();
    const missing = await payment(3_000, 0);
    const other = await payment(4_000, 4_100);
    const refunded = await payment(6_000);
    await stripe.client.refunds.create({ payment_intent: refunded });
    const found = withoutFees(await compared(day));
    const charge = async (id: string) => String((await stripe.client.paymentIntents.retrieve(id)).latest_charge);
    const refund = (await stripe.client.refunds.list({ payment_intent: refunded })).data[0]?.id;
    expect(named(found)).toEqual(
      [
        `amount-differs ${await charge(other)}`,
        `missing-here ${await charge(missing)}`,
        `missing-here ${refund}`,
      ].sort(),
    );
    expect(found.find(({ kind }) => kind === "amount-differs")).toMatchObject({ there: 4_000, here: 4_100 });
    const { corrections } = await fix({ ids: found.map(({ id }) => id) });
    expect(corrections.map(({ result }) => result).sort()).toEqual(["asked", "asked", "by-hand"]);
    const events = await outbox().where("type", "==", "stripe.object-missed").get();
    expect(events.docs.map((document) => document.data().data.object).sort()).toEqual(
      [await charge(missing), refund].sort(),
    );
    const listed = await listDifferences(OLGA, { kind: "missing-here", state: "asked", limit: 100 });
    expect(listed.differences).toHaveLength(2);
  });

  test("name transfers that no withdrawal knows, that were made twice, and that Stripe does not know", async () => {
    const day = await newDay();
    const { uid, account } = await worker();
    const [first, second] = [await ask(uid), await ask(uid)];
    await advance(first);
    await advance(second);
    const byHand = await stripe.client.transfers.create({ amount: 700, currency: "usd", destination: account });
    const twice = await stripe.client.transfers.create({
      amount: 9_750,
      currency: "usd",
      destination: account,
      metadata: { withdrawal: first },
    });
    const lost = await transferOf(second);
    await withdrawals().doc(second).update({ transfer: "tr_unknown", transferredAt: timestamp() });
    const found = withoutFees(await compared(day));
    expect(named(found)).toEqual(
      [`missing-here ${byHand.id}`, `paid-twice ${twice.id}`, `paid-twice ${lost}`, "missing-there tr_unknown"].sort(),
    );
    const { corrections } = await fix({ ids: found.filter(({ withdrawal }) => withdrawal).map(({ id }) => id) });
    expect(corrections.every(({ result }) => result === "by-hand")).toBe(true);
  });

  test("name a withdrawal that was cut off behind its transfer, and carry it on", async () => {
    const day = await newDay();
    const { uid } = await worker();
    const id = await ask(uid);
    await stripe.simulate("POST", "webhooks/rules", { mode: "drop", types: ["transfer.created"] });
    await stripe.fault("timeout-after-success", "/v1/transfers", { method: "POST" });
    expect(await advance(id)).toBe("again");
    const [difference, ...others] = withoutFees(await compared(day));
    await stripe.simulate("DELETE", "webhooks/rules");
    expect(others).toEqual([]);
    expect(difference).toMatchObject({ kind: "state-differs", withdrawal: id, here: -9_750, there: -9_750 });
    expect(await fix({ ids: [difference?.id] })).toEqual({ corrections: [{ id: difference?.id, result: "gone" }] });
    expect((await withdrawals().doc(id).get()).data()?.state).toBe("paying");
  });

  test("name what the house had sent to its own bank, which is booked", async () => {
    const day = await newDay();
    await payment(40_000);
    await stripe.client.payouts.create({ amount: 12_345, currency: "usd" });
    const [difference, ...others] = withoutFees(await compared(day));
    expect(others).toEqual([]);
    expect(difference).toMatchObject({ kind: "payout-not-booked", there: -12_345 });
    await fix({ kind: "payout-not-booked" });
    const [{ postings } = { postings: [] }] = (
      await transactions().where("reference", "==", `difference:${difference?.id}`).get()
    ).docs.map((document) => document.data());
    expect(postings).toMatchObject([{ from: "system:bank", to: "system:stripe", amount: 12_345 }]);
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });
});

test("a comparison that is cut off goes on where it was, and counts nothing twice", async () => {
  const day = await newDay();
  for (let i = 0; i < 105; i++) await payment(1_000 + i, i % 35 === 0 ? 0 : 1_000 + i);
  await stripe.advance(DAY);
  await stripe.fault("500", "/v1/balance_transactions", { method: "GET" });
  await expect(reconcile(OLGA, { day })).rejects.toMatchObject({ details: { reason: "stripe-unavailable" } });
  const original = stripe.client.balanceTransactions.list.bind(stripe.client.balanceTransactions);
  let calls = 0;
  stripe.client.balanceTransactions.list = ((...given: Parameters<typeof original>) => {
    calls++;
    if (calls === 2) throw new Error("the process ends");
    return original(...given);
  }) as typeof original;
  await expect(reconcile(OLGA, { day })).rejects.toThrow("the process ends");
  stripe.client.balanceTransactions.list = original;
  expect((await reconciliations().doc(day).get()).data()).toMatchObject({ phase: "there", looked: 100 });
  const { result, bill } = await backend.billed(() => reconcile(OLGA, { day }));
  expect(result).toMatchObject({ done: true, looked: 105 });
  expect(bill.reads).toBeLessThan(30);
  const { docs } = await differences().where("day", "==", day).get();
  expect(docs.filter((document) => document.data().kind === "missing-here")).toHaveLength(3);
  expect(await reconcile(OLGA, { day })).toEqual(result);
  await expect(reconcile(OLGA, { day: new Date(now()).toISOString().slice(0, 10) })).rejects.toMatchObject({
    details: { field: "day" },
  });
});
