import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Customers, type NewPurchase } from "../../../../local/revenuecat/customers.ts";
import {
  aliasBody,
  currencyBody,
  type EventType,
  otherBody,
  temporaryBody,
  transferBody,
  type WebhookBody,
  webhookBody,
} from "../../../../local/revenuecat/wire.ts";
import { someone, useBackend, webhookRequest } from "../../../testing/backend.ts";
import { post } from "../../ledger/index.ts";
import { verify } from "../../ledger/verify.ts";
import { wallet } from "../../ledger/wallet.ts";
import { deliver, outbox } from "../../platform/outbox.ts";
import { receive, retry } from "../../platform/webhooks.ts";
import { listEntitlements } from "../../rewards/entitlements.ts";
import type { Product } from "../records.ts";
import { catalog, purchases } from "../records.ts";
import { subscribers } from "../subscribers.ts";
import { revenueCat } from "./webhook.ts";

const backend = useBackend();
const customers = new Customers();
const DAY = 86_400_000;

const MONTHLY: NewPurchase = { product: "monthly", kind: "subscription", entitlements: ["pro"] };
const FOREVER: NewPurchase = { product: "lifetime", kind: "consumable", entitlements: ["pro"] };

beforeAll(async () => {
  const define = (id: string, coins: number, more: Partial<Product> = {}) =>
    catalog()
      .doc(id)
      .set({
        title: id,
        grant: { coins: coins > 0 ? { COIN: coins } : {}, items: {}, entitlements: ["pro"] },
        grantDuringTrial: false,
        ...more,
      });
  await define("monthly", 100);
  await define("yearly", 2_000);
  await define("lifetime", 500);
  await define("credits", 100, { coinsFrom: "virtual-currency" });
});
beforeEach(() => {
  backend.tasks.length = 0;
});

const send = (body: WebhookBody) => receive(revenueCat, webhookRequest(body));
const outcome = async (body: WebhookBody) => (await send(body)).outcome;
const withFields = (body: WebhookBody, fields: object): WebhookBody => ({
  ...body,
  event: { ...body.event, ...fields },
});
const buy = (uid: string, bought: NewPurchase = MONTHLY) => {
  const purchase = customers.purchase(uid, bought);
  const type: EventType = bought.kind === "subscription" ? "INITIAL_PURCHASE" : "NON_RENEWING_PURCHASE";
  return webhookBody(type, customers.get(uid), purchase);
};
const tell = (type: EventType, uid: string, product = "monthly", fields: object = {}) =>
  withFields(webhookBody(type, customers.get(uid), customers.find(uid, product)), fields);
const coins = async (uid: string) => {
  const balance = (await wallet({ uid })).balances.find(({ currency }) => currency === "COIN");
  return (balance?.available ?? 0) - (balance?.owed ?? 0);
};
const pro = async (uid: string) => {
  const [found] = (await listEntitlements({ uid })).entitlements;
  return found && { active: found.active, expiresAt: found.expiresAt, willRenew: found.willRenew };
};
const record = async (uid: string) => (await purchases().where("user", "==", uid).get()).docs[0]?.data();
const tellStore = async () => {
  const due = await outbox().where("type", "==", "customer.known").get();
  for (const { id } of due.docs) await deliver(id, subscribers);
};

