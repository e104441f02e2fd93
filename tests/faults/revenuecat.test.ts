import { Firestore } from "@google-cloud/firestore";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasRedis, type RedisServer, startRedis } from "../../functions/testing-redis.ts";
import { type FirestoreServer, startFirestore } from "../../local/firestore/server.ts";
import { Customers } from "../../local/revenuecat/customers.ts";
import { type WebhookBody, webhookBody } from "../../local/revenuecat/wire.ts";
import { crashEverywhere, type Path, type Served, useFunctions } from "./functions.ts";

/**
 * The bundle is served as Cloud Run serves it and killed at each of its calls of Firestore and Redis in turn; then the vendor delivers the
 * webhook again. Whatever the moment, everything is granted once in the end, or taken back once.
 */
const PROJECT = "demo-crash";
const AUTHORIZATION = "the-authorization";
const serve = useFunctions();
let server: FirestoreServer;
let redis: RedisServer | undefined;
let firestore: Firestore;
let healthy: Served;
let env: Record<string, string>;

beforeAll(async () => {
  // What a killed function has locked is free again when its transaction expires; production takes a minute over it.
  server = await startFirestore({ transactions: { idleMillis: 500 } });
  if (hasRedis) redis = await startRedis();
  process.env.FIRESTORE_EMULATOR_HOST = `${server.host}:${server.port}`;
  firestore = new Firestore({ projectId: PROJECT });
  const grant = { coins: { COIN: 100 }, items: { sword: 1 }, entitlements: ["pro"] };
  await firestore.doc("catalog/pack").set({ title: "Pack", grant });
  env = {
    GCLOUD_PROJECT: PROJECT,
    REVENUECAT_WEBHOOK_AUTHORIZATION: AUTHORIZATION,
    REDIS_URL: redis?.url ?? "",
  };
  healthy = await serve({ target: "webhooks", env });
});
afterAll(async () => {
  await firestore.terminate();
  await server.close();
  redis?.kill();
});

async function holdings(uid: string) {
  const [account, item, entitlement, transactions, purchases] = await Promise.all([
    firestore.doc(`accounts/${uid}:COIN`).get(),
    firestore.doc(`users/${uid}/inventory/sword`).get(),
    firestore.doc(`users/${uid}/entitlements/pro`).get(),
    firestore.collection("transactions").where("accounts", "array-contains", `${uid}:COIN`).get(),
    firestore.collection("purchases").where("user", "==", uid).get(),
  ]);
  return {
    coins: account.get("available") ?? 0,
    swords: item.get("quantity") ?? 0,
    entitled:
      entitlement.exists &&
      (entitlement.get("expiresAt") === null || entitlement.get("expiresAt").toMillis() > Date.now()),
    transactions: transactions.docs.map((transaction) => transaction.get("kind")).sort(),
    purchases: purchases.docs.map((purchase) => purchase.get("state")),
  };
}

const NOTHING = { coins: 0, swords: 0, entitled: false, transactions: [], purchases: [] };
const GRANTED = { coins: 100, swords: 1, entitled: true, transactions: ["purchase"], purchases: ["granted"] };
const REFUNDED = {
  coins: 0,
  swords: 0,
  entitled: false,
  transactions: ["purchase", "refund"],
  purchases: ["refunded"],
};

interface Delivery {
  readonly uid: string;
  readonly body: WebhookBody;
}

const customers = new Customers();
const buyer = (): Delivery => {
  const uid = `user-${Math.random().toString(36).slice(2)}`;
  const purchase = customers.purchase(uid, { product: "pack", kind: "consumable", entitlements: ["pro"] });
  return { uid, body: webhookBody("NON_RENEWING_PURCHASE", customers.get(uid), purchase) };
};
const deliver = (to: Served, { body }: Delivery) => to.post("/revenuecat", body, { authorization: AUTHORIZATION });

function path(prepare: () => Promise<Delivery>, states: { halfway: readonly object[]; end: object }): Path<Delivery> {
  return {
    prepare,
    act: deliver,
    halfway: async ({ uid }) => expect(states.halfway).toContainEqual(await holdings(uid)),
    end: async ({ uid }) => expect(await holdings(uid)).toEqual(states.end),
  };
}

const purchase = path(async () => buyer(), { halfway: [NOTHING, GRANTED], end: GRANTED });
const refund = path(
  async () => {
    const bought = buyer();
    await deliver(healthy, bought);
    const { uid } = bought;
    return { uid, body: webhookBody("CANCELLATION", customers.get(uid), customers.cancel(uid, "pack", true)) };
  },
  { halfway: [GRANTED, REFUNDED], end: REFUNDED },
);

describe.each(["before", "after"] as const)("a function that is killed %s any of its calls", (when) => {
  test("leaves a purchase granted whole or not at all, and redelivered it is granted once", {
    timeout: 180_000,
  }, async () => {
    const calls = await crashEverywhere(purchase, { when, healthy, options: { target: "webhooks", env } });
    expect(calls.filter((call) => call.includes("Firestore")).length).toBeGreaterThanOrEqual(5);
  });

  test("leaves a refund made whole or not at all, and redelivered it is made once", { timeout: 180_000 }, async () => {
    const calls = await crashEverywhere(refund, { when, healthy, options: { target: "webhooks", env } });
    expect(calls.filter((call) => call.includes("Firestore")).length).toBeGreaterThanOrEqual(5);
  });
});
