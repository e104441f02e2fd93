import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { useStripe } from "../../../testing/stripe.ts";
import { settings } from "../../fraud/configure.ts";
import { approve, reject } from "../../fraud/decide.ts";
import { reviews } from "../../fraud/records.ts";
import { reviewId } from "../../fraud/review.ts";
import { DEFAULTS } from "../../fraud/settings.ts";
import { post } from "../../ledger/index.ts";
import { verify } from "../../ledger/verify.ts";
import { wallet } from "../../ledger/wallet.ts";
import { listNotices } from "../../notices/inbox.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { deliver, outbox } from "../../platform/outbox.ts";
import { stripe } from "../../platform/stripe.ts";
import { catalog, purchases } from "../records.ts";
import { PurchasesRequest } from "../shop/contract.ts";
import { listPurchases } from "../shop/purchases.ts";
import { subscribers } from "../subscribers.ts";
import { checkout } from "./checkout.ts";
import { CheckoutRequest, TopUpRequest } from "./contract.ts";
import { settleMissed } from "./missed.ts";
import { orders, refunds } from "./records.ts";
import { topUp } from "./top-up.ts";

const backend = useBackend({ GRANT_SANDBOX_PURCHASES: "true", FRAUD: "on" });
const vendor = useStripe();
const olga = someone();

/** A card of the United States, and an app that says another country, scores 30. */
const ELSEWHERE = { country: "DE" };
/** Everybody here pays with the same card. */
const RULES = { shared: { mode: "off", weight: 1 }, "velocity-card": { mode: "off", weight: 1 } } as const;
const thresholds = (review: number, block: number) =>
  settings(olga, { settings: { ...DEFAULTS, rules: RULES, thresholds: { review, block } }, note: "for a test" });

beforeAll(async () => {
  const grant = { coins: { COIN: 1_000 }, items: {}, entitlements: [] };
  const pack = { title: "Pack", grant, grantDuringTrial: false, prices: { USD: 1_000 } };
  await catalog().doc("pack").set(pack);
  await catalog()
    .doc("here")
    .set({ ...pack, countries: ["DE"] });
  await catalog()
    .doc("club")
    .set({ ...pack, subscription: { interval: "month", count: 1, trialDays: 7 } });
});
beforeEach(async () => {
  process.env.FRAUD = "on";
  process.env.REFUND_REJECTED = "true";
  await thresholds(DEFAULTS.thresholds.review, DEFAULTS.thresholds.block);
});

const buy = async ({ uid }: Caller, more: object = {}) => {
  const request = TopUpRequest.parse({ key: "the-purchase", currency: "USD", product: "pack", ...more });
  const { order } = await topUp({ uid }, request);
  const { payment = "" } = (await orders().doc(order).get()).data() ?? {};
  const options = { payment_method: "pm_card_visa", return_url: "https://game.example.com/" };
  await (await stripe()).paymentIntents.confirm(payment, options);
  await vendor.server.flush();
  return payment;
};
const boughtBy = async ({ uid }: Caller) => {
  const [found] = (await purchases().where("user", "==", uid).get()).docs;
  const purchase = found?.data();
  if (!found || !purchase || purchase.state === "foretold") throw new Error("nothing was bought");
  return { id: found.id, ...purchase };
};
const tell = async () => {
  for (const { id } of (await outbox().orderBy("dueAt").get()).docs) await deliver(id, subscribers);
  await vendor.server.flush();
};
const decide = async (caller: Caller, how: typeof approve) => {
  const { id } = await boughtBy(caller);
  await how(olga, { id: reviewId({ kind: "purchase", subject: id }), note: "looked" });
  await tell();
};
const coins = async ({ uid }: Caller) =>
  (await wallet({ uid })).balances.reduce((sum, { available, owed }) => sum + available - owed, 0);
const backOf = async (payment_intent: string) =>
  (await (await stripe()).refunds.list({ payment_intent })).data.map(({ amount }) => amount);
const told = async ({ uid }: Caller) =>
  (await listNotices({ uid }, { limit: 10 })).notices.map(({ kind }) => kind).sort();
