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

const fund = (amount: number) =>
  stripe.paymentIntents.create({
    amount,
    currency: "usd",
    payment_method: "pm_card_bypassPending",
    confirm: true,
    return_url: "https://example.com",
  });
const opened = (interval: "manual" | "daily" = "manual") =>
  stripe.accounts.create({
    type: "express",
    country: "US",
    email: "ada@example.com",
    capabilities: { transfers: { requested: true } },
    settings: { payouts: { schedule: { interval } } },
  });
const seller = async (bank: object = {}, interval: "manual" | "daily" = "manual") => {
  const { id } = await opened(interval);
  await harness.simulate("POST", `accounts/${id}/complete`, bank);
  return id;
};
const available = async (account: string) =>
  (await stripe.balance.retrieve({}, { stripeAccount: account })).available[0]?.amount ?? 0;
const toldOf = async (account: string) => {
  await harness.server.flush();
  return harness.received.filter(({ event }) => event.account === account).map(({ event }) => event.type);
};

describe("a connected account", () => {
  test("cannot be paid before its owner has been through the onboarding page, and says when they have", async () => {
    await fund(5_000);
    const account = await opened();
    expect(account).toMatchObject({ details_submitted: false, payouts_enabled: false, charges_enabled: false });
    expect(account.requirements?.currently_due).toContain("external_account");
    await expect(
      stripe.transfers.create({ amount: 100, currency: "usd", destination: account.id }),
    ).rejects.toMatchObject({ code: "insufficient_capabilities_for_transfer" });
    const { url } = await stripe.accountLinks.create({
      account: account.id,
      type: "account_onboarding",
      return_url: "https://example.com/onboarded",
      refresh_url: "https://example.com/again",
    });
    expect(await (await fetch(url)).text()).toContain("Account number");
    const back = await fetch(url, {
      method: "POST",
      body: new URLSearchParams({ account_number: "000123456789" }),
      redirect: "manual",
    });
    expect(back.headers.get("location")).toBe("https://example.com/onboarded");
    expect(await stripe.accounts.retrieve(account.id)).toMatchObject({
      details_submitted: true,
      payouts_enabled: true,
      capabilities: { transfers: "active" },
      requirements: { currently_due: [], disabled_reason: null },
      external_accounts: { data: [{ last4: "6789", bank_name: "STRIPE TEST BANK" }] },
    });
    expect(await toldOf(account.id)).toEqual(["account.external_account.created", "account.updated"]);
    expect(harness.received.find(({ event }) => event.account === account.id)?.to).toBe("connect");
  });

  test("whose owner owes a document is not paid out until they bring it", async () => {
    const account = await seller();
    await fund(5_000);
    await stripe.transfers.create({ amount: 1_000, currency: "usd", destination: account });
    await harness.simulate("POST", `accounts/${account}/restrict`, { due: ["individual.verification.document"] });
    const payOut = () => stripe.payouts.create({ amount: 1_000, currency: "usd" }, { stripeAccount: account });
    await expect(payOut()).rejects.toMatchObject({ code: "payouts_not_allowed" });
    await harness.simulate("POST", `accounts/${account}/complete`);
    expect(await payOut()).toMatchObject({ status: "pending" });
  });

  test("sees its own objects only, and is unknown to who is not its platform", async () => {
    const account = await seller();
    const { id } = await stripe.customers.create({ name: "Bo" }, { stripeAccount: account });
    await expect(stripe.customers.retrieve(id)).rejects.toMatchObject({ code: "resource_missing" });
    expect(await stripe.customers.retrieve(id, {}, { stripeAccount: account })).toMatchObject({ name: "Bo" });
    await expect(stripe.balance.retrieve({}, { stripeAccount: "acct_none" })).rejects.toMatchObject({
      statusCode: 403,
      code: "account_invalid",
    });
  });
});

