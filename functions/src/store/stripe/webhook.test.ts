import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { signature } from "../../../../local/stripe/signature.ts";
import { someone, useBackend } from "../../../testing/backend.ts";
import { signedRequest } from "../../../testing/simulator.ts";
import { useStripe } from "../../../testing/stripe.ts";
import { post } from "../../ledger/index.ts";
import { verify } from "../../ledger/verify.ts";
import { wallet } from "../../ledger/wallet.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { stripe } from "../../platform/stripe.ts";
import { receive, retry, webhooks } from "../../platform/webhooks.ts";
import { listInventory } from "../../rewards/inventory.ts";
import { catalog, purchases } from "../records.ts";
import { TopUpRequest } from "./contract.ts";
import { orders } from "./records.ts";
import { topUp } from "./top-up.ts";
import { stripeWebhooks } from "./webhook.ts";

const backend = useBackend({ GRANT_SANDBOX_PURCHASES: "true" });
const vendor = useStripe();

beforeAll(async () => {
  const grant = { coins: { COIN: 1_000 }, items: { sword: 2 }, entitlements: [] };
  await catalog()
    .doc("pack")
    .set({ title: "Pack", grant, grantDuringTrial: false, prices: { USD: 1_000 } });
});
beforeEach(async () => {
  await vendor.simulate("webhooks/rules", undefined, "DELETE");
});

interface Bought {
  readonly payment: string;
  readonly order: string;
}
const buy = async ({ uid }: Caller, payment_method = "pm_card_visa"): Promise<Bought> => {
  const request = TopUpRequest.parse({ key: "the-purchase", currency: "USD", product: "pack" });
  const { order } = await topUp({ uid }, request);
  const { payment = "" } = (await orders().doc(order).get()).data() ?? {};
  const options = { payment_method, return_url: "https://game.example.com/" };
  await (await stripe()).paymentIntents.confirm(payment, options);
  await vendor.server.flush();
  return { order, payment };
};
const chargeOf = async (payment: string) =>
  String((await (await stripe()).paymentIntents.retrieve(payment)).latest_charge);
const refund = async (payment_intent: string, amount: number) => {
  const made = await (await stripe()).refunds.create({ payment_intent, amount });
  await vendor.server.flush();
  return made;
};
const dispute = async (payment: string, more: object = {}) => {
  const charge = await chargeOf(payment);
  const made = await vendor.simulate<{ id?: string; dispute?: { id: string } }>(`charges/${charge}/dispute`, {
    reason: "fraudulent",
    ...more,
  });
  return made.id ?? made.dispute?.id ?? "";
};
const has = async (uid: string) => {
  const [{ balances }, { items }] = await Promise.all([wallet({ uid }), listInventory({ uid }, { limit: 10 })]);
  const coins = balances.find(({ currency }) => currency === "COIN");
  return { coins: (coins?.available ?? 0) - (coins?.owed ?? 0), swords: items[0]?.quantity ?? 0 };
};
const spend = (uid: string, amount: number) =>
  post({
    key: `spend ${uid}`,
    kind: "spend",
    postings: [{ from: uid, to: "system:revenue", amount, currency: "COIN" }],
    reference: "test",
  });
const ALL = { coins: 1_000, swords: 2 };
const NOTHING = { coins: 0, swords: 0 };

/** A webhook with whatever content, signed as Stripe would at a time. */
const send = (event: object, at = vendor.server.clock.now(), secret = "whsec_platform") => {
  const body = JSON.stringify(event);
  return receive(stripeWebhooks, signedRequest(body, signature(secret, Math.floor(at / 1_000), body)));
};
let count = 0;
const eventOf = (type: string, object: object, more: object = {}) => ({
  id: `evt_test${++count}`,
  object: "event",
  type,
  livemode: false,
  data: { object },
  ...more,
});

