import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RevenueCatServer, startRevenueCat } from "./server.ts";

const received: { authorization: string | undefined; body: { event: Record<string, unknown> } }[] = [];
let status = () => 200;
let backend: Server;
let revenueCat: RevenueCatServer;

beforeAll(async () => {
  backend = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    received.push({ authorization: request.headers.authorization, body: JSON.parse(text) });
    response.writeHead(status()).end("{}");
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/`;
  revenueCat = await startRevenueCat({ apiKey: "key", webhook: { url, authorization: "secret" } });
});
afterAll(async () => {
  await revenueCat.close();
  backend.close();
});
beforeEach(() => {
  received.length = 0;
  status = () => 200;
});

const call = async (verb: string, path: string, body?: object, headers: Record<string, string> = {}) => {
  const response = await fetch(`http://127.0.0.1:${revenueCat.port}${path}`, {
    method: verb,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const subscriber = async (id: string) =>
  (await call("GET", `/v1/subscribers/${id}`, undefined, { authorization: "Bearer key" })).body.subscriber as {
    subscriptions: Record<string, Record<string, unknown>>;
    non_subscriptions: Record<string, Record<string, unknown>[]>;
    entitlements: Record<string, Record<string, unknown>>;
  };

describe("a purchase", () => {
  test("is told by webhook and found by the API, under the same transaction", async () => {
    const bought = { customer: "ada", product: "pro", kind: "subscription", entitlements: ["pro"], price: 9.99 };
    await call("POST", "/simulator/purchases", bought);
    expect(received).toHaveLength(1);
    expect(received[0]?.authorization).toBe("secret");
    const event = received[0]?.body.event ?? {};
    expect(event).toMatchObject({ type: "INITIAL_PURCHASE", app_user_id: "ada", product_id: "pro", price: 9.99 });
    const { subscriptions, entitlements } = await subscriber("ada");
    expect(subscriptions.pro).toMatchObject({
      store_transaction_id: event.transaction_id,
      store: "app_store",
      is_sandbox: false,
    });
    expect(entitlements.pro).toMatchObject({ product_identifier: "pro" });
  });

  test("renewed has a new transaction; refunded it is found as such, or no more", async () => {
    await call("POST", "/simulator/purchases", { customer: "bo", product: "pro", kind: "subscription" });
    const first = (await subscriber("bo")).subscriptions.pro?.store_transaction_id;
    await call("POST", "/simulator/renewals", { customer: "bo", product: "pro" });
    const second = (await subscriber("bo")).subscriptions.pro?.store_transaction_id;
    expect(second).not.toBe(first);
    await call("POST", "/simulator/cancellations", { customer: "bo", product: "pro", refund: true });
    expect((await subscriber("bo")).subscriptions.pro?.refunded_at).toEqual(expect.any(String));
    expect(received.map(({ body }) => body.event.type)).toEqual(["INITIAL_PURCHASE", "RENEWAL", "CANCELLATION"]);
    expect(received[2]?.body.event).toMatchObject({ cancel_reason: "CUSTOMER_SUPPORT", price: -4.99 });
    await call("POST", "/simulator/purchases", { customer: "bo", product: "coins", kind: "consumable" });
    await call("POST", "/simulator/cancellations", { customer: "bo", product: "coins", refund: true });
    expect((await subscriber("bo")).non_subscriptions).toEqual({});
  });
});

describe("a webhook", () => {
  test("that is not taken is sent again, as often as RevenueCat does", async () => {
    status = () => (received.length < 3 ? 500 : 200);
    const { body } = await call("POST", "/simulator/tests");
    expect((body.attempts as { status: number }[]).map((attempt) => attempt.status)).toEqual([500, 500, 200]);
    expect(new Set(received.map(({ body }) => body.event.id)).size).toBe(1);
  });

  test("can be held back and sent later", async () => {
    const held = { customer: "cy", product: "coins", kind: "consumable", hold: true };
    const { body } = await call("POST", "/simulator/purchases", held);
    expect(received).toHaveLength(0);
    await call("POST", "/simulator/redeliveries", { event: body.event as string });
    expect(received[0]?.body.event).toMatchObject({ type: "NON_RENEWING_PURCHASE", id: body.event });
  });
});

describe("what happens to a subscription", () => {
  const subscribed = async (customer: string) => {
    await call("POST", "/simulator/purchases", {
      customer,
      product: "pro",
      kind: "subscription",
      entitlements: ["pro"],
    });
    received.length = 0;
  };

  test.each([
    ["billingIssues", { days: 3 }, "BILLING_ISSUE", "grace_period_expiration_at_ms", "grace_period_expires_date"],
    ["pauses", { days: 3 }, "SUBSCRIPTION_PAUSED", "auto_resume_at_ms", "auto_resume_date"],
    ["extensions", { days: 3 }, "SUBSCRIPTION_EXTENDED", "expiration_at_ms", "expires_date"],
  ])("%s are told by webhook and shown by the API", async (path, body, type, told, shown) => {
    await subscribed(path);
    await call("POST", `/simulator/${path}`, { customer: path, product: "pro", ...body });
    const event = received[0]?.body.event ?? {};
    expect(event.type).toBe(type);
    const listed = (await subscriber(path)).subscriptions.pro?.[shown];
    expect(Math.floor(Number(event[told]) / 1_000)).toBe(Date.parse(String(listed)) / 1_000);
  });

  test("renewal off and on, a refund and its reversal are told and shown", async () => {
    await subscribed("di");
    const body = { customer: "di", product: "pro" };
    const listed = async () => (await subscriber("di")).subscriptions.pro;
    await call("POST", "/simulator/cancellations", body);
    expect((await listed())?.unsubscribe_detected_at).toEqual(expect.any(String));
    await call("POST", "/simulator/uncancellations", body);
    expect((await listed())?.unsubscribe_detected_at).toBeNull();
    await call("POST", "/simulator/cancellations", { ...body, refund: true });
    await call("POST", "/simulator/reversals", body);
    expect((await listed())?.refunded_at).toBeNull();
    expect(received.map((one) => one.body.event.type)).toEqual([
      "CANCELLATION",
      "UNCANCELLATION",
      "CANCELLATION",
      "REFUND_REVERSED",
    ]);
  });

  test("a change comes with the next renewal, a transfer at once", async () => {
    await subscribed("ed");
    await call("POST", "/simulator/changes", { customer: "ed", product: "pro", to: "max" });
    expect(received[0]?.body.event).toMatchObject({ product_id: "pro", new_product_id: "max" });
    await call("POST", "/simulator/renewals", { customer: "ed", product: "pro" });
    expect(Object.keys((await subscriber("ed")).subscriptions)).toEqual(["max"]);
    await call("POST", "/simulator/transfers", { from: "ed", to: "flo" });
    expect((await subscriber("ed")).subscriptions).toEqual({});
    expect(Object.keys((await subscriber("flo")).subscriptions)).toEqual(["max"]);
    expect(received.at(-1)?.body.event).toMatchObject({ transferred_from: ["ed"], transferred_to: ["flo"] });
  });

  test("ids that mean the same customer show the same", async () => {
    await subscribed("gus");
    await call("POST", "/simulator/aliases", { from: "gus", to: "gustav" });
    expect(received[0]?.body.event).toMatchObject({ type: "SUBSCRIBER_ALIAS", aliases: ["gus", "gustav"] });
    expect(Object.keys((await subscriber("gustav")).subscriptions)).toEqual(["pro"]);
  });
});

describe("delivery", () => {
  const bought = { customer: "hal", product: "coins", kind: "consumable" };

  test("can be of several copies at once, late, or held back and flushed in another order", async () => {
    await call("POST", "/simulator/purchases", { ...bought, copies: 3, delayMillis: 5 });
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ body }) => body.event.id)).size).toBe(1);
    received.length = 0;
    for (const customer of ["ian", "jan"])
      await call("POST", "/simulator/purchases", { ...bought, customer, hold: true });
    await call("POST", "/simulator/flushes", { order: "reversed" });
    expect(received.map(({ body }) => body.event.app_user_id)).toEqual(["jan", "ian"]);
  });

  test("is shown on a page", async () => {
    await call("POST", "/simulator/purchases", { ...bought, customer: "<kim>" });
    const text = await (await fetch(`http://127.0.0.1:${revenueCat.port}/`)).text();
    expect(text).toContain("&lt;kim&gt;");
    expect(text).not.toContain("<kim>");
  });
});

test("the API fails as often as it is told to", async () => {
  await call("POST", "/simulator/troubles", { status: 429, count: 2 });
  const ask = () => call("GET", "/v1/subscribers/ada", undefined, { authorization: "Bearer key" });
  expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([429, 429, 200]);
});

test("whoever has no key, buys nonsense or renews nothing is refused", async () => {
  expect((await call("GET", "/v1/subscribers/ada")).status).toBe(401);
  expect((await call("POST", "/simulator/purchases", { customer: "ada" })).status).toBe(400);
  expect((await call("POST", "/simulator/renewals", { customer: "ada", product: "nothing" })).status).toBe(404);
  expect((await call("POST", "/simulator/nothing", {})).status).toBe(404);
});
