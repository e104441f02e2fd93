import { currencyOf } from "../../ledger/index.ts";
import { now } from "../../platform/clock.ts";
import { Failure } from "../../platform/failure.ts";
import type { Pile } from "../../platform/stock.ts";
import type { Reward } from "../../rewards/index.ts";
import { productOf } from "../catalog.ts";
import type { Product } from "../records.ts";
import { several } from "../several.ts";

/** What somebody wants to buy with their wallet. */
export interface WantedProduct {
  readonly product: string;
  readonly currency: string;
  readonly count: number;
  readonly country?: string | undefined;
}

/** Something that is sold here and now, before anybody has paid. */
export interface Sale {
  readonly product: Product;
  /** Of one, in smallest units. */
  readonly price: number;
  /** What all of it gives. */
  readonly grant: Reward;
}

/**
 * What the catalog says of something that is wanted: a read in a while, for instances keep products for a minute. Refuses
 * `unknown-product`, `not-for-sale`, `offer-over` and what {@link several} does.
 */
export async function saleOf(wanted: WantedProduct): Promise<Sale> {
  const product = await productOf(wanted.product);
  if (!product) throw new Failure("not-found", "There is no such product.", { reason: "unknown-product" });
  const price = priceIn(product, wanted.currency);
  if (price === undefined || !isSoldIn(product, wanted.country)) {
    throw new Failure("failed-precondition", "This is not sold here for that.", { reason: "not-for-sale" });
  }
  if (!isOnOffer(product, now())) {
    throw new Failure("failed-precondition", "This is not on sale now.", { reason: "offer-over" });
  }
  return { product, price, grant: await several(product.grant, wanted.count) };
}

/** Whether it is sold at a time, for whatever. */
export function isOnShelf(product: Product, at: number): boolean {
  return Object.keys(product.prices ?? {}).length > 0 && isOnOffer(product, at);
}

/** Refuses `price-changed` if the buyer has been shown another price. */
export function checkPrice(price: number, expected: number): void {
  if (price === expected) return;
  throw new Failure("failed-precondition", "It costs something else by now.", { reason: "price-changed", price });
}

/** What of a product's stock is wanted, if there is only so much of it. */
export function pileOf(
  { limits }: Product,
  { product, count }: Pick<WantedProduct, "product" | "count">,
  seed: string,
): Pile | undefined {
  const total = limits?.stock;
  return total === undefined ? undefined : { path: stockPath(product), total, count, seed };
}

/** Where the stock of a product is counted. */
export function stockPath(product: string): string {
  return `catalog/${product}`;
}

/** Money is paid through those who move it. */
function priceIn({ prices = {}, subscription }: Product, currency: string): number | undefined {
  if (currencyOf(currency).kind !== "virtual" || subscription) return undefined;
  return Object.hasOwn(prices, currency) ? prices[currency] : undefined;
}

function isSoldIn({ countries }: Product, country: string | undefined): boolean {
  return countries === undefined || (country !== undefined && countries.includes(country));
}

function isOnOffer({ offer: { from = 0, until = Number.POSITIVE_INFINITY } = {} }: Product, at: number): boolean {
  return from <= at && at < until;
}
