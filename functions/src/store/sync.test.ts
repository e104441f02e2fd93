import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Purchase } from "../../../local/revenuecat/customers.ts";
import { type RevenueCatServer, startRevenueCat } from "../../../local/revenuecat/server.ts";
import { type EventType, transferBody, webhookBody } from "../../../local/revenuecat/wire.ts";
import { someone, useBackend, webhookRequest } from "../../testing/backend.ts";
import { noteSandboxed } from "../fraud/index.ts";
import { wallet } from "../ledger/wallet.ts";
import { FieldValue, transact } from "../platform/firestore.ts";
import { deliver, outbox } from "../platform/outbox.ts";
import { receive, retry } from "../platform/webhooks.ts";
import { listEntitlements } from "../rewards/entitlements.ts";
import { catalog, purchases } from "./records.ts";
import { follow } from "./revenuecat/follow.ts";
import { fetchCustomer } from "./revenuecat/subscriber.ts";
import { revenueCat } from "./revenuecat/webhook.ts";
import { subscribers } from "./subscribers.ts";
import { sync } from "./sync.ts";

const backend = useBackend();
let vendor: RevenueCatServer;

beforeAll(async () => {
  const webhook = { url: "http://127.0.0.1:1/", authorization: "unused" };
  vendor = await startRevenueCat({ apiKey: "the-api-key", webhook });
  process.env.REVENUECAT_URL = `http://127.0.0.1:${vendor.port}`;
  const grant = { coins: { COIN: 500 }, items: {}, entitlements: [] };
  await catalog().doc("coins").set({ title: "Coins", grant, grantDuringTrial: false });
});
afterAll(() => vendor.close());

const buy = (uid: string, product = "coins") => {
  const purchase = vendor.customers.purchase(uid, { product, kind: "consumable" });
  return webhookBody("NON_RENEWING_PURCHASE", vendor.customers.get(uid), purchase);
};
const coins = async (uid: string) => (await wallet({ uid })).balances[0]?.available ?? 0;

describe("an app that has just bought", () => {
  test("is granted at once, and the webhook that comes later finds it done", async () => {
    const ada = someone();
    const body = buy(ada.uid);
    expect((await sync(ada)).purchases).toMatchObject([{ product: "coins", result: "granted" }]);
    expect(await coins(ada.uid)).toBe(500);
    expect((await receive(revenueCat, webhookRequest(body))).outcome).toMatchObject({ result: "already-granted" });
    expect((await sync(ada)).purchases).toMatchObject([{ result: "already-granted" }]);
    expect(await coins(ada.uid)).toBe(500);
  });

  test("has its purchase with the price and a receipt to come, even if only the webhook tells the price", async () => {
    const ada = someone();
    const body = buy(ada.uid);
    await sync(ada);
    const [bought] = (await purchases().where("user", "==", ada.uid).get()).docs;
    const priced = { price: { amount: 499, currency: "USD" }, receiptDue: true };
    expect(bought?.data()).toMatchObject(priced);
    await bought?.ref.update({ price: FieldValue.delete(), receiptDue: FieldValue.delete() });
    expect((await receive(revenueCat, webhookRequest(body))).outcome).toMatchObject({ result: "already-granted" });
    expect((await bought?.ref.get())?.data()).toMatchObject(priced);
    expect(await coins(ada.uid)).toBe(500);
  });

  test("and a webhook at the very same time grant once between them", async () => {
    for (let round = 0; round < 5; round++) {
      const ada = someone();
      const body = buy(ada.uid);
      await Promise.all([sync(ada), receive(revenueCat, webhookRequest(body)), sync(ada)]);
      expect(await coins(ada.uid)).toBe(500);
    }
  });

  test("is told of products that nobody has defined, and of nothing that was refunded", async () => {
    const ada = someone();
    buy(ada.uid, "undefined_product");
    buy(ada.uid);
    vendor.customers.cancel(ada.uid, "coins", true);
    expect((await sync(ada)).purchases).toMatchObject([{ product: "undefined_product", result: "unknown-product" }]);
  });

  test("whose purchase is in doubt is told that somebody has a look at it, however often it asks", async () => {
    process.env.FRAUD = "on";
    const ada = someone();
    for (let i = 0; i < 6; i++) await transact(async (tx) => (await noteSandboxed(tx, ada.uid, Date.now()))());
    const body = buy(ada.uid);
    const told = { purchases: [{ product: "coins", result: "refused", withheld: "review" }] };
    expect(await sync(ada)).toMatchObject(told);
    expect(await sync(ada)).toMatchObject(told);
    expect((await receive(revenueCat, webhookRequest(body))).outcome).toMatchObject({ result: "already-granted" });
    expect(await coins(ada.uid)).toBe(0);
    process.env.FRAUD = "off";
  });

  test("tells on which device it was, so that many users on one are seen", async () => {
    process.env.FRAUD = "on";
    const device = "one-phone-for-all";
    const results: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      const ada = someone();
      buy(ada.uid);
      results.push((await sync(ada, { device })).purchases[0]?.result);
    }
    expect(results).toEqual([...Array.from({ length: 6 }, () => "granted"), "refused", "refused"]);
    process.env.FRAUD = "off";
  });

  test("pays one read for each purchase that is granted already", async () => {
    const ada = someone();
    for (let i = 0; i < 3; i++) buy(ada.uid);
    await sync(ada);
    expect((await backend.billed(() => sync(ada))).bill).toEqual({ reads: 3, writes: 0, deletes: 0 });
  });
});

