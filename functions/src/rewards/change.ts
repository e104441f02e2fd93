import { type NewTransaction, prepareAll, readReversal } from "../ledger/index.ts";
import type { Transaction } from "../platform/firestore.ts";
import { Bag, type Moved } from "./bag.ts";
import { prepareGifts } from "./gift.ts";
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
  /** What may be used by it, and for how long; where nothing is said, for ever. A purchase, which may end, sees to its own. */
  readonly entitlements?: Pick<Reward, "entitlements" | "entitlementSeconds">;
  /** What the user gives up for it. It has to be there. */
  readonly costs?: {
    readonly coins: Reward["coins"];
    readonly items: Reward["items"];
    /** Ids of the unique items among them. */
    readonly instances?: readonly string[];
  };
  /** Whether it is refused if the user would have more of an item than allowed; otherwise it is given all the same. */
  readonly keepsToMaximum?: boolean;
  /** Whether coins are given past the maximum of their currency, too. */
  readonly pastMaximum?: boolean;
  /** The key of the change that gave what is taken back, or given back, and the items that it gave: of unique items just those go. */
  readonly gave?: { readonly key: string; readonly items: Reward["items"] };
  readonly reference: string;
  readonly metadata?: NewTransaction["metadata"];
  /** Where its coins come from, and go back to; the mint unless said otherwise. */
  readonly house?: string | undefined;
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
    /** Ids of the unique items that were given. */
    readonly instances: readonly string[];
  }[];
  write(): void;
}

/** Where coins come from, and where those go that are given up. */
const MINT = "system:mint";
const TILL = "system:revenue";

/**
 * Judges changes to what a user has, one after the other, as part of a Firestore transaction, which has an idempotency of its own.
 * Refuses what `post` refuses, and `not-enough-items`, `inventory-full`, `too-many-instances`. The ledger's transaction names the unique
 * items that were given, and what was missing, in its metadata.
 *
 * Bill: a read for each account and entitlement, and for each item that is taken, expires or keeps to a maximum; a write for each
 * transaction, account, item and entitlement.
 */
export async function prepareChanges(
  tx: Transaction,
  user: string,
  changes: readonly Change[],
): Promise<PreparedChanges> {
  const bag = await Bag.of(tx, user, changes);
  const moved = changes.map((change) => bag.apply(change));
  const reversals = await Promise.all(
    changes.map((change, i) => {
      const { reverses, kind, reference } = change;
      if (reverses === undefined || !(kind === "refund" || kind === "chargeback" || kind === "adjustment")) {
        return undefined;
      }
      return readReversal(tx, { transaction: reverses, kind, reference, ...metadataOf(change, moved[i]) });
    }),
  );
  // What an operator has reversed by hand has only its items left to move.
  const open = changes.flatMap((change, i) => {
    if (reversals[i]?.reversedBy !== undefined) return [];
    const request = reversals[i]?.request ?? requestOf(user, change, moved[i]);
    return [change.pastMaximum ? { ...request, pastMaximum: true } : request];
  });
  const transactions = await prepareAll(tx, open);
  const gifts = await prepareGifts(tx, user, changes);
  const made = transactions.entries.map(({ id }) => id);
  return {
    done: changes.map((_, i) => ({
      transaction: reversals[i]?.reversedBy ?? (made.shift() as string),
      missingItems: moved[i]?.missing ?? {},
      instances: moved[i]?.instances ?? [],
    })),
    write: () => {
      transactions.write();
      for (const reversal of reversals) if (reversal?.reversedBy === undefined) reversal?.mark();
      bag.write(tx);
      gifts.write();
    },
  };
}

function requestOf(user: string, change: Change, moved: Moved | undefined): NewTransaction {
  const { key, kind, direction, coins, costs, house = MINT, as, reference } = change;
  const isGiven = direction === "give";
  const given = Object.entries(costs?.coins ?? {}).map(([currency, amount]) => ({
    from: user,
    to: TILL,
    amount,
    currency,
  }));
  return {
    key,
    kind,
    postings: [
      ...given,
      ...Object.entries(coins).map(([currency, amount]) => ({
        from: isGiven ? house : user,
        to: isGiven ? user : house,
        amount,
        currency,
        ...(isGiven && as ? { as } : {}),
        ...(!isGiven && as ? { lots: [{ ...as, amount }] } : {}),
      })),
    ],
    reference,
    ...metadataOf(change, moved),
    ...(isGiven ? {} : { clawBack: true }),
  };
}

function metadataOf({ metadata }: Change, moved: Moved | undefined): Pick<NewTransaction, "metadata"> {
  const { instances = [], missing = {} } = moved ?? {};
  const more = {
    ...(instances.length > 0 ? { instances: [...instances] } : {}),
    ...(Object.keys(missing).length > 0 ? { missingItems: missing } : {}),
  };
  return metadata || Object.keys(more).length > 0 ? { metadata: { ...metadata, ...more } } : {};
}
