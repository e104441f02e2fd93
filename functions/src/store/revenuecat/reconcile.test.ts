import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RevenueCatServer, startRevenueCat } from "../../../../local/revenuecat/server.ts";
import { webhookBody } from "../../../../local/revenuecat/wire.ts";
import { someone, useBackend, webhookRequest } from "../../../testing/backend.ts";
import { wallet } from "../../ledger/wallet.ts";
import { setClock } from "../../platform/clock.ts";
import { receive } from "../../platform/webhooks.ts";
import { listEntitlements } from "../../rewards/entitlements.ts";
import { catalog, purchases } from "../records.ts";
import type { Difference } from "./follow.ts";
import { reconcile, reconcileRevenueCat } from "./reconcile.ts";
import { storeReconciliations } from "./records.ts";
import { revenueCat } from "./webhook.ts";

useBackend();
let vendor: RevenueCatServer;

beforeAll(async () => {
  vendor = await startRevenueCat({
    apiKey: "the-api-key",
    webhook: { url: "http://127.0.0.1:1/", authorization: "unused" },
  });
  process.env.REVENUECAT_URL = `http://127.0.0.1:${vendor.port}`;
  const define = (id: string, entitlements: string[]) =>
    catalog()
      .doc(id)
      .set({ title: id, grant: { coins: { COIN: 100 }, items: {}, entitlements }, grantDuringTrial: false });
  await Promise.all([define("monthly", ["pro"]), define("pack", [])]);
});
afterAll(() => vendor.close());
beforeEach(async () => {
  const { docs } = await purchases().get();
  await Promise.all(docs.map(({ ref }) => ref.delete()));
});

const buy = (uid: string, kind: "subscription" | "consumable" = "subscription") =>
  vendor.customers.purchase(uid, { product: kind === "subscription" ? "monthly" : "pack", kind });
const told = (uid: string, purchase: ReturnType<typeof buy>) =>
  receive(
    revenueCat,
    webhookRequest(
      webhookBody(
        purchase.kind === "subscription" ? "INITIAL_PURCHASE" : "NON_RENEWING_PURCHASE",
        vendor.customers.get(uid),
        purchase,
      ),
    ),
  );
const coins = async (uid: string) => (await wallet({ uid })).balances[0]?.available ?? 0;
const all = async (dryRun: boolean) => {
  const found: Difference[] = [];
  let cursor: string | undefined;
  do {
    const page = await reconcile({ cursor, dryRun });
    found.push(...page.differences);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  const kinds = new Map(found.map((difference) => [difference.id, difference.kind]));
  return [...kinds.values()].sort();
};

describe("comparing with RevenueCat", () => {
  test("finds nothing where both say the same", async () => {
    const { uid } = someone();
    await told(uid, buy(uid));
    expect(await all(false)).toEqual([]);
  });

  test("names what differs, changes nothing in a dry run, and then sets it right", async () => {
    const [ada, bo, cy] = [someone().uid, someone().uid, someone().uid];
    for (const uid of [ada, bo, cy]) await told(uid, buy(uid));
    vendor.customers.cancel(ada, "monthly", true);
    vendor.customers.extend(bo, "monthly", 3);
    buy(cy, "consumable");
    expect(await all(true)).toEqual(["end", "missing", "refunded"]);
    expect([await coins(ada), await coins(cy)]).toEqual([100, 100]);
    await all(false);
    expect([await coins(ada), await coins(bo), await coins(cy)]).toEqual([0, 100, 200]);
    expect((await listEntitlements({ uid: ada })).entitlements).toMatchObject([{ active: false }]);
    expect(await all(false)).toEqual([]);
  });

  test("moves what was transferred without a word", async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    await told(ada, buy(ada));
    await told(bo, buy(bo, "consumable"));
    vendor.customers.transfer(ada, bo);
    expect(await all(false)).toEqual(["holder"]);
    expect((await listEntitlements({ uid: ada })).entitlements).toMatchObject([{ active: false }]);
    expect((await listEntitlements({ uid: bo })).entitlements).toMatchObject([{ active: true, willRenew: true }]);
  });

  test("takes back what an earlier period gave whose money has gone back, of which no webhook tells", async () => {
    const { uid } = someone();
    await told(uid, buy(uid));
    const { customers } = vendor;
    customers.renew(uid, "monthly");
    await receive(
      revenueCat,
      webhookRequest(webhookBody("RENEWAL", customers.get(uid), customers.find(uid, "monthly"))),
    );
    expect(await coins(uid)).toBe(200);
    customers.refundEarlier(uid, "monthly");
    expect(await all(false)).toEqual([]);
    process.env.REVENUECAT_PROJECT_ID = "proj_local";
    try {
      expect(await all(true)).toEqual(["refunded"]);
      expect(await coins(uid)).toBe(200);
      await all(false);
      expect(await all(false)).toEqual([]);
    } finally {
      process.env.REVENUECAT_PROJECT_ID = "";
    }
    expect(await coins(uid)).toBe(100);
    expect((await listEntitlements({ uid })).entitlements).toMatchObject([{ active: true, willRenew: true }]);
  });

  test("reports what is not listed any more, and leaves it to people", async () => {
    const { uid } = someone();
    await told(uid, buy(uid));
    await told(uid, buy(uid, "consumable"));
    vendor.customers.cancel(uid, "pack", true);
    const reset = setClock(Date.now() + 2 * 3_600_000);
    try {
      expect(await all(false)).toEqual(["not-listed"]);
    } finally {
      reset();
    }
    expect(await coins(uid)).toBe(200);
  });

  test("goes on where it was interrupted, and starts anew once it is through", async () => {
    const { uid } = someone();
    await told(uid, buy(uid));
    vendor.customers.cancel(uid, "monthly", true);
    expect(await reconcileRevenueCat()).toEqual({ checked: 2, differences: 1 });
    expect((await storeReconciliations().doc("revenuecat").get()).data()).not.toHaveProperty("cursor");
    await storeReconciliations().doc("revenuecat").update({ cursor: "expiresAt:" });
    expect(await reconcileRevenueCat()).toEqual({ checked: 1, differences: 0 });
  });

  test("names whom RevenueCat does not tell of, goes on with the others, and stops when it tells of nobody", async () => {
    const users = [someone().uid, someone().uid, someone().uid];
    for (const uid of users) await told(uid, buy(uid));
    for (const uid of users) vendor.customers.cancel(uid, "monthly", true);
    await fail(1);
    const { differences } = await reconcile({ dryRun: false });
    expect(differences.map(({ kind }) => kind).sort()).toEqual(["refunded", "refunded", "unanswered"]);
    for (const uid of Array.from({ length: 5 }, () => someone().uid)) await told(uid, buy(uid));
    await fail(5);
    await expect(reconcile({ dryRun: false })).rejects.toMatchObject({ reason: "revenuecat-unavailable" });
  });
});

const fail = (count: number) =>
  fetch(`http://127.0.0.1:${vendor.port}/simulator/troubles`, {
    method: "POST",
    body: JSON.stringify({ status: 500, count }),
  });
