import { beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { useStripe } from "../../../testing/stripe.ts";
import { transactions } from "../../ledger/records.ts";
import { verify } from "../../ledger/verify.ts";
import { wallet } from "../../ledger/wallet.ts";
import { stripe } from "../../platform/stripe.ts";
import { catalog, purchases } from "../records.ts";
import { TopUpRequest } from "./contract.ts";
import { customers, orders } from "./records.ts";
import { topUp } from "./top-up.ts";

useBackend({ GRANT_SANDBOX_PURCHASES: "true" });
const vendor = useStripe();

beforeAll(async () => {
  const grant = { coins: { COIN: 500 }, items: {}, entitlements: [] };
  await catalog()
    .doc("pack")
    .set({ title: "Coins", grant, grantDuringTrial: false, prices: { EUR: 459 } });
  const subscription = { interval: "month" as const, count: 1 };
  await catalog()
    .doc("club")
    .set({ title: "Club", grant, grantDuringTrial: false, prices: { EUR: 459 }, subscription });
});

const asking = (more: object = {}) => TopUpRequest.parse({ key: "topping-up", currency: "USD", ...more });
const has = async (uid: string, code = "USD") =>
  (await wallet({ uid })).balances.find(({ currency }) => currency === code)?.available ?? 0;
const orderOf = async (id: string) => (await orders().doc(id).get()).data();
/** What Stripe.js does in the browser. */
const confirm = async (order: string, payment_method: string) => {
  const { payment = "" } = (await orderOf(order)) ?? {};
  const intent = await (await stripe()).paymentIntents
    .confirm(payment, { payment_method, return_url: "https://game.example.com/" }, { maxNetworkRetries: 0 })
    .catch((error: { code: string }) => error);
  await vendor.server.flush();
  return intent;
};
const authenticate = async (order: string, outcome: "complete" | "fail") => {
  const { payment = "" } = (await orderOf(order)) ?? {};
  await vendor.simulate(`payment_intents/${payment}/authenticate`, { outcome });
};
const paymentsOf = async (uid: string) => {
  const customer = (await customers().doc(uid).get()).data()?.test?.id ?? "";
  return (await (await stripe()).paymentIntents.list({ customer })).data;
};

describe("money for the wallet", () => {
  test("is there when it is paid, as bought, from Stripe's account of the house, and the books fit", async () => {
    const ada = someone();
    const { order, clientSecret, ...rest } = await topUp(ada, asking({ amount: 20_00 }));
    expect(rest).toEqual({ state: "open", amount: 20_00, currency: "USD" });
    expect(clientSecret).toMatch(/^pi_\w+_secret_/);
    expect(await has(ada.uid)).toBe(0);
    await confirm(order, "pm_card_visa");
    expect(await has(ada.uid)).toBe(20_00);
    const { docs } = await transactions().where("accounts", "array-contains", `${ada.uid}:USD`).get();
    expect(docs.map((one) => one.data())).toMatchObject([
      {
        kind: "purchase",
        postings: [{ from: "system:stripe", to: `${ada.uid}:USD`, amount: 20_00, lots: [{ source: "bought" }] }],
      },
    ]);
    expect(await topUp(ada, asking({ amount: 20_00 }))).toEqual({ order, ...rest, state: "paid" });
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test("comes when the card's holder has been asked by the bank, and not if they fail", async () => {
    const [ada, bo] = [someone(), someone()];
    const good = await topUp(ada, asking({ amount: 20_00 }));
    const bad = await topUp(bo, asking({ amount: 20_00 }));
    for (const { order } of [good, bad]) {
      expect(await confirm(order, "pm_card_threeDSecure2Required")).toMatchObject({ status: "requires_action" });
    }
    await authenticate(good.order, "complete");
    await authenticate(bad.order, "fail");
    expect([await has(ada.uid), await has(bo.uid)]).toEqual([20_00, 0]);
    expect(await orderOf(bad.order)).toMatchObject({
      state: "open",
      problem: "payment_intent_authentication_failure",
    });
    expect(await topUp(bo, asking({ amount: 20_00 }))).toMatchObject({ clientSecret: bad.clientSecret });
  });

  test("by bank debit comes days later, and not if the account is empty", async () => {
    const [ada, bo] = [someone(), someone()];
    const good = await topUp(ada, asking({ amount: 20_00 }));
    const bad = await topUp(bo, asking({ amount: 20_00 }));
    await confirm(good.order, "pm_usBankAccount_success");
    await confirm(bad.order, "pm_usBankAccount_insufficientFunds");
    expect(await orderOf(good.order)).toMatchObject({ state: "processing" });
    expect(await has(ada.uid)).toBe(0);
    await vendor.advance(5);
    expect([await has(ada.uid), await has(bo.uid)]).toEqual([20_00, 0]);
    expect(await orderOf(bad.order)).toMatchObject({ state: "open", problem: expect.any(String) });
  });

  test("of a declined card does not come, and says why", async () => {
    const ada = someone();
    const { order } = await topUp(ada, asking({ amount: 20_00 }));
    expect(await confirm(order, "pm_card_visa_chargeDeclinedInsufficientFunds")).toMatchObject({
      code: "card_declined",
    });
    expect(await orderOf(order)).toMatchObject({ state: "open", problem: "insufficient_funds" });
    expect(await has(ada.uid)).toBe(0);
  });

  test("that goes back leaves the wallet for where it came from", async () => {
    const ada = someone();
    const { order } = await topUp(ada, asking({ amount: 20_00 }));
    await confirm(order, "pm_card_visa");
    const { payment = "" } = (await orderOf(order)) ?? {};
    await (await stripe()).refunds.create({ payment_intent: payment, amount: 5_00 });
    await vendor.server.flush();
    expect(await has(ada.uid)).toBe(15_00);
    const { docs } = await transactions().where("accounts", "array-contains", `${ada.uid}:USD`).get();
    const back = docs.map((one) => one.data()).find(({ kind }) => kind === "refund");
    expect(back?.postings).toMatchObject([{ from: `${ada.uid}:USD`, to: "system:stripe", amount: 5_00 }]);
  });

  test("has bounds, and only what can be paid in can be", async () => {
    const refused = (more: object) =>
      topUp(someone(), asking(more)).catch(({ details }: { details: object }) => details);
    expect(await refused({ amount: 99 })).toMatchObject({ reason: "invalid-input", field: "amount" });
    expect(await refused({ amount: 1_000_01 })).toMatchObject({ reason: "invalid-input", field: "amount" });
    expect(await refused({ amount: 500, currency: "GEM" })).toMatchObject({ reason: "not-for-sale" });
    expect(await refused({ amount: 500, currency: "XXX" })).toMatchObject({ reason: "unknown-currency" });
    expect(await refused({})).toMatchObject({ reason: "invalid-input", field: "amount" });
    expect(await refused({ amount: 500, product: "pack" })).toMatchObject({ reason: "invalid-input" });
  });
});

describe("a pack of coins", () => {
  test("that Stripe refuses to charge for is the end of the order, with its reason", async () => {
    const grant = { coins: { COIN: 1 }, items: {}, entitlements: [] };
    await catalog()
      .doc("crumb")
      .set({ title: "Crumb", grant, grantDuringTrial: false, prices: { EUR: 10 } });
    const ada = someone();
    const asked = asking({ product: "crumb", currency: "EUR" });
    await expect(topUp(ada, asked)).rejects.toMatchObject({
      reason: "stripe-refused",
      details: { code: "amount_too_small" },
    });
    const again = await topUp(ada, asked);
    expect(again).toMatchObject({ state: "failed", amount: 10 });
    expect(await orderOf(again.order)).toMatchObject({ problem: "amount_too_small" });
  });

  test("can be paid for in the app, for what the catalog says", async () => {
    const ada = someone();
    const { order, amount } = await topUp(ada, asking({ product: "pack", currency: "EUR", count: 2 }));
    expect(amount).toBe(918);
    await confirm(order, "pm_card_visa");
    expect([await has(ada.uid, "COIN"), await has(ada.uid, "EUR")]).toEqual([1_000, 0]);
    await expect(topUp(ada, asking({ key: "club-now", product: "club", currency: "EUR" }))).rejects.toMatchObject({
      reason: "invalid-input",
    });
  });
});

describe("when Stripe's answer is lost", () => {
  test.each([0, 0.1, 2])("and the app asks again %s days later, there is one payment", async (days) => {
    const ada = someone();
    await topUp(ada, asking({ key: "the-first", amount: 20_00 }));
    await vendor.fault("/v1/payment_intents", "timeout-after-success", 3);
    await expect(topUp(ada, asking({ amount: 20_00 }))).rejects.toMatchObject({ reason: "stripe-unavailable" });
    if (days > 0) await vendor.advance(days);
    const { order, state } = await topUp(ada, asking({ amount: 20_00 }));
    expect(state).toBe("open");
    expect(await paymentsOf(ada.uid)).toHaveLength(2);
    await confirm(order, "pm_card_visa");
    expect(await has(ada.uid)).toBe(20_00);
    const bought = await purchases().where("user", "==", ada.uid).get();
    expect(bought.size).toBe(1);
  });
});