describe("a webhook", () => {
  test("with a forged signature, one for another body, or one from long ago is refused", async () => {
    const event = eventOf("payment_intent.succeeded", { id: "pi_1" });
    const refused = { code: "unauthenticated", reason: "wrong-signature" };
    await expect(send(event, undefined, "whsec_other")).rejects.toMatchObject(refused);
    await expect(send(event, vendor.server.clock.now() - 400_000)).rejects.toMatchObject(refused);
    const other = signature("whsec_platform", Math.floor(vendor.server.clock.now() / 1_000), "{}");
    const body = JSON.stringify(event);
    expect(() => stripeWebhooks.authenticate(signedRequest(body, other))).toThrow("signature");
    expect(() => stripeWebhooks.authenticate(signedRequest(body, ""))).toThrow("signature");
    process.env.STRIPE_WEBHOOK_SECRET = "";
    const empty = signature("", Math.floor(vendor.server.clock.now() / 1_000), body);
    expect(() => stripeWebhooks.authenticate(signedRequest(body, empty))).toThrow("signature");
    process.env.STRIPE_WEBHOOK_SECRET = "whsec_platform";
  });

  test("is believed in nothing but what it is about: Stripe's state decides", async () => {
    const ada = someone();
    const { order } = await topUp(ada, TopUpRequest.parse({ key: "the-purchase", currency: "USD", product: "pack" }));
    const { payment = "" } = (await orders().doc(order).get()).data() ?? {};
    const claimed = { id: payment, status: "succeeded", amount_received: 1_000, metadata: { order, user: ada.uid } };
    expect((await send(eventOf("payment_intent.succeeded", claimed))).outcome).toMatchObject({
      result: "requires_payment_method",
    });
    expect(await has(ada.uid)).toEqual(NOTHING);
  });

  test("of the wrong mode gives nothing, nor one of test mode where that is not wanted", async () => {
    const ada = someone();
    vendor.isDown = true;
    const { payment } = await buy(ada);
    const live = eventOf("payment_intent.succeeded", { id: payment }, { livemode: true });
    expect((await send(live)).outcome).toEqual({ result: "ignored", reason: "wrong-mode" });
    process.env.GRANT_SANDBOX_PURCHASES = "false";
    const tested = await send(eventOf("payment_intent.succeeded", { id: payment }));
    expect(tested.outcome).toEqual({ result: "ignored", reason: "sandbox" });
    process.env.GRANT_SANDBOX_PURCHASES = "true";
    expect(await has(ada.uid)).toEqual(NOTHING);
    await send(eventOf("payment_intent.succeeded", { id: payment }));
    expect(await has(ada.uid)).toEqual(ALL);
  });

  test("about what is not ours is ignored, with the reason", async () => {
    const client = await stripe();
    const foreign = await client.paymentIntents.create({
      amount: 1_000,
      currency: "usd",
      confirm: true,
      payment_method: "pm_card_visa",
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    });
    const strange = await client.paymentIntents.create({
      amount: 1_000,
      currency: "usd",
      metadata: { order: "of-another-project" },
    });
    await refund(foreign.id, 1_000);
    const outcomes = vendor.receipts.map(({ type, outcome }) => [type, outcome.result, outcome.reason]);
    expect(outcomes).toContainEqual(["payment_intent.succeeded", "ignored", "foreign"]);
    expect(outcomes).toContainEqual(["charge.refunded", "ignored", "foreign"]);
    const reason = async (type: string, id: string, more = {}) =>
      (await send(eventOf(type, { id }, more))).outcome.reason;
    expect(await reason("payment_intent.processing", strange.id)).toBe("unknown-order");
    expect(await reason("payment_intent.succeeded", "pi_nothing")).toBe("not-found");
    expect(await reason("balance.available", "")).toBe("type-not-handled");
    expect(await reason("payment_intent.succeeded", foreign.id, { account: "acct_1" })).toBe("connected-account");
  });

  test("that comes while Stripe cannot be asked is kept, and carried out when it can", async () => {
    const ada = someone();
    vendor.isDown = true;
    const { payment } = await buy(ada);
    const url = process.env.STRIPE_URL;
    process.env.STRIPE_URL = "http://127.0.0.1:1";
    const event = eventOf("payment_intent.succeeded", { id: payment });
    const kept = await send(event);
    expect(kept).toMatchObject({ state: "retrying", outcome: { reason: "stripe-unavailable" } });
    expect((await webhooks().doc(kept.id).get()).data()?.body).not.toContain("metadata");
    process.env.STRIPE_URL = url;
    expect(await retry([stripeWebhooks], kept.id, "task")).toMatchObject({ state: "done" });
    expect(await has(ada.uid)).toEqual(ALL);
  });

  test("of a payment that is not what was ordered grants nothing until somebody has looked", async () => {
    const ada = someone();
    vendor.isDown = true;
    const { payment, order } = await buy(ada);
    await orders().doc(order).update({ amount: 1_001 });
    const kept = await send(eventOf("payment_intent.succeeded", { id: payment }));
    expect(kept).toMatchObject({ state: "retrying", outcome: { reason: "amount-differs", for: `order:${order}` } });
    expect(await has(ada.uid)).toEqual(NOTHING);
  });

  test("that pays for a pack of an item bills 4 reads and 6 writes; the same again 1 read", async () => {
    await buy(someone());
    vendor.isDown = true;
    const { payment } = await buy(someone());
    const event = eventOf("payment_intent.succeeded", { id: payment });
    expect((await backend.billed(() => send(event))).bill).toEqual({ reads: 4, writes: 6, deletes: 0 });
    expect((await backend.billed(() => send(event))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });
});

describe("whatever happens to webhooks on their way", () => {
  test("each delivered up to five times, in any order, a purchase is granted once and ends as Stripe has it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom("sent", "reversed", "shuffled"),
        fc.constantFrom(0, 250, 1_000),
        async (copies, order, back) => {
          const ada = someone();
          await vendor.simulate("webhooks/rules", { mode: "hold" });
          const { payment } = await buy(ada);
          if (back > 0) await refund(payment, back);
          const { deliveries } = await vendor.simulate<{ deliveries: { event: string; state: string }[] }>(
            "webhooks",
            undefined,
            "GET",
          );
          await vendor.simulate("webhooks/rules", undefined, "DELETE");
          const held = deliveries.filter(({ state }) => state === "held").map(({ event }) => event);
          expect(held.length).toBeGreaterThanOrEqual(back > 0 ? 3 : 2);
          await vendor.simulate("webhooks/release", { order });
          for (const event of held) {
            if (event && copies > 1) await vendor.simulate("webhooks/redeliver", { event, copies: copies - 1 });
          }
          await vendor.server.flush();
          expect(await has(ada.uid)).toEqual({ coins: 1_000 - back, swords: 2 - Math.floor((2 * back) / 1_000) });
          expect((await purchases().where("user", "==", ada.uid).get()).size).toBe(1);
        },
      ),
      { numRuns: 8 },
    );
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test("ten that come at the same moment, about the payment and its refund, grant once and take back once", async () => {
    const ada = someone();
    vendor.isDown = true;
    const { payment } = await buy(ada);
    const before = Array.from({ length: 5 }, () => send(eventOf("payment_intent.succeeded", { id: payment })));
    await refund(payment, 400);
    const after = Array.from({ length: 5 }, () =>
      send(eventOf("charge.refunded", { id: "ch_1", payment_intent: payment })),
    );
    const receipts = await Promise.all([...before, ...after]);
    expect(receipts.filter(({ outcome }) => outcome.result === "granted")).toHaveLength(1);
    expect(await has(ada.uid)).toEqual({ coins: 600, swords: 2 });
  });

  test("a refund heard of first grants what is left when the payment is heard of", async () => {
    const ada = someone();
    await vendor.simulate("webhooks/rules", { mode: "drop", types: ["payment_intent.succeeded", "charge.succeeded"] });
    const { payment } = await buy(ada);
    await refund(payment, 300);
    expect(await has(ada.uid)).toEqual({ coins: 700, swords: 2 });
    await send(eventOf("payment_intent.succeeded", { id: payment }));
    expect(await has(ada.uid)).toEqual({ coins: 700, swords: 2 });
  });
});

describe("a refund", () => {
  test("takes back its part of what was given, and of what was spent makes a debt; one that fails gives it back", async () => {
    const ada = someone();
    const { payment } = await buy(ada);
    await refund(payment, 250);
    expect(await has(ada.uid)).toEqual({ coins: 750, swords: 2 });
    await spend(ada.uid, 700);
    const last = await refund(payment, 750);
    expect(await has(ada.uid)).toEqual({ coins: -700, swords: 0 });
    const [bought] = (await purchases().where("user", "==", ada.uid).get()).docs;
    expect(bought?.data()).toMatchObject({ state: "refunded", refund: { amount: 1_000, of: 1_000, by: "refund" } });
    await vendor.simulate(`refunds/${last.id}/fail`, {});
    expect(await has(ada.uid)).toEqual({ coins: 50, swords: 2 });
  });
});

describe("a dispute", () => {
  test("takes all back when it opens, and that is what stays when it is lost", async () => {
    const ada = someone();
    const { payment } = await buy(ada);
    await spend(ada.uid, 400);
    const id = await dispute(payment);
    expect(await has(ada.uid)).toEqual({ coins: -400, swords: 0 });
    await vendor.simulate(`disputes/${id}/decide`, { outcome: "lost" });
    expect(await has(ada.uid)).toEqual({ coins: -400, swords: 0 });
    const [bought] = (await purchases().where("user", "==", ada.uid).get()).docs;
    expect(bought?.data()).toMatchObject({ state: "refunded", refund: { by: "chargeback" } });
  });

  test("that is won gives all back", async () => {
    const ada = someone();
    const { payment } = await buy(ada);
    const id = await dispute(payment);
    expect(await has(ada.uid)).toEqual(NOTHING);
    await vendor.simulate(`disputes/${id}/decide`, { outcome: "won" });
    expect(await has(ada.uid)).toEqual(ALL);
  });

  test("that is but a question takes nothing, and one over a part takes its part on top of a refund", async () => {
    const [ada, bo] = [someone(), someone()];
    const asked = await buy(ada);
    await dispute(asked.payment, { inquiry: true });
    expect(await has(ada.uid)).toEqual(ALL);
    const partly = await buy(bo);
    await refund(partly.payment, 200);
    await dispute(partly.payment, { amount: 500 });
    expect(await has(bo.uid)).toEqual({ coins: 300, swords: 1 });
  });
});
