import { Failure } from "../../platform/failure.ts";
import type { Transaction } from "../../platform/firestore.ts";
import { usingUp } from "./redeem.ts";
import { checkOpen, type FoundCode, findCode, prepareUse } from "./use.ts";

/** A code that makes a product cheaper. */
export interface Discount {
  readonly code: FoundCode;
  readonly percent: number;
}

/** A discount as part of the transaction of a purchase. */
export type UseDiscount = (
  tx: Transaction,
  user: string,
) => Promise<{ priceOf(price: number): number; write(transaction: string): void }>;

/** The discount of the code that a buyer names. Refuses what {@link findCode} does, `code-over` and `code-without-effect`. */
export async function discountFor(
  user: string,
  { code, product }: { readonly code?: string | undefined; readonly product: string },
): Promise<Discount | undefined> {
  if (code === undefined) return undefined;
  const found = await findCode(user, code);
  const { gives } = found.promo;
  if (gives.kind !== "discount" || gives.product !== product) {
    throw new Failure("failed-precondition", "The code is for something else.", { reason: "code-without-effect" });
  }
  checkOpen(found);
  return { code: found, percent: gives.percent };
}

/** Runs a purchase with a discount, or without, which uses the code up once for the purchase. */
export async function withDiscount<T>(
  discount: Discount | undefined,
  purchase: string,
  sell: (use: UseDiscount) => Promise<T>,
): Promise<T> {
  if (!discount) return await sell(async () => ({ priceOf: (price) => price, write: () => undefined }));
  const { code, percent } = discount;
  return await usingUp(code, purchase, (take) =>
    sell(async (tx, user) => {
      const used = await prepareUse(tx, user, code, { key: purchase, by: "buying" });
      const stock = await take(tx);
      return {
        priceOf: (price) => reduced(price, percent),
        write: (transaction) => {
          used.write(transaction);
          stock.write();
        },
      };
    }),
  );
}

/** Rounded up, so that nothing is ever free. */
function reduced(price: number, percent: number): number {
  return Number((BigInt(price) * BigInt(100 - percent) + 99n) / 100n);
}