describe("of what RevenueCat lists, an app", () => {
  test("is granted Google's base plans as webhooks name them", async () => {
    const ada = someone();
    const product = "club:monthly";
    const grant = { coins: { COIN: 30 }, items: {}, entitlements: ["club"] };
    await catalog().doc(product).set({ title: "Club", grant, grantDuringTrial: false });
    const purchase = vendor.customers.purchase(ada.uid, { product, kind: "subscription", store: "PLAY_STORE" });
    const body = webhookBody("INITIAL_PURCHASE", vendor.customers.get(ada.uid), purchase);
    expect((await sync(ada)).purchases).toMatchObject([{ product, result: "granted" }]);
    expect((await receive(revenueCat, webhookRequest(body))).outcome).toMatchObject({ result: "already-granted" });
    expect(await coins(ada.uid)).toBe(30);
  });

  test("is not granted what it bought before the game came here", async () => {
    const ada = someone();
    buy(ada.uid);
    process.env.GRANT_PURCHASES_SINCE = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    expect((await sync(ada)).purchases).toMatchObject([{ result: "too-old" }]);
    process.env.GRANT_PURCHASES_SINCE = "";
    expect((await sync(ada)).purchases).toMatchObject([{ result: "granted" }]);
  });
});

describe("what an app has been granted", () => {
  const DAY = 86_400_000;
  const subscribe = async (uid: string) => {
    const grant = { coins: { COIN: 100 }, items: {}, entitlements: ["pro"] };
    await catalog().doc("monthly").set({ title: "Monthly", grant, grantDuringTrial: false });
    return vendor.customers.purchase(uid, { product: "monthly", kind: "subscription" });
  };
  const pro = async (uid: string) => (await listEntitlements({ uid })).entitlements[0];

  test("is brought to how it stands at RevenueCat", async () => {
    const ada = someone();
    const purchase = await subscribe(ada.uid);
    await sync(ada);
    vendor.customers.cancel(ada.uid, "monthly", false);
    await sync(ada);
    expect(await pro(ada.uid)).toMatchObject({ active: true, willRenew: false });
    vendor.customers.uncancel(ada.uid, "monthly");
    vendor.customers.extend(ada.uid, "monthly", 3);
    await sync(ada);
    const end = Math.floor((purchase.expiresAt ?? 0) / 1_000) * 1_000;
    expect(await pro(ada.uid)).toMatchObject({ willRenew: true, expiresAt: end });
    vendor.customers.fail(ada.uid, "monthly", 5);
    await sync(ada);
    expect(await pro(ada.uid)).toMatchObject({ willRenew: false, expiresAt: end + 5 * DAY });
  });

  test("is not granted as if it renewed when it has been turned off before it was heard of", async () => {
    const ada = someone();
    await subscribe(ada.uid);
    vendor.customers.cancel(ada.uid, "monthly", false);
    expect((await sync(ada)).purchases).toMatchObject([{ result: "granted" }]);
    expect(await pro(ada.uid)).toMatchObject({ active: true, willRenew: false });
  });

  test("is taken back when its money has gone back, once", async () => {
    const ada = someone();
    await subscribe(ada.uid);
    await sync(ada);
    vendor.customers.cancel(ada.uid, "monthly", true);
    expect((await sync(ada)).purchases).toMatchObject([{ result: "already-granted", refunded: true }]);
    expect((await sync(ada)).purchases).toMatchObject([{ result: "already-granted", refunded: true }]);
    expect(await coins(ada.uid)).toBe(0);
    expect(await pro(ada.uid)).toMatchObject({ active: false });
  });

  test("follows it to another user, and leaves the coins", async () => {
    const [ada, bo] = [someone(), someone()];
    await subscribe(ada.uid);
    await sync(ada);
    vendor.customers.transfer(ada.uid, bo.uid);
    await sync(bo);
    expect([await pro(ada.uid), await pro(bo.uid)]).toMatchObject([{ active: false }, { active: true }]);
    expect([await coins(ada.uid), await coins(bo.uid)]).toEqual([100, 0]);
  });

  const moving = {
    webhook: (ada: string, bo: string) => receive(revenueCat, webhookRequest(transferBody([ada], [bo]))),
    sync: (_: string, uid: string) => sync({ uid }),
  };
  test.each(["webhook", "sync"] as const)(
    "stays with whom a %s has moved it to when RevenueCat was asked before that",
    async (way) => {
      const [ada, bo] = [someone(), someone()];
      await subscribe(ada.uid);
      await sync(ada);
      const before = await fetchCustomer(ada.uid);
      await new Promise((resolve) => setTimeout(resolve, 5));
      vendor.customers.transfer(ada.uid, bo.uid);
      await moving[way](ada.uid, bo.uid);
      await follow(before);
      expect([await pro(ada.uid), await pro(bo.uid)]).toMatchObject([{ active: false }, { active: true }]);
    },
  );

  test("stays as later news has it when RevenueCat was asked before that", async () => {
    const ada = someone();
    await subscribe(ada.uid);
    await sync(ada);
    const before = await fetchCustomer(ada.uid);
    vendor.customers.cancel(ada.uid, "monthly", false);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await sync(ada);
    await follow(before);
    expect(await pro(ada.uid)).toMatchObject({ willRenew: false });
  });
});

