import { afterAll, beforeAll, expect, test } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

test("an invoice of one's own is drafted, finalized and paid", async () => {
  const { stripe } = harness;
  const { id } = await stripe.customers.create({ name: "Ada", payment_method: "pm_card_visa" });
  const [card] = (await stripe.paymentMethods.list({ customer: id })).data;
  await stripe.customers.update(id, { invoice_settings: { default_payment_method: card?.id ?? "" } });
  await stripe.invoiceItems.create({ customer: id, amount: 700, currency: "usd", description: "Lessons" });
  const draft = await stripe.invoices.create({ customer: id, pending_invoice_items_behavior: "include" });
  expect(draft).toMatchObject({ status: "draft", total: 700 });
  expect(await stripe.invoices.finalizeInvoice(draft.id)).toMatchObject({ status: "open", amount_remaining: 700 });
  expect(await stripe.invoices.pay(draft.id)).toMatchObject({ status: "paid", amount_paid: 700 });
  await expect(stripe.invoices.pay(draft.id)).rejects.toMatchObject({ code: "invoice_already_paid" });
});
