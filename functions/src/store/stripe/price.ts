import type Stripe from "stripe";
import { isMoney } from "../../ledger/index.ts";
import { Failure } from "../../platform/failure.ts";
import { deterministicId } from "../../platform/ids.ts";
import type { Product } from "../records.ts";
import { ask } from "./ask.ts";

/** Ids of prices that this instance has asked for; what a price says never changes. */
const known = new Map<string, string>();
const productsOfPrices = new Map<string, string | undefined>();
const MAX_KNOWN = 1_000;

/**
 * Stripe's id of the catalog's price for a subscription; made when first sold. It is found by a name that says all of it, so that a product
 * that becomes dearer has another price, and who subscribed before keeps the one they have. Refuses `not-for-sale`.
 */
export async function subscriptionPrice(id: string, product: Product, currency: string): Promise<string> {
  const amount = isMoney(currency) ? product.prices?.[currency] : undefined;
  const { subscription } = product;
  if (amount === undefined || !subscription) {
    throw new Failure("failed-precondition", "This is not sold here.", { reason: "not-for-sale", product: id });
  }
  const { interval, count } = subscription;
  const name = deterministicId("price", id, currency, String(amount), interval, String(count));
  const price = known.get(name) ?? (await ask((client) => priceNamed(client, name, { id, product, currency, amount })));
  remember(known, name, price);
  return price;
}

async function priceNamed(
  client: Stripe,
  name: string,
  { id, product, currency, amount }: { id: string; product: Product; currency: string; amount: number },
): Promise<string> {
  const { interval = "month", count = 1 } = product.subscription ?? {};
  const found = await named(client, name);
  if (found !== undefined) return found;
  const metadata = { product: id };
  const made = await client.prices.create(
    {
      currency: currency.toLowerCase(),
      unit_amount: amount,
      recurring: { interval, interval_count: count },
      lookup_key: name,
      metadata,
      product_data: { name: product.title, metadata },
    },
    { idempotencyKey: `price ${name}` },
  );
  return made.id;
}

async function named(client: Stripe, name: string): Promise<string | undefined> {
  const { data } = await client.prices.list({ lookup_keys: [name], active: true, limit: 1 });
  return data[0]?.id;
}

/** The catalog's id of what a price of Stripe's is for; undefined if the price is not of this catalog. */
export async function productOfPrice(price: string): Promise<string | undefined> {
  if (productsOfPrices.has(price)) return productsOfPrices.get(price);
  const { metadata } = await ask((client) => client.prices.retrieve(price));
  remember(productsOfPrices, price, metadata.product);
  return metadata.product;
}

function remember<T>(where: Map<string, T>, name: string, value: T): void {
  if (where.size >= MAX_KNOWN) where.clear();
  where.set(name, value);
}
