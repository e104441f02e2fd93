import type { KeyObject } from "node:crypto";
import * as z from "zod";
import { Failure } from "./failure.ts";
import { bytesOf, decrypt, encrypt, Unsealable } from "./keys/cipher.ts";
import { dataKey, existingKey } from "./keys/data-keys.ts";

/**
 * Sealing: what is personal in a document is encrypted with a key of the user's own (`keys/{uid}`). Destroying that key erases all
 * of it wherever it lies, and documents that must never change need not.
 *
 * A place says where a sealed value stands: the path of its document and the field, as `webhooks/revenuecat_1#body`. It opens there
 * and for its user only.
 */

const VERSION = 1;
/** Of the value's JSON in UTF-8. Sealed it takes a third more, and a document has room for 1 MiB. */
const MAX_BYTES = 512 * 1024;
const IV_CHARACTERS = 16;
const TAG_CHARACTERS = 22;

/**
 * A sealed value, as part of a document. In base64url, not as bytes: it then is JSON, and goes into fingerprints, tasks and answers as
 * it is. Exempt the field from indexes.
 */
export const Sealed = z.object({
  v: z.literal(VERSION),
  iv: z.base64url().length(IV_CHARACTERS),
  data: z.base64url().max(Math.ceil((MAX_BYTES * 4) / 3)),
  tag: z.base64url().length(TAG_CHARACTERS),
});
export type Sealed = z.infer<typeof Sealed>;

type Json = z.core.util.JSONType;

/** Seals and opens for one user without asking anybody, so also inside a transaction. Not to be kept for longer than that. */
export interface Sealer {
  /** Seals a value of up to 512 KiB of JSON. Refuses `value-too-large`. */
  seal(place: string, value: Json): Sealed;
  /** Throws {@link Unsealable} if this was not sealed for this user at this place. */
  unseal(place: string, sealed: Sealed): unknown;
}

/** Gets a user's key, or makes it; one read in a while. Refuses `user-erased` and `unsupported-uid`. */
export async function sealerFor(uid: string): Promise<Sealer> {
  const { key } = await dataKey(uid);
  if (!key) {
    throw new Failure("failed-precondition", "What was personal of this user has been erased for good.", {
      reason: "user-erased",
    });
  }
  return sealerWith(uid, key);
}

/** Seals one value; see {@link Sealer.seal} and {@link sealerFor}. */
export async function seal(uid: string, place: string, value: Json): Promise<Sealed> {
  return (await sealerFor(uid)).seal(place, value);
}

/**
 * Opens one value; undefined if the user's key has been destroyed. Throws {@link Unsealable} if this was not sealed for this user at
 * this place.
 */
export async function unseal(uid: string, place: string, sealed: Sealed): Promise<unknown | undefined> {
  const known = await existingKey(uid);
  if (!known) throw new Unsealable(`${place} does not open: ${uid} has no key`);
  return known.key && sealerWith(uid, known.key).unseal(place, sealed);
}

function sealerWith(uid: string, key: KeyObject): Sealer {
  const bound = (place: string) => ["pot-of-gold/seal", String(VERSION), uid, place];
  return {
    seal: (place, value) => {
      const { iv, data, tag } = encrypt(key, bytesOfJson(value), bound(place));
      const text = (bytes: Buffer) => bytes.toString("base64url");
      return { v: VERSION, iv: text(iv), data: text(data), tag: text(tag) };
    },
    unseal: (place, sealed) => {
      const [iv, data, tag] = [bytesOf(sealed.iv), bytesOf(sealed.data), bytesOf(sealed.tag)];
      const isWhole = sealed.v === VERSION && iv && data && tag;
      const plain = isWhole ? decrypt(key, { iv, data, tag }, bound(place)) : undefined;
      if (!plain)
        throw new Unsealable(`${place} does not open: it was changed, or sealed elsewhere or for another user`);
      return JSON.parse(plain.toString("utf8"));
    },
  };
}

function bytesOfJson(value: Json): Buffer {
  const bytes = Buffer.from(JSON.stringify(value));
  if (bytes.length > MAX_BYTES) {
    throw new Failure("invalid-argument", `What is to be sealed has more than ${MAX_BYTES} bytes.`, {
      reason: "value-too-large",
    });
  }
  return bytes;
}
