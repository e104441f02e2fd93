import * as z from "zod";
import { get } from "../context.ts";
import { pageOf } from "../list.ts";
import { changeMetadata, count, flag, id, metadata, none, page } from "../params.ts";
import { chosenPrice } from "../prices.ts";
import { type Route, route } from "../router.ts";
import { changeItems, subscriptionOfItem } from "../subscription-changes.ts";
import { priceData } from "./products.ts";
import { proration_behavior } from "./subscriptions.ts";

/** https://docs.stripe.com/api/subscription_items */

const CreateItem = z.strictObject({
  subscription: id,
  price: id.optional(),
  price_data: priceData.optional(),
  quantity: count.optional(),
  proration_behavior,
});
const UpdateItem = z.strictObject({
  price: id.optional(),
  price_data: priceData.optional(),
  quantity: count.optional(),
  proration_behavior,
  metadata: metadata.optional(),
});

export const subscriptionItems: readonly Route[] = [
  route("POST", "/v1/subscription_items", CreateItem, (context, given) => {
    const subscription = get(context, "subscription", given.subscription, "subscription");
    const price = chosenPrice(context, given, "items");
    changeItems(
      context,
      subscription,
      [{ price, quantity: given.quantity }],
      given.proration_behavior ?? "create_prorations",
    );
    return subscription.items.data.at(-1) ?? {};
  }),
  route("GET", "/v1/subscription_items/:id", none, (context, _, id) => get(context, "subscription_item", id)),
  route("POST", "/v1/subscription_items/:id", UpdateItem, (context, given, id) => {
    const hasPrice = given.price !== undefined || given.price_data !== undefined;
    const price = hasPrice ? chosenPrice(context, given, "price") : undefined;
    changeItems(
      context,
      subscriptionOfItem(context, id),
      [{ id, price, quantity: given.quantity }],
      given.proration_behavior ?? "create_prorations",
    );
    const item = get(context, "subscription_item", id);
    changeMetadata(item.metadata, given.metadata);
    return item;
  }),
  route(
    "DELETE",
    "/v1/subscription_items/:id",
    z.strictObject({ clear_usage: flag.optional(), proration_behavior }),
    (context, given, id) => {
      changeItems(
        context,
        subscriptionOfItem(context, id),
        [{ id, isDeleted: true }],
        given.proration_behavior ?? "create_prorations",
      );
      return { id, object: "subscription_item", deleted: true };
    },
  ),
  route(
    "GET",
    "/v1/subscription_items",
    z.strictObject({ ...page, subscription: id }),
    (context, { subscription, ...params }) =>
      pageOf(get(context, "subscription", subscription, "subscription").items.data, params, "/v1/subscription_items"),
  ),
];