/** A payment whose webhooks do not come. */
const lost = async (caller: Caller) => {
  vendor.isDown = true;
  const payment = await buy(caller);
  const { latest_charge } = await (await stripe()).paymentIntents.retrieve(payment);
  return { payment, charge: String(latest_charge) };
};
const historyOf = async ({ uid }: Caller) =>
  (await listPurchases({ uid }, PurchasesRequest.parse({}))).purchases.map(({ state, isPending }) =>
    isPending ? `${state}, pending` : state,
  );

test("a payment in no doubt is granted at once, and its assessment is named", async () => {
  const ada = someone();
  await buy(ada);
  expect(await coins(ada)).toBe(1_000);
  expect(await boughtBy(ada)).toMatchObject({ state: "granted", assessment: expect.any(String) });
});

test("judging a payment costs 4 reads and 3 writes, and nothing while the rules are off", async () => {
  const billOf = async (fraud: string) => {
    process.env.FRAUD = fraud;
    const { charge } = await lost(someone());
    return (await backend.billed(() => settleMissed({ object: charge, type: "charge" }))).bill;
  };
  await billOf("on");
  const [off, on] = [await billOf("off"), await billOf("on")];
  expect({ reads: on.reads - off.reads, writes: on.writes - off.writes }).toEqual({ reads: 4, writes: 3 });
});

describe("a payment in doubt", () => {
  beforeEach(async () => {
    await thresholds(30, 95);
  });

  test("gives nothing and is shown as pending, until an operator approves it", async () => {
    const ada = someone();
    await buy(ada, ELSEWHERE);
    expect(await coins(ada)).toBe(0);
    expect(await historyOf(ada)).toEqual(["review, pending"]);
    await decide(ada, approve);
    expect(await coins(ada)).toBe(1_000);
    expect(await historyOf(ada)).toEqual(["granted"]);
    expect(await told(ada)).toEqual(["purchase-approved", "purchase-in-review"]);
  });

  test("is paid back once when an operator rejects it, however often that is told", async () => {
    const ada = someone();
    const payment = await buy(ada, ELSEWHERE);
    await decide(ada, reject);
    const { id } = await boughtBy(ada);
    const OF = { product: "pack", store: "STRIPE", by: "review" };
    const event = { id: "again", type: "purchase.rejected", data: { ...OF, purchase: id, user: ada.uid } };
    for (const { type, react } of subscribers) if (type === event.type) await react(event);
    expect(await backOf(payment)).toEqual([1_000]);
    expect(await historyOf(ada)).toEqual(["refunded"]);
    expect(await told(ada)).toEqual(["purchase-in-review", "purchase-rejected"]);
    expect(await coins(ada)).toBe(0);
    const made = await refunds().where("purchase", "==", id).get();
    expect(made.docs.map((one) => one.data())).toMatchObject([
      { by: "system", reason: "fraudulent", state: "succeeded", amount: 1_000 },
    ]);
  });

  test("that was refunded by hand meanwhile gives nothing, leaves nothing to decide, and has nothing more to go back", async () => {
    const ada = someone();
    const payment = await buy(ada, ELSEWHERE);
    await (await stripe()).refunds.create({ payment_intent: payment });
    await vendor.server.flush();
    await tell();
    const { id, state } = await boughtBy(ada);
    expect(state).toBe("refunded");
    expect(
      (
        await reviews()
          .doc(reviewId({ kind: "purchase", subject: id }))
          .get()
      ).data()?.state,
    ).toBe("closed");
    expect([await coins(ada), await backOf(payment)]).toEqual([0, [1_000]]);
  });

  test("of which a part went back meanwhile gives the rest when it is approved", async () => {
    const ada = someone();
    const payment = await buy(ada, ELSEWHERE);
    await (await stripe()).refunds.create({ payment_intent: payment, amount: 400 });
    await vendor.server.flush();
    await decide(ada, approve);
    expect(await coins(ada)).toBe(600);
  });
});

