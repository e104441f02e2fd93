import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Harness, KEY, startHarness } from "./harness.ts";

/** The shapes of answers, against the examples that Stripe publishes, where they lie beside the project: github.com/stripe/openapi */

const EXAMPLES = fileURLToPath(new URL("../../../shared/data/stripe/fixtures3.json", import.meta.url));
const isThere = existsSync(EXAMPLES);

/** Only when expanded, or no longer in this version of the API. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  bank_account: ["customer"],
  charge: ["refunds"],
  invoice: ["subscription"],
  setup_intent: ["flow_directions"],
};

type Json = Readonly<Record<string, unknown>>;

let harness: Harness;
let examples: Readonly<Record<string, Json>>;
let answers: Map<string, Json>;

beforeAll(async () => {
  if (!isThere) return;
  harness = await startHarness();
  examples = (JSON.parse(readFileSync(EXAMPLES, "utf8")) as { resources: Record<string, Json> }).resources;
  const lists = await made(harness.stripe);
  answers = new Map();
  for (const [path, account] of lists) {
    const response = await fetch(`http://127.0.0.1:${harness.server.port}${path}`, {
      headers: { authorization: `Bearer ${KEY}`, ...(account === undefined ? {} : { "stripe-account": account }) },
    });
    const body = (await response.json()) as { data?: Json[] } & Json;
    for (const one of body.data ?? [body]) answers.set(String(one["object"]), one);
  }
});
afterAll(async () => {
  if (isThere) await harness.close();
});

/** Makes one of each, and gives where they are read. */
async function made(stripe: Stripe): Promise<[path: string, account?: string][]> {
  const customer = await stripe.customers.create({ name: "Ada" });
  const { id: account } = await stripe.accounts.create({ type: "express" });
  await harness.simulate("POST", `accounts/${account}/complete`, {});
  const intent = await stripe.paymentIntents.create({
    amount: 1_000,
    currency: "usd",
    customer: customer.id,
    payment_method: "pm_card_bypassPending",
    setup_future_usage: "off_session",
    confirm: true,
    return_url: "https://example.com",
  });
  const line = { currency: "usd", unit_amount: 900, product_data: { name: "Club" } };
  const price = await stripe.prices.create({ ...line, recurring: { interval: "month" } });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    default_payment_method: String(intent.payment_method),
  });
  const transfer = await stripe.transfers.create({ amount: 200, currency: "usd", destination: account });
  await stripe.transfers.createReversal(transfer.id, { amount: 10 });
  await stripe.payouts.create({ amount: 50, currency: "usd" }, { stripeAccount: account });
  await stripe.refunds.create({ payment_intent: intent.id, amount: 10 });
  await harness.simulate("POST", `charges/${String(intent.latest_charge)}/dispute`, {});
  await stripe.checkout.sessions.create({ mode: "payment", line_items: [{ quantity: 1, price_data: line }] });
  await stripe.invoiceItems.create({ customer: customer.id, amount: 5, currency: "usd" });
  await stripe.setupIntents.create({});
  await stripe.webhookEndpoints.create({ url: "http://127.0.0.1:1/", enabled_events: ["*"] });
  return [
    ["/v1/customers"],
    [`/v1/accounts/${account}`],
    [`/v1/accounts/${account}/external_accounts`],
    ["/v1/payment_intents"],
    ["/v1/charges"],
    [`/v1/payment_methods?customer=${customer.id}`],
    ["/v1/products"],
    ["/v1/prices"],
    ["/v1/subscriptions"],
    [`/v1/subscription_items?subscription=${subscription.id}`],
    ["/v1/invoices"],
    [`/v1/invoices/${String(subscription.latest_invoice)}/lines`],
    ["/v1/invoice_payments"],
    ["/v1/invoiceitems"],
    ["/v1/transfers"],
    [`/v1/transfers/${transfer.id}/reversals`],
    ["/v1/payouts", account],
    ["/v1/refunds"],
    ["/v1/disputes"],
    ["/v1/checkout/sessions"],
    ["/v1/setup_intents"],
    ["/v1/balance"],
    ["/v1/balance_transactions"],
    ["/v1/events"],
    ["/v1/webhook_endpoints"],
  ];
}

/** What a value is, as far as an example can tell. */
function kindOf(value: unknown): string {
  return Array.isArray(value) ? "list" : typeof value;
}

describe.skipIf(!isThere)(`Stripe's published examples${isThere ? "" : " (skipped: ../shared is absent)"}`, () => {
  test.each([
    "account",
    "balance",
    "balance_transaction",
    "bank_account",
    "charge",
    "checkout.session",
    "customer",
    "dispute",
    "event",
    "invoice",
    "invoice_payment",
    "invoiceitem",
    "line_item",
    "payment_intent",
    "payment_method",
    "payout",
    "price",
    "product",
    "refund",
    "setup_intent",
    "subscription",
    "subscription_item",
    "transfer",
    "transfer_reversal",
    "webhook_endpoint",
  ])("%s has every field, and each is of its kind", (name) => {
    const [example, answer] = [examples[name] ?? {}, answers.get(name) ?? {}];
    const wanted = Object.keys(example).filter((field) => !LEFT_OUT[name]?.includes(field));
    expect(wanted.length).toBeGreaterThan(0);
    expect(Object.keys(answer)).toEqual(expect.arrayContaining(wanted));
    for (const field of wanted) {
      const [theirs, ours] = [example[field], answer[field]];
      if (theirs !== null && ours !== null) expect([field, kindOf(ours)]).toEqual([field, kindOf(theirs)]);
    }
  });
});
