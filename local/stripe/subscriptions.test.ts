import type Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
let stripe: Stripe;
beforeEach(async () => {
  harness = await startHarness();
  ({ stripe } = harness);
  // Months are of different lengths; January has 31 days.
  await harness.server.clock.set(Date.UTC(2030, 0, 1));
});
afterEach(() => harness.close());

const price = (unit_amount: number, interval: "month" | "year" = "month") =>
  stripe.prices.create({ currency: "usd", unit_amount, recurring: { interval }, product_data: { name: "Club" } });
const customer = (payment_method = "pm_card_visa") => stripe.customers.create({ name: "Ada", payment_method });
/** A subscription that the customer's first payment method pays. */
const subscribed = async (
  { unit = 3_000, method = "pm_card_visa" } = {},
  more: Partial<Stripe.SubscriptionCreateParams> = {},
) => {
  const { id } = await customer(method);
  const [card] = (await stripe.paymentMethods.list({ customer: id })).data;
  return await stripe.subscriptions.create({
    customer: id,
    items: [{ price: (await price(unit)).id }],
    ...(card === undefined ? {} : { default_payment_method: card.id }),
    expand: ["latest_invoice"],
    ...more,
  });
};
const current = (id: string) => stripe.subscriptions.retrieve(id, { expand: ["latest_invoice"] });
const swapCard = async (subscription: Stripe.Subscription, method: string) => {
  await stripe.subscriptions.update(subscription.id, { default_payment_method: method });
};
const told = async (...types: string[]) => {
  await harness.server.flush();
  return harness.types().filter((type) => types.includes(type));
};
const changed = ["customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted"];

