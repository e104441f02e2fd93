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

const charged = async (method = "pm_card_bypassPending") => {
  const intent = await stripe.paymentIntents.create({
    amount: 10_000,
    currency: "usd",
    payment_method: method,
    confirm: true,
    return_url: "https://example.com",
  });
  return String(intent.latest_charge);
};
const total = async () => {
  const { available, pending } = await stripe.balance.retrieve();
  return (available[0]?.amount ?? 0) + (pending[0]?.amount ?? 0);
};
const disputed = async () => {
  const charge = await charged();
  return await harness.simulate<Stripe.Dispute>("POST", `charges/${charge}/dispute`, { reason: "fraudulent" });
};

describe("a dispute", () => {
  test("takes the money and a fee as soon as it opens", async () => {
    const charge = await charged();
    const before = await total();
    const dispute = await harness.simulate<Stripe.Dispute>("POST", `charges/${charge}/dispute`);
    expect(dispute).toMatchObject({ status: "needs_response", amount: 10_000, reason: "fraudulent", charge });
    expect(dispute.balance_transactions).toMatchObject([
      { amount: -10_000, fee: 1_500, net: -11_500, type: "adjustment", reporting_category: "dispute" },
    ]);
    expect((await total()) - before).toBe(-11_500);
    expect(await stripe.charges.retrieve(charge)).toMatchObject({ disputed: true });
    await expect(stripe.refunds.create({ charge })).rejects.toMatchObject({ code: "charge_disputed" });
    await expect(harness.simulate("POST", `charges/${charge}/dispute`)).rejects.toThrow("disputed already");
  });

  test("that is won gives back the money and the fee for countering it, but not the first fee", async () => {
    const before = await total();
    const { id } = await disputed();
    await stripe.disputes.update(id, { evidence: { product_description: "Coins in a game" }, submit: false });
    expect(await stripe.disputes.retrieve(id)).toMatchObject({
      status: "needs_response",
      evidence: { product_description: "Coins in a game" },
      evidence_details: { has_evidence: true, submission_count: 0 },
    });
    await stripe.disputes.update(id, { submit: true });
    expect(await stripe.disputes.retrieve(id)).toMatchObject({ status: "under_review" });
    await harness.simulate("POST", `disputes/${id}/decide`, { outcome: "won" });
    expect(await stripe.disputes.retrieve(id)).toMatchObject({ status: "won" });
    expect((await total()) - before).toBe(10_000 - 320 - 1_500);
    await harness.server.flush();
    expect(
      harness
        .types()
        .filter((type) => type.startsWith("charge.dispute."))
        .slice(-6),
    ).toEqual([
      "charge.dispute.created",
      "charge.dispute.funds_withdrawn",
      "charge.dispute.updated",
      "charge.dispute.updated",
      "charge.dispute.funds_reinstated",
      "charge.dispute.closed",
    ]);
  });

  test("that is lost keeps the money and both fees", async () => {
    const before = await total();
    const { id } = await disputed();
    await stripe.disputes.update(id, { evidence: { uncategorized_text: "losing_evidence" } });
    expect(await stripe.disputes.retrieve(id)).toMatchObject({ status: "lost" });
    expect((await total()) - before).toBe(-320 - 1_500 - 1_500);
    await expect(harness.simulate("POST", `disputes/${id}/decide`, { outcome: "won" })).rejects.toThrow("closed");
  });

  test("that nobody answers in time is lost, and so is one that is accepted", async () => {
    const [ignored, accepted] = [await disputed(), await disputed()];
    expect(await stripe.disputes.close(accepted.id)).toMatchObject({ status: "lost" });
    await harness.advance(10);
    expect(await stripe.disputes.retrieve(ignored.id)).toMatchObject({
      status: "lost",
      evidence_details: { past_due: true },
    });
  });

  test("opens by itself with the card that stands for it", async () => {
    const charge = await charged("pm_card_createDispute");
    expect((await stripe.disputes.list({ charge })).data).toMatchObject([{ status: "needs_response" }]);
  });

  test("that only asks takes nothing, and is closed by a refund", async () => {
    const charge = await charged("pm_card_createDisputeInquiry");
    const before = await total();
    const [inquiry] = (await stripe.disputes.list({ charge })).data;
    expect(inquiry).toMatchObject({ status: "warning_needs_response", is_charge_refundable: true });
    await stripe.refunds.create({ charge });
    expect((await total()) - before).toBe(-10_000);
    expect(await stripe.disputes.retrieve(inquiry?.id ?? "")).toMatchObject({ status: "warning_closed" });
  });
});

test("a card that its issuer reports as stolen brings an early fraud warning", async () => {
  const charge = await charged("pm_card_createIssuerFraudRecord");
  expect((await stripe.radar.earlyFraudWarnings.list({ charge })).data).toMatchObject([{ actionable: true, charge }]);
});
