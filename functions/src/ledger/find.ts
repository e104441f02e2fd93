import { type TransactionRecord, transactions } from "./records.ts";

/** A transaction as it is in the books. */
export interface Booked {
  readonly id: string;
  readonly record: TransactionRecord;
}

/** Values of one query. */
const MAX_VALUES = 30;
/** Transactions of one query; what is about one thing of a vendor's is few. */
const MAX_FOUND = 500;

/** By metadata `stripe`, Stripe's object; or by reference. */
export type About = "metadata.stripe" | "reference";

/** The transactions that are about these things. A read for each, and one for every 30 values at least. */
export async function transactionsAbout(about: About, values: readonly string[]): Promise<Booked[]> {
  const wanted = [...new Set(values)];
  const found: Booked[] = [];
  for (let at = 0; at < wanted.length; at += MAX_VALUES) {
    const query = transactions().where(about, "in", wanted.slice(at, at + MAX_VALUES));
    const { docs } = await query.limit(MAX_FOUND).get();
    found.push(...docs.map((document) => ({ id: document.id, record: document.data() })));
  }
  return found;
}
