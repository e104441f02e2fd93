import * as z from "zod";
import { split } from "../../ledger/index.ts";
import { AggregateField } from "../../platform/firestore.ts";
import { players } from "../records.ts";
import type { Board, Prize } from "../settings.ts";
import { giveBack } from "./leave.ts";

/** What there is to be won in a tournament when it is over. */
export const Pool = z.object({
  currency: z.string(),
  amount: z.int().nonnegative(),
  /** By rank; in hundredths of a percent if there are as many players as shares. */
  shares: z.array(z.int().positive()),
});
export type Pool = z.infer<typeof Pool>;

const AT_ONCE = 50;

/** The pool of a tournament: what was paid, and what the house adds. A read for each 1,000 who have joined. */
export async function poolOf(id: string, { tournament }: Pick<Board, "tournament">): Promise<Pool | undefined> {
  const { fee, guaranteed, shares = [] } = tournament ?? {};
  const currency = (fee ?? guaranteed)?.currency;
  if (currency === undefined) return undefined;
  const paid = fee ? await paidIn(id) : 0;
  return { currency, amount: paid + (guaranteed?.amount ?? 0), shares };
}

async function paidIn(id: string): Promise<number> {
  const sum = players(id)
    .where("entry.paid", ">", 0)
    .aggregate({ paid: AggregateField.sum("entry.paid") });
  return (await sum.get()).data().paid;
}

/**
 * The prizes of a pool among so many players: all of it is given, to fewer players than there are shares in the same proportion. What cannot
 * be divided goes, a unit each, to those whose share was cut the most, the better first.
 */
export function prizesOf({ currency, amount, shares }: Pool, playerCount: number): Prize[] {
  const weights = shares.slice(0, playerCount);
  if (weights.length === 0 || amount === 0) return [];
  return split(amount, weights).flatMap((part, i): Prize[] => {
    const reward = { coins: { [currency]: part }, items: {}, entitlements: [] };
    return part === 0 ? [] : [{ period: "custom", scope: "global", from: i + 1, to: i + 1, reward }];
  });
}

/** Gives some of those who have joined their fees back. Answers whether there may be more. */
export async function giveSomeBack(id: string): Promise<boolean> {
  const { docs } = await players(id).where("entry.paid", ">", 0).limit(AT_ONCE).get();
  await Promise.all(docs.map((document) => giveBack(id, document.id)));
  return docs.length === AT_ONCE;
}