describe("a subscription", () => {
  test("is active once its first invoice is paid, and renews when its period is over", async () => {
    const subscription = await subscribed();
    expect(subscription).toMatchObject({ status: "active", latest_invoice: { status: "paid", amount_paid: 3_000 } });
    const [item] = subscription.items.data;
    await harness.server.flush();
    const before = harness.received.length;
    await harness.advance(32);
    const updates = harness.received
      .slice(before)
      .filter(({ event }) => event.type === "customer.subscription.updated");
    expect(updates.map(({ event }) => Object.keys(event.data.previous_attributes ?? {}))).toEqual([
      ["items", "latest_invoice"],
    ]);
    const renewed = await current(subscription.id);
    expect(renewed.items.data[0]?.current_period_start).toBe(item?.current_period_end);
    expect(renewed.latest_invoice).toMatchObject({
      status: "paid",
      billing_reason: "subscription_cycle",
      lines: {
        data: [
          { amount: 3_000, period: { start: item?.current_period_end }, parent: { type: "subscription_item_details" } },
        ],
      },
    });
    expect(await told("invoice.paid")).toHaveLength(2);
    expect((await stripe.invoices.list({ subscription: subscription.id, status: "paid" })).data).toHaveLength(2);
  });

  test("keeps the day of the month of its beginning, through short months too", async () => {
    await harness.server.clock.set(Date.UTC(2030, 0, 31, 12));
    const { id } = await subscribed();
    const ends: string[] = [];
    for (let i = 0; i < 3; i++) {
      const [item] = (await current(id)).items.data;
      ends.push(new Date((item?.current_period_end ?? 0) * 1_000).toISOString().slice(0, 10));
      await harness.advance(31);
    }
    expect(ends).toEqual(["2030-02-28", "2030-03-31", "2030-04-30"]);
  });

  test("whose renewal fails is past due, is tried again, and goes on when another card pays", async () => {
    const subscription = await subscribed();
    await swapCard(subscription, "pm_card_chargeCustomerFail");
    await harness.advance(32);
    const failed = await current(subscription.id);
    expect(failed).toMatchObject({ status: "past_due", latest_invoice: { status: "open", attempt_count: 1 } });
    expect((failed.latest_invoice as Stripe.Invoice).next_payment_attempt).not.toBeNull();
    expect(await told("invoice.payment_failed")).toHaveLength(1);
    await swapCard(subscription, "pm_card_mastercard");
    await harness.advance(3);
    expect(await current(subscription.id)).toMatchObject({
      status: "active",
      latest_invoice: { status: "paid", attempt_count: 2 },
    });
  });

  test("that nobody pays is canceled after the last retry", async () => {
    const subscription = await subscribed();
    await swapCard(subscription, "pm_card_chargeCustomerFail");
    await harness.advance(31 + 16);
    expect(await current(subscription.id)).toMatchObject({
      status: "canceled",
      cancellation_details: { reason: "payment_failed" },
      latest_invoice: { status: "open", attempt_count: 4, next_payment_attempt: null },
    });
    expect(await told("invoice.payment_failed")).toHaveLength(4);
    expect((await told(...changed)).at(-1)).toBe("customer.subscription.deleted");
  });

  test("that nobody pays becomes unpaid instead, if so set, and its invoices stay drafts", async () => {
    await harness.close();
    harness = await startHarness({ settings: { afterRetries: "unpaid", retryDays: [1] } });
    ({ stripe } = harness);
    const subscription = await subscribed();
    await swapCard(subscription, "pm_card_chargeCustomerFail");
    await harness.advance(34);
    expect(await current(subscription.id)).toMatchObject({ status: "unpaid" });
    await harness.advance(31);
    expect(await current(subscription.id)).toMatchObject({ status: "unpaid", latest_invoice: { status: "draft" } });
  });

  test("whose first payment fails is incomplete, and expires within a day", async () => {
    const subscription = await subscribed({ method: "pm_card_chargeCustomerFail" });
    expect(subscription).toMatchObject({ status: "incomplete", latest_invoice: { status: "open" } });
    await harness.advance(1);
    expect(await current(subscription.id)).toMatchObject({
      status: "incomplete_expired",
      latest_invoice: { status: "void" },
    });
  });

  test("whose first payment fails is not made at all, if so asked", async () => {
    await expect(
      subscribed({ method: "pm_card_chargeCustomerFail" }, { payment_behavior: "error_if_incomplete" }),
    ).rejects.toMatchObject({ code: "card_declined" });
    expect((await stripe.subscriptions.list({ status: "all" })).data).toEqual([]);
  });

  test("waits for the first payment of who confirms it themselves", async () => {
    const { id } = await customer();
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: (await price(3_000)).id }],
      payment_behavior: "default_incomplete",
      expand: ["latest_invoice.confirmation_secret"],
    });
    expect(subscription.status).toBe("incomplete");
    const invoice = subscription.latest_invoice as Stripe.Invoice;
    const [payment] = (
      await stripe.invoicePayments.list({ invoice: invoice.id, expand: ["data.payment.payment_intent"] })
    ).data;
    const intent = payment?.payment.payment_intent as Stripe.PaymentIntent;
    expect(invoice.confirmation_secret?.client_secret).toBe(intent.client_secret);
    await stripe.paymentIntents.confirm(intent.id, { payment_method: "pm_card_visa" });
    expect(await current(subscription.id)).toMatchObject({ status: "active", latest_invoice: { status: "paid" } });
  });

  test("is canceled at once, or at the end of its period unless that is taken back", async () => {
    const [now, later, kept] = [await subscribed(), await subscribed(), await subscribed()];
    expect(await stripe.subscriptions.cancel(now.id)).toMatchObject({ status: "canceled" });
    for (const { id } of [later, kept]) {
      const { cancel_at, items } = await stripe.subscriptions.update(id, { cancel_at_period_end: true });
      expect(cancel_at).toBe(items.data[0]?.current_period_end);
    }
    await stripe.subscriptions.update(kept.id, { cancel_at_period_end: false });
    await harness.advance(32);
    expect(await current(later.id)).toMatchObject({
      status: "canceled",
      cancellation_details: { reason: "cancellation_requested" },
    });
    expect(await current(kept.id)).toMatchObject({ status: "active", cancel_at: null });
    await expect(stripe.subscriptions.cancel(now.id)).rejects.toMatchObject({ code: "resource_missing" });
    expect((await stripe.subscriptions.list()).data.map(({ id }) => id)).toEqual([kept.id]);
  });

  test("is ended and resumed by its customer on the portal's page", async () => {
    const { id, customer: owner } = await subscribed();
    const { url } = await stripe.billingPortal.sessions.create({
      customer: String(owner),
      return_url: "https://example.com/account",
    });
    expect(await (await fetch(url)).text()).toContain("Cancel");
    const press = (action: string) =>
      fetch(url, { method: "POST", body: new URLSearchParams({ subscription: id, action }) });
    expect(await (await press("cancel")).text()).toContain("Go on");
    expect(await current(id)).toMatchObject({ cancel_at_period_end: true });
    await press("resume");
    expect(await current(id)).toMatchObject({ cancel_at_period_end: false, cancel_at: null });
  });
});

