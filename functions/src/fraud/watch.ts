import { now } from "../platform/clock.ts";
import type { Transaction } from "../platform/firestore.ts";
import { isWatching } from "./assess.ts";
import { velocity } from "./records.ts";
import { nothingSeen, withSandboxed, withTransfer } from "./sightings.ts";
import { sightingsId } from "./subject.ts";

/** Something to be written down when all reads of a transaction are done. */
export type Write = () => void;

/**
 * Counts a receipt of a sandbox that a user came with and that was not taken, as part of a transaction that happens once. A read and a
 * write; nothing while `FRAUD` is `off`.
 */
export async function noteSandboxed(tx: Transaction, user: string, at: number): Promise<Write> {
  if (!isWatching()) return () => undefined;
  const reference = velocity().doc(sightingsId("user", user));
  const before = (await tx.get(reference)).data() ?? nothingSeen("user");
  return () => tx.set(reference, withSandboxed(before, Math.min(at, now())));
}

/**
 * Remembers that a vendor says that what some had bought is another's now, so that their receipts are no fraud. As part of a transaction;
 * a read and a write, nothing while `FRAUD` is `off`.
 */
export async function noteTransfer(tx: Transaction, from: readonly string[], to: string): Promise<Write> {
  if (!isWatching()) return () => undefined;
  const reference = velocity().doc(sightingsId("user", to));
  const before = (await tx.get(reference)).data() ?? nothingSeen("user");
  return () => tx.set(reference, from.reduce(withTransfer, before));
}