describe("a transfer", () => {
  test("moves money to the account, and back by reversals up to its amount", async () => {
    const account = await seller();
    await fund(20_000);
    const transfer = await stripe.transfers.create({
      amount: 5_000,
      currency: "usd",
      destination: account,
      transfer_group: "season 1",
      metadata: { payout: "p1" },
    });
    expect(await available(account)).toBe(5_000);
    expect(
      (await stripe.transfers.list({ transfer_group: "season 1", destination: account })).data.map(({ id }) => id),
    ).toEqual([transfer.id]);
    await stripe.transfers.createReversal(transfer.id, { amount: 2_000 });
    await expect(stripe.transfers.createReversal(transfer.id, { amount: 3_001 })).rejects.toMatchObject({
      message: expect.stringContaining("greater than unreversed amount"),
    });
    const rest = await stripe.transfers.createReversal(transfer.id);
    expect(rest.amount).toBe(3_000);
    expect(await stripe.transfers.retrieve(transfer.id)).toMatchObject({ reversed: true, amount_reversed: 5_000 });
    expect(await available(account)).toBe(0);
    await harness.server.flush();
    expect(harness.types().filter((type) => type === "transfer.reversed")).toHaveLength(2);
  });

  test("of more than is available is refused, unless it comes from a charge that is still pending", async () => {
    const account = await seller();
    const before = (await stripe.balance.retrieve()).available[0]?.amount ?? 0;
    await expect(
      stripe.transfers.create({ amount: before + 1, currency: "usd", destination: account }),
    ).rejects.toMatchObject({ code: "balance_insufficient", statusCode: 400 });
    const intent = await stripe.paymentIntents.create({
      amount: 4_000,
      currency: "usd",
      payment_method: "pm_card_visa",
      confirm: true,
      return_url: "https://example.com",
    });
    const source = String(intent.latest_charge);
    await stripe.transfers.create({ amount: 3_000, currency: "usd", destination: account, source_transaction: source });
    expect(await stripe.balance.retrieve({}, { stripeAccount: account })).toMatchObject({
      available: [{ amount: 0 }],
      pending: [{ amount: 3_000 }],
    });
    await expect(
      stripe.transfers.create({ amount: 1_001, currency: "usd", destination: account, source_transaction: source }),
    ).rejects.toMatchObject({ param: "amount" });
    await harness.advance(2);
    expect(await available(account)).toBe(3_000);
  });
});

