import { currencyOf, isMoney } from "../../ledger/index.ts";
import { now } from "../../platform/clock.ts";
import { Failure, invalidInput } from "../../platform/failure.ts";
import type { Reward } from "../../rewards/index.ts";
import { productOf } from "../catalog.ts";
import type { Product } from "../records.ts";
import { several } from "../several.ts";
import type { Order } from "./records.ts";

/** What is sold, for how much, and what it gives. */
export type Sale = Pick<Order, "product" | "count" | "title" | "amount" | "currency" | "grant" | "country"> & {
  /** As the catalog has it; absent: money for the wallet. */
  readonly listed?: Product;
};

/** Stripe takes eight digits. Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts */
const MAX_AMOUNT = 99_999_999;

/**
 * A product at the catalog's price; no caller says what anything costs. Refuses `unknown-product`, `not-for-sale`, `offer-over`, and what {@link several} does. What there
 * is only so much of is not sold here: a payment may take days, and cannot be refused once it has come.
 */
export async function saleOf(wanted: {
  readonly product: string;
  readonly count: number;
  readonly currency: string;
  readonly country?: string | undefined;
}): Promise<Sale & { readonly listed: Product }> {
  const { product, count, currency } = wanted;
  const listed = await productOf(product);
  if (!listed) throw new Failure("not-found", "There is no such product.", { reason: "unknown-product", product });
  const price = isMoney(currency) ? listed.prices?.[currency] : undefined;
  if (price === undefined || !isSoldIn(listed, wanted.country) || listed.limits?.stock !== undefined) {
    throw new Failure("failed-precondition", "This is not sold here.", { reason: "not-for-sale", product, currency });
  }
  const { from = 0, until = Number.POSITIVE_INFINITY } = listed.offer ?? {};
  if (now() < from || now() >= until) {
    throw new Failure("failed-precondition", "This is not on sale at this time.", { reason: "offer-over", product });
  }
  const amount = price * count;
  if (amount > MAX_AMOUNT) throw invalidInput("count", "That many cannot be paid for at once.");
  const said = wanted.country === undefined ? {} : { country: wanted.country };
  const grant = await several(listed.grant, count);
  return { product, count, title: listed.title, amount, currency, grant, ...said, listed };
}

function isSoldIn({ countries }: Product, country: string | undefined): boolean {
  return countries === undefined || (country !== undefined && countries.includes(country));
}

/** Money for the wallet. Refuses `unknown-currency`, `not-for-sale`, and an amount out of the currency's bounds. */
export function topUpOf(currency: string, amount: number): Sale {
  const { topUp, name } = currencyOf(currency);
  if (!topUp) {
    throw new Failure("failed-precondition", "This cannot be paid in.", { reason: "not-for-sale", currency });
  }
  if (amount < topUp.minimum || amount > topUp.maximum) {
    throw invalidInput("amount", `must be from ${topUp.minimum} to ${topUp.maximum}`);
  }
  const grant: Reward = { coins: { [currency]: amount }, items: {}, entitlements: [] };
  return { count: 1, title: name, amount, currency, grant };
}
