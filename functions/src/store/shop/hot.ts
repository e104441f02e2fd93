import * as z from "zod";
import { cached } from "../../platform/cache.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { timestamp } from "../../platform/firestore.ts";
import { log } from "../../platform/log.ts";
import { productOf } from "../catalog.ts";
import { purchases } from "../records.ts";
import type { Hot, HotRequest } from "./contract.ts";
import { catalogPage, onSaleOf } from "./products.ts";
import { type HotShelf, shelves } from "./records.ts";
import { isOnShelf } from "./sale.ts";

/**
 * What is bought most. No purchase counts anything up: purchases are counted where they lie, on a schedule, into one document, which is
 * what everybody reads, from Redis or from Firestore.
 */

const WINDOW_MILLIS = 7 * 86_400_000;
/** Pages of the catalog that are counted, 100 products each. */
const MAX_PAGES = 20;
const MAX_HOT = 100;
const PARALLEL = 20;

const HOT = "hot";
const FRESH = { processSeconds: 60, redisSeconds: 600 };
/** As it is cached: in JSON, so without moments. */
const CachedShelf = z.object({
  products: z.array(z.object({ product: z.string(), bought: z.int() })),
  countedAt: z.int(),
});

/** What was bought most in the last seven days and is still on sale. One read, once in ten minutes for everybody who asks. */
export async function hot(_caller: Caller, { limit }: z.output<typeof HotRequest>): Promise<z.input<typeof Hot>> {
  const shelf = await cached(HOT, FRESH, CachedShelf, async () => {
    const known = (await shelves().doc(HOT).get()).data();
    return known && { products: known.products, countedAt: known.countedAt.toMillis() };
  });
  if (!shelf) return { products: [] };
  const all = await Promise.all(
    shelf.products.map(async ({ product: id, bought }) => {
      const product = await productOf(id);
      return product && isOnShelf(product, now()) ? [{ ...onSaleOf(id, product), bought }] : [];
    }),
  );
  return { products: all.flat().slice(0, limit), countedAt: shelf.countedAt };
}

/**
 * Counts the purchases of the last seven days of every product of the catalog that is on sale. For a schedule.
 * Bill: a read for each product, and one for each 1,000 purchases of it; a write.
 */
export async function countHot(): Promise<number> {
  const since = timestamp(now() - WINDOW_MILLIS);
  const counted: HotShelf["products"] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { products, nextCursor } = await catalogPage(cursor);
    const onShelf = products.filter(({ product }) => isOnShelf(product, now()));
    for (let i = 0; i < onShelf.length; i += PARALLEL) {
      counted.push(...(await Promise.all(onShelf.slice(i, i + PARALLEL).map(({ id }) => countOf(id)))));
    }
    cursor = nextCursor;
    if (cursor === undefined) break;
  }
  if (cursor !== undefined) log.warn("not every product was counted", { products: counted.length });
  const most = counted.filter(({ bought }) => bought > 0).sort((a, b) => b.bought - a.bought || compare(a, b));
  await shelves()
    .doc(HOT)
    .set({ products: most.slice(0, MAX_HOT), countedAt: timestamp() });
  return counted.length;

  async function countOf(product: string): Promise<HotShelf["products"][number]> {
    const bought = await purchases()
      .where("product", "==", product)
      .where("state", "==", "granted")
      .where("purchasedAt", ">=", since)
      .count()
      .get();
    return { product, bought: bought.data().count };
  }
}

function compare(a: { readonly product: string }, b: { readonly product: string }): number {
  return a.product < b.product ? -1 : 1;
}