describe("of a subscription, what is heard ends in a stated outcome and its effect", () => {
  test("UNCANCELLATION: it renews again", async () => {
    const { uid } = someone();
    await send(buy(uid));
    await send(tell("CANCELLATION", uid));
    expect(await pro(uid)).toMatchObject({ active: true, willRenew: false });
    expect(await outcome(tell("UNCANCELLATION", uid))).toMatchObject({ result: "will-renew", user: uid });
    expect(await pro(uid)).toMatchObject({ active: true, willRenew: true });
  });

  test("BILLING_ISSUE: it holds until the grace ends, and no longer", async () => {
    const { uid } = someone();
    const body = buy(uid);
    const until = Date.now() + 45 * DAY;
    await send(body);
    expect(
      await outcome(tell("BILLING_ISSUE", uid, "monthly", { grace_period_expiration_at_ms: until })),
    ).toMatchObject({ result: "in-grace" });
    expect((await pro(uid))?.expiresAt).toBe(until);
    await send(tell("EXPIRATION", uid, "monthly", { expiration_at_ms: Date.now() - 1 }));
    expect(await pro(uid)).toMatchObject({ active: false });
  });

  test("BILLING_ISSUE without a grace: it ends when it would have", async () => {
    const { uid } = someone();
    const body = buy(uid);
    await send(body);
    expect(await outcome(tell("BILLING_ISSUE", uid))).toMatchObject({ result: "noted", reason: "changes-nothing" });
    expect((await pro(uid))?.expiresAt).toBe(body.event.expiration_at_ms);
  });

  test("SUBSCRIPTION_PAUSED: it holds to its end, and the one who comes back is granted anew", async () => {
    const { uid } = someone();
    const body = buy(uid);
    await send(body);
    customers.pause(uid, "monthly", 7);
    expect(await outcome(tell("SUBSCRIPTION_PAUSED", uid))).toMatchObject({ result: "will-pause" });
    expect(await pro(uid)).toEqual({ active: true, expiresAt: body.event.expiration_at_ms, willRenew: false });
    expect((await record(uid))?.pause?.resumesAt?.toMillis()).toBe(Number(body.event.expiration_at_ms) + 7 * DAY);
    customers.expire(uid, "monthly");
    await send(tell("EXPIRATION", uid));
    expect(await pro(uid)).toMatchObject({ active: false });
    customers.renew(uid, "monthly");
    await send(tell("RENEWAL", uid));
    expect(await pro(uid)).toMatchObject({ active: true, willRenew: true });
    expect(await coins(uid)).toBe(200);
  });

  test("SUBSCRIPTION_EXTENDED: it ends when the store says, without coins", async () => {
    const { uid } = someone();
    await send(buy(uid));
    const { expiresAt } = customers.extend(uid, "monthly", 14);
    expect(await outcome(tell("SUBSCRIPTION_EXTENDED", uid))).toMatchObject({ result: "extended" });
    expect(await pro(uid)).toMatchObject({ expiresAt, active: true });
    expect(await coins(uid)).toBe(100);
  });

  test("PRODUCT_CHANGE: nothing changes until the other product is paid for", async () => {
    const { uid } = someone();
    const body = buy(uid);
    await send(body);
    customers.change(uid, "monthly", "yearly");
    expect(await outcome(tell("PRODUCT_CHANGE", uid))).toMatchObject({ result: "will-change" });
    expect(await coins(uid)).toBe(100);
    expect((await pro(uid))?.expiresAt).toBe(body.event.expiration_at_ms);
    expect((await record(uid))?.successor?.product).toBe("yearly");
    customers.renew(uid, "monthly");
    expect(await outcome(tell("RENEWAL", uid, "yearly"))).toMatchObject({ result: "granted", coins: { COIN: 2_000 } });
  });

  test("REFUND_REVERSED: coins and entitlement come back, even after it had expired for the refund", async () => {
    const { uid } = someone();
    const body = buy(uid);
    await send(body);
    customers.cancel(uid, "monthly", true);
    await send(tell("CANCELLATION", uid, "monthly", { event_timestamp_ms: Date.now() - 3_000 }));
    await send(tell("EXPIRATION", uid, "monthly", { event_timestamp_ms: Date.now() - 2_000, expiration_at_ms: 1 }));
    expect(await pro(uid)).toMatchObject({ active: false });
    expect(await coins(uid)).toBe(0);
    expect(await outcome(tell("REFUND_REVERSED", uid))).toMatchObject({ result: "refund-reversed" });
    expect(await pro(uid)).toMatchObject({ active: true, expiresAt: body.event.expiration_at_ms });
    expect(await coins(uid)).toBe(100);
  });

  test("a trial that is paid for then gives coins from then on", async () => {
    const { uid } = someone();
    await send(buy(uid, { ...MONTHLY, periodType: "TRIAL", price: 0 }));
    expect(await coins(uid)).toBe(0);
    customers.renew(uid, "monthly");
    await send(tell("RENEWAL", uid));
    expect(await coins(uid)).toBe(100);
  });

  test("what an operator gives at RevenueCat entitles, and gives no coins", async () => {
    const { uid } = someone();
    await send(
      withFields(buy(uid), { period_type: "PROMOTIONAL", store: "PROMOTIONAL", price_in_purchased_currency: 0 }),
    );
    expect(await pro(uid)).toMatchObject({ active: true });
    expect(await coins(uid)).toBe(0);
  });

  test.each(["INVOICE_ISSUANCE", "EXPERIMENT_ENROLLMENT", "PRICE_INCREASE_CONSENT_REQUIRED"])(
    "%s: is noted and changes nothing",
    async (type) => {
      const { uid } = someone();
      await send(buy(uid));
      const { bill, result } = await backend.billed(() => send(otherBody(type, customers.get(uid))));
      expect(result.outcome).toMatchObject({ result: "noted" });
      expect(bill).toEqual({ reads: 1, writes: 1, deletes: 0 });
    },
  );

  test("what comes from a sandbox is nothing, whatever it tells", async () => {
    const { uid } = someone();
    const body = buy(uid);
    await send(body);
    for (const type of ["CANCELLATION", "EXPIRATION", "REFUND_REVERSED"] as const) {
      expect(await outcome(tell(type, uid, "monthly", { environment: "SANDBOX" }))).toEqual({
        result: "ignored",
        reason: "sandbox",
      });
    }
    const transfer = withFields(transferBody([uid], [someone().uid]), { environment: "SANDBOX" });
    expect(await outcome(transfer)).toEqual({ result: "ignored", reason: "sandbox" });
    expect(await pro(uid)).toMatchObject({ active: true, willRenew: true });
  });
});

