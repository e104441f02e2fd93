import type { Transaction } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { currencyOf } from "./currencies.ts";
import { after, postingsOf } from "./hold-moves.ts";
import { sum, takeLots } from "./lots.ts";
import { type Hold, holds } from "./records.ts";
import { type NewTransaction, transactionId } from "./request.ts";

/** Holds of one owner that a clawback looks through, those first whose time is over first. */
const MAX_HOLDS_TAKEN = 50;

/** Releases that have to come before a clawback, for what is held is taken before anything is owed. */
export interface Freed {
  readonly requests: readonly NewTransaction[];
  /** Adds the writes of the holds to the Firestore transaction; those of the releases are the caller's. */
  write(): void;
}

/**
 * Lets go of as much of an owner's holds as an amount needs beyond what is available; whoever was to have it finds the hold too small.
 * One read for each hold looked at.
 * @param key of the transaction that takes the amount back
 */
export async function free(
  tx: Transaction,
  { key, owner, currency, amount }: { key: string; owner: string; currency: string; amount: number },
): Promise<Freed> {
  const active = holds().where("owner", "==", owner).where("currency", "==", currency).where("state", "==", "active");
  const { docs } = await tx.get(active.orderBy("expiresAt").limit(MAX_HOLDS_TAKEN));
  const requests: NewTransaction[] = [];
  const changed = new Map<string, Hold>();
  let missing = amount;
  for (const document of docs) {
    const current = document.data();
    const part = Math.min(missing, sum(current.lots));
    if (part === 0) continue;
    missing -= part;
    const { taken, left } = takeLots(current.lots, part, currencyOf(currency).spendOrder);
    const request: NewTransaction = {
      key: `free ${document.id} ${key}`,
      kind: "release",
      postings: postingsOf(current, taken, [{ to: owner, amount: part }]),
      reference: `hold:${document.id}`,
      metadata: { hold: document.id },
    };
    requests.push(request);
    const id = transactionId(request.key);
    const print = fingerprint({ kind: "release", hold: document.id, amount: part, reference: request.reference });
    changed.set(document.id, after(current, { kind: "release", id, amount: part, print, lots: left }));
  }
  return {
    requests,
    write: () => {
      for (const [id, hold] of changed) tx.set(holds().doc(id), hold);
    },
  };
}
