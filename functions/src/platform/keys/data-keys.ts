import { generateKeySync, type KeyObject } from "node:crypto";
import * as z from "zod";
import { cached, forget } from "../cache.ts";
import { Failure } from "../failure.ts";
import { collection, isAlreadyExists, Moment, timestamp, transact } from "../firestore.ts";
import { isUid } from "../ids.ts";
import { KEY_BYTES } from "./cipher.ts";
import { unwrapKey, wrapKey } from "./wrap.ts";

/** `keys/{uid}`: a user's own key, wrapped, or the place where it was. Never deleted, so that no other takes its place. */
const KeyRecord = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("active"),
    wrapped: z.string(),
    /** The version of the key that wraps it. */
    kek: z.string(),
    createdAt: Moment,
    wrappedAt: Moment,
  }),
  z.object({ state: z.literal("destroyed"), destroyedAt: Moment }),
]);

export const keys = () => collection("keys", KeyRecord);

/** A user's key; `key` is undefined once it has been destroyed. */
export interface DataKey {
  readonly key: KeyObject | undefined;
}

/** How long an instance may still open what is sealed for a user whose key another instance has destroyed. */
const FRESH = { processSeconds: 300 };
const Known = z.custom<DataKey>();

/** The key that a user has; undefined if there has never been one. One read in a while. */
export async function existingKey(uid: string): Promise<DataKey | undefined> {
  checkUid(uid);
  return await cached(cacheKey(uid), FRESH, Known, () => readKey(uid));
}

/** The key that a user has, which is made if there was none: one read in a while, and once one more write. */
export async function dataKey(uid: string): Promise<DataKey> {
  const known = (await existingKey(uid)) ?? (await cached(cacheKey(uid), FRESH, Known, () => makeKey(uid)));
  // The second question, too, may have been answered by one that was under way and only looked.
  return known ?? (await makeKey(uid));
}

/**
 * Destroys a user's key for good, and with it everything that was sealed with it; whoever has none will get none. Again: nothing.
 * Other instances may know the key for five more minutes.
 */
export async function destroyKey(uid: string): Promise<void> {
  checkUid(uid);
  await transact(async (tx) => {
    const reference = keys().doc(uid);
    // Not by its shape: what is not as it should be is to be destroyed all the same.
    if ((await tx.get(reference)).get("state") === "destroyed") return;
    tx.set(reference, { state: "destroyed", destroyedAt: timestamp() });
  });
  await forget(cacheKey(uid));
}

async function readKey(uid: string): Promise<DataKey | undefined> {
  const record = (await keys().doc(uid).get()).data();
  if (!record) return undefined;
  return { key: record.state === "destroyed" ? undefined : await unwrapKey(uid, record) };
}

/** Makes a key, unless somebody else has: then it is theirs. */
async function makeKey(uid: string): Promise<DataKey> {
  const key = generateKeySync("aes", { length: KEY_BYTES * 8 });
  const wrapped = await wrapKey(uid, key);
  const at = timestamp();
  try {
    await keys()
      .doc(uid)
      .create({ state: "active", ...wrapped, createdAt: at, wrappedAt: at });
    return { key };
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const theirs = await readKey(uid);
    if (!theirs) throw error;
    return theirs;
  }
}

/** Some ids would lead into another collection. */
function checkUid(uid: string): void {
  if (isUid(uid)) return;
  throw new Failure("failed-precondition", "This user's id cannot be used here.", { reason: "unsupported-uid" });
}

function cacheKey(uid: string): string {
  return `data-key:${uid}`;
}
