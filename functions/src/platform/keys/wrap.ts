import { createSecretKey, type KeyObject } from "node:crypto";
import * as z from "zod";
import { config, secrets } from "../config.ts";
import { decrypt, encrypt, KEY_BYTES, packed, Unsealable, unpacked } from "./cipher.ts";
import { kmsDecrypt, kmsEncrypt } from "./kms.ts";

/**
 * Keys of users are kept wrapped by a key of the house: the first of the secret SEALING_KEYS, or one in Cloud KMS where
 * SEALING_KMS_KEY names it. The others of SEALING_KEYS unwrap what they once wrapped.
 */

/** A wrapped key, as it is kept. */
export interface Wrapped {
  readonly wrapped: string;
  /** The version of the key that wraps it: one of SEALING_KEYS, or a resource name of Cloud KMS. */
  readonly kek: string;
}

/** Wraps a user's key so that it opens as this user's only. */
export async function wrapKey(uid: string, key: KeyObject): Promise<Wrapped> {
  const kms = kmsKey();
  if (kms === undefined) {
    const [first] = houseKeys();
    return { wrapped: packed(encrypt(first.key, key.export(), boundTo(uid))), kek: first.version };
  }
  const { ciphertext, version } = await kmsEncrypt(kms, key.export(), boundTo(uid));
  return { wrapped: ciphertext, kek: version };
}

/** A user's key. Throws {@link Unsealable} if it was changed, is another user's, or is wrapped by a key that is not configured. */
export async function unwrapKey(uid: string, { wrapped, kek }: Wrapped): Promise<KeyObject> {
  const bytes = kek.includes("/") ? await unwrapByKms(uid, { wrapped, kek }) : unwrapHere(uid, { wrapped, kek });
  if (bytes?.length !== KEY_BYTES) {
    throw new Unsealable(`keys/${uid} does not open: it was changed, or is another user's`);
  }
  return keyOf(bytes);
}

/** The version that {@link wrapKey} wraps with now. Cloud KMS tells it only to who encrypts something. */
export async function currentKek(): Promise<string> {
  const kms = kmsKey();
  if (kms === undefined) return houseKeys()[0].version;
  return (await kmsEncrypt(kms, Buffer.from([0]), ["pot-of-gold/which-version"])).version;
}

function boundTo(uid: string): string[] {
  return ["pot-of-gold/key", uid];
}

function unwrapHere(uid: string, { wrapped, kek }: Wrapped): Buffer | undefined {
  const house = houseKeys().find(({ version }) => version === kek);
  if (!house) throw new Unsealable(`keys/${uid} is wrapped by "${kek}", which is not among SEALING_KEYS`);
  const parts = unpacked(wrapped);
  return parts && decrypt(house.key, parts, boundTo(uid));
}

async function unwrapByKms(uid: string, { wrapped, kek }: Wrapped): Promise<Buffer | undefined> {
  const kms = kmsKey();
  // Whoever can write a document must not choose the key that opens it.
  if (kms === undefined || !kek.startsWith(`${kms}/`)) {
    throw new Unsealable(`keys/${uid} is wrapped by "${kek}", which is not of SEALING_KMS_KEY`);
  }
  return await kmsDecrypt(kms, wrapped, boundTo(uid));
}

const KmsKey = z.string().regex(/^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/);

/** The key in Cloud KMS, if one is configured. */
function kmsKey(): string | undefined {
  const name = config.sealingKmsKey.value();
  if (name === "") return undefined;
  if (KmsKey.safeParse(name).success) return name;
  throw new Error(
    "SEALING_KMS_KEY must be the name of a key, as projects/p/locations/l/keyRings/r/cryptoKeys/k, without a version",
  );
}

interface HouseKey {
  readonly version: string;
  readonly key: KeyObject;
}

const MAX_HOUSE_KEYS = 20;

/** `2026-11:<32 bytes in base64>`. Messages repeat nothing of it: the key may stand where the version should. */
const HouseKey = z.string().transform((entry, context): HouseKey => {
  const [, version, text] = /^([\w.-]{1,64}):(.*)$/.exec(entry.trim()) ?? [];
  if (version === undefined || text === undefined) {
    context.addIssue("must be a version (letters, digits, dots, dashes), a colon and a key");
    return z.NEVER;
  }
  if (!/^[\w+/-]{43}=?$/.test(text)) {
    context.addIssue(`must have a key of ${KEY_BYTES} bytes in base64`);
    return z.NEVER;
  }
  return { version, key: keyOf(Buffer.from(text, "base64")) };
});

const HouseKeys = z
  .tuple([HouseKey], HouseKey)
  .refine((keys) => keys.length <= MAX_HOUSE_KEYS, `must be ${MAX_HOUSE_KEYS} at most`)
  .refine(
    (keys) => new Set(keys.map(({ version }) => version)).size === keys.length,
    "must each have a version of their own",
  );
type HouseKeys = z.output<typeof HouseKeys>;

let parsed: { readonly text: string; readonly keys: HouseKeys } | undefined;

function houseKeys(): HouseKeys {
  const text = secrets.sealingKeys.value();
  if (parsed?.text !== text) parsed = { text, keys: parseHouseKeys(text) };
  return parsed.keys;
}

function parseHouseKeys(text: string): HouseKeys {
  if (text === "") throw new Error("SEALING_KEYS is not set, or not among the secrets of this function");
  const result = HouseKeys.safeParse(text.split(","));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const [index] = issue?.path ?? [];
  const which = typeof index === "number" ? `key ${index + 1} of ${text.split(",").length}` : "the keys";
  throw new Error(`SEALING_KEYS is not as it should be: ${which} ${issue?.message}`);
}

/** Takes bytes out of sight: they are in no heap snapshot and no inspected object, and the given buffer is wiped. */
function keyOf(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}
