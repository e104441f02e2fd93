import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Wallet } from "../../functions/src/ledger/contract.ts";
import type { Entitlements } from "../../functions/src/rewards/contract.ts";
import type { ChangedSubscription, Checkout, Refunded, TopUp } from "../../functions/src/store/stripe/contract.ts";
import type { Player } from "../../scripts/player.ts";
import { seed } from "../../scripts/seed.ts";
import { useBackend } from "../backend.ts";

/** What a game's app sells for money, through the Firebase SDK and Stripe's simulator, with everything behind it running. */
const backend = useBackend();
const { connection, newcomer } = backend;
const PATIENCE = { timeout: 20_000, interval: 100 };
let operator: Player;

beforeAll(async () => {
  operator = await newcomer("Olga");
  await seed(connection, operator);
  const define = (id: string, product: object) => operator.call("admin/store/define", { id, product });
  await define("web_pack", { title: "Pack", grant: { coins: { COIN: 300 } }, prices: { USD: 499 } });
  await define("web_club", {
    title: "Club",
    grant: { coins: { COIN: 50 }, entitlements: ["club"] },
    prices: { USD: 999 },
    subscription: { interval: "month" },
  });
});

const stripe = async (path: string, body: object, headers: Record<string, string> = {}) => {
  const form = headers.authorization !== undefined;
  const response = await fetch(`${connection.stripeUrl}/${path}`, {
    method: "POST",
    headers,
    body: form ? new URLSearchParams(body as Record<string, string>) : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
};
const balance = async (player: Player, currency: string) =>
  (await player.call<Wallet>("api/ledger/wallet")).balances.find((one) => one.currency === currency)?.available ?? 0;
const checkout = (player: Player, product: string) =>
  player.call<Checkout>("pay/store/checkout", {
    key: randomUUID(),
    product,
    currency: "USD",
    successUrl: "http://127.0.0.1:5173/done",
    cancelUrl: "http://127.0.0.1:5173/",
  });
const sessionOf = (url = "") => url.slice(url.lastIndexOf("/") + 1);
/** The webhook has come as soon as the order says so. */
const paid = (order: string) =>
  vi.waitFor(async () => {
    expect((await backend.firestore.doc(`orders/${order}`).get()).data()).toMatchObject({ state: "paid" });
  }, PATIENCE);

describe("a player who pays with a card", () => {
  test("on Stripe's page has what they bought, and not any more once it was refunded", async () => {
    const ada = await newcomer("Ada");
    const { order, url } = await checkout(ada, "web_pack");
    await stripe(`simulator/checkout/${sessionOf(url)}/pay`, {});
    await paid(order);
    expect(await balance(ada, "COIN")).toBe(300);
    const { docs } = await backend.firestore.collection("purchases").where("user", "==", ada.uid).get();
    const refund = { key: randomUUID(), purchase: docs[0]?.id ?? "", amount: 499, note: "asked for it" };
    expect(await operator.call<Refunded>("admin/store/refund", refund)).toMatchObject({ state: "succeeded" });
    expect(await balance(ada, "COIN")).toBe(0);
  });

  test("in the app has money in the wallet", async () => {
    const bo = await newcomer("Bo");
    const asked = { key: randomUUID(), currency: "EUR", amount: 10_00 };
    const { order, clientSecret = "" } = await bo.call<TopUp>("pay/store/topUp", asked);
    const [payment] = clientSecret.split("_secret_");
    const authorization = `Bearer ${connection.secrets.stripeApiKey}`;
    const card = { payment_method: "pm_card_visa", return_url: "http://127.0.0.1:5173/" };
    await stripe(`v1/payment_intents/${payment}/confirm`, card, { authorization });
    await paid(order);
    expect(await balance(bo, "EUR")).toBe(10_00);
  });

  test("for a subscription has it, and can end it", async () => {
    const cy = await newcomer("Cy");
    const { order, url } = await checkout(cy, "web_club");
    await stripe(`simulator/checkout/${sessionOf(url)}/pay`, {});
    await paid(order);
    const club = async () => (await cy.call<Entitlements>("api/rewards/entitlements")).entitlements;
    await vi.waitFor(async () => {
      expect(await club()).toMatchObject([{ entitlement: "club", active: true, willRenew: true }]);
    }, PATIENCE);
    expect(await balance(cy, "COIN")).toBe(50);
    const ended = { key: randomUUID(), change: "cancel" };
    expect(await cy.call<ChangedSubscription>("pay/store/subscription", ended)).toMatchObject({ willRenew: false });
    await vi.waitFor(async () => expect(await club()).toMatchObject([{ active: true, willRenew: false }]), PATIENCE);
    expect(await cy.call("pay/store/portal", { returnUrl: "http://127.0.0.1:5173/" })).toMatchObject({
      url: expect.stringContaining("/p/session/"),
    });
  });
});
