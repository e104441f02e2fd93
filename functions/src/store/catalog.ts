import type * as z from "zod";
import { currencyOf } from "../ledger/index.ts";
import { cached, forget } from "../platform/cache.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { transact } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { emit } from "../platform/outbox.ts";
import type { DefineProduct } from "./contract.ts";
import { catalog, Product } from "./records.ts";

/** A product may change its meaning this late; a definition by an operator forgets the copy of its own process at once. */
const FRESH = { processSeconds: 60, redisSeconds: 600 };

/** What the catalog says of a product, or undefined. That there is none is not remembered, so that a new product counts at once. */
export async function productOf(id: string): Promise<Product | undefined> {
  try {
    return await cached(cacheKey(id), FRESH, Product, async () => {
      const product = (await catalog().doc(id).get()).data();
      if (!product) throw new NoProduct();
      return product;
    });
  } catch (error) {
    if (error instanceof NoProduct) return undefined;
    throw error;
  }
}

class NoProduct extends Error {}

/** Defines a product, or defines it anew; purchases of it that had to wait are then granted. */
export async function defineProduct(
  caller: Caller,
  { id, product }: z.output<typeof DefineProduct>,
): Promise<{ id: string }> {
  for (const currency of Object.keys(product.grant.coins)) currencyOf(currency);
  await transact(async (tx) => {
    tx.set(catalog().doc(id), product);
    emit(tx, {
      type: "catalog.defined",
      key: `${id} ${fingerprint(product)} ${now()}`,
      data: { product: id, by: caller.uid },
    });
  });
  await forget(cacheKey(id));
  return { id };
}

function cacheKey(id: string): string {
  return `product:${id}`;
}
