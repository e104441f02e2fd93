import * as z from "zod";
import { Failure } from "../failure.ts";
import { FieldPath, isChangedMeanwhile, timestamp } from "../firestore.ts";
import { isDocumentId } from "../ids.ts";
import { log } from "../log.ts";
import { keys } from "./data-keys.ts";
import { currentKek, unwrapKey, wrapKey } from "./wrap.ts";

/** Where a page ended: the user, a slash, and the version that wraps their key. */
export const RewrapCursor = z
  .string()
  .max(1_000)
  .refine((text) => {
    const { uid, kek } = parseCursor(text);
    return isDocumentId(uid) && kek !== "";
  }, "must be a `nextCursor`");

/** What a page of {@link rewrapKeys} has done. */
export interface Rewrapped {
  /** The version that now wraps. */
  readonly kek: string;
  readonly rewrapped: number;
  /** Keys that do not open; the log says which and why. */
  readonly failed: number;
  /** How many keys other versions wrap, those that failed among them. */
  readonly remaining: number;
  /** Absent: that was the last page. */
  readonly nextCursor?: string;
}

/** Cloud KMS answers two questions for each. */
const AT_A_TIME = 20;

/**
 * Wraps the keys of up to `limit` users anew whose keys are not wrapped by the current version; what they sealed stays as it is.
 * Bill: a read and a write for each, and a read for every 1,000 that remain.
 */
export async function rewrapKeys({
  limit,
  cursor,
}: {
  limit: number;
  cursor?: string | undefined;
}): Promise<Rewrapped> {
  const kek = await currentKek();
  const outdated = keys().where("kek", "!=", kek);
  let query = outdated.orderBy("kek").orderBy(FieldPath.documentId()).limit(limit);
  if (cursor !== undefined) {
    const after = parseCursor(cursor);
    query = query.startAfter(after.kek, after.uid);
  }
  const { docs } = await query.get();
  const results: Result[] = [];
  for (let at = 0; at < docs.length; at += AT_A_TIME) {
    results.push(...(await Promise.all(docs.slice(at, at + AT_A_TIME).map(rewrap))));
  }
  const remaining = (await outdated.count().get()).data().count;
  const last = docs.at(-1);
  return {
    kek,
    rewrapped: results.filter((result) => result === "rewrapped").length,
    failed: results.filter((result) => result === "failed").length,
    remaining,
    ...(last && docs.length === limit ? { nextCursor: `${last.id}/${last.get("kek")}` } : {}),
  };
}

type KeySnapshot = Awaited<ReturnType<ReturnType<typeof keys>["get"]>>["docs"][number];
type Result = "rewrapped" | "failed" | "changed-meanwhile";

async function rewrap(document: KeySnapshot): Promise<Result> {
  const { id: uid, ref, updateTime } = document;
  const key = await open(document);
  if (!key) return "failed";
  try {
    // A key that is destroyed meanwhile must not come back.
    await ref.update({ ...(await wrapKey(uid, key)), wrappedAt: timestamp() }, { lastUpdateTime: updateTime });
    return "rewrapped";
  } catch (error) {
    if (!isChangedMeanwhile(error)) throw error;
    return "changed-meanwhile";
  }
}

/** One key that does not open must not keep the others from being wrapped anew. */
async function open(document: KeySnapshot) {
  try {
    const record = document.data();
    return record.state === "active" ? await unwrapKey(document.id, record) : undefined;
  } catch (error) {
    if (error instanceof Failure) throw error;
    log.error("key not rewrapped", error, { uid: document.id });
    return undefined;
  }
}

function parseCursor(text: string): { uid: string; kek: string } {
  const slash = text.indexOf("/");
  return { uid: text.slice(0, Math.max(slash, 0)), kek: text.slice(slash + 1) };
}