describe("an anonymous id", () => {
  const anonymous = () => `$RCAnonymousID:${randomUUID()}`;

  test("that SUBSCRIBER_ALIAS has told whom it means finds the user, and what waited for that is tried again", async () => {
    const { uid } = someone();
    const id = anonymous();
    const kept = await send(buy(id));
    expect(kept).toMatchObject({ state: "retrying", outcome: { reason: "unknown-user" } });
    const customer = customers.alias(id, uid);
    expect(await outcome(aliasBody(customer))).toMatchObject({ result: "aliased", user: uid });
    backend.tasks.length = 0;
    await tellStore();
    expect(backend.tasks.map(({ data }) => data)).toContainEqual({ id: kept.id });
    expect(await retry([revenueCat], kept.id, "task")).toMatchObject({ outcome: { result: "granted", user: uid } });
    const later = withFields(buy(id), { app_user_id: id, original_app_user_id: id, aliases: [id] });
    expect(await outcome(later)).toMatchObject({ result: "granted", user: uid });
  });

  test("of nobody who has signed in stays one", async () => {
    const customer = customers.alias(anonymous(), anonymous());
    expect(await outcome(aliasBody(customer))).toEqual({ result: "ignored", reason: "anonymous" });
  });
});

describe("a transfer", () => {
  test("ends entitlements for the one and begins them for the other, and leaves coins where they are", async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    const body = buy(ada);
    await send(body);
    customers.transfer(ada, bo);
    expect(await outcome(transferBody([ada], [bo]))).toMatchObject({ result: "transferred", user: bo, purchases: 1 });
    expect(await pro(ada)).toMatchObject({ active: false, willRenew: false });
    expect(await pro(bo)).toEqual({ active: true, expiresAt: body.event.expiration_at_ms, willRenew: true });
    expect([await coins(ada), await coins(bo)]).toEqual([100, 0]);
    await send(tell("CANCELLATION", bo));
    expect(await pro(bo)).toMatchObject({ willRenew: false });
    customers.renew(bo, "monthly");
    await send(tell("RENEWAL", bo));
    expect([await coins(ada), await coins(bo)]).toEqual([100, 100]);
    expect(await pro(ada)).toMatchObject({ active: false });
  });

  test("heard of before the purchase finds it all the same", async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    const body = withFields(buy(ada), { purchased_at_ms: Date.now() - DAY });
    await send(transferBody([ada], [bo]));
    await send(body);
    expect(await pro(ada)).toBeUndefined();
    expect(await pro(bo)).toMatchObject({ active: true });
    expect([await coins(ada), await coins(bo)]).toEqual([100, 0]);
  });

  test("there and back ends where it began; refunds take coins from whom they were given to", async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    await send(buy(ada, FOREVER));
    await send(transferBody([ada], [bo]));
    await send(withFields(transferBody([bo], [ada]), { event_timestamp_ms: Date.now() + 1 }));
    expect([await pro(ada), await pro(bo)]).toMatchObject([{ active: true }, { active: false }]);
    customers.cancel(ada, "lifetime", true);
    await send(tell("CANCELLATION", ada, "lifetime"));
    expect(await coins(ada)).toBe(0);
    expect(await pro(ada)).toMatchObject({ active: false });
  });

  test("of what an anonymous customer has bought is a grant to the one who has it now", async () => {
    const { uid } = someone();
    const id = `$RCAnonymousID:${randomUUID()}`;
    const kept = await send(buy(id));
    expect(await outcome(transferBody([id], [uid]))).toMatchObject({ result: "transferred", user: uid });
    await tellStore();
    expect(await retry([revenueCat], kept.id, "task")).toMatchObject({ outcome: { result: "granted", user: uid } });
    expect(await coins(uid)).toBe(100);
  });

  test("to nobody who is known waits until they are", async () => {
    const { uid } = someone();
    await send(buy(uid));
    expect(await send(transferBody([uid], [`$RCAnonymousID:${randomUUID()}`]))).toMatchObject({
      state: "retrying",
      outcome: { reason: "unknown-user" },
    });
  });
});

