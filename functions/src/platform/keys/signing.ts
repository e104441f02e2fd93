import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import * as z from "zod";

/**
 * Signing with the keys of a secret: `name:key` by commas, newest first. That one signs, and all of them are known, so that a key can be
 * replaced while what it has signed is still about. Keys are base64 of at least 32 bytes.
 */
export interface Signer {
  /** The name of the key and an HMAC-SHA-256 under it, `name:base64url`; by the newest key if none is named, empty if there is none of that name. */
  sign(text: string, keyName?: string): string;
  /** Whether a signature is one of this text by a key that is known. Takes as long wherever they differ. */
  isSigned(text: string, signature: string): boolean;
}

/** A secret as `firebase-functions` gives it. */
interface Secret {
  readonly name: string;
  value(): string;
}

interface Key {
  readonly name: string;
  readonly key: KeyObject;
}

const Keys = z.string().transform((text, context) => {
  const keys = text.split(",").map((entry) => {
    const [, name, key = ""] = /^([\w-]{1,32}):([A-Za-z0-9+/=_-]+)$/.exec(entry.trim()) ?? [];
    return { name, key: Buffer.from(key, "base64") };
  });
  if (keys.some(({ name, key }) => name === undefined || key.length < 32)) {
    context.addIssue({ code: "custom", message: "must be name:key,…, each key base64 of at least 32 bytes" });
  }
  return keys as { name: string; key: Buffer }[];
});

/** Signs with the keys of a secret, which is read when first asked for. Both methods throw where it is malformed. */
export function signer(secret: Secret): Signer {
  let known: { text: string; keys: Key[] } | undefined;

  function keys(): Key[] {
    const text = secret.value();
    if (known?.text === text) return known.keys;
    const parsed = Keys.safeParse(text);
    // Not the parser's own words: they could quote a key.
    if (!parsed.success) throw new Error(`${secret.name} is not name:key,… with base64 keys of at least 32 bytes`);
    known = { text, keys: parsed.data.map(({ name, key }) => ({ name, key: createSecretKey(key) })) };
    return known.keys;
  }

  function sign(text: string, keyName?: string): string {
    const key = keyName === undefined ? keys()[0] : keys().find(({ name }) => name === keyName);
    if (!key) return "";
    return `${key.name}:${createHmac("sha256", key.key).update(text).digest("base64url")}`;
  }

  function isSigned(text: string, signature: string): boolean {
    const [name = ""] = signature.split(":", 1);
    const [given, expected] = [Buffer.from(signature), Buffer.from(sign(text, name))];
    return given.length > 0 && given.length === expected.length && timingSafeEqual(given, expected);
  }

  return { sign, isSigned };
}
