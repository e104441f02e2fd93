import * as z from "zod";
import { cached } from "../../platform/cache.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { FieldPath } from "../../platform/firestore.ts";
import { catalog, Product } from "../records.ts";
import type { OnSale, Products, ProductsRequest } from "./contract.ts";
import { isOnShelf } from "./sale.ts";

const PAGE = 100;
/** Only shown: what is bought is judged by the catalog itself, so these pages may lie in Redis. */
const FRESH = { processSeconds: 30, redisSeconds: 60 };

const CatalogPage = z.object({
  products: z.array(z.object({ id: z.string(), product: Product })),
  nextCursor: z.string().optional(),
});
type CatalogPage = z.infer<typeof CatalogPage>;

/**
 * A page of what is on sale now, by id: of each 100 products of the catalog those that are. A read for each of the 100, once a minute for
 * everybody who asks.
 */
export async function products(
  _caller: Caller,
  { cursor }: z.output<typeof ProductsRequest>,
): Promise<z.input<typeof Products>> {
  const { products: all, nextCursor } = await catalogPage(cursor);
  const onSale = all.filter(({ product }) => isOnShelf(product, now()));
  return {
    products: onSale.map(({ id, product }) => onSaleOf(id, product)),
    ...(nextCursor === undefined ? {} : { nextCursor }),
  };
}

/** A product as it is shown to those who may buy it. */
export function onSaleOf(id: string, product: Product): OnSale {
  const { title, description, prices = {}, grant, limits, offer, countries } = product;
  return {
    product: id,
    title,
    ...(description === undefined ? {} : { description }),
    prices,
    grant,
    ...(limits?.perUser === undefined ? {} : { perUser: limits.perUser }),
    ...(offer?.until === undefined ? {} : { until: offer.until }),
    ...(countries === undefined ? {} : { countries }),
  };
}

/** A page of the catalog as it is, on sale or not. */
export async function catalogPage(cursor: string | undefined): Promise<CatalogPage> {
  const page = await cached(`page:catalog:${cursor ?? ""}`, FRESH, CatalogPage, async () => {
    let query = catalog().orderBy(FieldPath.documentId()).limit(PAGE);
    if (cursor !== undefined) query = query.startAfter(cursor);
    const { docs } = await query.get();
    const last = docs.at(-1);
    return {
      products: docs.map((document) => ({ id: document.id, product: document.data() })),
      ...(last && docs.length === PAGE ? { nextCursor: last.id } : {}),
    };
  });
  return page ?? { products: [] };
}
