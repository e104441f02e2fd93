import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Harness, KEY, startHarness } from "./harness.ts";

let harness: Harness;
let stripe: Stripe;
beforeEach(async () => {
  harness = await startHarness();
  ({ stripe } = harness);
});
afterEach(() => harness.close());

const names = async () => (await stripe.customers.list({ limit: 100 })).data.map(({ name }) => name).reverse();
const url = (path: string) => `http://127.0.0.1:${harness.server.port}${path}`;
const raw = (path: string, init: RequestInit = {}) =>
  fetch(url(path), { ...init, headers: { authorization: `Bearer ${KEY}`, ...init.headers } });
const fault = (body: object) => harness.simulate("POST", "faults", body);

describe("an idempotency key", () => {
  test("gives the same answer to the same request, and says that it is a replay", async () => {
    const idempotencyKey = randomUUID();
    const first = await stripe.customers.create({ name: "Ada", metadata: { a: "1", b: "2" } }, { idempotencyKey });
    const again = await stripe.customers.create({ metadata: { b: "2", a: "1" }, name: "Ada" }, { idempotencyKey });
    expect(again).toEqual(first);
    expect(again.lastResponse.headers["idempotent-replayed"]).toBe("true");
    expect(again.lastResponse.headers["original-request"]).toBe(first.lastResponse.requestId);
    expect(await names()).toEqual(["Ada"]);
  });

  test("is refused for another request, and for another method", async () => {
    const idempotencyKey = randomUUID();
    await stripe.customers.create({ name: "Ada" }, { idempotencyKey });
    await expect(stripe.customers.create({ name: "Bo" }, { idempotencyKey })).rejects.toMatchObject({
      type: "StripeIdempotencyError",
      statusCode: 400,
    });
    await expect(stripe.products.create({ name: "Ada" }, { idempotencyKey })).rejects.toMatchObject({
      type: "StripeIdempotencyError",
    });
    expect(await names()).toEqual(["Ada"]);
  });

  test("of a request that is under way is refused until it is done", async () => {
    await fault({ path: "/v1/customers", mode: "delay", millis: 1_000 });
    const idempotencyKey = randomUUID();
    const first = stripe.customers.create({ name: "Ada" }, { idempotencyKey });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(stripe.customers.create({ name: "Ada" }, { idempotencyKey })).rejects.toMatchObject({
      statusCode: 409,
      code: "idempotency_key_in_use",
    });
    const { id } = await first;
    expect((await stripe.customers.create({ name: "Ada" }, { idempotencyKey })).id).toBe(id);
  });

  test("is forgotten after a day", async () => {
    const idempotencyKey = randomUUID();
    await stripe.customers.create({ name: "Ada" }, { idempotencyKey });
    await harness.advance(1.01);
    await stripe.customers.create({ name: "Bo" }, { idempotencyKey });
    expect(await names()).toEqual(["Ada", "Bo"]);
  });

  test("keeps a decline, but not what was turned away before anything was carried out", async () => {
    const idempotencyKey = randomUUID();
    const pay = (payment_method: string, key = idempotencyKey) =>
      stripe.paymentIntents.create(
        { amount: 1_000, currency: "usd", payment_method, confirm: true, return_url: "https://example.com" },
        { idempotencyKey: key },
      );
    const declines = await Promise.all(
      [1, 2].map(() => pay("pm_card_chargeDeclined").catch((error: unknown) => error)),
    );
    expect(declines).toMatchObject([{ code: "card_declined" }, { code: "card_declined" }]);
    expect((await stripe.charges.list()).data).toHaveLength(1);
    const free = randomUUID();
    const wrong = { name: "Ada", nonsense: "1" } as Stripe.CustomerCreateParams;
    await expect(stripe.customers.create(wrong, { idempotencyKey: free })).rejects.toMatchObject({
      code: "parameter_unknown",
    });
    await stripe.customers.create({ name: "Ada" }, { idempotencyKey: free });
  });

  test("belongs to one account", async () => {
    const idempotencyKey = randomUUID();
    const { id: stripeAccount } = await stripe.accounts.create({ type: "express" });
    const ours = await stripe.customers.create({ name: "Ada" }, { idempotencyKey });
    const theirs = await stripe.customers.create({ name: "Bo" }, { idempotencyKey, stripeAccount });
    expect(theirs.id).not.toBe(ours.id);
  });
});

describe("a fault", () => {
  test.each(["timeout-after-success", "500-after-success", "timeout-before", "500", "409-lock"])(
    "%s makes the client try again, and what was done is done once",
    async (mode) => {
      await fault({ path: "/v1/customers", mode });
      const { id } = await harness.client({ maxNetworkRetries: 1 }).customers.create({ name: "Ada" });
      expect((await stripe.customers.list()).data.map((customer) => customer.id)).toEqual([id]);
    },
  );

  test.each([
    ["timeout-after-success", ["Ada"]],
    ["timeout-before", []],
    ["500-after-success", ["Ada"]],
    ["500", []],
  ])("%s leaves a client that does not try again in the dark", async (mode, left) => {
    // The client tries once more by itself when a connection is cut.
    await fault({ path: "/v1/customers", method: "POST", mode, times: mode.startsWith("timeout") ? 2 : 1 });
    await expect(stripe.customers.create({ name: "Ada" }, { idempotencyKey: randomUUID() })).rejects.toThrow();
    expect(await names()).toEqual(left);
  });

  test("is for the method, path and number of requests that it names, and can be cleared", async () => {
    await fault({ path: "/v1/customers/*", method: "POST", mode: "429", times: 2 });
    const { id } = await stripe.customers.create();
    await stripe.customers.retrieve(id);
    const limited = { type: "StripeRateLimitError", statusCode: 429 };
    await expect(stripe.customers.update(id, { name: "A" })).rejects.toMatchObject(limited);
    expect(await harness.simulate("GET", "faults")).toMatchObject({ faults: [{ times: 1, mode: "429" }] });
    await expect(stripe.customers.update(id, { name: "A" })).rejects.toMatchObject(limited);
    await stripe.customers.update(id, { name: "A" });
    await fault({ path: "/v1", mode: "500", times: 100 });
    await harness.simulate("DELETE", "faults");
    expect(await names()).toEqual(["A"]);
  });
});

