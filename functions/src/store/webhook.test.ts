import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Customers, type NewPurchase } from "../../../local/revenuecat/customers.ts";
import { type EventType, type WebhookBody, webhookBody } from "../../../local/revenuecat/wire.ts";
import { someone, useBackend, webhookRequest } from "../../testing/backend.ts";
import { history } from "../ledger/history.ts";
import { post } from "../ledger/index.ts";
import { wallet } from "../ledger/wallet.ts";
import { forgetAll } from "../platform/cache.ts";
import { deliver, outbox } from "../platform/outbox.ts";
import { MAX_ATTEMPTS, RETRY_QUEUE, receive, retry, webhooks } from "../platform/webhooks.ts";
import { InventoryRequest } from "../rewards/contract.ts";
import { listEntitlements } from "../rewards/entitlements.ts";
import { listInventory } from "../rewards/inventory.ts";
import { inventory } from "../rewards/records.ts";
import { defineProduct } from "./catalog.ts";
import { DefineProduct } from "./contract.ts";
import { catalog, purchases } from "./records.ts";
import { revenueCat } from "./revenuecat/webhook.ts";
import { subscribers } from "./subscribers.ts";

const backend = useBackend();
const customers = new Customers();

const PACK: NewPurchase = { product: "pack", kind: "consumable", entitlements: ["no_ads"] };
const MONTHLY: NewPurchase = { product: "monthly", kind: "subscription", entitlements: ["pro"] };
const COINS: NewPurchase = { product: "coins", kind: "consumable" };

beforeAll(async () => {
  const product = (coins: number, items = {}, entitlements: string[] = []) => ({
    title: "A product",
    grant: { coins: coins > 0 ? { COIN: coins } : {}, items, entitlements },
    grantDuringTrial: false,
  });
  await catalog()
    .doc("pack")
    .set(product(1_000, { sword: 1 }, ["no_ads"]));
  await catalog()
    .doc("monthly")
    .set(product(2_000, {}, ["pro"]));
  await catalog().doc("coins").set(product(500));
  await catalog()
    .doc("skin")
    .set(product(0, { skin: 1 }));
});

const send = (body: WebhookBody) => receive(revenueCat, webhookRequest(body));
const buy = (uid: string, bought: NewPurchase) => {
  const purchase = customers.purchase(uid, bought);
  const type: EventType = bought.kind === "subscription" ? "INITIAL_PURCHASE" : "NON_RENEWING_PURCHASE";
  return { purchase, body: webhookBody(type, customers.get(uid), purchase) };
};
const tell = (type: EventType, uid: string, product: string) =>
  webhookBody(type, customers.get(uid), customers.find(uid, product));

const has = async (uid: string) => {
  const [{ balances }, { items }, { entitlements }] = await Promise.all([
    wallet({ uid }),
    listInventory({ uid }, { limit: 100 }),
    listEntitlements({ uid }),
  ]);
  return {
    coins: balances.find(({ currency }) => currency === "COIN")?.available ?? 0,
    owed: balances.find(({ currency }) => currency === "COIN")?.owed ?? 0,
    items: Object.fromEntries(items.map(({ item, quantity }) => [item, quantity])),
    entitlements: entitlements.filter(({ active }) => active).map(({ entitlement }) => entitlement),
  };
};
/** Delivers the events that nobody has been told of yet. */
const tellStore = async () => {
  const due = await outbox().orderBy("dueAt").get();
  for (const { id } of due.docs) await deliver(id, subscribers);
};
const NOTHING = { coins: 0, owed: 0, items: {}, entitlements: [] };

