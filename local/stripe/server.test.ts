import { afterEach, expect, test } from "vitest";
import { SuiteClock } from "../time/clock.ts";
import { keepFollowers } from "../time/followers.ts";
import { DAY_MILLIS, type Harness, startHarness } from "./harness.ts";

let harness: Harness;
afterEach(() => harness.close());

const subscribed = async () => {
  const { stripe } = harness;
  const { id } = await stripe.customers.create({ payment_method: "pm_card_visa" });
  const [card] = (await stripe.paymentMethods.list({ customer: id })).data;
  const price = await stripe.prices.create({
    currency: "usd",
    unit_amount: 900,
    recurring: { interval: "week" },
    product_data: { name: "Club" },
  });
  return await stripe.subscriptions.create({
    customer: id,
    items: [{ price: price.id }],
    default_payment_method: card?.id ?? "",
  });
};
const invoices = async () => (await harness.stripe.invoices.list({ status: "paid" })).data.length;

test("the simulator lives by the suite's clock when it is given", async () => {
  const clock = new SuiteClock();
  harness = await startHarness({ clock });
  await subscribed();
  await clock.advance(8 * DAY_MILLIS);
  expect(await invoices()).toBe(2);
});

test("the simulator follows a clock in another process, as the suite's other servers do", async () => {
  harness = await startHarness();
  const clock = new SuiteClock();
  const failures: string[] = [];
  const letGo = keepFollowers({
    clock,
    urls: [`http://127.0.0.1:${harness.server.port}/simulator/clock`],
    report: (message) => failures.push(message),
  });
  await subscribed();
  await clock.advance(15 * DAY_MILLIS);
  expect(await invoices()).toBe(3);
  expect(Math.abs(harness.server.clock.now() - clock.now())).toBeLessThan(5_000);
  expect(failures).toEqual([]);
  letGo();
});

test("the clock is moved by who has nothing but the simulator", async () => {
  harness = await startHarness();
  await subscribed();
  await harness.simulate("POST", "advance", { days: 7, seconds: 3_700 });
  expect(await invoices()).toBe(2);
  const { offset } = await harness.simulate<{ offset: number }>("GET", "clock");
  expect(Math.abs(offset - 7 * DAY_MILLIS - 3_700_000)).toBeLessThan(5_000);
  await expect(harness.simulate("POST", "advance", { days: -1 })).rejects.toThrow();
  await expect(harness.simulate("POST", "nothing/of/this")).rejects.toThrow("has no POST");
});