describe("a temporary grant", () => {
  const granted = (uid: string, transaction: string = randomUUID()) =>
    temporaryBody(customers.get(uid), { product: "monthly", transaction, hours: 24 });

  test("gives the entitlement for a day and no coins; the real purchase then is granted in full", async () => {
    const { uid } = someone();
    const body = buy(uid);
    const transaction = String(body.event.transaction_id);
    expect(await outcome(granted(uid, transaction))).toMatchObject({ result: "granted-for-now", user: uid });
    expect(await pro(uid)).toMatchObject({ active: true, willRenew: false });
    expect(await coins(uid)).toBe(0);
    expect(await outcome(body)).toMatchObject({ result: "granted" });
    expect(await pro(uid)).toMatchObject({ expiresAt: body.event.expiration_at_ms, willRenew: true });
    expect(await coins(uid)).toBe(100);
  });

  test("that the store does not confirm ends, and a purchase of the same transaction is still one", async () => {
    const { uid } = someone();
    const body = buy(uid);
    await send(granted(uid, String(body.event.transaction_id)));
    const unconfirmed = tell("EXPIRATION", uid, "monthly", { expiration_at_ms: Date.now() });
    expect(await outcome(unconfirmed)).toMatchObject({ result: "not-confirmed", user: uid });
    expect(await pro(uid)).toMatchObject({ active: false });
    await send(body);
    expect(await pro(uid)).toMatchObject({ active: true });
  });

  test("lasts no longer than a day, whatever it says, and may name nothing at all", async () => {
    const { uid } = someone();
    await send(withFields(granted(uid), { expiration_at_ms: Date.now() + 400 * DAY }));
    expect((await pro(uid))?.expiresAt).toBeLessThanOrEqual(Date.now() + DAY);
    const { app_user_id, id, type, event_timestamp_ms } = granted(uid).event;
    const bare = { id: `${id}-bare`, type, app_user_id, event_timestamp_ms, store: "APP_STORE" };
    expect(await outcome({ api_version: "1.0", event: bare })).toEqual({ result: "noted", reason: "no-product-named" });
  });
});

