import * as z from "zod";
import { config, secrets } from "../../platform/config.ts";
import { Failure } from "../../platform/failure.ts";
import { log } from "../../platform/log.ts";

/**
 * What has become of earlier periods of subscriptions, by RevenueCat's REST API v2: the v1 lists only the latest one, and no webhook tells
 * of a refund of one before it. A period whose revenue is gone has been refunded.
 * Source: https://www.revenuecat.com/docs/api-v2/subscription-transactions
 */

const TIMEOUT_MILLIS = 5_000;
/** RevenueCat's own bound of a page; nobody has more subscriptions, and older periods are past any refund. */
const PAGE = 100;

const Subscriptions = z.looseObject({ items: z.array(z.looseObject({ id: z.string().min(1) })).max(PAGE) });

const Transactions = z.looseObject({
  items: z
    .array(
      z.looseObject({
        /** The store's transaction. */
        id: z.union([z.string(), z.int().transform(String)]),
        revenue_in_usd: z.looseObject({ gross: z.number().nullish() }).nullish(),
      }),
    )
    .max(PAGE),
});

/** Whether earlier periods can be asked for: the API v2 wants to know the project. */
export function canFetchPeriods(): boolean {
  return config.revenueCatProject.value() !== "";
}

/** Transactions of a user's subscriptions, in whatever period, of which no money is left. Throws `revenuecat-unavailable`. */
export async function fetchReturned(user: string): Promise<ReadonlySet<string>> {
  const subscriptions = await ask(`customers/${encodeURIComponent(user)}/subscriptions`, Subscriptions);
  const returned = new Set<string>();
  for (const { id } of subscriptions.items) {
    const { items } = await ask(`subscriptions/${encodeURIComponent(id)}/transactions`, Transactions);
    for (const period of items) {
      const gross = period.revenue_in_usd?.gross;
      if (typeof gross === "number" && gross <= 0) returned.add(period.id);
    }
  }
  return returned;
}

async function ask<Shape extends z.ZodType>(path: string, shape: Shape): Promise<z.output<Shape>> {
  const project = encodeURIComponent(config.revenueCatProject.value());
  const url = new URL(`/v2/projects/${project}/${path}?limit=${PAGE}`, config.revenueCatUrl.value());
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${secrets.revenueCatApiKeyV2.value()}`, accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MILLIS),
    });
    if (!response.ok) throw new Error(`RevenueCat answered ${response.status}`);
    return shape.parse(await response.json());
  } catch (error) {
    log.error("RevenueCat cannot be asked", error);
    throw new Failure("unavailable", "The store cannot be asked right now.", { reason: "revenuecat-unavailable" });
  }
}
