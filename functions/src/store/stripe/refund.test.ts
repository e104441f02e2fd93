import { beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { useStripe } from "../../../testing/stripe.ts";
import { wallet } from "../../ledger/wallet.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { stripe } from "../../platform/stripe.ts";
import { catalog, purchases } from "../records.ts";
import { RefundRequest, TopUpRequest } from "./contract.ts";
import { orders, refunds } from "./records.ts";
import { refund, settleRefunds } from "./refund.ts";
import { topUp } from "./top-up.ts";

const backend = useBackend({ GRANT_SANDBOX_PURCHASES: "true" });
const vendor = useStripe();
const olga = someone();

beforeAll(async () => {
  const grant = { coins: { COIN: 1_000 }, items: {}, entitlements: [] };
  await catalog()
    .doc("pack")
    .set({ title: "Pack", grant, grantDuringTrial: false, prices: { USD: 1_000 } });
});

const buy = async ({ uid }: Caller, payment_method = "pm_card_visa") => {
  const request = TopUpRequest.parse({ key: "the-purchase", currency: "USD", product: "pack" });
  const { order } = await topUp({ uid }, request);
  const { payment = "" } = (await orders().doc(order).get()).data() ?? {};
  const options = { payment_method, return_url: "https://game.example.com/" };
  await (await stripe()).paymentIntents.confirm(payment, options);
  await vendor.server.flush();
  const [bought] = (await purchases().where("user", "==", uid).get()).docs;
  return { payment, purchase: bought?.id ?? "" };
};
const asking = (purchase: string, more: object = {}) =>
  RefundRequest.parse({ key: "the-refund", purchase, note: "asked for it", ...more });
const coins = async (uid: string) => (await wallet({ uid })).balances[0]?.available ?? 0;
const backOf = async (payment_intent: string) =>
  (await (await stripe()).refunds.list({ payment_intent })).data.map(({ amount }) => amount);
const recordOf = async (id: string) => (await refunds().doc(id).get()).data();

describe("an operator", () => {
  test("gives all or part of a price back, once for a key, and what it bought goes at once", async () => {
    const ada = someone();
    const { payment, purchase } = await buy(ada);
    vendor.isDown = true;
    const part = await refund(olga, asking(purchase, { amount: 300 }));
    expect(part).toMatchObject({ state: "succeeded", amount: 300, currency: "USD" });
    expect(await refund(olga, asking(purchase, { amount: 300 }))).toEqual(part);
    expect(await coins(ada.uid)).toBe(700);
    await expect(refund(olga, asking(purchase, { amount: 301 }))).rejects.toMatchObject({
      reason: "idempotency-key-reused",
    });
    expect(await refund(olga, asking(purchase, { key: "the-rest" }))).toMatchObject({ amount: 700 });
    expect(await coins(ada.uid)).toBe(0);
    expect(await backOf(payment)).toEqual([700, 300]);
    expect(await recordOf(part.refund)).toMatchObject({ by: olga.uid, note: "asked for it", refund: /^re_/ });
  });

  test("cannot give back what is not there", async () => {
    const { purchase } = await buy(someone());
    const reason = (more: object, of = purchase) =>
      refund(olga, asking(of, { key: `the refund ${JSON.stringify(more)}`, ...more })).catch(
        (error: { reason: string }) => error.reason,
      );
    expect(await reason({ amount: 1_001 })).toBe("refund-too-large");
    expect(await reason({ amount: 1_000 })).toMatchObject({ state: "succeeded" });
    expect(await reason({ amount: 1 })).toBe("refund-too-large");
    expect(await reason({}, "unknown-id")).toBe("unknown-purchase");
    await purchases()
      .doc("by-app-store")
      .set({
        ...((await purchases().doc(purchase).get()).data() as object),
        store: "APP_STORE",
      } as never);
    expect(await reason({}, "by-app-store")).toBe("not-refundable");
  });

  test("sees that a refund failed, and the buyer has it again", async () => {
    const ada = someone();
    const { purchase } = await buy(ada, "pm_card_refundFail");
    const { refund: id } = await refund(olga, asking(purchase));
    expect(await coins(ada.uid)).toBe(0);
    await vendor.advance(1.1);
    expect(await recordOf(id)).toMatchObject({ state: "failed", problem: "expired_or_canceled_card" });
    expect(await coins(ada.uid)).toBe(1_000);
  });

  test("is billed 9 reads and 7 writes for a pack that only has coins, and 1 read when asking again", async () => {
    const { purchase } = await buy(someone());
    vendor.isDown = true;
    // What is sent again of earlier purchases may have come just before.
    await vendor.server.flush();
    const bill = async () => (await backend.billed(() => refund(olga, asking(purchase)))).bill;
    expect(await bill()).toEqual({ reads: 9, writes: 7, deletes: 0 });
    expect(await bill()).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });

  test("who asks five times at once has it go back once", async () => {
    const { payment, purchase } = await buy(someone());
    await Promise.all(Array.from({ length: 5 }, () => refund(olga, asking(purchase, { amount: 400 }))));
    expect(await backOf(payment)).toEqual([400]);
  });
});

describe("a refund that Stripe does not answer", () => {
  test("is known of all the same when its webhook comes", async () => {
    const ada = someone();
    const { payment, purchase } = await buy(ada);
    await vendor.fault("/v1/refunds", "timeout-after-success", 3);
    const { refund: id, state } = await refund(olga, asking(purchase, { amount: 300 }));
    expect(state).toBe("created");
    await vendor.server.flush();
    expect(await recordOf(id)).toMatchObject({ state: "succeeded" });
    expect([await coins(ada.uid), await backOf(payment)]).toEqual([700, [300]]);
    await vendor.advance(0.01);
    expect(await settleRefunds()).toBe(0);
  });

  test.each([
    ["has made", "timeout-after-success", 0.01],
    ["has made, and whose key it has forgotten,", "timeout-after-success", 2],
    ["has not made", "timeout-before", 0.01],
    ["has failed to make, and says so under the same key,", "500", 0.1],
    ["has not made, and whose key it has forgotten,", "timeout-before", 2],
  ])("and %s goes back once, by itself", async (_what, mode, days) => {
    const ada = someone();
    const { payment, purchase } = await buy(ada);
    vendor.isDown = true;
    await vendor.fault("/v1/refunds", mode, 3);
    const { refund: id, state } = await refund(olga, asking(purchase, { amount: 300 }));
    expect([state, await coins(ada.uid)]).toEqual(["created", 1_000]);
    await vendor.advance(days);
    expect(await settleRefunds()).toBe(1);
    expect(await recordOf(id)).toMatchObject({ state: "succeeded" });
    expect(await recordOf(id)).not.toHaveProperty("dueAt");
    expect([await coins(ada.uid), await backOf(payment)]).toEqual([700, [300]]);
    expect(await settleRefunds()).toBe(0);
  });

  test("and refuses later is the end of it", async () => {
    const { payment, purchase } = await buy(someone());
    vendor.isDown = true;
    await vendor.fault("/v1/refunds", "timeout-before", 3);
    const { refund: id } = await refund(olga, asking(purchase, { amount: 800 }));
    await (await stripe()).refunds.create({ payment_intent: payment, amount: 500 });
    await vendor.advance(0.01);
    await settleRefunds();
    expect(await recordOf(id)).toMatchObject({ state: "refused" });
    expect(await settleRefunds()).toBe(0);
    expect(await backOf(payment)).toEqual([500]);
  });
});
