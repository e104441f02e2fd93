import * as z from "zod";
import { collection, FieldPath, Moment, type Query, Timestamp, timestamp, transact, type Writes } from "./firestore.ts";
import { deterministicId } from "./ids.ts";

/**
 * What operators have done: who, what, when and why. An entry is created in the transaction of what it tells of and never written again, so
 * that there is no deed without its entry. Operators are few, so its index on the time is no hot spot.
 */

/** `audit/{id}`: one deed of an operator. */
export const AuditRecord = z.object({
  /** The operator's user id; `system` if a schedule did it. */
  by: z.string(),
  /** The action, as `payouts/approve`. */
  action: z.string(),
  /** The document that it was done to, as `withdrawals/abc`. */
  subject: z.string(),
  /** Why, in the operator's words. */
  note: z.string(),
  /** What else tells what was done, as the state before and after. Nothing personal: an entry outlives its subject. */
  details: z.record(z.string(), z.json()),
  at: Moment,
});
export type AuditRecord = z.infer<typeof AuditRecord>;

export const audit = () => collection("audit", AuditRecord);

export interface Deed {
  /** Tells deeds of one action apart: the same key is the same deed, which fails the second time as any document that is there does. */
  readonly key: string;
  readonly by: string;
  readonly action: string;
  readonly subject: string;
  readonly note?: string;
  readonly details?: AuditRecord["details"];
}

/** The id of a deed's entry. */
export function auditId({ action, key }: Pick<Deed, "action" | "key">): string {
  return deterministicId("audit", action, key);
}

/** Writes a deed down with the writes of what was done. One write. */
export function writeDown(writes: Writes, deed: Deed): void {
  const { by, action, subject, note = "", details = {} } = deed;
  writes.create(audit().doc(auditId(deed)), { by, action, subject, note, details, at: timestamp() });
}

/** Writes a deed down by itself, for what is done in no transaction. One write. */
export async function writeDownAlone(deed: Deed): Promise<void> {
  await transact(async (tx) => writeDown(tx, deed));
}

/** What was defined, as `details` keep it. */
export function plain(definition: object): z.core.util.JSONType {
  return z.json().parse(JSON.parse(JSON.stringify(definition)));
}

export interface AuditFilter {
  /** Only deeds done to this document. */
  readonly subject?: string | undefined;
  /** Only deeds of this operator. */
  readonly by?: string | undefined;
}

/** Where a page of deeds ended. */
export interface AuditCursor {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly id: string;
}

/** A page of deeds, newest first; after `cursor`, if there is one. One read for each. */
export async function deeds(
  { subject, by }: AuditFilter,
  { limit, cursor }: { limit: number; cursor?: AuditCursor | undefined },
): Promise<{ id: string; record: AuditRecord }[]> {
  let query: Query<AuditRecord> = audit();
  if (subject !== undefined) query = query.where("subject", "==", subject);
  if (by !== undefined) query = query.where("by", "==", by);
  query = query.orderBy("at", "desc").orderBy(FieldPath.documentId(), "desc");
  if (cursor) query = query.startAfter(Timestamp.fromMillis(cursor.at), cursor.id);
  const { docs } = await query.limit(limit).get();
  return docs.map((document) => ({ id: document.id, record: document.data() }));
}
