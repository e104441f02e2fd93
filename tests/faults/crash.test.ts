import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { Firestore } from "@google-cloud/firestore";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type FirestoreServer, startFirestore } from "../../local/firestore/server.ts";
import { freePort } from "../../local/ports.ts";
import { Customers } from "../../local/revenuecat/customers.ts";
import { type WebhookBody, webhookBody } from "../../local/revenuecat/wire.ts";
import { localSecrets, root } from "../../scripts/suite.ts";

/**
 * The bundle is served as Cloud Run serves it and killed at each of its calls of Firestore in turn; then the vendor delivers the
 * webhook again. Whatever the moment, everything is granted once in the end, or taken back once.
 */
const PROJECT = "demo-crash";
const AUTHORIZATION = "the-authorization";
let server: FirestoreServer;
let firestore: Firestore;
const running: ChildProcess[] = [];

beforeAll(async () => {
  // What a killed function has locked is free again when its transaction expires; production takes a minute over it.
  server = await startFirestore({ transactions: { idleMillis: 500 } });
  process.env.FIRESTORE_EMULATOR_HOST = `${server.host}:${server.port}`;
  firestore = new Firestore({ projectId: PROJECT });
  const grant = { coins: { COIN: 100 }, items: { sword: 1 }, entitlements: ["pro"] };
  await firestore.doc("catalog/pack").set({ title: "Pack", grant });
});
afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await firestore.terminate();
  await server.close();
});

interface Backend {
  readonly process: ChildProcess;
  readonly url: string;
}

/** Starts the webhooks function; with a crash, it dies at that call. */
async function serve(crash?: { at: number; when: "before" | "after" }): Promise<Backend> {
  const port = await freePort();
  const framework = join(root, "node_modules/@google-cloud/functions-framework/build/src/main.js");
  const args = [framework, "--target", "webhooks", "--source", join(root, "functions/dist"), "--port", String(port)];
  const preload = ["--import", join(root, "tests/faults/crash-at.ts")];
  const child = spawn(process.execPath, crash ? [...preload, ...args] : args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      GCLOUD_PROJECT: PROJECT,
      METADATA_SERVER_DETECTION: "none",
      REVENUECAT_WEBHOOK_AUTHORIZATION: AUTHORIZATION,
      LEDGER_KEYS: localSecrets().ledgerKeys,
      CRASH_AT: String(crash?.at ?? 0),
      CRASH_WHEN: crash?.when ?? "",
    },
  });
  running.push(child);
  const url = `http://127.0.0.1:${port}/revenuecat`;
  await vi.waitFor(async () => expect((await fetch(url)).status).toBe(405), { timeout: 20_000, interval: 100 });
  return { process: child, url };
}

/** Delivers a webhook; undefined if the function died over it. */
async function deliver(
  { url }: Backend,
  body: WebhookBody,
): Promise<{ state: string; outcome: { result: string } } | undefined> {
  try {
    const headers = { "content-type": "application/json", authorization: AUTHORIZATION };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    return (await response.json()) as { state: string; outcome: { result: string } };
  } catch {
    return undefined;
  }
}

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

const customers = new Customers();
const buy = (uid: string) => {
  const purchase = customers.purchase(uid, { product: "pack", kind: "consumable", entitlements: ["pro"] });
  return webhookBody("NON_RENEWING_PURCHASE", customers.get(uid), purchase);
};
const refund = (uid: string) => webhookBody("CANCELLATION", customers.get(uid), customers.cancel(uid, "pack", true));

const MAX_CALLS = 20;

/** Crashes at the first call, the second… until a delivery comes through; answers with how many calls that took. */
async function crashEverywhere(
  when: "before" | "after",
  prepare: (uid: string) => Promise<WebhookBody>,
  expected: { halfway: readonly object[]; end: object },
): Promise<number> {
  const healthy = await serve();
  for (let at = 1; at <= MAX_CALLS; at++) {
    const uid = `user-${when}-${at}-${Math.random().toString(36).slice(2)}`;
    const body = await prepare(uid);
    const doomed = await serve({ at, when });
    const answer = await deliver(doomed, body);
    doomed.process.kill("SIGKILL");
    expect(expected.halfway).toContainEqual(await holdings(uid));
    const redelivered = await deliver(healthy, body);
    expect(["done", "duplicate"], `crash ${when} call ${at}`).toContain(redelivered?.state);
    expect(await holdings(uid), `crash ${when} call ${at}`).toEqual(expected.end);
    expect((await deliver(healthy, body))?.state).toBe("duplicate");
    if (answer) return at - 1;
  }
  throw new Error(`the path takes more than ${MAX_CALLS} calls`);
}

describe.each(["before", "after"] as const)("a function that is killed %s any of its calls of Firestore", (when) => {
  test("leaves a purchase granted whole or not at all, and redelivered it is granted once", {
    timeout: 120_000,
  }, async () => {
    const calls = await crashEverywhere(when, async (uid) => buy(uid), { halfway: [NOTHING, GRANTED], end: GRANTED });
    expect(calls).toBeGreaterThanOrEqual(5);
  });

  test("leaves a refund made whole or not at all, and redelivered it is made once", { timeout: 120_000 }, async () => {
    const healthy = await serve();
    const prepare = async (uid: string) => {
      await deliver(healthy, buy(uid));
      return refund(uid);
    };
    const calls = await crashEverywhere(when, prepare, { halfway: [GRANTED, REFUNDED], end: REFUNDED });
    expect(calls).toBeGreaterThanOrEqual(5);
  });
});
