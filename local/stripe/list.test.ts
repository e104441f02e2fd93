import fc from "fast-check";
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;
let stripe: Stripe;
/** Of 25 customers, the newest first. */
let ids: string[];
beforeAll(async () => {
  harness = await startHarness();
  ({ stripe } = harness);
  for (let i = 0; i < 25; i++) await stripe.customers.create({ name: `Customer ${i}`, email: `${i % 5}@example.com` });
  ids = (await stripe.customers.list({ limit: 100 })).data.map(({ id }) => id);
});
afterAll(() => harness.close());

describe("a list", () => {
  test("comes ten at a time, the newest first, and the client goes through all of it", async () => {
    const first = await stripe.customers.list();
    expect(first).toMatchObject({ object: "list", has_more: true, url: "/v1/customers" });
    expect(first.data.map(({ name }) => name)).toEqual(Array.from({ length: 10 }, (_, i) => `Customer ${24 - i}`));
    const all: string[] = [];
    for await (const { id } of stripe.customers.list({ limit: 7 })) all.push(id);
    expect(all).toEqual(ids);
  });

  test("goes on after any object, or back before it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 24 }), fc.integer({ min: 1, max: 30 }), async (at, limit) => {
        const id = ids[at] ?? "";
        const after = await stripe.customers.list({ limit, starting_after: id });
        expect(after.data.map((customer) => customer.id)).toEqual(ids.slice(at + 1, at + 1 + limit));
        expect(after.has_more).toBe(at + 1 + limit < ids.length);
        const before = await stripe.customers.list({ limit, ending_before: id });
        expect(before.data.map((customer) => customer.id)).toEqual(ids.slice(Math.max(0, at - limit), at));
        expect(before.has_more).toBe(at > limit);
      }),
      { numRuns: 30 },
    );
  });

  test("is filtered before it is cut into pages", async () => {
    const some = await stripe.customers.list({ email: "3@example.com", limit: 3 });
    expect(some.data).toHaveLength(3);
    expect(some.has_more).toBe(true);
    const rest = await stripe.customers.list({ email: "3@example.com", starting_after: some.data[2]?.id ?? "" });
    expect(rest.data).toHaveLength(2);
  });

  test("refuses a limit out of bounds, and to start from what is not in it", async () => {
    await expect(stripe.customers.list({ limit: 101 })).rejects.toMatchObject({ param: "limit" });
    await expect(stripe.customers.list({ starting_after: "cus_none" })).rejects.toMatchObject({
      code: "resource_missing",
      param: "starting_after",
    });
  });
});

describe("what is expanded", () => {
  test("stands in the place of its id, in lists too, as deep as four levels", async () => {
    const { id: customer } = await stripe.customers.create({ name: "Ada" });
    const intent = await stripe.paymentIntents.create({
      amount: 1_000,
      currency: "usd",
      customer,
      payment_method: "pm_card_visa",
      confirm: true,
      return_url: "https://example.com",
      expand: ["customer", "latest_charge.balance_transaction.source.payment_intent"],
    });
    expect(intent).toMatchObject({
      customer: { name: "Ada" },
      latest_charge: { balance_transaction: { source: { object: "charge", payment_intent: { id: intent.id } } } },
    });
    const charges = await stripe.charges.list({ customer, expand: ["data.customer", "data.refunds"] });
    expect(charges.data).toMatchObject([{ customer: { name: "Ada" }, refunds: { data: [] } }]);
    const plain = await stripe.charges.list({ customer });
    expect(plain.data[0]).toMatchObject({ customer });
    expect(plain.data[0]).not.toHaveProperty("refunds");
  });

  test("must be something that can be", async () => {
    const { id } = await stripe.customers.create({ name: "Ada" });
    for (const path of ["horse", "name", "a.b.c.d.e"]) {
      await expect(stripe.customers.retrieve(id, { expand: [path] })).rejects.toMatchObject({
        statusCode: 400,
        param: "expand",
      });
    }
  });
});

describe("metadata", () => {
  test("is merged key by key, a key is taken away by an empty text, and all by an empty text for all", async () => {
    const { id } = await stripe.customers.create({ metadata: { a: "1", b: "2" } });
    expect((await stripe.customers.update(id, { metadata: { b: "3", c: "4" } })).metadata).toEqual({
      a: "1",
      b: "3",
      c: "4",
    });
    expect((await stripe.customers.update(id, { metadata: { a: "" } })).metadata).toEqual({ b: "3", c: "4" });
    expect((await stripe.customers.update(id, { metadata: "" })).metadata).toEqual({});
  });

  test("has at most fifty keys of forty characters, with five hundred each", async () => {
    const refused = (metadata: Record<string, string>) =>
      expect(stripe.customers.create({ metadata })).rejects.toMatchObject({ statusCode: 400 });
    await refused({ ["k".repeat(41)]: "1" });
    await refused({ k: "v".repeat(501) });
    await refused(Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, "v"])));
    const { id } = await stripe.customers.create({
      metadata: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, "v"])),
    });
    await expect(stripe.customers.update(id, { metadata: { one: "more" } })).rejects.toMatchObject({ statusCode: 400 });
  });
});

test("what was deleted is gone from lists, and known to have been", async () => {
  const { id } = await stripe.customers.create();
  expect(await stripe.customers.del(id)).toMatchObject({ id, deleted: true });
  expect(await stripe.customers.retrieve(id)).toMatchObject({ id, object: "customer", deleted: true });
  expect((await stripe.customers.list({ limit: 1 })).data[0]?.id).not.toBe(id);
  await expect(stripe.customers.update(id, { name: "Ada" })).rejects.toMatchObject({ code: "resource_missing" });
});
