import { createHmac } from "node:crypto";
import { deterministicId } from "../../platform/ids.ts";

/** Digits and letters that nobody mistakes for others. Source: https://www.crockford.com/base32.html */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 12;
const GROUP = 4;

/** A code as it is compared: whatever the case, without what stands between, and with what looks alike taken for the same. */
export function normalised(code: string): string {
  return code
    .toUpperCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/g, "1");
}

/** The id of a code's document. The code itself is not stored. */
export function codeId(code: string): string {
  return deterministicId("promo", normalised(code));
}

/** The n-th code of a campaign, `7K2M-9QXA-0D4T`: 60 bits that only its secret tells. */
export function codeOf(seed: string, n: number): string {
  const bytes = createHmac("sha256", Buffer.from(seed, "base64url")).update(String(n)).digest();
  const letters = Array.from(bytes.subarray(0, LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]);
  return letters.map((letter, i) => (i > 0 && i % GROUP === 0 ? `-${letter}` : letter)).join("");
}
