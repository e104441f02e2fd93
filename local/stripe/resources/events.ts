import type Stripe from "stripe";
import * as z from "zod";
import { get, keep, now } from "../context.ts";
import { invalid } from "../errors.ts";
import { forgetOld } from "../events.ts";
import { newId, randomText } from "../ids.ts";
import { is, isWithin, listOf } from "../list.ts";
import { changeMetadata, clearable, flag, list, metadata, newMetadata, none, page, range, text } from "../params.ts";
import { type Route, route } from "../router.ts";
import { API_VERSION } from "../version.ts";

/** https://docs.stripe.com/api/events, https://docs.stripe.com/api/webhook_endpoints */

const ListEvents = z.strictObject({
  ...page,
  created: range.optional(),
  delivery_success: flag.optional(),
  type: text.optional(),
  types: list(text, 20).optional(),
});
const url = z.string().regex(/^https?:\/\//, "Not a URL");
const CreateEndpoint = z.strictObject({
  api_version: text.optional(),
  connect: flag.optional(),
  description: clearable(text).optional(),
  enabled_events: list(text, 500),
  metadata: metadata.optional(),
  url,
});
const UpdateEndpoint = z.strictObject({
  description: clearable(text).optional(),
  disabled: flag.optional(),
  enabled_events: list(text, 500).optional(),
  metadata: metadata.optional(),
  url: url.optional(),
});

export const events: readonly Route[] = [
  route("GET", "/v1/events/:id", none, (context, _, id) => {
    forgetOld(context);
    return get(context, "event", id);
  }),
  route("GET", "/v1/events", ListEvents, (context, { created, delivery_success, type, types, ...params }) => {
    forgetOld(context);
    return listOf(
      context,
      "event",
      params,
      "/v1/events",
      (event) =>
        isWithin(event.created, created) &&
        isOf(type, event.type) &&
        (types?.some((wanted) => isOf(wanted, event.type)) ?? true) &&
        is(delivery_success, event.pending_webhooks === 0),
    );
  }),
  route("POST", "/v1/webhook_endpoints", CreateEndpoint, (context, given) => {
    const endpoint: Stripe.WebhookEndpoint = {
      id: newId("we"),
      object: "webhook_endpoint",
      api_version: given.api_version ?? API_VERSION,
      application: null,
      created: now(context),
      description: given.description ?? null,
      enabled_events: given.enabled_events,
      livemode: false,
      metadata: newMetadata(given.metadata),
      status: "enabled",
      url: given.url,
    };
    const secret = `whsec_${randomText(32)}`;
    try {
      context.simulator.webhooks.add({
        id: endpoint.id,
        url: given.url,
        secret,
        connect: given.connect ?? false,
        types: given.enabled_events,
        isEnabled: true,
      });
    } catch (error) {
      throw invalid(error instanceof Error ? error.message : String(error));
    }
    keep(context, "webhook_endpoint", endpoint);
    // Told once, as Stripe does.
    return { ...endpoint, secret };
  }),
  route("GET", "/v1/webhook_endpoints/:id", none, (context, _, id) => get(context, "webhook_endpoint", id)),
  route("POST", "/v1/webhook_endpoints/:id", UpdateEndpoint, (context, given, id) => {
    const endpoint = get(context, "webhook_endpoint", id);
    const target = context.simulator.webhooks.endpoint(id);
    if (given.url !== undefined) endpoint.url = given.url;
    if (given.enabled_events !== undefined) endpoint.enabled_events = given.enabled_events;
    if (given.disabled !== undefined) endpoint.status = given.disabled ? "disabled" : "enabled";
    if (given.description !== undefined) endpoint.description = given.description;
    changeMetadata(endpoint.metadata, given.metadata);
    if (target !== undefined)
      Object.assign(target, {
        url: endpoint.url,
        types: endpoint.enabled_events,
        isEnabled: endpoint.status === "enabled",
      });
    return endpoint;
  }),
  route("DELETE", "/v1/webhook_endpoints/:id", none, (context, _, id) => {
    get(context, "webhook_endpoint", id);
    context.simulator.webhooks.remove(id);
    return context.simulator.store.bury("webhook_endpoint", id);
  }),
  route("GET", "/v1/webhook_endpoints", z.strictObject(page), (context, params) =>
    listOf(context, "webhook_endpoint", params, "/v1/webhook_endpoints"),
  ),
];

/** `charge.*` asks for all of charges. */
function isOf(wanted: string | undefined, type: string): boolean {
  if (wanted === undefined || wanted === "*") return true;
  return wanted.endsWith(".*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}
