import { beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { item } from "../../../testing/economy.ts";
import { useStripe } from "../../../testing/stripe.ts";
import { wallet } from "../../ledger/wallet.ts";
import { stripe } from "../../platform/stripe.ts";
import { listEntitlements } from "../../rewards/entitlements.ts";
import { defineProduct } from "../catalog.ts";
import { catalog, purchases } from "../records.ts";
import { checkout } from "./checkout.ts";
import { CheckoutRequest } from "./contract.ts";
import { portal } from "./portal.ts";
import { customers, orders } from "./records.ts";

const backend = useBackend({ GRANT_SANDBOX_PURCHASES: "true" });
const vendor = useStripe();

beforeAll(async () => {
  const grant = { coins: { COIN: 500 }, items: {}, entitlements: ["no_ads"] };
  const product = { title: "Gems", grant, grantDuringTrial: false, prices: { USD: 499, EUR: 459, GEM: 3 } };
  await catalog().doc("pack").set(product);
  await catalog()
    .doc("once")
    .set({ ...product, limits: { perUser: 1 } });
  await catalog()
    .doc("scarce")
    .set({ ...product, limits: { stock: 1 } });
  await catalog()
    .doc("swiss")
    .set({ ...product, countries: ["CH"] });
  await catalog()
    .doc("past")
    .set({ ...product, offer: { until: 1 } });
});

const asking = (key: string, more: object = {}) =>
  CheckoutRequest.parse({
    key,
    product: "pack",
    currency: "USD",
    successUrl: "https://game.example.com/done?session={CHECKOUT_SESSION_ID}",
    cancelUrl: "https://game.example.com/shop",
    ...more,
  });
const coins = async (uid: string) =>
  (await wallet({ uid })).balances.find(({ currency }) => currency === "COIN")?.available ?? 0;
const orderOf = async (id: string) => (await orders().doc(id).get()).data();
const sessionOf = async (id: string) => (await orderOf(id))?.session ?? "";
const pay = async (order: string, how: object = {}) =>
  await vendor.simulate(`checkout/${await sessionOf(order)}/pay`, how);
const sessionsOf = async (uid: string) => {
  const customer = (await customers().doc(uid).get()).data()?.test?.id ?? "";
  return (await (await stripe()).checkout.sessions.list({ customer })).data;
};
const purchasesOf = async (user: string) => (await purchases().where("user", "==", user).get()).docs;

describe("who buys on Stripe's page", () => {
  test("has what is sold for a time for that time, and is not sold more than could be given", async () => {
    const ada = someone();
    const grant = { coins: { COIN: 20_000_000_000 }, items: { arrow: 20_000 }, entitlements: ["pass"] };
    const hour = { title: "Pass", grant: { ...grant, entitlementSeconds: 3_600 }, grantDuringTrial: false };
    await catalog()
      .doc("hour")
      .set({ ...hour, prices: { USD: 100 } });
    for (const count of [60, 51]) {
      const asked = checkout(ada, asking(`too-many-${count}`, { product: "hour", count }));
      await expect(asked).rejects.toMatchObject({ reason: "invalid-input", details: { field: "count" } });
    }
    const { order } = await checkout(ada, asking("two-hours", { product: "hour", count: 2 }));
    await pay(order);
    const [bought] = (await purchasesOf(ada.uid)).map((one) => one.data());
    const { entitlements } = await listEntitlements(ada);
    const from = bought && bought.state !== "foretold" ? bought.purchasedAt.toMillis() : 0;
    expect(entitlements).toMatchObject([{ entitlement: "pass", expiresAt: from + 7_200_000, willRenew: false }]);
  });

  test("is not sold more unique items than can be given at once", async () => {
    await item("ship", { kind: "unique" });
    const grant = { coins: {}, items: { ship: 30 }, entitlements: [] };
    const fleet = { title: "Fleet", grant, grantDuringTrial: false, prices: { USD: 100 } };
    await catalog().doc("fleet").set(fleet);
    const asked = checkout(someone(), asking("four-fleets", { product: "fleet", count: 4 }));
    await expect(asked).rejects.toMatchObject({ reason: "too-many-instances" });
    const defined = defineProduct(someone(), {
      id: "armada",
      product: { ...fleet, grant: { ...grant, items: { ship: 101 } } },
    });
    await expect(defined).rejects.toMatchObject({ reason: "too-many-instances" });
  });

  test("has what the catalog says when it is paid, for the catalog's price, and the card is noted", async () => {
    const ada = someone();
    const { order, state, url } = await checkout(ada, asking("purchase-1", { count: 3 }));
    expect({ state, url }).toEqual({ state: "open", url: expect.stringContaining("http") });
    expect(await coins(ada.uid)).toBe(0);
    await pay(order);
    expect(await coins(ada.uid)).toBe(1_500);
    expect((await listEntitlements(ada)).entitlements).toMatchObject([{ entitlement: "no_ads", expiresAt: null }]);
    expect(await orderOf(order)).toMatchObject({ state: "paid", payment: expect.any(String) });
    expect((await purchasesOf(ada.uid)).map((one) => one.data())).toMatchObject([
      {
        state: "granted",
        store: "STRIPE",
        environment: "SANDBOX",
        product: "pack",
        price: { amount: 1_497, currency: "USD" },
        card: { country: "US", fingerprint: expect.any(String) },
      },
    ]);
  });

  test("gets the same page for the same key, and what has become of it once it is paid", async () => {
    const ada = someone();
    const first = await checkout(ada, asking("purchase-1"));
    expect(await checkout(ada, asking("purchase-1"))).toEqual(first);
    await pay(first.order);
    expect(await checkout(ada, asking("purchase-1"))).toEqual({ order: first.order, state: "paid" });
    expect(await sessionsOf(ada.uid)).toHaveLength(1);
    await expect(checkout(ada, asking("purchase-1", { count: 2 }))).rejects.toMatchObject({
      reason: "idempotency-key-reused",
    });
  });

  test("and asks many times at once is one customer with one page", async () => {
    const ada = someone();
    const asked = await Promise.all(Array.from({ length: 5 }, () => checkout(ada, asking("purchase-1"))));
    expect(new Set(asked.map(({ url }) => url)).size).toBe(1);
    expect(await sessionsOf(ada.uid)).toHaveLength(1);
    const found = await (await stripe()).customers.search({ query: `metadata["user"]:"${ada.uid}"` });
    expect(found.data).toHaveLength(1);
  });

  test("can try another card after one was declined", async () => {
    const ada = someone();
    const { order } = await checkout(ada, asking("purchase-1"));
    await expect(pay(order, { card: "4000000000000002" })).rejects.toThrow("declined");
    await vendor.server.flush();
    expect(await orderOf(order)).toMatchObject({ state: "open", problem: expect.any(String) });
    await pay(order);
    expect(await coins(ada.uid)).toBe(500);
    expect(await orderOf(order)).not.toHaveProperty("problem");
  });

  test("by bank debit has it when the money is sure, and not at all if it never comes", async () => {
    const [ada, bo] = [someone(), someone()];
    const good = await checkout(ada, asking("purchase-1"));
    const bad = await checkout(bo, asking("purchase-1"));
    await pay(good.order, { method: "pm_usBankAccount_success" });
    await pay(bad.order, { method: "pm_usBankAccount_insufficientFunds" });
    expect([await orderOf(good.order), await coins(ada.uid)]).toMatchObject([{ state: "processing" }, 0]);
    await vendor.advance(5);
    expect([await orderOf(good.order), await coins(ada.uid)]).toMatchObject([{ state: "paid" }, 500]);
    expect([await orderOf(bad.order), await coins(bo.uid)]).toMatchObject([{ state: "failed" }, 0]);
  });

  test("and leaves finds the page expired after a day, and can ask for another", async () => {
    const ada = someone();
    const { order } = await checkout(ada, asking("purchase-1"));
    await vendor.advance(1.1);
    expect(await orderOf(order)).toMatchObject({ state: "expired" });
    expect(await checkout(ada, asking("purchase-1"))).toEqual({ order, state: "expired" });
    expect((await checkout(ada, asking("purchase-2"))).state).toBe("open");
  });

  test("is billed 4 reads and 2 writes for the page, the first time 6 and 4, and asked again 1 read", async () => {
    const ada = someone();
    await checkout(someone(), asking("purchase-0"));
    await vendor.server.flush();
    vendor.isDown = true;
    const bill = async (key: string) => (await backend.billed(() => checkout(ada, asking(key)))).bill;
    expect(await bill("purchase-1")).toEqual({ reads: 6, writes: 4, deletes: 0 });
    expect(await bill("purchase-2")).toEqual({ reads: 4, writes: 2, deletes: 0 });
    expect(await bill("purchase-2")).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });
});

describe("nobody", () => {
  test("can choose a price: there is no place for one, and a currency of the house is none", async () => {
    const ada = someone();
    const tampered = asking("purchase-1", { amount: 1, price: 1, unit_amount: 1, prices: { USD: 1 } });
    const { order } = await checkout(ada, tampered);
    expect(await orderOf(order)).toMatchObject({ amount: 499 });
    expect((await sessionsOf(ada.uid)).map(({ amount_total }) => amount_total)).toEqual([499]);
    await expect(checkout(ada, asking("purchase-2", { currency: "GEM" }))).rejects.toMatchObject({
      reason: "not-for-sale",
    });
    await expect(checkout(ada, asking("purchase-2", { currency: "GBP" }))).rejects.toMatchObject({
      reason: "not-for-sale",
    });
  });

  test("buys what is not sold, or not to them", async () => {
    const ada = someone();
    const refused = (more: object) =>
      checkout(ada, asking(`purchase-${JSON.stringify(more)}`, more)).catch(
        (error: { reason: string }) => error.reason,
      );
    expect(await refused({ product: "nothing" })).toBe("unknown-product");
    expect(await refused({ product: "scarce" })).toBe("not-for-sale");
    expect(await refused({ product: "swiss" })).toBe("not-for-sale");
    expect(await refused({ product: "swiss", country: "CH" })).toMatchObject({ state: "open" });
    expect(await refused({ product: "past" })).toBe("offer-over");
    const twice = await Promise.all(
      [1, 2].map((n) => refused({ product: "once", cancelUrl: `https://game.example.com/${n}` })),
    );
    expect(twice).toContain("limit-reached");
    expect(twice).toContainEqual(expect.objectContaining({ state: "open" }));
  });

  test.each([
    "https://evil.example.com/done",
    "https://game.example.com.evil.com/",
    "https://game.example.com@evil.com/",
    "https://evil.com\\@game.example.com/",
    "http://game.example.com/",
    "javascript:alert(1)",
    "//evil.com",
    "not a url",
  ])("is led to %s", async (successUrl) => {
    await expect(checkout(someone(), asking("purchase-1", { successUrl }))).rejects.toMatchObject({
      reason: "return-url-not-allowed",
    });
  });
});

describe("the customer portal", () => {
  test("opens for the caller's own customer, and leads back to the app only", async () => {
    const ada = someone();
    const { url } = await portal(ada, { returnUrl: "https://game.example.com/account" });
    expect(url).toContain("/p/session/bps_");
    expect((await customers().doc(ada.uid).get()).data()).toMatchObject({
      test: { id: expect.stringMatching(/^cus_/) },
    });
    await expect(portal(ada, { returnUrl: "https://evil.example.com/" })).rejects.toMatchObject({
      reason: "return-url-not-allowed",
    });
  });
});

describe("when Stripe's answer is lost", () => {
  test.each(["customers", "checkout/sessions"])(
    "after it has made one of /v1/%s, there is one in the end",
    async (path) => {
      const ada = someone();
      await vendor.fault(`/v1/${path}`, "timeout-after-success", 3);
      const first = await checkout(ada, asking("purchase-1")).catch((error: { reason: string }) => error.reason);
      const { order, state } = await checkout(ada, asking("purchase-1"));
      expect([first, state]).toEqual(["stripe-unavailable", "open"]);
      expect(await sessionsOf(ada.uid)).toHaveLength(1);
      await pay(order);
      expect(await coins(ada.uid)).toBe(500);
    },
  );

  test.each([0.1, 1.5])("and the app asks again %s days later, its page is found and not made twice", async (days) => {
    const ada = someone();
    await checkout(ada, asking("purchase-0"));
    await vendor.fault("/v1/checkout/sessions", "timeout-after-success", 3);
    await expect(checkout(ada, asking("purchase-1"))).rejects.toMatchObject({ reason: "stripe-unavailable" });
    await vendor.advance(days);
    const { state } = await checkout(ada, asking("purchase-1"));
    expect(state).toBe(days < 1 ? "open" : "expired");
    expect(await sessionsOf(ada.uid)).toHaveLength(2);
  });

  test.each([0.1, 2])(
    "and the app asks again %s days later, the customer is found and not made twice",
    async (days) => {
      const ada = someone();
      await vendor.fault("/v1/customers", "timeout-after-success", 3);
      await expect(checkout(ada, asking("purchase-1"))).rejects.toMatchObject({ reason: "stripe-unavailable" });
      await vendor.advance(days);
      expect((await checkout(ada, asking("purchase-1"))).state).toBe("open");
      const found = await (await stripe()).customers.search({ query: `metadata["user"]:"${ada.uid}"` });
      expect(found.data).toHaveLength(1);
    },
  );

  test("before it did anything, the page is made when the app asks again, even after Stripe has forgotten the key", async () => {
    const ada = someone();
    await checkout(ada, asking("purchase-0"));
    await vendor.fault("/v1/checkout/sessions", "500", 3);
    await expect(checkout(ada, asking("purchase-1"))).rejects.toMatchObject({ reason: "stripe-unavailable" });
    await vendor.advance(2);
    expect((await checkout(ada, asking("purchase-1"))).state).toBe("open");
    expect(await sessionsOf(ada.uid)).toHaveLength(2);
  });
});
