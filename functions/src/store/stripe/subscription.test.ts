import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { useStripe } from "../../../testing/stripe.ts";
import { verify } from "../../ledger/verify.ts";
import { wallet } from "../../ledger/wallet.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { deliver, outbox } from "../../platform/outbox.ts";
import { stripe } from "../../platform/stripe.ts";
import { entitlements } from "../../rewards/records.ts";
import { catalog, purchases } from "../records.ts";
import { subscribers } from "../subscribers.ts";
import { changeSubscription } from "./change.ts";
import { checkout } from "./checkout.ts";
import { CheckoutRequest, SubscriptionRequest } from "./contract.ts";
import { orders } from "./records.ts";

const backend = useBackend({ GRANT_SANDBOX_PURCHASES: "true", SUBSCRIPTION_GRACE_DAYS: "4" });
const vendor = useStripe();

const DAY = 86_400_000;
const HOURS = 3_600_000;
const MONTHLY = { interval: "day", count: 30 };

beforeAll(async () => {
  const club = (name: string, coins: number, USD: number, more: object = { subscription: MONTHLY }) =>
    catalog()
      .doc(name)
      .set({
        title: name,
        grant: { coins: { COIN: coins }, items: {}, entitlements: [name] },
        grantDuringTrial: false,
        prices: { USD },
        ...more,
      });
  await club("plus", 100, 1_000);
  await club("pro", 300, 2_000);
  await club("max", 700, 4_000);
  await club("trial", 100, 1_000, { subscription: { interval: "day", count: 30, trialDays: 7 } });
  await club("yearly", 2_000, 9_000, { subscription: { interval: "year", count: 1 } });
  await club("gift", 1, 5, {});
});
beforeEach(async () => {
  await vendor.simulate("webhooks/rules", undefined, "DELETE");
});

test("whoever opens the page of a subscription twice can pay on the last one only", async () => {
  const ada = someone();
  const ask = (key: string, product = "trial") =>
    checkout(
      ada,
      CheckoutRequest.parse({
        key: `${key} of two`,
        product,
        currency: "USD",
        successUrl: "https://game.example.com/",
        cancelUrl: "https://game.example.com/",
      }),
    );
  const stateOf = async (order: string) => {
    const session = (await orders().doc(order).get()).data()?.session ?? "";
    return (await (await stripe()).checkout.sessions.retrieve(session)).status;
  };
  const [first, other, last] = [await ask("first"), await ask("other", "plus"), await ask("last")];
  expect([await stateOf(first.order), await stateOf(other.order), await stateOf(last.order)]).toEqual([
    "expired",
    "open",
    "open",
  ]);
  expect(await ask("first")).toMatchObject({ order: first.order, state: "expired" });
});

const subscribe = async (caller: Caller, product: string, how: object = {}) => {
  const { order } = await checkout(
    caller,
    CheckoutRequest.parse({
      key: `to ${product} ${Math.random()}`,
      product,
      currency: "USD",
      successUrl: "https://game.example.com/",
      cancelUrl: "https://game.example.com/",
    }),
  );
  const session = (await orders().doc(order).get()).data()?.session ?? "";
  await vendor.simulate(`checkout/${session}/pay`, how);
  const { subscription = "" } = (await orders().doc(order).get()).data() ?? {};
  return { order, subscription };
};
const change = async (caller: Caller, what: string, product?: string) => {
  const request = { key: `change ${Math.random()}`, change: what, ...(product ? { product } : {}) };
  const changed = await changeSubscription(caller, SubscriptionRequest.parse(request));
  await vendor.server.flush();
  for (const { id } of (await outbox().orderBy("dueAt").get()).docs) await deliver(id, subscribers);
  return changed;
};
const coins = async (uid: string) => (await wallet({ uid })).balances[0]?.available ?? 0;
/** How many days an entitlement still holds, and whether it will go on. */
const holds = async (uid: string, name: string) => {
  const held = (await entitlements(uid).doc(name).get()).data();
  return held && { days: ((held.expiresAt?.toMillis() ?? 0) - now()) / DAY, willRenew: held.willRenew };
};
const isHeld = async (uid: string, name: string) => ((await holds(uid, name))?.days ?? 0) > 0;
/** Until the end of what was paid for, and the hours in which a renewal is charged. */
const about = (days: number) => expect.closeTo(days + (3 * HOURS) / DAY, 1);
/** What the subscription is charged to from now on. */
const useCard = async (subscription: string, default_payment_method: string) => {
  await (await stripe()).subscriptions.update(subscription, { default_payment_method });
  await vendor.server.flush();
};

