import { createHash, hash as hashOf, timingSafeEqual } from "node:crypto";
import * as z from "zod";

const ID_BYTES = 24;

/**
 * A document id that is always the same for the same parts, spreads evenly over the key space and fits anywhere.
 * The parts are joined unambiguously: `("a", "bc")` and `("ab", "c")` differ.
 */
export function deterministicId(...parts: readonly string[]): string {
  return hashOf("sha256", JSON.stringify(parts), "buffer").subarray(0, ID_BYTES).toString("base64url");
}

const MAX_UID = 128;
const MAX_DOCUMENT_ID = 200;

/** Whether a text can be the id of a document: no slash, no dots alone, nothing that Firestore reserves. */
export function isDocumentId(text: string): boolean {
  return text.length > 0 && text.length <= MAX_DOCUMENT_ID && !text.includes("/") && !/^(\.{1,2}|__.*__)$/s.test(text);
}

/** An id of a document, as part of a contract. */
export const DocumentId = z
  .string()
  .refine(isDocumentId, "must be an id: not empty, without a slash, and not reserved");

/** Whether a text can be a user's id here. Those that start like an account of the house cannot. */
export function isUid(text: string): boolean {
  return text.length <= MAX_UID && isDocumentId(text) && !/^system(:|$)/.test(text);
}

/** What a request asks for, as a short text: the same for the same request whatever the order of its keys. */
export function fingerprint(request: unknown): string {
  return hashOf("sha256", canonical(request), "base64url");
}

/** Compares secrets in a time that does not tell where they differ. A secret that was never set equals nothing. */
export function equalSecrets(given: string, expected: string): boolean {
  if (expected === "") return false;
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

/** A JSON value as text, the same whatever the order of its keys; what is undefined is left out. */
export function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  let text = "";
  for (const key of Object.keys(value).sort()) {
    const item = (value as Record<string, unknown>)[key];
    if (item !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonical(item)}`;
  }
  return `{${text}}`;
}
