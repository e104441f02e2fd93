import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DAY_MILLIS, type Harness, SECRETS, startHarness } from "./harness.ts";

let harness: Harness;
let stripe: Stripe;
beforeEach(async () => {
  harness = await startHarness();
  ({ stripe } = harness);
});
afterEach(() => harness.close());

interface Shown {
  readonly event: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: readonly { readonly at: number; readonly status: number }[];
}
const deliveries = async () => (await harness.simulate<{ deliveries: Shown[] }>("GET", "webhooks")).deliveries;
const flush = () => harness.simulate("POST", "webhooks/flush");
const rule = (body: object) => harness.simulate("POST", "webhooks/rules", body);
const named = () => harness.received.map(({ event }) => (event.data.object as Stripe.Customer).name);

describe("a webhook", () => {
  test("is signed with the secret of its endpoint, and carries the event as the API gives it", async () => {
    await stripe.customers.create({ name: "Ada" }, { idempotencyKey: "ada" });
    await flush();
    const [first] = harness.received;
    if (first === undefined) throw new Error("nothing came");
    const event = stripe.webhooks.constructEvent(first.payload, first.signature, SECRETS.platform);
    expect(event).toMatchObject({
      type: "customer.created",
      livemode: false,
      api_version: Stripe.API_VERSION,
      request: { idempotency_key: "ada", id: expect.stringMatching(/^req_/) },
      data: { object: { name: "Ada" } },
    });
    expect(() => stripe.webhooks.constructEvent(first.payload, first.signature, SECRETS.connect)).toThrow("signature");
    expect(() => stripe.webhooks.constructEvent(`${first.payload} `, first.signature, SECRETS.platform)).toThrow();
    expect(await stripe.events.retrieve(event.id)).toMatchObject({ id: event.id, pending_webhooks: 0 });
  });

  test("of a change tells what was there before, deep down too", async () => {
    const { id } = await stripe.customers.create({ name: "Ada", metadata: { a: "1", b: "2" } });
    await stripe.customers.update(id, { name: "Bo", metadata: { a: "3", b: "" } });
    await flush();
    const event = harness.received.at(-1)?.event;
    expect(event?.data.previous_attributes).toEqual({ name: "Ada", metadata: { a: "1", b: "2" } });
    expect(event?.data.object).toMatchObject({ name: "Bo", metadata: { a: "3" } });
  });

  test("of a connected account goes to the other endpoint", async () => {
    const { id: stripeAccount } = await stripe.accounts.create({ type: "express" });
    await stripe.customers.create({ name: "Ada" }, { stripeAccount });
    await stripe.customers.create({ name: "Bo" });
    await flush();
    expect(harness.received.map(({ to, event }) => [to, event.account])).toEqual([
      ["connect", stripeAccount],
      ["platform", undefined],
    ]);
  });

  test("that is not taken is tried again, ever more rarely, and given up after three days", async () => {
    harness.status = () => 500;
    await stripe.customers.create({ name: "Ada" });
    await flush();
    await harness.advance(4);
    const [delivery] = await deliveries();
    expect(delivery?.state).toBe("failed");
    const times = delivery?.attempts.map(({ at }) => at) ?? [];
    expect(times.length).toBeGreaterThan(8);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThanOrEqual(3 * DAY_MILLIS);
    const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(pauses.slice(0, 4).every((pause, i) => pause > (pauses[i - 1] ?? 0))).toBe(true);
  });

  test("that is taken at the second try is not sent a third time", async () => {
    let tries = 0;
    harness.status = () => (++tries === 1 ? 302 : 200);
    await stripe.customers.create({ name: "Ada" });
    await flush();
    await harness.advance(2);
    expect(await deliveries()).toMatchObject([{ state: "delivered", attempts: [{ status: 302 }, { status: 200 }] }]);
  });
});

