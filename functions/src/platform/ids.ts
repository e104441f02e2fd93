import { createHash, timingSafeEqual } from "node:crypto";

const ID_BYTES = 24;

/**
 * A document id that is always the same for the same parts, spreads evenly over the key space and fits anywhere.
 * The parts are joined unambiguously: `("a", "bc")` and `("ab", "c")` differ.
 */
export function deterministicId(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, ID_BYTES).toString("base64url");
}

/** What a request asks for, as a short text: the same for the same request whatever the order of its keys. */
export function fingerprint(request: unknown): string {
  return createHash("sha256").update(canonical(request)).digest("base64url");
}

/** Compares secrets in a time that does not tell where they differ. */
export function equalSecrets(given: string, expected: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
      .join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
