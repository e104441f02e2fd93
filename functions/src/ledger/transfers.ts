import { timestamp } from "../platform/firestore.ts";
import { accountId, isSystemAccount, transactions } from "./records.ts";

/**
 * What a user has sent to others since a time (milliseconds since the epoch), by receiver in smallest units; of more than `limit` transfers the
 * latest. One read for each transfer, at least one.
 */
export async function sentSince(
  user: string,
  currency: string,
  { since, limit }: { since: number; limit: number },
): Promise<Map<string, number>> {
  const account = accountId(user, currency);
  const { docs } = await transactions()
    .where("accounts", "array-contains", account)
    .where("kind", "==", "transfer")
    .where("at", ">=", timestamp(since))
    .orderBy("at", "desc")
    .limit(limit)
    .get();
  const sent = new Map<string, number>();
  const postings = docs.flatMap((document) => document.data().postings);
  for (const { from, to, amount } of postings) {
    const receiver = ownerOf(to, currency);
    if (from === account && receiver !== undefined) sent.set(receiver, (sent.get(receiver) ?? 0) + amount);
  }
  return sent;
}

/** What a user owed after a transaction, by currency in smallest units; nothing where nothing was owed. One read. */
export async function owedAfter(transaction: string, user: string): Promise<Record<string, number>> {
  const links = (await transactions().doc(transaction).get()).data()?.links ?? {};
  const owed: Record<string, number> = {};
  for (const [account, link] of Object.entries(links)) {
    const currency = account.slice(account.lastIndexOf(":") + 1);
    if (account === accountId(user, currency) && link.owed > 0) owed[currency] = link.owed;
  }
  return owed;
}

function ownerOf(account: string, currency: string): string | undefined {
  const ending = `:${currency}`;
  return account.endsWith(ending) && !isSystemAccount(account) ? account.slice(0, -ending.length) : undefined;
}
