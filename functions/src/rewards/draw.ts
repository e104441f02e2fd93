import { secretSeed } from "../ledger/index.ts";
import { type Transaction, timestamp } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { checkGivable } from "./bag.ts";
import type { Gives } from "./definitions.ts";
import { pity, rolls } from "./records.ts";
import { multiplied, NOTHING, type Reward, repeated, sumOf } from "./reward.ts";
import { type Rolled, roll } from "./roll.ts";
import { mostItems, tablesBelow } from "./tables.ts";

/** A table that has been opened and only needs to be written. */
export interface PreparedRoll {
  readonly reward: Reward;
  /** Adds the record of the roll, under the id of the ledger's transaction that gives what came of it. */
  write(transaction: string): void;
}

interface Received {
  readonly reward: Reward;
  readonly roll: PreparedRoll | undefined;
}

/**
 * What somebody receives for something, a number of times: what is fixed, and what the table draws. The same key draws the same.
 * Bill, if there is a table: a write for the roll, and a read and a write if the table has pity. Refuses `unknown-table`,
 * `table-too-large`, and `too-many-instances` if more unique items could be drawn than can be given at once.
 */
export async function receive(
  tx: Transaction,
  { user, key, gives, times }: { user: string; key: string; gives: Gives; times: number },
): Promise<Received> {
  const fixed = repeated(gives.reward ?? NOTHING, times);
  if (gives.table === undefined) return { reward: fixed, roll: undefined };
  const drawn = await prepareRoll(tx, { user, key, table: gives.table, times });
  return { reward: sumOf([fixed, drawn.reward]), roll: drawn };
}

async function prepareRoll(
  tx: Transaction,
  { user, key, table, times }: { user: string; key: string; table: string; times: number },
): Promise<PreparedRoll> {
  const tables = await tablesBelow(table, { times });
  // A refusal after the draw would tell what was drawn, and whoever is refused could draw again.
  const most = mostItems(tables, table);
  await checkGivable({ items: multiplied(Object.fromEntries(most), times) });
  const hasPity = tables.get(table)?.pity !== undefined;
  const counter = pity(user).doc(table);
  const misses = hasPity ? ((await tx.get(counter)).data()?.misses ?? 0) : 0;
  const seed = secretSeed("roll", key);
  const rolled: Rolled = roll(tables, { table, times, seed, misses });
  return {
    reward: rolled.reward,
    write: (transaction) => {
      tx.create(rolls().doc(transaction), {
        user,
        table,
        times,
        fingerprint: fingerprint(Object.fromEntries(tables)),
        seed,
        ...(hasPity ? { misses } : {}),
        draws: [...rolled.draws],
        reward: rolled.reward,
        at: timestamp(),
      });
      if (hasPity) tx.set(counter, { misses: rolled.misses, updatedAt: timestamp() });
    },
  };
}
