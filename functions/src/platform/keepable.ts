import * as z from "zod";

/**
 * JSON of callers that is kept as it is in a document: of no other shape than Firestore takes, which has no lists in lists, no more than
 * twenty levels, and no empty or reserved names. Source: https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
 */
const MAX_DEPTH = 8;
const RESERVED = /^__.*__$/s;

/** An object of JSON that can be kept. @param maxBytes as UTF-8 */
export function keepable(maxBytes: number) {
  return z
    .record(z.string(), z.unknown())
    .refine((value) => isKeepable(value, 0), {
      error: `must have no lists in lists, no names that are empty or reserved, and no more than ${MAX_DEPTH} levels`,
      abort: true,
    })
    .refine(
      (value) => Buffer.byteLength(JSON.stringify(value)) <= maxBytes,
      `must not be larger than ${maxBytes} bytes`,
    )
    .pipe(z.record(z.string(), z.json()));
}

/** What is deeper is not looked at, so that no depth is too much for us. */
function isKeepable(value: unknown, depth: number): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return isPlain(value);
  if (depth === MAX_DEPTH) return false;
  const isList = Array.isArray(value);
  return Object.entries(value).every(
    ([name, one]) => (isList ? !Array.isArray(one) : isName(name)) && isKeepable(one, depth + 1),
  );
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value === "boolean" || Number.isFinite(value);
}

function isName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !RESERVED.test(name);
}