describe("a request", () => {
  test("without the key, or with another, is turned away", async () => {
    const stranger = harness.client({});
    expect((await fetch(url("/v1/customers"))).status).toBe(401);
    await expect(stranger.customers.list({}, { apiKey: "sk_test_of_somebody_else" })).rejects.toMatchObject({
      type: "StripeAuthenticationError",
      statusCode: 401,
      message: "Invalid API Key provided: sk_test_****else",
    });
    const basic = await fetch(url("/v1/customers"), {
      headers: { authorization: `Basic ${Buffer.from(`${KEY}:`).toString("base64")}` },
    });
    expect(basic.status).toBe(200);
  });

  test("that is wrong is told how", async () => {
    const refused = async (work: Promise<unknown>) => await work.catch((error: unknown) => error);
    const unknown = { nonsense: { a: 1 } } as Stripe.CustomerCreateParams;
    expect(await refused(stripe.customers.create(unknown))).toMatchObject({
      type: "StripeInvalidRequestError",
      code: "parameter_unknown",
      param: "nonsense",
      doc_url: "https://docs.stripe.com/error-codes#parameter-unknown",
      requestId: expect.stringMatching(/^req_/),
    });
    const without = { currency: "usd" } as Stripe.PaymentIntentCreateParams;
    expect(await refused(stripe.paymentIntents.create(without))).toMatchObject({
      code: "parameter_missing",
      param: "amount",
    });
    expect(await refused(stripe.paymentIntents.create({ amount: 10.5, currency: "usd" }))).toMatchObject({
      code: "parameter_invalid_integer",
      param: "amount",
    });
    expect(await refused(stripe.paymentIntents.create({ amount: 49, currency: "usd" }))).toMatchObject({
      code: "amount_too_small",
    });
    expect(await refused(stripe.charges.retrieve("ch_none"))).toMatchObject({
      statusCode: 404,
      code: "resource_missing",
      message: "No such charge: 'ch_none'",
    });
    expect((await raw("/v1/horses")).status).toBe(404);
  });

  test("too many a second is turned away, with the reason", async () => {
    await harness.close();
    harness = await startHarness({ requestsPerSecond: 3 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => raw("/v1/customers")));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3);
    expect(limited[0]?.headers.get("stripe-rate-limited-reason")).toBe("global-rate");
  });

  test("of more than a megabyte is refused, and the simulator goes on", async () => {
    const answer = await raw("/v1/customers", { method: "POST", body: `name=${"a".repeat(1_100_000)}` }).catch(
      () => null,
    );
    expect([413, undefined]).toContain(answer?.status);
    await stripe.customers.create({ name: "Ada" });
  });

  test("of any nonsense gets an answer that is not the simulator's fault", async () => {
    const path = fc.oneof(
      fc.constantFrom(
        "/v1/customers",
        "/v1/payment_intents",
        "/v1/checkout/sessions",
        "/v1/subscriptions",
        "/v1/accounts",
        "/v1/events",
        "/v1/prices",
        "/v1/charges/search",
        "/simulator/faults",
        "/simulator/advance",
        "/simulator/webhooks/rules",
        "/c/pay/x",
        "/setup/e/x/y",
      ),
      fc.webPath().map((tail) => `/v1${tail}`),
    );
    const name = fc.oneof(
      fc.constantFrom(
        "expand[]",
        "limit",
        "metadata[a]",
        "items[0][price]",
        "amount",
        "created[gt]",
        "query",
        "[",
        "a[b",
        "__proto__[x]",
        "constructor",
      ),
      fc.string({ maxLength: 12 }),
    );
    const body = fc.oneof(
      fc
        .array(fc.tuple(name, fc.string({ unit: "binary", maxLength: 20 })), { maxLength: 6 })
        .map((pairs) =>
          new URLSearchParams(pairs.map(([n, v]): [string, string] => [n.toWellFormed(), v.toWellFormed()])).toString(),
        ),
      fc.json(),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("GET", "POST", "DELETE"), path, body, async (method, where, what) => {
        const answer = await (method === "POST"
          ? raw(where, { method, body: what })
          : raw(`${where}?${encodeURI(what.toWellFormed()).replaceAll("#", "")}`, { method }));
        expect([200, 303, 400, 402, 404, 410]).toContain(answer.status);
        await answer.text();
      }),
      { numRuns: 400 },
    );
    await harness.simulate("DELETE", "faults");
    await stripe.customers.create({ name: "Ada" });
  });
});
