import { RulesError } from "../value.ts";
import { LIMITS } from "./limits.ts";
import { matchesWhole, replaceAll, splitAt } from "./regex.ts";
import { method, type Operations } from "./signature.ts";

/**
 * Strings. The service counts UTF-16 units where the reference says characters: `'😀'.size() == 2`.
 * Sources: https://firebase.google.com/docs/reference/rules/rules.String;
 * https://github.com/davideast/pyric/tree/main/packages/conformance/observations/storage-rules (stdlib-string-bytes-hashing)
 */

/** @throws RulesError if the string is longer than any may be */
export function limited(text: string): string {
  if (text.length > LIMITS.text) throw new RulesError("The string is too long.");
  return text;
}

export const STRING_METHODS: Operations<string> = new Map([
  ["lower", method([], (text: string) => text.toLowerCase())],
  ["matches", method(["string"], (text: string, expression) => matchesWhole(text, expression))],
  ["replace", method(["string", "string"], replaceAll)],
  ["size", method([], (text: string) => BigInt(text.length))],
  ["split", method(["string"], splitAt)],
  ["toUtf8", method([], (text: string) => new TextEncoder().encode(text))],
  ["trim", method([], (text: string) => text.trim())],
  ["upper", method([], (text: string) => limited(text.toUpperCase()))],
]);
