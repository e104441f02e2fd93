import { config } from "../../platform/config.ts";
import { type Transaction, timestamp } from "../../platform/firestore.ts";
import { deterministicId } from "../../platform/ids.ts";
import { type Outcome, Postponed } from "../../platform/webhooks.ts";
import { type Change, prepareChanges } from "../../rewards/index.ts";
import { productOf } from "../catalog.ts";
import { waitingForCustomer, waitingForProduct } from "../waiting.ts";
import { findUser, idsOf } from "./customer.ts";
import type { CurrencyEvent } from "./event.ts";
import { adjustments } from "./records.ts";

/** What RevenueCat has given or taken because somebody has bought, renewed or got their money back. */
const BY_PURCHASE = "in_app_purchase";

/**
 * Follows a transaction of RevenueCat's virtual currencies, as far as they are ours. One that comes of a purchase tells of the same coins as
 * the purchase does, so only products whose coins come from virtual currencies are followed. What is taken back is taken even if it was
 * spent; the rest is owed.
 * Source: https://www.revenuecat.com/docs/offerings/virtual-currency/events
 *
 * Bill: a read for each account; a write for the adjustment, each account and each transaction of the ledger (one for what is given, one
 * for what is taken).
 * @param retry whether an earlier try found a document that it wanted to create
 */
export async function currency(tx: Transaction, event: CurrencyEvent, retry: boolean): Promise<Outcome> {
  const isBought = event.source === BY_PURCHASE || (!event.source && Boolean(event.product_id));
  if (isBought && !(await isFollowed(event.product_id)))
    return { result: "ignored", reason: "coins-come-with-purchase" };
  const { given, taken, unknown } = amountsOf(event.adjustments);
  if (unknown.length > 0 && isBought) throw new Postponed("unknown-currency", `currency:${unknown[0]}`);
  if (isEmpty(given) && isEmpty(taken)) return { result: "ignored", reason: "currency-not-mapped" };
  const user = await findUser(tx, idsOf(event));
  if (user === undefined) throw new Postponed("unknown-user", waitingForCustomer(event.app_user_id));

  const id = deterministicId("virtual-currency", event.virtual_currency_transaction_id ?? event.id);
  if (retry && (await tx.get(adjustments().doc(id))).exists) return { result: "already-adjusted", user };
  const made = (direction: Change["direction"], coins: Change["coins"]): Change => ({
    key: `virtual-currency ${id} ${direction}`,
    kind: kindOf(direction, isBought),
    direction,
    coins,
    items: {},
    reference: `virtual-currency:${id}`,
    metadata: { ...(event.product_id ? { product: event.product_id } : {}), source: event.source ?? "" },
    ...(direction === "takeBack" && isBought ? { as: { source: "bought" } } : {}),
  });
  const changes = [
    ...(isEmpty(given) ? [] : [made("give", given)]),
    ...(isEmpty(taken) ? [] : [made("takeBack", taken)]),
  ];
  const prepared = await prepareChanges(tx, user, changes);
  tx.create(adjustments().doc(id), { user, updatedAt: timestamp() });
  prepared.write();
  const transactions = prepared.done.map(({ transaction }) => transaction);
  return { result: "adjusted", user, ...(isEmpty(given) ? {} : { coins: given }), taken, transactions };
}

function kindOf(direction: Change["direction"], isBought: boolean): Change["kind"] {
  if (!isBought) return direction === "give" ? "grant" : "adjustment";
  return direction === "give" ? "purchase" : "refund";
}

async function isFollowed(product: string | null | undefined): Promise<boolean> {
  if (!product) return true;
  const known = await productOf(product);
  if (!known) throw new Postponed("unknown-product", waitingForProduct(product));
  return known.coinsFrom === "virtual-currency";
}

interface Amounts {
  readonly given: Record<string, number>;
  readonly taken: Record<string, number>;
  /** RevenueCat's codes that stand for nothing here. */
  readonly unknown: readonly string[];
}

function amountsOf(adjustments: CurrencyEvent["adjustments"]): Amounts {
  const totals = new Map<string, number>();
  const unknown: string[] = [];
  const ours = currenciesOf(config.revenueCatCurrencies.value());
  for (const { amount, currency } of adjustments) {
    const code = ours.get(currency.code);
    if (code === undefined) unknown.push(currency.code);
    else totals.set(code, (totals.get(code) ?? 0) + amount);
  }
  const pick = (sign: 1 | -1) =>
    Object.fromEntries([...totals].flatMap(([code, n]) => (n * sign > 0 ? [[code, n * sign] as const] : [])));
  return { given: pick(1), taken: pick(-1), unknown };
}

/** `CRD=COIN,GLD=GEM`: RevenueCat's codes, and what they are here. */
function currenciesOf(setting: string): Map<string, string> {
  const pairs = setting.split(",").map((pair) => pair.split("=").map((code) => code.trim()));
  return new Map(pairs.flatMap(([theirs, ours]) => (theirs && ours ? [[theirs, ours] as const] : [])));
}

function isEmpty(amounts: Readonly<Record<string, number>>): boolean {
  return Object.keys(amounts).length === 0;
}
