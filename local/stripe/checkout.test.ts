import type Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
let stripe: Stripe;
beforeEach(async () => {
  harness = await startHarness();
  ({ stripe } = harness);
});
afterEach(() => harness.close());

const selling = (more: Partial<Stripe.Checkout.SessionCreateParams> = {}) =>
  stripe.checkout.sessions.create({
    mode: "payment",
    client_reference_id: "ada",
    metadata: { order: "7" },
    success_url: "https://example.com/done?session={CHECKOUT_SESSION_ID}",
    cancel_url: "https://example.com/back",
    line_items: [{ quantity: 2, price_data: { currency: "usd", unit_amount: 500, product_data: { name: "Gold" } } }],
    payment_intent_data: { metadata: { order: "7" }, transfer_group: "order 7" },
    ...more,
  });

interface Paid {
  readonly session: Stripe.Checkout.Session;
  readonly authentication: string | null;
}
const pay = (session: { id: string }, body: object = {}) =>
  harness.simulate<Paid>("POST", `checkout/${session.id}/pay`, body);
const told = (type: string) =>
  harness.received.filter(({ event }) => event.type === type).map(({ event }) => event.data.object as { id: string });

describe("a Checkout session", () => {
  test("is open and unpaid until somebody pays, then complete, and says so by a webhook", async () => {
    const session = await selling();
    expect(session).toMatchObject({
      status: "open",
      payment_status: "unpaid",
      amount_total: 1_000,
      currency: "usd",
      client_reference_id: "ada",
      payment_intent: null,
    });
    await pay(session, { email: "ada@example.com" });
    await harness.server.flush();
    const after = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ["payment_intent.latest_charge", "line_items.data.price.product"],
    });
    expect(after).toMatchObject({
      status: "complete",
      payment_status: "paid",
      url: null,
      customer_details: { email: "ada@example.com" },
      payment_intent: {
        status: "succeeded",
        metadata: { order: "7" },
        transfer_group: "order 7",
        latest_charge: { paid: true, amount: 1_000 },
      },
      line_items: { data: [{ quantity: 2, amount_total: 1_000, price: { product: { name: "Gold" } } }] },
    });
    expect(told("checkout.session.completed")).toMatchObject([
      { id: session.id, payment_status: "paid", client_reference_id: "ada", metadata: { order: "7" } },
    ]);
    expect((await stripe.checkout.sessions.listLineItems(session.id)).data).toMatchObject([{ description: "Gold" }]);
  });

  test("stays open when the card is declined, and can be paid with another", async () => {
    const session = await selling();
    await expect(pay(session, { card: "4000 0000 0000 0002" })).rejects.toThrow("Your card was declined.");
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: "open",
      payment_status: "unpaid",
    });
    expect((await pay(session, { method: "pm_card_visa" })).session.status).toBe("complete");
    await expect(pay(session)).rejects.toThrow("no longer open");
  });

  test("waits for the bank when the card asks for its holder", async () => {
    const session = await selling();
    const { session: waiting, authentication } = await pay(session, { card: "4000002760003184" });
    expect(waiting.status).toBe("open");
    const back = await fetch(authentication ?? "", {
      method: "POST",
      body: new URLSearchParams({ outcome: "complete" }),
      redirect: "manual",
    });
    expect(back.headers.get("location")).toBe(`https://example.com/done?session=${session.id}`);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: "complete",
      payment_status: "paid",
    });
  });

  test("paid by bank debit is complete at once, and paid or not days later", async () => {
    const [good, bad] = [await selling(), await selling()];
    expect((await pay(good, { method: "pm_usBankAccount_success" })).session).toMatchObject({
      status: "complete",
      payment_status: "unpaid",
    });
    await pay(bad, { method: "pm_usBankAccount_insufficientFunds" });
    await harness.advance(5);
    expect(told("checkout.session.async_payment_succeeded")).toMatchObject([{ id: good.id, payment_status: "paid" }]);
    expect(told("checkout.session.async_payment_failed")).toMatchObject([{ id: bad.id, payment_status: "unpaid" }]);
  });

  test("expires after a day, or when it is told to, and takes no more money", async () => {
    const [left, ended] = [await selling(), await selling()];
    await pay(ended, { card: "4000002760003184" });
    await stripe.checkout.sessions.expire(ended.id);
    const { payment_intent } = await stripe.checkout.sessions.retrieve(ended.id);
    expect(await stripe.paymentIntents.retrieve(String(payment_intent))).toMatchObject({ status: "canceled" });
    await harness.advance(1.01);
    expect(told("checkout.session.expired").map(({ id }) => id)).toEqual([ended.id, left.id]);
    await expect(pay(left)).rejects.toThrow("no longer open");
    await expect(stripe.checkout.sessions.expire(left.id)).rejects.toMatchObject({ statusCode: 400 });
  });

  test("is paid by a person on its page, without any script", async () => {
    const session = await selling({ customer_email: 'a"b@example.com' });
    const page = await (await fetch(session.url ?? "")).text();
    expect(page).toContain("USD 10.00");
    expect(page).toContain("a&quot;b@example.com");
    expect(page).not.toContain("<script");
    const submit = (number: string) =>
      fetch(session.url ?? "", {
        method: "POST",
        body: new URLSearchParams({ number, email: "ada@example.com", name: "Ada" }),
        redirect: "manual",
      });
    const declined = await submit("4000000000009995");
    expect([declined.status, await declined.text()]).toEqual([402, expect.stringContaining("insufficient funds")]);
    expect((await submit("1234")).status).toBe(402);
    const done = await submit("4242 4242 4242 4242");
    expect(done.headers.get("location")).toBe(`https://example.com/done?session=${session.id}`);
  });

  test("makes a customer only if asked to, and pays for one who is known", async () => {
    const stranger = await selling();
    const wanted = await selling({ customer_creation: "always" });
    const { id } = await stripe.customers.create({ email: "ada@example.com" });
    const known = await selling({ customer: id });
    for (const session of [stranger, wanted, known]) await pay(session);
    const customers = await Promise.all(
      [stranger, wanted, known].map(async (session) => (await stripe.checkout.sessions.retrieve(session.id)).customer),
    );
    expect(customers).toEqual([null, expect.stringMatching(/^cus_/), id]);
  });

  test("in subscription mode begins a subscription, whose first invoice it pays", async () => {
    const session = await selling({
      mode: "subscription",
      payment_intent_data: {},
      line_items: [
        {
          quantity: 1,
          price_data: {
            currency: "usd",
            unit_amount: 900,
            recurring: { interval: "month" },
            product_data: { name: "Club" },
          },
        },
      ],
      subscription_data: { metadata: { user: "ada" } },
    });
    await pay(session, { card: "4242424242424242" });
    const after = await stripe.checkout.sessions.retrieve(session.id, { expand: ["subscription", "invoice"] });
    expect(after).toMatchObject({
      status: "complete",
      payment_status: "paid",
      subscription: { status: "active", metadata: { user: "ada" } },
      invoice: { status: "paid", amount_paid: 900, billing_reason: "subscription_create" },
    });
  });

  test("with a trial takes no money, but keeps the card for later", async () => {
    const session = await selling({
      mode: "subscription",
      payment_intent_data: {},
      line_items: [
        {
          price_data: {
            currency: "usd",
            unit_amount: 900,
            recurring: { interval: "month" },
            product_data: { name: "Club" },
          },
          quantity: 1,
        },
      ],
      subscription_data: { trial_period_days: 7 },
    });
    await pay(session);
    const { payment_status, subscription } = await stripe.checkout.sessions.retrieve(session.id);
    expect(payment_status).toBe("no_payment_required");
    expect(await stripe.subscriptions.retrieve(String(subscription))).toMatchObject({
      status: "trialing",
      default_payment_method: expect.stringMatching(/^pm_/),
    });
    expect((await stripe.balanceTransactions.list()).data).toEqual([]);
  });

  test("in setup mode keeps the card for later and takes nothing", async () => {
    const { id } = await stripe.customers.create({ name: "Ada" });
    const session = await stripe.checkout.sessions.create({ mode: "setup", currency: "usd", customer: id });
    await pay(session, { card: "5555 5555 5555 4444" });
    expect(await stripe.checkout.sessions.retrieve(session.id, { expand: ["setup_intent"] })).toMatchObject({
      status: "complete",
      payment_status: "no_payment_required",
      setup_intent: { status: "succeeded", customer: id, usage: "off_session" },
    });
    expect((await stripe.paymentMethods.list({ customer: id })).data).toMatchObject([{ card: { last4: "4444" } }]);
  });

  test("refuses what it could not sell", async () => {
    await expect(selling({ line_items: [] })).rejects.toMatchObject({ code: "parameter_missing", param: "line_items" });
    await expect(selling({ mode: "subscription", payment_intent_data: {} })).rejects.toMatchObject({ statusCode: 400 });
    await expect(selling({ customer: "cus_1", customer_email: "ada@example.com" })).rejects.toMatchObject({
      statusCode: 404,
    });
    const cheap = { currency: "usd", unit_amount: 49, product_data: { name: "Gold" } };
    await expect(selling({ line_items: [{ quantity: 1, price_data: cheap }] })).rejects.toMatchObject({
      code: "amount_too_small",
    });
    await expect(selling({ expires_at: 1 })).rejects.toMatchObject({ param: "expires_at" });
  });
});
