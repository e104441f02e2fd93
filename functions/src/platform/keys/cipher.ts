import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";

/**
 * AES-256-GCM: what was encrypted opens unchanged, with the same key, and bound to the same words, or not at all. A nonce is
 * random, which is safe for about four billion messages a key.
 * Source: https://csrc.nist.gov/pubs/sp/800/38/d/final, 8.2.2 and 8.3
 */

const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
export const KEY_BYTES = 32;

export interface Encrypted {
  readonly iv: Buffer;
  readonly data: Buffer;
  readonly tag: Buffer;
}

/** Encrypts bytes. They will open only bound to the same words in the same order. */
export function encrypt(key: KeyObject, plain: Buffer, bound: readonly string[]): Encrypted {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES }).setAAD(associatedData(bound));
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { iv, data, tag: cipher.getAuthTag() };
}

/** What was encrypted; undefined if it is not what {@link encrypt} gave for this key and these words. */
export function decrypt(key: KeyObject, { iv, data, tag }: Encrypted, bound: readonly string[]): Buffer | undefined {
  // A shorter tag would be accepted otherwise, and is guessed sooner.
  if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) return undefined;
  const cipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(bound)).setAuthTag(tag);
  const plain = cipher.update(data);
  try {
    return Buffer.concat([plain, cipher.final()]);
  } catch {
    return undefined;
  }
}

/** As one text: iv, data and tag behind each other in base64url. */
export function packed({ iv, data, tag }: Encrypted): string {
  return Buffer.concat([iv, data, tag]).toString("base64url");
}

/** The parts of a text of {@link packed}; undefined if it is none. */
export function unpacked(text: string): Encrypted | undefined {
  const bytes = bytesOf(text);
  if (!bytes || bytes.length < IV_BYTES + TAG_BYTES) return undefined;
  return {
    iv: bytes.subarray(0, IV_BYTES),
    data: bytes.subarray(IV_BYTES, -TAG_BYTES),
    tag: bytes.subarray(-TAG_BYTES),
  };
}

/** The bytes of a text in base64url; undefined if another text would be the right one for them, so that each has one only. */
export function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/** Words as bytes that tell `["a", "bc"]` from `["ab", "c"]`. */
export function associatedData(words: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(words));
}

/**
 * What was sealed, or the key that it was sealed with, cannot be opened: it was changed, it belongs elsewhere, or a key is not
 * configured. Nothing that a caller has caused, so callers see an `internal` failure and the log says what.
 */
export class Unsealable extends Error {
  override readonly name = "Unsealable";
}
