import * as z from "zod";
import { readTransaction } from "../ledger/index.ts";
import { keyReused } from "../platform/failure.ts";
import { isAlreadyExists, type Transaction, transact } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { type Change, prepareChanges } from "./change.ts";
import type { Acted } from "./contract.ts";
import type { PreparedRoll } from "./draw.ts";
import { Received, type Reward } from "./reward.ts";

/** What somebody asks to be done once. */
interface Act {
  /** The idempotency key, scoped so that nobody has another's. */
  readonly key: string;
  /** All that was asked for: tells a repeated request from another under the same key. */
  readonly request: object;
}

/** What is to be done, judged as far as the act itself knows. */
export interface Judged {
  readonly user: string;
  readonly change: Omit<Change, "key">;
  readonly roll?: PreparedRoll | undefined;
  /** Further writes. */
  also?(): void;
}

/** What an act has come to, as its ledger transaction keeps it for whoever asks again. */
const Kept = z.object({
  request: z.string(),
  reward: Received,
  /** Unique items that were given. */
  instances: z.array(z.string()).default([]),
  missingItems: z.record(z.string(), z.int()).default({}),
  isRolled: z.boolean(),
});

type Outcome = Omit<z.infer<typeof Kept>, "request"> & { readonly transaction: string };

/**
 * Does something once, in one Firestore transaction whose record is the ledger's transaction: the same request again is answered with what
 * it came to, another under the same key is refused, `idempotency-key-reused`. Bill: a read for the key, and what {@link prepareChanges}
 * costs.
 */
export async function once(act: Act, judge: (tx: Transaction) => Promise<Judged>): Promise<Outcome> {
  const attempt = () => transact((tx) => attemptOnce(tx, act, judge));
  try {
    return await attempt();
  } catch (error) {
    // Somebody was faster, or our own commit had landed without our hearing of it: then it is there to be read.
    if (!isAlreadyExists(error)) throw error;
    return await attempt();
  }
}

async function attemptOnce(
  tx: Transaction,
  { key, request }: Act,
  judge: (tx: Transaction) => Promise<Judged>,
): Promise<Outcome> {
  const asked = fingerprint(request);
  const known = await readTransaction(tx, key);
  if (known) return storedOutcome(known.id, known.record.metadata, asked);
  const { user, change, roll, also } = await judge(tx);
  const { coins, items, entitlements } = change;
  const reward: Reward = { coins, items, ...(entitlements ?? { entitlements: [] }) };
  const metadata = { ...change.metadata, request: asked, reward: z.json().parse(reward), isRolled: roll !== undefined };
  const prepared = await prepareChanges(tx, user, [{ ...change, key, metadata }]);
  const [done] = prepared.done;
  if (!done) throw new RangeError("one change has come to nothing");
  const { transaction, instances, missingItems } = done;
  prepared.write();
  roll?.write(transaction);
  also?.();
  return { transaction, reward, instances: [...instances], missingItems, isRolled: roll !== undefined };
}

function storedOutcome(transaction: string, metadata: unknown, asked: string): Outcome {
  const { request, ...outcome } = Kept.parse(metadata);
  if (request !== asked) throw keyReused();
  return { transaction, ...outcome };
}

/** An outcome as callers see it. */
export function seen({ transaction, reward, instances, isRolled }: Outcome): Acted {
  return { transaction, reward, instances, ...(isRolled ? { roll: transaction } : {}) };
}

/** A key as part of who asks for what, so that no two of them are ever the same by chance or intent. */
export function scoped(...parts: readonly string[]): string {
  return JSON.stringify(["rewards", ...parts]);
}
