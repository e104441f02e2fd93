import { all, type Context } from "./context.ts";
import { missing } from "./errors.ts";
import type { Range } from "./params.ts";
import type { Kind, Kinds } from "./store.ts";

/** Lists as the API gives them, the newest first: https://docs.stripe.com/api/pagination */

export interface ListAnswer {
  readonly object: "list";
  readonly data: readonly object[];
  readonly has_more: boolean;
  readonly url: string;
}

export interface PageParams {
  readonly limit?: number | undefined;
  readonly starting_after?: string | undefined;
  readonly ending_before?: string | undefined;
}

const DEFAULT_LIMIT = 10;

/** A page of an account's objects of a kind. */
export function listOf<K extends Kind>(
  context: Context,
  kind: K,
  params: PageParams,
  url: string,
  isWanted: (object: Kinds[K]) => boolean = () => true,
): ListAnswer {
  return pageOf(all(context, kind).filter(isWanted).reverse(), params, url, kind);
}

/** A page of objects that are in their order already. Throws StripeError if the object to start from is not among them. */
export function pageOf(
  objects: readonly { readonly id: string }[],
  params: PageParams,
  url: string,
  kind = "object",
): ListAnswer {
  const { limit = DEFAULT_LIMIT, starting_after, ending_before } = params;
  if (ending_before !== undefined) {
    const end = placeOf(objects, ending_before, kind, "ending_before");
    const start = Math.max(0, end - limit);
    return { object: "list", data: objects.slice(start, end), has_more: start > 0, url };
  }
  const start = starting_after === undefined ? 0 : placeOf(objects, starting_after, kind, "starting_after") + 1;
  return { object: "list", data: objects.slice(start, start + limit), has_more: objects.length > start + limit, url };
}

export function isWithin(value: number, range: Range | undefined): boolean {
  const { gt = -1, gte = 0, lt = Number.POSITIVE_INFINITY, lte = Number.POSITIVE_INFINITY } = range ?? {};
  return value > gt && value >= gte && value < lt && value <= lte;
}

/** Whether a field is what a filter asks for; no filter asks for anything. */
export function is(wanted: unknown, value: unknown): boolean {
  return wanted === undefined || wanted === value;
}

function placeOf(objects: readonly { readonly id: string }[], id: string, kind: string, param: string): number {
  const place = objects.findIndex((object) => object.id === id);
  if (place < 0) throw missing(kind, id, param);
  return place;
}