describe("a subscription", () => {
  test("gives its entitlement for the period, and its coins with each that is paid", async () => {
    const ada = someone();
    const { subscription } = await subscribe(ada, "plus");
    expect(subscription).toMatch(/^sub_/);
    expect(await coins(ada.uid)).toBe(100);
    expect(await holds(ada.uid, "plus")).toEqual({ days: about(30), willRenew: true });
    await vendor.advance(30.1);
    expect(await coins(ada.uid)).toBe(200);
    expect(await holds(ada.uid, "plus")).toEqual({ days: about(29.9), willRenew: true });
    const bought = (await purchases().where("user", "==", ada.uid).get()).docs.map((one) => one.data());
    expect(bought).toMatchObject([
      { store: "STRIPE", product: "plus", price: { amount: 1_000, currency: "USD" }, card: { country: "US" } },
      { store: "STRIPE", product: "plus" },
    ]);
  });

  test("holds while its renewal is being charged, with no gap", async () => {
    const ada = someone();
    await subscribe(ada, "plus");
    await vendor.advance(30.01);
    expect(await coins(ada.uid)).toBe(100);
    expect(await isHeld(ada.uid, "plus")).toBe(true);
  });

  test("that cannot be charged holds some days longer, and goes on when it can", async () => {
    const ada = someone();
    const { subscription } = await subscribe(ada, "plus");
    await useCard(subscription, "pm_card_chargeCustomerFail");
    await vendor.advance(30.1);
    expect(await coins(ada.uid)).toBe(100);
    expect(await holds(ada.uid, "plus")).toEqual({ days: expect.closeTo(3.9, 1), willRenew: true });
    await useCard(subscription, "pm_card_visa");
    await vendor.advance(3.5);
    expect(await coins(ada.uid)).toBe(200);
    expect(await holds(ada.uid, "plus")).toEqual({ days: about(26.4), willRenew: true });
  });

  test("that is never paid again is over when the grace is, and Stripe's end of it changes nothing", async () => {
    const ada = someone();
    const { subscription } = await subscribe(ada, "plus");
    await useCard(subscription, "pm_card_chargeCustomerFail");
    await vendor.advance(34.2);
    expect(await isHeld(ada.uid, "plus")).toBe(false);
    await vendor.advance(30);
    expect((await (await stripe()).subscriptions.retrieve(subscription)).status).toBe("canceled");
    expect(await holds(ada.uid, "plus")).toMatchObject({ willRenew: false });
    expect(await isHeld(ada.uid, "plus")).toBe(false);
    expect(await coins(ada.uid)).toBe(100);
  });

  test("on trial gives the entitlement, and coins once it is paid; a trial there is only once", async () => {
    const ada = someone();
    const { subscription } = await subscribe(ada, "trial");
    expect(await coins(ada.uid)).toBe(0);
    expect(await holds(ada.uid, "trial")).toEqual({ days: about(7), willRenew: true });
    await vendor.advance(7.2);
    expect(await coins(ada.uid)).toBe(100);
    await (await stripe()).subscriptions.cancel(subscription);
    await vendor.server.flush();
    expect(await isHeld(ada.uid, "trial")).toBe(false);
    await subscribe(ada, "trial");
    expect(await coins(ada.uid)).toBe(200);
  });

  test("is not sold to whoever has it", async () => {
    const ada = someone();
    await subscribe(ada, "plus");
    await expect(subscribe(ada, "plus")).rejects.toMatchObject({ reason: "already-subscribed" });
  });

  test("whose period is refunded takes back what the period gave", async () => {
    const ada = someone();
    await subscribe(ada, "plus");
    const client = await stripe();
    const [bought] = (await purchases().where("user", "==", ada.uid).get()).docs;
    const { transaction = "" } = (bought?.data() as { transaction?: string }) ?? {};
    const { data } = await client.invoicePayments.list({ invoice: transaction });
    const payment_intent = String(data[0]?.payment.payment_intent);
    await client.refunds.create({ payment_intent, amount: 500 });
    await vendor.server.flush();
    expect([await coins(ada.uid), await isHeld(ada.uid, "plus")]).toEqual([50, true]);
    await client.refunds.create({ payment_intent });
    await vendor.server.flush();
    expect([await coins(ada.uid), await isHeld(ada.uid, "plus")]).toEqual([0, false]);
  });

  test("told of in the wrong order ends the same", async () => {
    const ada = someone();
    await vendor.simulate("webhooks/rules", { mode: "hold" });
    const session = await subscribe(ada, "plus");
    expect(session.subscription).toBe("");
    await vendor.advance(30.1);
    await vendor.simulate("webhooks/rules", undefined, "DELETE");
    await vendor.simulate("webhooks/release", { order: "reversed" });
    await vendor.server.flush();
    expect(await coins(ada.uid)).toBe(200);
    expect(await holds(ada.uid, "plus")).toEqual({ days: about(29.9), willRenew: true });
  });
});

