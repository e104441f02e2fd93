import type * as z from "zod";
import { currencyOf } from "../ledger/index.ts";
import { plain, writeDown } from "../platform/audit.ts";
import { cached, forget } from "../platform/cache.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import { transact } from "../platform/firestore.ts";
import { fingerprint, isDocumentId } from "../platform/ids.ts";
import { emit } from "../platform/outbox.ts";
import { prepareStock } from "../platform/stock.ts";
import { checkGivable } from "../rewards/index.ts";
import type { DefineProduct } from "./contract.ts";
import { catalog, Product } from "./records.ts";

/** How late instances may notice that a product was defined anew. Not kept in Redis: what it says is paid out. */
const FRESH = { processSeconds: 60 };

/** What the catalog says of a product, or undefined. */
export async function productOf(id: string): Promise<Product | undefined> {
  if (!isDocumentId(id)) return undefined;
  return await cached(cacheKey(id), FRESH, Product, async () => (await catalog().doc(id).get()).data());
}

/** Defines a product, or defines it anew; purchases of it that had to wait are then granted. Refuses `too-many-instances`. */
export async function defineProduct(
  caller: Caller,
  { id, product }: z.output<typeof DefineProduct>,
): Promise<{ id: string }> {
  for (const [currency, amount] of Object.entries(product.grant.coins)) {
    if (amount > currencyOf(currency).maximumBalance) {
      throw invalidInput(`product.grant.coins.${currency}`, "No account can hold that much.");
    }
  }
  await checkGivable(product.grant);
  const stock = product.limits?.stock;
  await transact(async (tx) => {
    const spreadStock = stock === undefined ? undefined : await prepareStock(tx, `catalog/${id}`, stock);
    tx.set(catalog().doc(id), product);
    spreadStock?.();
    const key = `${id} ${fingerprint(product)} ${now()}`;
    const details = { after: plain(product) };
    writeDown(tx, { key, by: caller.uid, action: "store/define", subject: `catalog/${id}`, details });
    emit(tx, {
      type: "catalog.defined",
      key,
      data: { product: id, by: caller.uid },
    });
  });
  await forget(cacheKey(id));
  return { id };
}

function cacheKey(id: string): string {
  return `product:${id}`;
}
