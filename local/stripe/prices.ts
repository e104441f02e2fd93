import type Stripe from "stripe";
import { decimalOf } from "./amounts.ts";
import { type Context, get, keep, now } from "./context.ts";
import { invalid } from "./errors.ts";
import { emit } from "./events.ts";
import { newId } from "./ids.ts";

/** What is sold, and for how much. */

export interface NewProduct {
  readonly id?: string | undefined;
  readonly name: string;
  readonly active?: boolean | undefined;
  readonly description?: string | null | undefined;
  readonly metadata?: Record<string, string>;
  readonly images?: string[] | undefined;
  readonly url?: string | null | undefined;
}

export interface NewPrice {
  readonly currency: string;
  readonly product: string;
  readonly unitAmount: number;
  readonly recurring?: { readonly interval: Interval; readonly interval_count?: number | undefined } | undefined;
  readonly nickname?: string | null | undefined;
  readonly lookupKey?: string | null | undefined;
  readonly active?: boolean | undefined;
  readonly metadata?: Record<string, string>;
}

export type Interval = "day" | "week" | "month" | "year";

/** A price named by its id, or described where it is used. */
export interface PriceChoice {
  readonly price?: string | undefined;
  readonly price_data?: PriceData | undefined;
}

export interface PriceData {
  readonly currency: string;
  readonly product?: string | undefined;
  readonly product_data?:
    | {
        readonly name: string;
        readonly description?: string | undefined;
        readonly images?: string[] | undefined;
        readonly metadata?: Record<string, string> | null | undefined;
      }
    | undefined;
  readonly unit_amount?: number | undefined;
  readonly recurring?: NewPrice["recurring"];
}

/** https://docs.stripe.com/api/prices/create: at most three years between payments. */
const MAX_INTERVALS: Readonly<Record<Interval, number>> = { day: 1_095, week: 156, month: 36, year: 3 };

export function newProduct(context: Context, given: NewProduct): Stripe.Product {
  const id = given.id ?? newId("prod", 14);
  if (context.simulator.store.find("product", id, context.account) !== undefined) {
    throw invalid(`Product already exists: ${id}`, { code: "resource_already_exists", param: "id" });
  }
  const product: Stripe.Product = {
    id,
    object: "product",
    active: given.active ?? true,
    created: now(context),
    default_price: null,
    description: given.description ?? null,
    images: given.images ?? [],
    livemode: false,
    marketing_features: [],
    metadata: given.metadata ?? {},
    name: given.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: "service",
    unit_label: null,
    updated: now(context),
    url: given.url ?? null,
  };
  keep(context, "product", product);
  emit(context, "product.created", product);
  return product;
}

/** Throws StripeError for an interval of more than three years. */
export function newPrice(context: Context, given: NewPrice): Stripe.Price {
  get(context, "product", given.product, "product");
  const { interval, interval_count = 1 } = given.recurring ?? {};
  if (interval !== undefined && (interval_count < 1 || interval_count > MAX_INTERVALS[interval])) {
    throw invalid("Invalid interval_count: between one unit and three years.", { param: "recurring[interval_count]" });
  }
  const price: Stripe.Price = {
    id: newId("price"),
    object: "price",
    active: given.active ?? true,
    billing_scheme: "per_unit",
    created: now(context),
    currency: given.currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: given.lookupKey ?? null,
    metadata: given.metadata ?? {},
    nickname: given.nickname ?? null,
    product: given.product,
    recurring:
      interval === undefined
        ? null
        : { interval, interval_count, meter: null, trial_period_days: null, usage_type: "licensed" },
    tax_behavior: "unspecified",
    tiers_mode: null,
    transform_quantity: null,
    type: interval === undefined ? "one_time" : "recurring",
    unit_amount: given.unitAmount,
    unit_amount_decimal: decimalOf(given.unitAmount),
  };
  keep(context, "price", price);
  emit(context, "price.created", price);
  return price;
}

/** The price that was chosen. Throws StripeError if none was, or one that is no longer sold. */
export function chosenPrice(context: Context, { price, price_data }: PriceChoice, param: string): Stripe.Price {
  if (price !== undefined) {
    const found = get(context, "price", price, `${param}[price]`);
    if (!found.active)
      throw invalid("The price specified is inactive. This field only accepts active prices.", {
        param: `${param}[price]`,
      });
    return found;
  }
  if (price_data === undefined) {
    throw invalid(`Missing required param: ${param}[price].`, {
      code: "parameter_missing",
      param: `${param}[price]`,
      early: true,
    });
  }
  const { product_data, currency, recurring, unit_amount = 0 } = price_data;
  if (price_data.product === undefined && product_data === undefined) {
    throw invalid(`Missing required param: ${param}[price_data][product_data].`, {
      code: "parameter_missing",
      param: `${param}[price_data][product_data]`,
      early: true,
    });
  }
  const product =
    price_data.product ??
    newProduct(context, {
      name: product_data?.name ?? "",
      description: product_data?.description,
      images: product_data?.images,
      metadata: product_data?.metadata ?? {},
    }).id;
  return newPrice(context, { currency, product, unitAmount: unit_amount, recurring, active: false });
}

/** The same price as the older API has it, which subscription items still carry. */
export function planOf(price: Stripe.Price): Stripe.Plan {
  return {
    id: price.id,
    object: "plan",
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: price.recurring?.interval ?? "month",
    interval_count: price.recurring?.interval_count ?? 1,
    livemode: false,
    metadata: price.metadata,
    meter: null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: "licensed",
  };
}
