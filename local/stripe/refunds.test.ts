import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
let stripe: Stripe;
beforeAll(async () => {
  harness = await startHarness();
  ({ stripe } = harness);
});
afterAll(() => harness.close());

const paid = (more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({
    amount: 10_000,
    currency: "usd",
    payment_method: "pm_card_bypassPending",
    confirm: true,
    return_url: "https://example.com",
    ...more,
  });
const available = async (account?: string) =>
  (await stripe.balance.retrieve({}, account === undefined ? {} : { stripeAccount: account })).available[0]?.amount ??
  0;
const chargeOf = async (intent: Stripe.PaymentIntent) => stripe.charges.retrieve(String(intent.latest_charge));

describe("a refund", () => {
  test("can be made in parts, but never of more than was paid", async () => {
    const intent = await paid();
    const before = await available();
    await stripe.refunds.create({ payment_intent: intent.id, amount: 3_000 });
    expect(await chargeOf(intent)).toMatchObject({ amount_refunded: 3_000, refunded: false });
    await stripe.refunds.create({ payment_intent: intent.id, amount: 6_000, reason: "requested_by_customer" });
    await expect(stripe.refunds.create({ payment_intent: intent.id, amount: 1_001 })).rejects.toMatchObject({
      message: expect.stringContaining("greater than unrefunded amount on charge (1000)"),
    });
    const rest = await stripe.refunds.create({ charge: String(intent.latest_charge), expand: ["balance_transaction"] });
    expect(rest).toMatchObject({
      amount: 1_000,
      status: "succeeded",
      balance_transaction: { amount: -1_000, fee: 0, type: "refund" },
    });
    expect(await chargeOf(intent)).toMatchObject({ amount_refunded: 10_000, refunded: true });
    await expect(stripe.refunds.create({ payment_intent: intent.id })).rejects.toMatchObject({
      code: "charge_already_refunded",
    });
    expect(before - (await available())).toBe(10_000);
    expect((await stripe.refunds.list({ payment_intent: intent.id })).data.map(({ amount }) => amount)).toEqual([
      1_000, 6_000, 3_000,
    ]);
  });

  test("that the bank does not take gives the money back to the balance, and the charge is as before", async () => {
    const intent = await paid({ payment_method: "pm_card_refundFail" });
    const made = await stripe.refunds.create({ payment_intent: intent.id });
    expect(made.status).toBe("succeeded");
    const before = await available();
    await harness.simulate("POST", `refunds/${made.id}/fail`, { reason: "lost_or_stolen_card" });
    expect(await stripe.refunds.retrieve(made.id, { expand: ["failure_balance_transaction"] })).toMatchObject({
      status: "failed",
      failure_reason: "lost_or_stolen_card",
      failure_balance_transaction: { amount: 10_000, type: "refund_failure" },
    });
    expect(await chargeOf(intent)).toMatchObject({ amount_refunded: 0, refunded: false });
    expect((await available()) - before).toBe(10_000);
    await harness.server.flush();
    expect(harness.types().slice(-4)).toEqual([
      "refund.updated",
      "charge.refund.updated",
      "refund.failed",
      "charge.updated",
    ]);
  });

  test("by a card that fails them fails by itself within a day", async () => {
    const intent = await paid({ payment_method: "pm_card_refundFail" });
    const { id } = await stripe.refunds.create({ payment_intent: intent.id });
    await harness.advance(2);
    expect(await stripe.refunds.retrieve(id)).toMatchObject({ status: "failed" });
  });

  test("that is pending succeeds within a day", async () => {
    const intent = await paid({ payment_method: "pm_card_pendingRefund" });
    const { id, status } = await stripe.refunds.create({ payment_intent: intent.id });
    expect(status).toBe("pending");
    await harness.advance(2);
    expect(await stripe.refunds.retrieve(id)).toMatchObject({ status: "succeeded" });
  });

  test("of what was passed on takes back its share of the transfer and of the platform's fee", async () => {
    const { id: account } = await stripe.accounts.create({
      type: "express",
      settings: { payouts: { schedule: { interval: "manual" } } },
    });
    await harness.simulate("POST", `accounts/${account}/complete`);
    const intent = await paid({ transfer_data: { destination: account }, application_fee_amount: 1_000 });
    expect(await available(account)).toBe(9_000);
    const before = await available();
    await stripe.refunds.create({
      payment_intent: intent.id,
      amount: 5_000,
      reverse_transfer: true,
      refund_application_fee: true,
    });
    expect(await available(account)).toBe(4_500);
    expect(before - (await available())).toBe(500);
    const { transfer } = await chargeOf(intent);
    expect(await stripe.transfers.retrieve(String(transfer))).toMatchObject({
      amount: 10_000,
      amount_reversed: 5_000,
      reversed: false,
    });
  });

  test("that asks for what is not there moves nothing", async () => {
    const { id: account } = await stripe.accounts.create({ type: "express" });
    await harness.simulate("POST", `accounts/${account}/complete`);
    const intent = await paid({ transfer_data: { destination: account } });
    await expect(
      stripe.refunds.create({ payment_intent: intent.id, reverse_transfer: true, refund_application_fee: true }),
    ).rejects.toMatchObject({ param: "refund_application_fee" });
    const charge = await chargeOf(intent);
    expect(charge.amount_refunded).toBe(0);
    expect(await stripe.transfers.retrieve(String(charge.transfer))).toMatchObject({ amount_reversed: 0 });
  });
});