describe("a subscriber", () => {
  test("who cancels keeps it to the end of the period, and not a minute longer", async () => {
    const ada = someone();
    await subscribe(ada, "plus");
    expect(await change(ada, "cancel")).toMatchObject({ product: "plus", willRenew: false, takesEffect: "period-end" });
    expect(await holds(ada.uid, "plus")).toMatchObject({ days: about(30), willRenew: false });
    await vendor.advance(29.9);
    expect(await isHeld(ada.uid, "plus")).toBe(true);
    await vendor.advance(0.101);
    expect(await isHeld(ada.uid, "plus")).toBe(false);
    expect(await coins(ada.uid)).toBe(100);
    await expect(change(ada, "resume")).rejects.toMatchObject({ reason: "unknown-subscription" });
  });

  test("who thinks again goes on", async () => {
    const ada = someone();
    await subscribe(ada, "plus");
    await change(ada, "cancel");
    expect(await change(ada, "resume")).toMatchObject({ willRenew: true });
    expect(await holds(ada.uid, "plus")).toMatchObject({ willRenew: true });
    await vendor.advance(30.1);
    expect(await coins(ada.uid)).toBe(200);
  });

  test("who pauses pays nothing and has nothing after the period, until they resume and the next begins", async () => {
    const ada = someone();
    await subscribe(ada, "plus");
    await change(ada, "pause");
    expect(await holds(ada.uid, "plus")).toMatchObject({ days: about(30), willRenew: false });
    await vendor.advance(31);
    expect([await coins(ada.uid), await isHeld(ada.uid, "plus")]).toEqual([100, false]);
    await change(ada, "resume");
    await vendor.advance(29.1);
    expect([await coins(ada.uid), await isHeld(ada.uid, "plus")]).toEqual([200, true]);
  });

  test("who switches to what is dearer has it at once, pays for the rest, and gets its coins with the next period", async () => {
    const ada = someone();
    await subscribe(ada, "plus");
    await vendor.advance(15);
    expect(await change(ada, "switch", "pro")).toMatchObject({ product: "pro", takesEffect: "now" });
    expect(await holds(ada.uid, "pro")).toEqual({ days: about(15), willRenew: true });
    expect(await isHeld(ada.uid, "plus")).toBe(false);
    expect(await coins(ada.uid)).toBe(100);
    const bought = (await purchases().where("user", "==", ada.uid).where("product", "==", "pro").get()).docs;
    expect(bought.map((one) => one.data())).toMatchObject([{ price: { amount: 500, currency: "USD" } }]);
    await vendor.advance(15.1);
    expect(await coins(ada.uid)).toBe(400);
    expect(await holds(ada.uid, "pro")).toEqual({ days: about(29.9), willRenew: true });
  });

  test("whose card is declined for the rest switches to nothing", async () => {
    const ada = someone();
    const { subscription } = await subscribe(ada, "plus");
    await useCard(subscription, "pm_card_chargeCustomerFail");
    await expect(change(ada, "switch", "pro")).rejects.toMatchObject({ reason: "stripe-refused" });
    expect(await isHeld(ada.uid, "pro")).toBe(false);
    const { items } = await (await stripe()).subscriptions.retrieve(subscription);
    expect(items.data[0]?.price.metadata.product).toBe("plus");
  });

  test("who switches to what is cheaper keeps what was paid for until the period ends", async () => {
    const ada = someone();
    await subscribe(ada, "pro");
    await vendor.advance(10);
    expect(await change(ada, "switch", "plus")).toMatchObject({ product: "plus", takesEffect: "period-end" });
    expect(await holds(ada.uid, "pro")).toMatchObject({ days: about(20) });
    expect(await isHeld(ada.uid, "plus")).toBe(false);
    await vendor.advance(20.2);
    expect([await isHeld(ada.uid, "pro"), await isHeld(ada.uid, "plus")]).toEqual([false, true]);
    expect(await coins(ada.uid)).toBe(400);
  });

  test("who thinks again after that pays nothing more, and for something dearer still only the difference", async () => {
    const [ada, bo] = [someone(), someone()];
    const subscriptions: string[] = [];
    for (const one of [ada, bo]) subscriptions.push((await subscribe(one, "pro")).subscription);
    await vendor.advance(15);
    for (const one of [ada, bo]) await change(one, "switch", "plus");
    expect(await change(ada, "switch", "pro")).toMatchObject({ product: "pro", takesEffect: "now" });
    expect(await change(bo, "switch", "max")).toMatchObject({ product: "max", takesEffect: "now" });
    const paid = async (subscription = "") =>
      (await (await stripe()).invoices.list({ subscription, status: "paid" })).data.map(({ total }) => total);
    expect(await paid(subscriptions[0])).toEqual([2_000]);
    expect(await paid(subscriptions[1])).toEqual([1_000, 2_000]);
    expect([await isHeld(bo.uid, "max"), await isHeld(bo.uid, "pro")]).toEqual([true, false]);
    await vendor.advance(15.2);
    expect([await coins(ada.uid), await coins(bo.uid)]).toEqual([600, 300 + 700]);
  });

  test("is billed 1 read for a change, and what the webhooks of it cost", async () => {
    const ada = someone();
    await subscribe(ada, "plus");
    vendor.isDown = true;
    const request = SubscriptionRequest.parse({ key: "the change", change: "cancel" });
    expect((await backend.billed(() => changeSubscription(ada, request))).bill).toEqual({
      reads: 1,
      writes: 0,
      deletes: 0,
    });
  });

  test("can switch to another interval only for more a day", async () => {
    const ada = someone();
    await subscribe(ada, "pro");
    await expect(change(ada, "switch", "yearly")).rejects.toMatchObject({ reason: "unchangeable-subscription" });
    await expect(change(ada, "switch", "gift")).rejects.toMatchObject({ reason: "not-for-sale" });
    await expect(change(ada, "switch", "nothing")).rejects.toMatchObject({ reason: "unknown-product" });
    await expect(change(someone(), "cancel")).rejects.toMatchObject({ reason: "unknown-subscription" });
  });

  test("cannot reach another's by its id", async () => {
    const { subscription } = await subscribe(someone(), "plus");
    const eve = someone();
    await subscribe(eve, "plus");
    const request = SubscriptionRequest.parse({ key: "of another", change: "cancel", subscription });
    await expect(changeSubscription(eve, request)).rejects.toMatchObject({ reason: "unknown-subscription" });
  });

  test("is sold a new price that Stripe does not answer for, and it is made once", async () => {
    const [ada, name] = [someone(), "club-without-answer"];
    const grant = { coins: {}, items: {}, entitlements: ["quiet"] };
    const subscription = { interval: "week" as const, count: 1 };
    await catalog()
      .doc(name)
      .set({ title: name, grant, grantDuringTrial: false, prices: { USD: 300 }, subscription });
    await vendor.fault("/v1/prices", "timeout-after-success", 3);
    await expect(subscribe(ada, name)).rejects.toMatchObject({ reason: "stripe-unavailable" });
    await vendor.advance(2);
    await subscribe(ada, name);
    expect(await isHeld(ada.uid, "quiet")).toBe(true);
    const { data } = await (await stripe()).prices.list({ limit: 100 });
    expect(data.filter(({ metadata }) => metadata.product === name)).toHaveLength(1);
  });

  test("whose period is disputed has nothing of it until the dispute is won", async () => {
    const ada = someone();
    await subscribe(ada, "plus");
    const client = await stripe();
    const [bought] = (await purchases().where("user", "==", ada.uid).get()).docs;
    const { transaction = "" } = (bought?.data() as { transaction?: string }) ?? {};
    const { data } = await client.invoicePayments.list({ invoice: transaction });
    const intent = await client.paymentIntents.retrieve(String(data[0]?.payment.payment_intent));
    await vendor.simulate(`charges/${String(intent.latest_charge)}/dispute`, { reason: "fraudulent" });
    expect([await coins(ada.uid), await isHeld(ada.uid, "plus")]).toEqual([0, false]);
    const [dispute] = (await client.disputes.list({ payment_intent: intent.id })).data;
    await vendor.simulate(`disputes/${dispute?.id}/decide`, { outcome: "won" });
    expect([await coins(ada.uid), await isHeld(ada.uid, "plus")]).toEqual([100, true]);
  });

  test("whose switch Stripe does not answer asks again and has paid once", async () => {
    const ada = someone();
    const { subscription } = await subscribe(ada, "plus");
    await vendor.advance(15);
    await vendor.fault("/v1/subscriptions", "timeout-after-success", 3);
    await expect(change(ada, "switch", "pro")).rejects.toMatchObject({ reason: "stripe-unavailable" });
    expect(await change(ada, "switch", "pro")).toMatchObject({ product: "pro" });
    const { data } = await (await stripe()).invoices.list({ subscription, status: "paid" });
    expect(data.map(({ total }) => total)).toEqual([500, 1_000]);
  });
});

test("after all of that the books fit", async () => {
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