describe("a change of the price", () => {
  const changePrice = async (
    subscription: Stripe.Subscription,
    to: number,
    more: Partial<Stripe.SubscriptionUpdateParams> = {},
  ) =>
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id ?? "", price: (await price(to)).id }],
      expand: ["latest_invoice"],
      ...more,
    });
  const half = async (subscription: Stripe.Subscription) => {
    const [item] = subscription.items.data;
    await harness.server.clock.set((((item?.current_period_start ?? 0) + (item?.current_period_end ?? 0)) / 2) * 1_000);
  };

  test("upwards bills the difference for the rest of the period at once, if so asked", async () => {
    const subscription = await subscribed();
    await half(subscription);
    const { latest_invoice } = await changePrice(subscription, 9_000, { proration_behavior: "always_invoice" });
    expect(latest_invoice).toMatchObject({ status: "paid", billing_reason: "subscription_update" });
    const invoice = latest_invoice as Stripe.Invoice;
    expect(Math.abs(invoice.amount_paid - 3_000)).toBeLessThanOrEqual(1);
    expect(invoice.lines.data.map(({ amount }) => Math.sign(amount))).toEqual([-1, 1]);
  });

  test("downwards credits what was paid too much to the next invoice", async () => {
    const subscription = await subscribed({ unit: 9_000 });
    await half(subscription);
    await changePrice(subscription, 3_000);
    await harness.advance(17);
    const { latest_invoice } = await current(subscription.id);
    expect(Math.abs((latest_invoice as Stripe.Invoice).total - 0)).toBeLessThanOrEqual(1);
    await harness.advance(31);
    expect((await current(subscription.id)).latest_invoice).toMatchObject({ amount_paid: 3_000 });
  });

  test("without proration bills the new price from the next period on", async () => {
    const subscription = await subscribed();
    await half(subscription);
    await changePrice(subscription, 9_000, { proration_behavior: "none" });
    expect((await stripe.invoices.list({ subscription: subscription.id })).data).toHaveLength(1);
    await harness.advance(17);
    expect((await current(subscription.id)).latest_invoice).toMatchObject({ amount_paid: 9_000 });
  });

  test("that cannot be paid leaves all as it was, if so asked", async () => {
    const subscription = await subscribed();
    await swapCard(subscription, "pm_card_chargeCustomerFail");
    await half(subscription);
    await expect(
      changePrice(subscription, 9_000, {
        proration_behavior: "always_invoice",
        payment_behavior: "error_if_incomplete",
      }),
    ).rejects.toMatchObject({ statusCode: 402, code: "card_declined" });
    const after = await current(subscription.id);
    expect(after).toMatchObject({ status: "active", latest_invoice: { amount_paid: 3_000 } });
    expect(after.items.data[0]?.price.unit_amount).toBe(3_000);
    expect((await stripe.invoiceItems.list({ pending: true })).data).toEqual([]);
  });

  test("to another interval begins a new period at once", async () => {
    const subscription = await subscribed();
    await half(subscription);
    const yearly = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id ?? "", price: (await price(20_000, "year")).id }],
      expand: ["latest_invoice"],
    });
    const [item] = yearly.items.data;
    expect(item?.current_period_start).toBe(Math.floor(harness.server.clock.now() / 1_000));
    expect(Math.abs((yearly.latest_invoice as Stripe.Invoice).amount_paid - 18_500)).toBeLessThanOrEqual(1);
  });
});

describe("a trial", () => {
  test("is free, says three days before that it ends, and is then paid for", async () => {
    const subscription = await subscribed({}, { trial_period_days: 7 });
    expect(subscription).toMatchObject({ status: "trialing", latest_invoice: { status: "paid", amount_paid: 0 } });
    await harness.advance(3.9);
    expect(await told("customer.subscription.trial_will_end")).toEqual([]);
    await harness.advance(0.2);
    expect(await told("customer.subscription.trial_will_end")).toHaveLength(1);
    await harness.advance(3.1);
    expect(await current(subscription.id)).toMatchObject({ status: "active", latest_invoice: { amount_paid: 3_000 } });
    expect(await told("customer.subscription.trial_will_end")).toHaveLength(1);
  });

  test("that ends without a card pauses the subscription, if so asked, until it is resumed", async () => {
    const { id } = await stripe.customers.create();
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: (await price(3_000)).id }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: "pause" } },
    });
    await harness.advance(8);
    expect(await current(subscription.id)).toMatchObject({ status: "paused" });
    await swapCard(subscription, "pm_card_visa");
    await stripe.subscriptions.resume(subscription.id);
    expect(await current(subscription.id)).toMatchObject({ status: "active", latest_invoice: { amount_paid: 3_000 } });
    expect(await told("customer.subscription.paused", "customer.subscription.resumed")).toEqual([
      "customer.subscription.paused",
      "customer.subscription.resumed",
    ]);
  });
});

test("a paused collection voids the invoices in between, and ends when it was to", async () => {
  const subscription = await subscribed();
  const resumes_at = Math.floor(harness.server.clock.now() / 1_000) + 40 * 86_400;
  await stripe.subscriptions.update(subscription.id, { pause_collection: { behavior: "void", resumes_at } });
  await harness.advance(32);
  expect(await current(subscription.id)).toMatchObject({ status: "active", latest_invoice: { status: "void" } });
  await harness.advance(31);
  expect(await current(subscription.id)).toMatchObject({ pause_collection: null, latest_invoice: { status: "paid" } });
});
