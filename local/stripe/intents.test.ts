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

const paying = (method: string, more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({
    amount: 1_000,
    currency: "usd",
    payment_method: method,
    confirm: true,
    return_url: "https://example.com/back",
    ...more,
  });

describe("a payment", () => {
  test("that succeeds has a charge, whose money is there less the fee once two days have passed", async () => {
    const intent = await paying("pm_card_visa", {
      metadata: { order: "7" },
      expand: ["latest_charge.balance_transaction"],
    });
    expect(intent).toMatchObject({ status: "succeeded", amount_received: 1_000 });
    const charge = intent.latest_charge as Stripe.Charge;
    expect(charge).toMatchObject({
      paid: true,
      captured: true,
      metadata: { order: "7" },
      outcome: { type: "authorized" },
    });
    expect(charge.payment_method_details?.card).toMatchObject({
      last4: "4242",
      country: "US",
      checks: { cvc_check: "pass" },
    });
    expect(charge.balance_transaction).toMatchObject({
      amount: 1_000,
      fee: 59,
      net: 941,
      status: "pending",
      type: "charge",
    });
    const before = await stripe.balance.retrieve();
    await harness.advance(2);
    const after = await stripe.balance.retrieve();
    expect((after.available[0]?.amount ?? 0) - (before.available[0]?.amount ?? 0)).toBe(941);
  });

  test("by the same card has the same fingerprint, by another card another", async () => {
    const fingerprints = await Promise.all(
      ["pm_card_visa", "pm_card_visa", "pm_card_mastercard"].map(async (method) => {
        const intent = await paying(method, { expand: ["latest_charge"] });
        return (intent.latest_charge as Stripe.Charge).payment_method_details?.card?.fingerprint;
      }),
    );
    expect(fingerprints[0]).toBe(fingerprints[1]);
    expect(fingerprints[0]).not.toBe(fingerprints[2]);
  });

  test.each([
    ["pm_card_chargeDeclined", "card_declined", "generic_decline"],
    ["pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
    ["pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"],
    ["pm_card_radarBlock", "card_declined", "fraudulent"],
  ])("by %s is declined, and can be made with another card", async (method, code, decline) => {
    const failure = await paying(method).catch((error) => error as Stripe.errors.StripeCardError);
    expect(failure).toMatchObject({ type: "StripeCardError", statusCode: 402, code, decline_code: decline });
    const { id = "" } = (failure as Stripe.errors.StripeCardError).payment_intent ?? {};
    const failed = await stripe.paymentIntents.retrieve(id);
    expect(failed).toMatchObject({
      status: "requires_payment_method",
      last_payment_error: { code, decline_code: decline },
    });
    expect(await stripe.paymentIntents.confirm(id, { payment_method: "pm_card_visa" })).toMatchObject({
      status: "succeeded",
    });
  });

  test("that must be authenticated waits for it, and goes on from the bank's page", async () => {
    const intent = await paying("pm_card_threeDSecure2Required");
    expect(intent.status).toBe("requires_action");
    const url = intent.next_action?.redirect_to_url?.url ?? "";
    expect(await (await fetch(url)).text()).toContain("Complete");
    const back = await fetch(url, {
      method: "POST",
      body: new URLSearchParams({ outcome: "complete" }),
      redirect: "manual",
    });
    expect(back.headers.get("location")).toContain(`payment_intent=${intent.id}`);
    expect(back.headers.get("location")).toContain("redirect_status=succeeded");
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ status: "succeeded" });
  });

  test("that nobody authenticates can be made with another card", async () => {
    const { id } = await paying("pm_card_authenticationRequired");
    await harness.simulate("POST", `payment_intents/${id}/authenticate`, { outcome: "fail" });
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
      status: "requires_payment_method",
      last_payment_error: { code: "payment_intent_authentication_failure" },
    });
  });

  test("off session by a card that asks for its holder is declined", async () => {
    await expect(paying("pm_card_authenticationRequired", { off_session: true })).rejects.toMatchObject({
      code: "authentication_required",
    });
  });

  test("by bank debit is processing for days, and then succeeds or fails", async () => {
    const good = await paying("pm_usBankAccount_success");
    const bad = await paying("pm_usBankAccount_insufficientFunds");
    expect([good.status, bad.status]).toEqual(["processing", "processing"]);
    await harness.advance(5);
    expect(await stripe.paymentIntents.retrieve(good.id)).toMatchObject({ status: "succeeded" });
    expect(await stripe.paymentIntents.retrieve(bad.id)).toMatchObject({
      status: "requires_payment_method",
      last_payment_error: { decline_code: "insufficient_funds" },
    });
  });
});

describe("a payment that is captured later", () => {
  test("moves no money before, and no more than was captured", async () => {
    const intent = await paying("pm_card_visa", { capture_method: "manual" });
    expect(intent).toMatchObject({ status: "requires_capture", amount_capturable: 1_000 });
    const count = async () =>
      (await stripe.balanceTransactions.list({ source: String(intent.latest_charge) })).data.map(
        ({ amount }) => amount,
      );
    expect(await count()).toEqual([]);
    await expect(stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1_001 })).rejects.toMatchObject({
      code: "amount_too_large",
    });
    expect(await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 700 })).toMatchObject({
      status: "succeeded",
      amount_received: 700,
    });
    expect(await count()).toEqual([700]);
  });

  test("is let go after a week", async () => {
    const { id } = await paying("pm_card_visa", { capture_method: "manual" });
    await harness.advance(8);
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
      status: "canceled",
      cancellation_reason: "automatic",
    });
    await expect(stripe.paymentIntents.capture(id)).rejects.toMatchObject({ code: "payment_intent_unexpected_state" });
  });
});

test("payments are found by their metadata", async () => {
  const { id } = await paying("pm_card_visa", { metadata: { order: "found-me" } });
  await paying("pm_card_visa", { metadata: { order: "not me" } });
  const found = await stripe.paymentIntents.search({ query: "metadata['order']:'found-me' AND status:'succeeded'" });
  expect(found.data.map((intent) => intent.id)).toEqual([id]);
  expect(
    (await stripe.paymentIntents.search({ query: "-status:'succeeded' AND metadata['order']:'found-me'" })).data,
  ).toEqual([]);
  await expect(stripe.paymentIntents.search({ query: "what is this" })).rejects.toMatchObject({ statusCode: 400 });
});