describe("RevenueCat's virtual currencies", () => {
  const adjusted = (uid: string, amount: number, product?: string) =>
    currencyBody(customers.get(uid), {
      code: "CRD",
      amount,
      source: product ? "in_app_purchase" : "admin_api",
      product,
    });

  test("are not followed where the purchase itself gives the coins", async () => {
    const { uid } = someone();
    await send(buy(uid));
    expect(await outcome(adjusted(uid, 100, "monthly"))).toEqual({
      result: "ignored",
      reason: "coins-come-with-purchase",
    });
    expect(await coins(uid)).toBe(100);
  });

  test("give the coins of a product that says so, once, and take them back", async () => {
    const { uid } = someone();
    await send(buy(uid, { ...MONTHLY, product: "credits" }));
    expect(await coins(uid)).toBe(0);
    const body = adjusted(uid, 100, "credits");
    expect(await outcome(body)).toMatchObject({ result: "adjusted", coins: { COIN: 100 } });
    const again = await send(withFields(body, { id: randomUUID() }));
    expect(again).toMatchObject({ state: "done", outcome: { result: "already-adjusted" } });
    expect(await coins(uid)).toBe(100);
    const postings = [{ from: uid, to: "system:revenue", amount: 60, currency: "COIN" }];
    await post({ key: randomUUID(), kind: "spend", postings, reference: "test" });
    await send(adjusted(uid, -100, "credits"));
    expect(await coins(uid)).toBe(-60);
  });

  test("given by hand are given here, as far as they stand for something", async () => {
    const { uid } = someone();
    expect(await outcome(adjusted(uid, 25))).toMatchObject({ result: "adjusted" });
    expect(await coins(uid)).toBe(25);
    const foreign = currencyBody(customers.get(uid), { code: "XYZ", amount: 5, source: "admin_api" });
    expect(await outcome(foreign)).toEqual({ result: "ignored", reason: "currency-not-mapped" });
  });

  test("of a product that nobody has defined wait for it", async () => {
    expect(await send(adjusted(someone().uid, 5, `late-${randomUUID()}`))).toMatchObject({
      state: "retrying",
      outcome: { reason: "unknown-product" },
    });
  });
});

const start = Date.now() - 40 * DAY;

/** Two months in the life of a subscription, told in ten webhooks, all of the past. */
function story(ada: string, bo: string): WebhookBody[] {
  const first = { ...period(`${ada}-1`, start), app_user_id: ada, original_app_user_id: ada, aliases: [ada] };
  const second = {
    ...period(`${ada}-2`, start + 30 * DAY),
    app_user_id: bo,
    original_app_user_id: bo,
    aliases: [bo],
  };
  const event = (type: string, fields: object, day: number): WebhookBody => ({
    api_version: "1.0",
    event: { id: randomUUID(), type, event_timestamp_ms: start + day * DAY, ...fields },
  });
  return [
    event("INITIAL_PURCHASE", first, 0),
    event("CANCELLATION", { ...first, cancel_reason: "UNSUBSCRIBE" }, 1),
    event("UNCANCELLATION", first, 2),
    event("SUBSCRIPTION_EXTENDED", { ...first, expiration_at_ms: start + 31 * DAY }, 3),
    event("CANCELLATION", { ...first, cancel_reason: "CUSTOMER_SUPPORT" }, 4),
    event("REFUND_REVERSED", first, 5),
    event("TRANSFER", { transferred_from: [ada], transferred_to: [bo], environment: "PRODUCTION" }, 6),
    event("BILLING_ISSUE", { ...first, grace_period_expiration_at_ms: start + 35 * DAY }, 31),
    event("RENEWAL", second, 32),
    event("SUBSCRIPTION_PAUSED", { ...second, auto_resume_at_ms: start + 90 * DAY }, 33),
  ];
}

function period(transaction: string, purchasedAt: number) {
  return {
    product_id: "monthly",
    store: "PLAY_STORE",
    environment: "PRODUCTION",
    transaction_id: transaction,
    purchased_at_ms: purchasedAt,
    expiration_at_ms: purchasedAt + 30 * DAY,
    period_type: "NORMAL",
    price_in_purchased_currency: 4.99,
    currency: "EUR",
  };
}

test("whatever the order in which webhooks come, and however often, they reach the same state", async () => {
  const holdings = async (bodies: (ada: string, bo: string) => WebhookBody[]) => {
    const [ada, bo] = [someone().uid, someone().uid];
    for (const body of bodies(ada, bo)) await send(body);
    return { ada: [await coins(ada), (await pro(ada))?.active ?? false], bo: [await coins(bo), await pro(bo)] };
  };
  const expected = await holdings(story);
  expect(expected.ada).toEqual([100, false]);
  expect(expected.bo).toMatchObject([100, { active: true, willRenew: false }]);
  const indexes = Array.from({ length: 10 }, (_, i) => i);
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([...indexes, ...indexes], { minLength: 20 }), async (order) => {
      const seen = await holdings((ada, bo) => {
        const all = story(ada, bo);
        return order.map((i) => all[i] as WebhookBody);
      });
      expect(seen).toEqual(expected);
    }),
    { numRuns: 6 },
  );
  expect((await verify({ scope: "all" })).problems).toEqual([]);
}, 60_000);
