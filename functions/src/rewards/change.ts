import { type NewTransaction, prepareAll, readReversal } from "../ledger/index.ts";
import { FieldValue, getAll, type Transaction, timestamp } from "../platform/firestore.ts";
import { type InventoryItem, inventory } from "./records.ts";
import type { Reward } from "./reward.ts";

/** Something that is given to a user, or taken back: one transaction of the ledger, and the items that go with it. */
export interface Change {
  /** The idempotency key. */
  readonly key: string;
  readonly kind: NewTransaction["kind"];
  /** Taken back is whatever there is: coins that were spent are owed, items that are used up are missing. */
  readonly direction: "give" | "takeBack";
  readonly coins: Reward["coins"];
  readonly items: Reward["items"];
  readonly reference: string;
  readonly metadata?: NewTransaction["metadata"];
  /** As what coins enter, or which go first; what `kind` says unless said otherwise. */
  readonly as?: NewTransaction["postings"][number]["as"];
  /** The transaction of the ledger that this takes back: its coins are then what moves. */
  readonly reverses?: string;
}

export interface PreparedChanges {
  /** In the order of the changes. */
  readonly done: readonly {
    /** The id of the ledger's transaction. */
    readonly transaction: string;
    /** What should have gone back and is used up. */
    readonly missingItems: Reward["items"];
  }[];
  write(): void;
}

const HOUSE = "system:mint";

/**
 * Judges changes to what a user has, one after the other, as part of a Firestore transaction, which has an idempotency of its own.
 * Refuses what `post` refuses.
 *
 * Bill: a read for each account and, if anything is taken back, each item; a write for each transaction, account and item.
 */
export async function prepareChanges(
  tx: Transaction,
  user: string,
  changes: readonly Change[],
): Promise<PreparedChanges> {
  const reversals = await Promise.all(
    changes.map(({ reverses, kind, reference, metadata }) =>
      reverses === undefined || !(kind === "refund" || kind === "chargeback" || kind === "adjustment")
        ? undefined
        : readReversal(tx, { transaction: reverses, kind, reference, ...(metadata ? { metadata } : {}) }),
    ),
  );
  // What an operator has reversed by hand has only its items left to move.
  const open = changes.flatMap((change, i) =>
    reversals[i]?.reversedBy === undefined ? [reversals[i]?.request ?? requestOf(user, change)] : [],
  );
  const transactions = await prepareAll(tx, open);
  const items = await moveItems(tx, user, changes);
  const made = transactions.entries.map(({ id }) => id);
  return {
    done: changes.map((_, i) => ({
      transaction: reversals[i]?.reversedBy ?? (made.shift() as string),
      missingItems: items.missing[i] ?? {},
    })),
    write: () => {
      transactions.write();
      for (const reversal of reversals) if (reversal?.reversedBy === undefined) reversal?.mark();
      items.write();
    },
  };
}

function requestOf(user: string, { key, kind, direction, coins, as, reference, metadata }: Change): NewTransaction {
  const isGiven = direction === "give";
  return {
    key,
    kind,
    postings: Object.entries(coins).map(([currency, amount]) => ({
      from: isGiven ? HOUSE : user,
      to: isGiven ? user : HOUSE,
      amount,
      currency,
      ...(isGiven && as ? { as } : {}),
      ...(!isGiven && as ? { lots: [{ ...as, amount }] } : {}),
    })),
    reference,
    ...(metadata ? { metadata } : {}),
    ...(isGiven ? {} : { clawBack: true }),
  };
}

interface MovedItems {
  readonly missing: readonly Reward["items"][];
  write(): void;
}

/** What is only given is added without looking at what is there. */
async function moveItems(tx: Transaction, user: string, changes: readonly Change[]): Promise<MovedItems> {
  const taken = changes.flatMap(({ direction, items }) => (direction === "takeBack" ? Object.keys(items) : []));
  const owned = await getAll<InventoryItem>(tx, inventory(user), [...new Set(taken)]);
  const quantities = new Map([...owned].map(([item, current]) => [item, current?.quantity ?? 0]));
  const added = new Map<string, number>();
  const missing = changes.map(({ direction, items }) => {
    const lacking: Record<string, number> = {};
    for (const [item, quantity] of Object.entries(items)) {
      const current = quantities.get(item);
      if (current === undefined) added.set(item, (added.get(item) ?? 0) + quantity);
      else if (direction === "give") quantities.set(item, current + quantity);
      else {
        quantities.set(item, Math.max(0, current - quantity));
        if (current < quantity) lacking[item] = quantity - current;
      }
    }
    return lacking;
  });
  return {
    missing,
    write: () => {
      for (const [item, quantity] of added) {
        const more = { quantity: FieldValue.increment(quantity), updatedAt: timestamp() };
        tx.set(inventory(user).doc(item), more, { merge: true });
      }
      for (const [item, quantity] of quantities) {
        if (owned.get(item) || quantity > 0) {
          tx.set(inventory(user).doc(item), { quantity, updatedAt: timestamp() });
        }
      }
    },
  };
}