describe("a payout", () => {
  const paidOut = async (bank: object, amount = 2_500) => {
    const account = await seller(bank);
    await fund(10_000);
    await stripe.transfers.create({ amount: 2_500, currency: "usd", destination: account });
    const payout = await stripe.payouts.create({ amount, currency: "usd" }, { stripeAccount: account });
    return { account, payout };
  };

  test("arrives after two days, and then nothing is left to be reversed", async () => {
    const { account, payout } = await paidOut({});
    expect(payout).toMatchObject({ status: "pending", automatic: false });
    expect(await available(account)).toBe(0);
    await harness.advance(3);
    expect(await stripe.payouts.retrieve(payout.id, {}, { stripeAccount: account })).toMatchObject({ status: "paid" });
    expect(await toldOf(account)).toContain("payout.paid");
    const [transfer] = (await stripe.transfers.list({ destination: account })).data;
    await expect(stripe.transfers.createReversal(transfer?.id ?? "")).rejects.toMatchObject({
      code: "balance_insufficient",
    });
  });

  test.each([
    ["000111111113", "account_closed"],
    ["000111111116", "no_account"],
    ["000222222227", "insufficient_funds"],
    ["000333333335", "debit_not_authorized"],
    ["000444444440", "invalid_currency"],
  ])("to bank account %s fails with %s, and the money can be taken back", async (account_number, failure_code) => {
    const { account, payout } = await paidOut({ account_number });
    await harness.advance(3);
    const failed = await stripe.payouts.retrieve(
      payout.id,
      { expand: ["failure_balance_transaction"] },
      { stripeAccount: account },
    );
    expect(failed).toMatchObject({
      status: "failed",
      failure_code,
      failure_balance_transaction: { amount: 2_500, type: "payout_failure" },
    });
    expect(await available(account)).toBe(2_500);
    expect((await toldOf(account)).slice(-3)).toEqual([
      "payout.updated",
      "payout.failed",
      "account.external_account.updated",
    ]);
    await expect(
      stripe.payouts.create({ amount: 2_500, currency: "usd" }, { stripeAccount: account }),
    ).rejects.toMatchObject({ code: "bank_account_unusable" });
    const [transfer] = (await stripe.transfers.list({ destination: account })).data;
    await stripe.transfers.createReversal(transfer?.id ?? "");
    expect(await available(account)).toBe(0);
  });

  test("goes to another bank account once the one that failed has been replaced", async () => {
    const { account, payout } = await paidOut({ account_number: "000111111113" });
    await harness.advance(3);
    const better = await stripe.accounts.createExternalAccount(account, { external_account: "btok_us" });
    await stripe.accounts.deleteExternalAccount(account, String(payout.destination));
    const again = await stripe.payouts.create({ amount: 2_500, currency: "usd" }, { stripeAccount: account });
    expect(again.destination).toBe(better.id);
    expect((await stripe.accounts.listExternalAccounts(account)).data.map(({ id }) => id)).toEqual([better.id]);
    await harness.advance(3);
    expect(await stripe.payouts.retrieve(again.id, {}, { stripeAccount: account })).toMatchObject({ status: "paid" });
  });

  test("of more than is available is refused, and one that is pending can be canceled", async () => {
    const { account, payout } = await paidOut({}, 1_000);
    await expect(
      stripe.payouts.create({ amount: 1_501, currency: "usd" }, { stripeAccount: account }),
    ).rejects.toMatchObject({ code: "balance_insufficient" });
    await stripe.payouts.cancel(payout.id, {}, { stripeAccount: account });
    expect(await available(account)).toBe(2_500);
  });

  test("is made by schedule at the midnight after money has come, without anybody asking", async () => {
    const account = await seller({}, "daily");
    await fund(10_000);
    await stripe.transfers.create({ amount: 2_500, currency: "usd", destination: account });
    await harness.advance(4);
    expect((await stripe.payouts.list({}, { stripeAccount: account })).data).toMatchObject([
      { amount: 2_500, automatic: true, status: "paid" },
    ]);
    expect(await available(account)).toBe(0);
    const [payout] = (await stripe.payouts.list({}, { stripeAccount: account })).data;
    const parts = await stripe.balanceTransactions.list({ payout: payout?.id ?? "" }, { stripeAccount: account });
    expect(parts.data.map(({ type, net }) => [type, net])).toEqual([
      ["payout", -2_500],
      ["payment", 2_500],
    ]);
  });

  test("comes back when the bank sends it back on demand", async () => {
    const { account, payout } = await paidOut({});
    await harness.simulate("POST", `payouts/${payout.id}/arrive`, { failure: "could_not_process" });
    expect(await stripe.payouts.retrieve(payout.id, {}, { stripeAccount: account })).toMatchObject({
      status: "failed",
      failure_code: "could_not_process",
    });
  });
});

test("a direct charge leaves the platform its fee, and the account the rest", async () => {
  const account = await seller();
  const before = await stripe.balance.retrieve();
  const intent = await stripe.paymentIntents.create(
    {
      amount: 10_000,
      currency: "usd",
      payment_method: "pm_card_bypassPending",
      confirm: true,
      return_url: "https://example.com",
      application_fee_amount: 700,
    },
    { stripeAccount: account },
  );
  expect(intent.status).toBe("succeeded");
  expect(await available(account)).toBe(10_000 - 320 - 700);
  const after = await stripe.balance.retrieve();
  expect((after.available[0]?.amount ?? 0) - (before.available[0]?.amount ?? 0)).toBe(700);
});