describe("a purchase", () => {
  test("becomes coins, items, entitlements and exactly one ledger transaction", async () => {
    const { uid } = someone();
    const { body, purchase } = buy(uid, PACK);
    expect(await send(body)).toMatchObject({ state: "done", outcome: { result: "granted", user: uid } });
    expect(await has(uid)).toEqual({ coins: 1_000, owed: 0, items: { sword: 1 }, entitlements: ["no_ads"] });
    const { transactions } = await history({ uid }, { currency: "COIN", limit: 10 });
    expect(transactions).toMatchObject([{ kind: "purchase", amount: 1_000 }]);
    const [record] = (await purchases().where("transaction", "==", purchase.transaction).get()).docs;
    expect(record?.data()).toMatchObject({
      state: "granted",
      user: uid,
      via: "webhook",
      price: { amount: 499, currency: "USD" },
    });
  });

  test("of one item and one entitlement bills 4 reads and 7 writes; the same webhook again 1 read and nothing else", async () => {
    await send(buy(someone().uid, PACK).body);
    const { body } = buy(someone().uid, PACK);
    expect((await backend.billed(() => send(body))).bill).toEqual({ reads: 4, writes: 7, deletes: 0 });
    const again = await backend.billed(() => send(body));
    expect(again.result.state).toBe("duplicate");
    expect(again.bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });

  test("delivered ten times at once is granted once", async () => {
    const { uid } = someone();
    const { body } = buy(uid, PACK);
    const receipts = await Promise.all(Array.from({ length: 10 }, () => send(body)));
    expect(receipts.filter(({ state }) => state === "done")).toHaveLength(1);
    expect(receipts.filter(({ state }) => state === "duplicate")).toHaveLength(9);
    expect(await has(uid)).toEqual({ coins: 1_000, owed: 0, items: { sword: 1 }, entitlements: ["no_ads"] });
  });

  test("told under two event ids is granted once", async () => {
    const { uid } = someone();
    const { body } = buy(uid, PACK);
    await send(body);
    const other: WebhookBody = { ...body, event: { ...body.event, id: randomUUID() } };
    expect(await send(other)).toMatchObject({ state: "done", outcome: { result: "already-granted" } });
    expect((await has(uid)).coins).toBe(1_000);
  });

  test("of something that has no coins is a transaction all the same", async () => {
    const { uid } = someone();
    const receipt = await send(buy(uid, { product: "skin", kind: "consumable" }).body);
    expect(receipt.outcome).toMatchObject({ result: "granted", transaction: expect.any(String) });
    expect((await has(uid)).items).toEqual({ skin: 1 });
  });

  test("during a free trial gives the entitlement and no coins", async () => {
    const { uid } = someone();
    await send(buy(uid, { ...MONTHLY, periodType: "TRIAL" }).body);
    expect(await has(uid)).toEqual({ ...NOTHING, entitlements: ["pro"] });
  });

  test("in the stores' sandbox gives nothing unless the project says so", async () => {
    const { uid } = someone();
    const { body } = buy(uid, { ...PACK, environment: "SANDBOX" });
    expect((await send(body)).outcome).toEqual({ result: "ignored", reason: "sandbox" });
    expect(await has(uid)).toEqual(NOTHING);
  });

  test("that somebody else of the family has paid for gives the entitlement and no coins", async () => {
    const { uid } = someone();
    const { body } = buy(uid, MONTHLY);
    await send({ ...body, event: { ...body.event, is_family_share: true } });
    expect(await has(uid)).toEqual({ ...NOTHING, entitlements: ["pro"] });
  });

  test("of an account of the house's name is nobody's", async () => {
    for (const uid of ["system:mint", "system", "a/b"]) {
      expect(await send(buy(uid, COINS).body)).toMatchObject({
        state: "retrying",
        outcome: { reason: "unknown-user" },
      });
    }
  });

  test("of a product whose id cannot be one in the catalog waits like any other that is unknown", async () => {
    const { body } = buy(someone().uid, { product: "a/b", kind: "consumable" });
    expect((await send(body)).outcome).toMatchObject({ reason: "unknown-product", for: "product:a/b" });
  });

  test("made before signing in goes to the user that the aliases name", async () => {
    const { uid } = someone();
    const anonymous = `$RCAnonymousID:${randomUUID()}`;
    const { body } = buy(anonymous, COINS);
    const aliased: WebhookBody = { ...body, event: { ...body.event, aliases: [anonymous, uid] } };
    expect((await send(aliased)).outcome).toMatchObject({ result: "granted", user: uid });
  });
});

describe("a subscription", () => {
  test("grants each paid period, by the transaction of the period", async () => {
    const { uid } = someone();
    await send(buy(uid, MONTHLY).body);
    customers.renew(uid, "monthly");
    const renewal = tell("RENEWAL", uid, "monthly");
    expect((await send(renewal)).outcome).toMatchObject({ result: "granted" });
    expect((await send(renewal)).state).toBe("duplicate");
    expect(await has(uid)).toMatchObject({ coins: 4_000, entitlements: ["pro"] });
  });

  test("that will not renew lasts until it ends", async () => {
    const { uid } = someone();
    await send(buy(uid, MONTHLY).body);
    customers.cancel(uid, "monthly", false);
    expect((await send(tell("CANCELLATION", uid, "monthly"))).outcome).toMatchObject({ result: "will-not-renew" });
    expect((await listEntitlements({ uid })).entitlements).toMatchObject([{ active: true, willRenew: false }]);
    customers.expire(uid, "monthly");
    expect((await send(tell("EXPIRATION", uid, "monthly"))).outcome).toMatchObject({ result: "expired" });
    expect((await has(uid)).entitlements).toEqual([]);
    expect((await has(uid)).coins).toBe(2_000);
  });

  test("ends as it was granted, whatever the catalog or the webhook says by then", async () => {
    const { uid } = someone();
    const product = { title: "Club", grant: { coins: {}, items: {}, entitlements: ["club"] }, grantDuringTrial: false };
    await catalog().doc("club").set(product);
    await send(buy(uid, { product: "club", kind: "subscription" }).body);
    await defineProduct(someone(), {
      id: "club",
      product: { ...product, grant: { ...product.grant, entitlements: ["vip"] } },
    });
    customers.expire(uid, "club");
    const expiration = tell("EXPIRATION", uid, "club");
    const { outcome } = await send({ ...expiration, event: { ...expiration.event, app_user_id: "$RCAnonymousID:x" } });
    expect(outcome).toMatchObject({ result: "expired", user: uid, entitlements: ["club"] });
    expect((await listEntitlements({ uid })).entitlements).toMatchObject([{ entitlement: "club", active: false }]);
  });

  test("whose end alone is heard of gives nobody anything", async () => {
    const { uid } = someone();
    buy(uid, MONTHLY);
    customers.expire(uid, "monthly");
    expect((await send(tell("EXPIRATION", uid, "monthly"))).outcome).toMatchObject({
      result: "foretold",
      news: "expired",
    });
    expect((await listEntitlements({ uid })).entitlements).toEqual([]);
  });

  test("that ends before its beginning is heard of stays ended", async () => {
    const { uid } = someone();
    const { body } = buy(uid, MONTHLY);
    customers.expire(uid, "monthly");
    await send(tell("EXPIRATION", uid, "monthly"));
    await send(body);
    expect(await has(uid)).toMatchObject({ coins: 2_000, entitlements: [] });
  });
});

describe("a refund", () => {
  const refundOf = (uid: string, product: string) => {
    customers.cancel(uid, product, true);
    return tell("CANCELLATION", uid, product);
  };

  test("takes back coins, items and entitlements", async () => {
    const { uid } = someone();
    await send(buy(uid, PACK).body);
    expect((await send(refundOf(uid, "pack"))).outcome).toMatchObject({ result: "refunded" });
    expect(await has(uid)).toEqual(NOTHING);
  });

  test("takes back coins that were spent, as a debt that what comes in settles first", async () => {
    const { uid } = someone();
    await send(buy(uid, COINS).body);
    const postings = [{ from: uid, to: "system:revenue", amount: 400, currency: "COIN" }];
    await post({ key: randomUUID(), kind: "spend", postings, reference: "test" });
    await send(refundOf(uid, "coins"));
    expect(await has(uid)).toMatchObject({ coins: 0, owed: 400 });
    await send(buy(uid, COINS).body);
    expect(await has(uid)).toMatchObject({ coins: 100, owed: 0 });
  });

  test("happens once, however often it is told", async () => {
    const { uid } = someone();
    await send(buy(uid, COINS).body);
    await send(buy(uid, { ...COINS, product: "pack" }).body);
    const refund = refundOf(uid, "coins");
    await Promise.all([send(refund), send(refund), send({ ...refund, event: { ...refund.event, id: randomUUID() } })]);
    expect((await has(uid)).coins).toBe(1_000);
  });

  test("that comes before its purchase leaves nothing to grant", async () => {
    const { uid } = someone();
    const { body } = buy(uid, PACK);
    expect((await send(refundOf(uid, "pack"))).outcome).toMatchObject({ result: "foretold" });
    expect((await send(body)).outcome).toMatchObject({ result: "refunded-before" });
    expect(await has(uid)).toEqual(NOTHING);
  });

  test("of a purchase whose buyer is not named finds who was given it", async () => {
    const { uid } = someone();
    await send(buy(uid, PACK).body);
    const refund = refundOf(uid, "pack");
    const anonymous = { app_user_id: "$RCAnonymousID:x", original_app_user_id: "$RCAnonymousID:x", aliases: [] };
    await send({ ...refund, event: { ...refund.event, ...anonymous } });
    expect(await has(uid)).toEqual(NOTHING);
  });

  test("is one whether the reason or the price says so; turning renewal off is none", async () => {
    for (const [told, result] of [
      [{ cancel_reason: "CUSTOMER_SUPPORT", price_in_purchased_currency: 0 }, "refunded"],
      [{ cancel_reason: "UNSUBSCRIBE", price_in_purchased_currency: -9.99 }, "refunded"],
      [{ cancel_reason: "BILLING_ERROR", price_in_purchased_currency: 0 }, "will-not-renew"],
      [{ cancel_reason: "UNSUBSCRIBE", price_in_purchased_currency: 0 }, "will-not-renew"],
    ] as const) {
      const { uid } = someone();
      await send(buy(uid, MONTHLY).body);
      const body = refundOf(uid, "monthly");
      expect((await send({ ...body, event: { ...body.event, ...told } })).outcome).toMatchObject({ result });
    }
  });

  test("of one of two purchases for ever leaves the entitlement that the other gives", async () => {
    const { uid } = someone();
    await send(buy(uid, PACK).body);
    await send(buy(uid, PACK).body);
    await send(refundOf(uid, "pack"));
    expect(await has(uid)).toEqual({ coins: 1_000, owed: 0, items: { sword: 1 }, entitlements: ["no_ads"] });
  });

  test("of items that are used up says how many are missing", async () => {
    const { uid } = someone();
    await send(buy(uid, PACK).body);
    await inventory(uid).doc("sword").update({ quantity: 0 });
    expect((await send(refundOf(uid, "pack"))).outcome).toMatchObject({ missingItems: { sword: 1 } });
  });
});

describe("what cannot be granted now", () => {
  beforeEach(() => {
    backend.tasks.length = 0;
    forgetAll();
  });

  test("is kept, answered all the same, retried, and granted once the catalog has it", async () => {
    const { uid } = someone();
    const product = `late-${randomUUID()}`;
    const { body } = buy(uid, { product, kind: "consumable" });
    const receipt = await send(body);
    expect(receipt).toMatchObject({ state: "retrying", outcome: { result: "waiting", reason: "unknown-product" } });
    expect(backend.tasks).toMatchObject([{ queue: RETRY_QUEUE, data: { id: receipt.id } }]);
    const kept = (await webhooks().doc(receipt.id).get()).data();
    expect(kept).toMatchObject({ state: "retrying", waitingFor: `product:${product}` });
    const { subscriber_attributes: _personal, ...event } = body.event;
    expect(JSON.parse(kept?.body ?? "")).toEqual({ event });
    await expect(retry([revenueCat], receipt.id, "task")).rejects.toThrow("unknown-product");

    const grant = { coins: { COIN: 7 }, items: {}, entitlements: [] };
    await defineProduct(someone(), { id: product, product: { title: "Late", grant, grantDuringTrial: false } });
    await tellStore();
    expect(backend.tasks).toHaveLength(2);
    expect(await retry([revenueCat], receipt.id, "task")).toMatchObject({
      state: "done",
      outcome: { result: "granted" },
    });
    expect((await has(uid)).coins).toBe(7);
    const record = (await webhooks().doc(receipt.id).get()).data();
    expect(record).toMatchObject({ state: "done", attempts: 3 });
    expect(record).not.toHaveProperty("body");
    expect((await retry([revenueCat], receipt.id, "task")).state).toBe("duplicate");
    expect((await send(body)).state).toBe("duplicate");
  });

  test("redelivered by the vendor is tried again there and then", async () => {
    const { uid } = someone();
    const product = `late-${randomUUID()}`;
    const { body } = buy(uid, { product, kind: "consumable" });
    await send(body);
    expect((await send(body)).state).toBe("retrying");
    await catalog()
      .doc(product)
      .set({ title: "Late", grant: { coins: { COIN: 7 }, items: {}, entitlements: [] }, grantDuringTrial: false });
    expect((await send(body)).state).toBe("done");
    expect((await has(uid)).coins).toBe(7);
  });

  test("is parked when it was tried often enough, with an event that says so", async () => {
    const { body } = buy(`$RCAnonymousID:${randomUUID()}`, COINS);
    const { id, outcome } = await send(body);
    expect(outcome).toMatchObject({ reason: "unknown-user" });
    for (let attempt = 2; attempt < MAX_ATTEMPTS; attempt++)
      await expect(retry([revenueCat], id, "task")).rejects.toThrow();
    expect(await retry([revenueCat], id, "task")).toMatchObject({ state: "parked" });
    expect((await webhooks().doc(id).get()).data()).toMatchObject({ state: "parked", attempts: MAX_ATTEMPTS });
    const events = (await outbox().where("type", "==", "webhook.parked").get()).docs.map(
      (event) => event.data().data.webhook,
    );
    expect(events).toContain(id);
  });
});

describe("what is not acted on", () => {
  test.each([
    ["TEST", "test"],
    ["BILLING_ISSUE", "noted"],
    ["INVOICE_ISSUANCE", "noted"],
    ["EXPERIMENT_ENROLLMENT", "noted"],
    ["PURCHASE_REDEEMED", "noted"],
    ["SOMETHING_NEW_OF_NEXT_YEAR", "ignored"],
  ])("%s ends in a stated outcome", async (type, result) => {
    const event = { type, id: randomUUID(), event_timestamp_ms: Date.now(), whatever: { is: "new" } };
    const receipt = await receive(revenueCat, webhookRequest({ api_version: "1.0", event }));
    expect(receipt.state).toBe("done");
    expect(receipt.outcome.result).toBe(result);
  });
});

describe("a webhook that is not RevenueCat's", () => {
  test.each([["wrong"], [""], [undefined]])(
    "with the header %j is unauthenticated, and leaves no trace",
    async (authorization) => {
      const { body } = buy(someone().uid, PACK);
      const request = webhookRequest(body, authorization ?? "");
      const { bill } = await backend.billed(() =>
        expect(receive(revenueCat, request)).rejects.toMatchObject({ code: "unauthenticated" }),
      );
      expect(bill).toEqual({ reads: 0, writes: 0, deletes: 0 });
    },
  );

  test.each([
    ["{", ""],
    [[], ""],
    [{}, "event"],
    [{ event: { type: "INITIAL_PURCHASE" } }, "event.id"],
    [{ event: { type: 7, id: "x", event_timestamp_ms: 1 } }, "event.type"],
  ])("with the body %j is invalid at %j", async (body, field) => {
    await expect(receive(revenueCat, webhookRequest(body))).rejects.toMatchObject({
      code: "invalid-argument",
      details: { field },
    });
  });

  test.each(["product_id", "store", "environment", "transaction_id", "purchased_at_ms", "app_user_id"])(
    "without %s names it",
    async (field) => {
      const { body } = buy(someone().uid, PACK);
      const { [field]: _left, ...event } = body.event;
      await expect(receive(revenueCat, webhookRequest({ ...body, event }))).rejects.toMatchObject({
        details: { field: `event.${field}` },
      });
    },
  );
});

describe("a definition of a product", () => {
  const Definition = (grant: object) => DefineProduct.safeParse({ id: "x", product: { title: "X", grant } });

  test.each([
    ["an item whose id is a path", { items: { "a/b": 1 } }],
    ["an item whose id is reserved", { items: { __x__: 1 } }],
    ["an entitlement without a name", { entitlements: [""] }],
    ["half a coin", { coins: { COIN: 0.5 } }],
    ["less than nothing", { coins: { COIN: -1 } }],
    ["more kinds of items than one transaction should write", { items: Object.fromEntries(many(51)) }],
  ])("with %s is refused", (_what, grant) => {
    expect(Definition(grant).success).toBe(false);
  });

  test("of more coins than an account can hold, or of a currency that there is not, is refused", async () => {
    const define = (coins: Record<string, number>) =>
      defineProduct(someone(), {
        id: "x",
        product: { title: "X", grant: { coins, items: {}, entitlements: [] }, grantDuringTrial: false },
      });
    await expect(define({ COIN: 2e12 })).rejects.toMatchObject({ details: { field: "product.grant.coins.COIN" } });
    await expect(define({ DOUBLOON: 1 })).rejects.toMatchObject({ reason: "unknown-currency" });
  });

  test.each(["", "a/b", ".", "__x__", "x".repeat(300)])("under the id %j is refused", (id) => {
    expect(DefineProduct.safeParse({ id, product: { title: "X", grant: {} } }).success).toBe(false);
  });
});

test.each(["a/b", "__x__", ".."])("the cursor %j, which no page has given, is refused", (cursor) => {
  expect(InventoryRequest.safeParse({ cursor }).success).toBe(false);
});

function many(count: number): [string, number][] {
  return Array.from({ length: count }, (_, i) => [`item${i}`, 1]);
}
