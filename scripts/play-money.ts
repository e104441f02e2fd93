import type { Statement } from "../functions/src/ledger/contract.ts";
import type { Bought, Purchases } from "../functions/src/store/shop/contract.ts";
import type { Checkout, Refunded } from "../functions/src/store/stripe/contract.ts";
import type { Bill, Meter } from "./meter.ts";
import type { Player } from "./player.ts";
import { CHEST, SWORD } from "./seed.ts";
import type { Connection } from "./suite.ts";

const APP = "http://127.0.0.1:5173";

/** A player pays on Stripe's page, spends what they got, and has a part of the money back; an operator's app and the simulator do the rest. */
export async function playMoney(
  { stripeUrl }: Connection,
  meter: Meter,
  { player, operator }: { player: Player; operator: Player },
): Promise<{ what: string; result: string; bill: Bill }[]> {
  const lines: { what: string; result: string; bill: Bill }[] = [];
  const line = async <T>(what: string, act: () => Promise<T>, show: (result: T) => string): Promise<T> => {
    const { result, bill } = await meter.of(act);
    lines.push({ what, result: show(result), bill });
    return result;
  };
  const { name, call } = player;
  const ask = { key: "the first chest", product: CHEST.id, currency: "USD", successUrl: APP, cancelUrl: APP };
  const { url = "" } = await line(
    `${name} asks for Stripe's page (pay/store/checkout)`,
    () => call<Checkout>("pay/store/checkout", ask),
    ({ state }) => `an order, ${state}`,
  );
  await line(
    "…pays there, and Stripe's webhooks come",
    async () => {
      const response = await fetch(`${stripeUrl}/simulator/checkout/${url.slice(url.lastIndexOf("/") + 1)}/pay`, {
        method: "POST",
        body: "{}",
      });
      if (!response.ok) throw new Error(await response.text());
      await meter.settled();
      return await call<Purchases>("api/store/purchases");
    },
    ({ purchases }) => purchases.map(({ product, state }) => `${product} ${state}`).join(", "),
  );
  await line(
    `${name} buys a sword with coins (api/store/buy)`,
    () =>
      call<Bought>("api/store/buy", { key: "a steel sword", product: SWORD.id, currency: "COIN", expectedPrice: 300 }),
    ({ paid }) => `paid ${paid.amount} ${paid.currency}`,
  );
  const { purchases } = await call<Purchases>("api/store/purchases");
  const chest = purchases.find(({ product }) => product === CHEST.id)?.purchase ?? "";
  await line(
    "An operator gives half of the money back (admin/store/refund)",
    async () => {
      const refund = { key: "half of it", purchase: chest, amount: 500, note: "half of it was late" };
      const refunded = await operator.call<Refunded>("admin/store/refund", refund);
      await meter.settled();
      return refunded;
    },
    ({ state }) => `${state}, and half of the coins are taken back`,
  );
  const month = new Date().toISOString().slice(0, 7);
  await line(
    `${name}: api/ledger/statement`,
    () => call<Statement>("api/ledger/statement", { month, currency: "COIN" }),
    ({ opening, closing, transactions }) => `${transactions} transactions, from ${opening} to ${closing} COIN`,
  );
  return lines;
}
