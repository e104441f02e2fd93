import { now } from "../platform/clock.ts";
import { config } from "../platform/config.ts";
import { isAlreadyExists, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { type Mail, mails, type Notice, notices } from "./records.ts";

/** Something that a user is to be told. */
export interface NewNotice {
  readonly user: string;
  /** The idempotency key, among those of its kind: a user is told once. */
  readonly key: string;
  readonly kind: string;
  readonly data: Notice["data"];
  /** Whether it also goes out as a mail, if there is who sends them. */
  readonly mail?: boolean;
}

const KEEP_MILLIS = 90 * 86_400_000;

/**
 * Tells a user something as part of a transaction that has an idempotency of its own. A write, and another for a mail. Mails go to the
 * collection that MAIL_COLLECTION names, as a template of the notice's kind, filled with its data.
 */
export function prepareNotice(tx: Transaction, { user, key, kind, data, mail = false }: NewNotice): void {
  const id = noticeId(kind, key);
  const notice: Notice = { kind, data, at: timestamp(), expiresAt: timestamp(now() + KEEP_MILLIS) };
  tx.create(notices(user).doc(id), notice);
  const collection = config.mailCollection.value();
  if (!mail || collection === "") return;
  const message: Mail = { toUids: [user], template: { name: kind, data } };
  tx.create(mails(collection).doc(deterministicId("mail", user, id)), message);
}

/** Tells a user something, once for each key. A write, and another for a mail; told before, nothing. */
export async function notify(notice: NewNotice): Promise<{ id: string }> {
  try {
    await transact(async (tx) => prepareNotice(tx, notice));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  return { id: noticeId(notice.kind, notice.key) };
}

function noticeId(kind: string, key: string): string {
  return deterministicId("notice", kind, key);
}
