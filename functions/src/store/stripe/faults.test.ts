import * as fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { useStripe } from "../../../testing/stripe.ts";
import { verify } from "../../ledger/verify.ts";
import { wallet } from "../../ledger/wallet.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import { stripe } from "../../platform/stripe.ts";
import { catalog, purchases } from "../records.ts";
import { checkout } from "./checkout.ts";
import { CheckoutRequest, RefundRequest } from "./contract.ts";
import { customers, orders, refunds } from "./records.ts";
import { refund, settleRefunds } from "./refund.ts";

/** Whatever goes wrong between Stripe and here, on whichever call, nobody pays twice, gets twice, or is paid back twice. */
useBackend({ GRANT_SANDBOX_PURCHASES: "true" });
const vendor = useStripe();

/** More than the client tries by itself. */
const TIMES = 3;
const MAX_ASKED = 4;
const Mode = fc.constantFrom("timeout-before", "timeout-after-success", "500", "500-after-success", "429", "409-lock");
const Hours = fc.constantFrom(0, 0.2, 2, 30);

beforeAll(async () => {
  const grant = { coins: { COIN: 1_000 }, items: {}, entitlements: [] };
  await catalog()
    .doc("pack")
    .set({ title: "Pack", grant, grantDuringTrial: false, prices: { USD: 1_000 } });
});

const coins = async (uid: string) => (await wallet({ uid })).balances[0]?.available ?? 0;
const isUnavailable = (error: unknown) => error instanceof Failure && error.reason === "stripe-unavailable";

/** What an app does: asks under the same key until there is an answer. */
async function insist(caller: Caller, hours: number) {
  const request = CheckoutRequest.parse({
    key: "the-purchase",
    product: "pack",
    currency: "USD",
    successUrl: "https://game.example.com/",
    cancelUrl: "https://game.example.com/",
  });
  for (let i = 0; i < MAX_ASKED; i++) {
    try {
      return await checkout(caller, request);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      await vendor.advance(hours / 24);
    }
  }
  throw new Error(`no answer after asking ${MAX_ASKED} times`);
}

test("a purchase has one customer, one page and one grant", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("customers", "checkout/sessions"), Mode, Hours, async (path, mode, hours) => {
      const ada = someone();
      await vendor.fault(`/v1/${path}`, mode, TIMES);
      const { order, state } = await insist(ada, hours);
      const { session = "" } = (await orders().doc(order).get()).data() ?? {};
      if (state === "open") await vendor.simulate(`checkout/${session}/pay`, {});
      const customer = (await customers().doc(ada.uid).get()).data()?.test?.id ?? "";
      const client = await stripe();
      expect((await client.checkout.sessions.list({ customer })).data).toHaveLength(1);
      const found = await client.customers.search({ query: `metadata["user"]:"${ada.uid}"` });
      expect(found.data).toHaveLength(1);
      expect([state, await coins(ada.uid)]).toEqual(state === "open" ? ["open", 1_000] : ["expired", 0]);
    }),
    { numRuns: 5 },
  );
});

test("a refund goes back once, sooner or later", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(Mode, fc.constantFrom(0.2, 2, 30), fc.boolean(), async (mode, hours, isDown) => {
      const ada = someone();
      const { order } = await insist(ada, 0);
      const { session = "" } = (await orders().doc(order).get()).data() ?? {};
      await vendor.simulate(`checkout/${session}/pay`, {});
      const [bought] = (await purchases().where("user", "==", ada.uid).get()).docs;
      vendor.isDown = isDown;
      await vendor.fault("/v1/refunds", mode, TIMES);
      const request = RefundRequest.parse({ key: "the-refund", purchase: bought?.id, amount: 300, note: "asked" });
      const { refund: id } = await refund(someone(), request);
      await vendor.simulate("faults", undefined, "DELETE");
      await vendor.advance(hours / 24);
      await settleRefunds();
      const { payment_intent } = await (await stripe()).checkout.sessions.retrieve(session);
      const { data } = await (await stripe()).refunds.list({ payment_intent: String(payment_intent) });
      expect(data.map(({ amount }) => amount)).toEqual([300]);
      expect((await refunds().doc(id).get()).data()).toMatchObject({ state: "succeeded" });
      expect(await coins(ada.uid)).toBe(700);
      vendor.isDown = false;
      await vendor.advance(0.5);
    }),
    { numRuns: 4 },
  );
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
