import * as z from "zod";
import { get, idOf } from "../context.ts";
import { invalid } from "../errors.ts";
import { change, emit } from "../events.ts";
import { is, isWithin, listOf } from "../list.ts";
import {
  changeMetadata,
  clearable,
  count,
  currency,
  defined,
  flag,
  id,
  list,
  metadata,
  newMetadata,
  none,
  page,
  range,
  text,
} from "../params.ts";
import { newPrice, newProduct } from "../prices.ts";
import { type Route, route } from "../router.ts";
import { searchOf } from "../search.ts";

/** https://docs.stripe.com/api/products, https://docs.stripe.com/api/prices */

const recurring = z.strictObject({
  interval: z.enum(["day", "week", "month", "year"]),
  interval_count: count.optional(),
  usage_type: z.literal("licensed").optional(),
});
/** A price described where it is used. */
export const priceData = z.strictObject({
  currency,
  product: id.optional(),
  product_data: z
    .strictObject({
      name: text,
      description: text.optional(),
      images: list(text, 8).optional(),
      metadata: metadata.optional(),
    })
    .optional(),
  recurring: recurring.optional(),
  tax_behavior: text.optional(),
  unit_amount: count.optional(),
});
const Product = z.strictObject({
  active: flag.optional(),
  description: clearable(text).optional(),
  images: list(text, 8).optional(),
  metadata: metadata.optional(),
  name: text,
  statement_descriptor: text.optional(),
  tax_code: text.optional(),
  unit_label: clearable(text).optional(),
  url: clearable(text).optional(),
});
const CreateProduct = Product.extend({
  id: id.optional(),
  default_price_data: z
    .strictObject({ currency, recurring: recurring.optional(), unit_amount: count, tax_behavior: text.optional() })
    .optional(),
});
const UpdateProduct = Product.partial().extend({ default_price: id.optional() });
const CreatePrice = z.strictObject({
  active: flag.optional(),
  currency,
  lookup_key: text.optional(),
  metadata: metadata.optional(),
  nickname: text.optional(),
  product: id.optional(),
  product_data: z.strictObject({ name: text, metadata: metadata.optional(), active: flag.optional() }).optional(),
  recurring: recurring.optional(),
  tax_behavior: text.optional(),
  transfer_lookup_key: flag.optional(),
  unit_amount: count,
});
const UpdatePrice = z.strictObject({
  active: flag.optional(),
  lookup_key: clearable(text).optional(),
  metadata: metadata.optional(),
  nickname: clearable(text).optional(),
  tax_behavior: text.optional(),
  transfer_lookup_key: flag.optional(),
});
const ListProducts = z.strictObject({
  ...page,
  active: flag.optional(),
  created: range.optional(),
  ids: list(id).optional(),
});
const ListPrices = z.strictObject({
  ...page,
  active: flag.optional(),
  created: range.optional(),
  currency: currency.optional(),
  lookup_keys: list(text).optional(),
  product: id.optional(),
  type: z.enum(["one_time", "recurring"]).optional(),
});
const Search = z.strictObject({ query: text, limit: page.limit, page: text.optional() });

export const products: readonly Route[] = [
  route("POST", "/v1/products", CreateProduct, (context, given) => {
    const product = newProduct(context, { ...given, metadata: newMetadata(given.metadata) });
    const price = given.default_price_data;
    if (price !== undefined) {
      product.default_price = newPrice(context, { ...price, unitAmount: price.unit_amount, product: product.id }).id;
    }
    return product;
  }),
  route("GET", "/v1/products/search", Search, (context, params) =>
    searchOf(context, "product", params, "/v1/products/search"),
  ),
  route("GET", "/v1/products/:id", none, (context, _, id) => get(context, "product", id)),
  route("POST", "/v1/products/:id", UpdateProduct, (context, { metadata, default_price, ...given }, id) => {
    if (default_price !== undefined) get(context, "price", default_price, "default_price");
    const update = (product: object & { metadata: Record<string, string> }) => {
      Object.assign(product, defined({ ...given, default_price }));
      changeMetadata(product.metadata, metadata);
    };
    return change(context, get(context, "product", id), update, "product.updated");
  }),
  route("DELETE", "/v1/products/:id", none, (context, _, id) => {
    const product = get(context, "product", id);
    if (context.simulator.store.all("price", context.account).some((price) => idOf(price.product) === id)) {
      throw invalid("This product cannot be deleted because it has one or more user-created prices.");
    }
    emit(context, "product.deleted", product);
    return context.simulator.store.bury("product", id);
  }),
  route("GET", "/v1/products", ListProducts, (context, { active, created, ids, ...params }) =>
    listOf(
      context,
      "product",
      params,
      "/v1/products",
      (product) =>
        is(active, product.active) && isWithin(product.created, created) && (ids?.includes(product.id) ?? true),
    ),
  ),
  route("POST", "/v1/prices", CreatePrice, (context, given) => {
    const { product_data, nickname, lookup_key, active } = given;
    if (given.product === undefined && product_data === undefined) {
      throw invalid("Missing required param: product.", { code: "parameter_missing", param: "product", early: true });
    }
    const product =
      given.product ??
      newProduct(context, { name: product_data?.name ?? "", metadata: newMetadata(product_data?.metadata) }).id;
    return newPrice(context, {
      currency: given.currency,
      product,
      unitAmount: given.unit_amount,
      recurring: given.recurring,
      nickname,
      lookupKey: lookup_key,
      active,
      metadata: newMetadata(given.metadata),
    });
  }),
  route("GET", "/v1/prices/search", Search, (context, params) =>
    searchOf(context, "price", params, "/v1/prices/search"),
  ),
  route("GET", "/v1/prices/:id", none, (context, _, id) => get(context, "price", id)),
  route("POST", "/v1/prices/:id", UpdatePrice, (context, { metadata, active, lookup_key, nickname }, id) =>
    change(
      context,
      get(context, "price", id),
      (price) => {
        Object.assign(price, defined({ active, lookup_key, nickname }));
        changeMetadata(price.metadata, metadata);
      },
      "price.updated",
    ),
  ),
  route(
    "GET",
    "/v1/prices",
    ListPrices,
    (context, { active, created, currency, lookup_keys, product, type, ...params }) =>
      listOf(
        context,
        "price",
        params,
        "/v1/prices",
        (price) =>
          is(active, price.active) &&
          is(currency, price.currency) &&
          is(product, price.product) &&
          is(type, price.type) &&
          isWithin(price.created, created) &&
          (lookup_keys?.includes(price.lookup_key ?? "") ?? true),
      ),
  ),
];