describe("on demand", () => {
  test("a webhook comes twice, and is not tried again for the copy that was not taken", async () => {
    await rule({ mode: "duplicate", copies: 2, times: 1 });
    let tries = 0;
    harness.status = () => (++tries === 1 ? 500 : 200);
    await stripe.customers.create({ name: "Ada" });
    await harness.advance(2);
    expect(await deliveries()).toMatchObject([{ state: "delivered", attempts: [{ status: 500 }, { status: 200 }] }]);
    expect(tries).toBe(2);
  });

  test("webhooks come several times", async () => {
    await rule({ mode: "duplicate", types: ["customer.created"], copies: 3, times: 1 });
    await stripe.customers.create({ name: "Ada" });
    await stripe.customers.create({ name: "Bo" });
    await flush();
    expect(named()).toEqual(["Ada", "Ada", "Ada", "Bo"]);
    expect(new Set(harness.received.map(({ event }) => event.id)).size).toBe(2);
  });

  test("webhooks are held, and released in another order", async () => {
    await rule({ mode: "hold", to: "platform" });
    for (const name of ["Ada", "Bo", "Cy"]) await stripe.customers.create({ name });
    await flush();
    expect(named()).toEqual([]);
    await harness.simulate("POST", "webhooks/release", { order: "reversed" });
    expect(named()).toEqual(["Cy", "Bo", "Ada"]);
    await harness.simulate("DELETE", "webhooks/rules");
    await stripe.customers.create({ name: "Di" });
    await flush();
    expect(named().at(-1)).toBe("Di");
  });

  test("webhooks are late by the clock, so that others overtake them", async () => {
    await rule({ mode: "delay", millis: 3_600_000, times: 1 });
    for (const name of ["Ada", "Bo"]) await stripe.customers.create({ name });
    await flush();
    expect(named()).toEqual(["Bo"]);
    await harness.advance(0.1);
    expect(named()).toEqual(["Bo", "Ada"]);
  });

  test("webhooks are lost, while the event is still listed, and can be sent once more", async () => {
    await rule({ mode: "drop", times: 1 });
    await stripe.customers.create({ name: "Ada" });
    await harness.advance(4);
    expect(named()).toEqual([]);
    const [event] = (await stripe.events.list({ types: ["customer.created"] })).data;
    await harness.simulate("POST", "webhooks/redeliver", { event: event?.id, copies: 2 });
    expect(named()).toEqual(["Ada", "Ada"]);
  });
});

test("an endpoint added by the API is told what it asked for, with its own secret, until it is disabled or deleted", async () => {
  const { id, secret, url } = await stripe.webhookEndpoints.create({
    url: (await stripe.webhookEndpoints.list()).data[0]?.url ?? "http://127.0.0.1:1/",
    enabled_events: ["product.created"],
  });
  expect(url).toContain("http");
  const sent = async () => (await deliveries()).filter(({ type }) => type === "product.created").length;
  await stripe.products.create({ name: "Gold" });
  await stripe.customers.create();
  await flush();
  expect(await sent()).toBe(2);
  expect(secret).toMatch(/^whsec_/);
  await stripe.webhookEndpoints.update(id, { disabled: true });
  await stripe.products.create({ name: "Silver" });
  await flush();
  expect(await sent()).toBe(3);
  expect(await stripe.webhookEndpoints.del(id)).toEqual(expect.objectContaining({ deleted: true }));
});

test("events are kept for thirty days, and found by type and time", async () => {
  const { id } = await stripe.customers.create({ name: "Ada" });
  await stripe.customers.update(id, { name: "Bo" });
  const [newest] = (await stripe.events.list({ type: "customer.*" })).data;
  expect(newest?.type).toBe("customer.updated");
  expect((await stripe.events.list({ type: "customer.created" })).data).toHaveLength(1);
  expect((await stripe.events.list({ created: { gt: newest?.created ?? 0 } })).data).toEqual([]);
  await harness.advance(29);
  expect(await stripe.events.retrieve(newest?.id ?? "")).toMatchObject({ type: "customer.updated" });
  await harness.advance(2);
  await expect(stripe.events.retrieve(newest?.id ?? "")).rejects.toMatchObject({ code: "resource_missing" });
  expect((await stripe.events.list()).data).toEqual([]);
});