test("an upgrade ends what was before as soon as it is told of, and a downgrade leaves it until it ends", async () => {
  const give = (id: string) => ({
    title: id,
    grant: { coins: { COIN: 10 }, items: {}, entitlements: [id] },
    grantDuringTrial: false,
  });
  for (const id of ["basic", "plus"]) await catalog().doc(id).set(give(id));
  const { customers } = vendor;
  const told = async (uid: string, type: EventType, purchase: Purchase) => {
    await receive(revenueCat, webhookRequest(webhookBody(type, customers.get(uid), purchase)));
    for (const { id } of (await outbox().where("type", "==", "subscription.changed").get()).docs)
      await deliver(id, subscribers);
  };
  const may = async (uid: string) =>
    (await listEntitlements({ uid })).entitlements.filter(({ active }) => active).map(({ entitlement }) => entitlement);

  const [up, down] = [someone().uid, someone().uid];
  const basic = customers.purchase(up, { product: "basic", kind: "subscription" });
  await told(up, "INITIAL_PURCHASE", basic);
  customers.change(up, "basic", "plus");
  const plus = customers.upgrade(up, "basic", "plus");
  await told(up, "RENEWAL", plus);
  await told(up, "PRODUCT_CHANGE", basic);
  expect(await may(up)).toEqual(["plus"]);
  expect(await coins(up)).toBe(20);

  const first = customers.purchase(down, { product: "plus", kind: "subscription" });
  await told(down, "INITIAL_PURCHASE", first);
  await told(down, "PRODUCT_CHANGE", customers.change(down, "plus", "basic"));
  expect(await may(down)).toEqual(["plus"]);
  expect(await coins(down)).toBe(10);
});

test("an app that asks without pause is told when to ask again", async () => {
  const ada = someone();
  for (let i = 0; i < 10; i++) await sync(ada);
  await expect(sync(ada)).rejects.toMatchObject({
    code: "resource-exhausted",
    reason: "rate-limited",
    details: { retryAfter: expect.any(Number) },
  });
});

test("a webhook of somebody who had not signed in is done with when their app has synced", async () => {
  const ada = someone();
  const body = buy(ada.uid);
  const anonymous = { app_user_id: "$RCAnonymousID:x", original_app_user_id: "$RCAnonymousID:x", aliases: [] };
  const kept = await receive(revenueCat, webhookRequest({ ...body, event: { ...body.event, ...anonymous } }));
  expect(kept).toMatchObject({ state: "retrying", outcome: { reason: "unknown-user" } });
  backend.tasks.length = 0;
  await sync(ada);
  expect(backend.tasks).toMatchObject([{ data: { id: kept.id } }]);
  expect(await retry([revenueCat], kept.id, "task")).toMatchObject({
    state: "done",
    outcome: { result: "already-granted" },
  });
  expect(await coins(ada.uid)).toBe(500);
});

test("RevenueCat being down is said, and loses nothing", async () => {
  const ada = someone();
  buy(ada.uid);
  const url = process.env.REVENUECAT_URL;
  process.env.REVENUECAT_URL = "http://127.0.0.1:1";
  await expect(sync(ada)).rejects.toMatchObject({ code: "unavailable", reason: "revenuecat-unavailable" });
  process.env.REVENUECAT_URL = url;
  expect((await sync(ada)).purchases).toMatchObject([{ result: "granted" }]);
});