test("a buyer whose money went back is told, each time, and what they owe for it", async () => {
  const ada = someone();
  const payment = await buy(ada);
  const postings = [{ from: ada.uid, to: "system:revenue", amount: 900, currency: "COIN" }];
  await post({ key: `spend ${ada.uid}`, kind: "spend", postings, reference: "test" });
  for (const amount of [100, 300]) {
    await (await stripe()).refunds.create({ payment_intent: payment, amount });
    await vendor.server.flush();
    await tell();
  }
  const { notices } = await listNotices(ada, { limit: 10 });
  expect(notices.map(({ kind, data }) => [kind, data.owed])).toEqual(
    expect.arrayContaining([
      ["purchase-refunded", {}],
      ["purchase-refunded", { COIN: 300 }],
    ]),
  );
  expect(notices).toHaveLength(2);
});

test("what is not sold where the card is of is in doubt, whatever the app says", async () => {
  const ada = someone();
  await buy(ada, { product: "here", country: "DE" });
  expect(await boughtBy(ada)).toMatchObject({ state: "review" });
});

describe("a payment that the rules refuse", () => {
  beforeEach(async () => {
    await thresholds(20, 30);
  });

  test("gives nothing, is shown as rejected, and goes back by itself", async () => {
    const ada = someone();
    const payment = await buy(ada, ELSEWHERE);
    expect(await historyOf(ada)).toEqual(["rejected"]);
    await tell();
    await tell();
    expect([await coins(ada), await backOf(payment)]).toEqual([0, [1_000]]);
  });

  test("stays where it is if the house does not want that by itself", async () => {
    process.env.REFUND_REJECTED = "false";
    const ada = someone();
    const payment = await buy(ada, ELSEWHERE);
    await tell();
    expect([await backOf(payment), await historyOf(ada)]).toEqual([[], ["rejected"]]);
  });
});

test("periods of subscriptions are judged, trials, too", async () => {
  await thresholds(30, 95);
  const ada = someone();
  const urls = { successUrl: "https://game.example.com/", cancelUrl: "https://game.example.com/" };
  const request = { key: "the-subscription", product: "club", currency: "USD", ...urls, ...ELSEWHERE };
  const { order } = await checkout(ada, CheckoutRequest.parse(request));
  const session = (await orders().doc(order).get()).data()?.session ?? "";
  await vendor.simulate(`checkout/${session}/pay`, {});
  expect(await boughtBy(ada)).toMatchObject({ state: "granted", assessment: expect.any(String) });
  await vendor.advance(8);
  expect((await historyOf(ada)).sort()).toEqual(["granted", "review, pending"]);
});

describe("what the comparison with Stripe's books finds missing", () => {
  test("is settled as its webhook would have been, once, and then judged, too", async () => {
    const ada = someone();
    const { charge } = await lost(ada);
    expect(await coins(ada)).toBe(0);
    for (let i = 0; i < 3; i++) await settleMissed({ object: charge, type: "charge" });
    expect(await coins(ada)).toBe(1_000);
    expect(await boughtBy(ada)).toMatchObject({ state: "granted", assessment: expect.any(String) });
  });

  test("takes back what a refund or a dispute has taken that nobody heard of", async () => {
    const [ada, bo] = [someone(), someone()];
    const [hers, his] = [await buy(ada), await buy(bo)];
    vendor.isDown = true;
    const refund = await (await stripe()).refunds.create({ payment_intent: hers, amount: 250 });
    await settleMissed({ object: refund.id, type: "refund" });
    expect(await coins(ada)).toBe(750);
    const { latest_charge } = await (await stripe()).paymentIntents.retrieve(his);
    await vendor.simulate(`charges/${String(latest_charge)}/dispute`, { reason: "fraudulent" });
    const [dispute] = (await (await stripe()).disputes.list({ payment_intent: his })).data;
    await settleMissed({ object: dispute?.id ?? "", type: "adjustment" });
    expect(await coins(bo)).toBe(0);
  });

  test("and is of no payment, or of none of ours, changes nothing", async () => {
    const foreign = await (await stripe()).paymentIntents.create({
      amount: 500,
      currency: "usd",
      payment_method: "pm_card_visa",
      confirm: true,
      return_url: "https://game.example.com/",
    });
    await vendor.server.flush();
    const charge = String(foreign.latest_charge);
    for (const object of ["tr_1", "ch_nothing", charge]) {
      const { bill } = await backend.billed(() => settleMissed({ object, type: "charge" }));
      expect(bill.writes).toBe(0);
    }
  });
});

test("and the books verify", async () => {
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
