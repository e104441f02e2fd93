import { GLOBAL_FUNCTIONS, NAMESPACES } from "../library/functions.ts";

/** What every expression sees. */
export const VARIABLES: ReadonlySet<string> = new Set(["request", "resource"]);

/** Functions that look documents up. Source: https://firebase.google.com/docs/reference/rules/rules.firestore */
export const LOOKUPS: ReadonlySet<string> = new Set(["get", "exists", "getAfter", "existsAfter"]);

/** Those of them that Storage rules have, as `firestore.get()`. Source: https://firebase.google.com/docs/storage/security/rules-conditions */
export const LOOKUPS_OF_STORAGE: ReadonlySet<string> = new Set(["get", "exists"]);

export const BUILT_IN_FUNCTIONS: ReadonlySet<string> = new Set(["debug", ...LOOKUPS, ...GLOBAL_FUNCTIONS]);

/** Whether `name.function()` is a function of the library, and not a method of a variable. */
export function isNamespace(name: string): boolean {
  return name === "firestore" || NAMESPACES.has(name);
}
