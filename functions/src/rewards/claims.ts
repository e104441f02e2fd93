import { getApps, initializeApp } from "firebase-admin/app";
import { getAuth } from "firebase-admin/auth";
import { isAdmin } from "../platform/admins.ts";
import { log } from "../platform/log.ts";
import { MAX_ENTITLEMENTS } from "./entitlement.ts";
import { isActive } from "./entitlements.ts";
import { type Entitlement, entitlements } from "./records.ts";

/** What a user's token says. For apps to show things by; servers trust documents. */
interface Claims {
  readonly roles: readonly string[];
  /** Those that hold, by name. */
  readonly entitlements: readonly string[];
  /** When the first of them ends, in seconds since the epoch; absent if none does. */
  readonly until?: number;
}

/** All claims of a user together. Source: https://firebase.google.com/docs/auth/admin/custom-claims */
const MAX_BYTES = 1_000;
/** How often it starts over because entitlements have changed meanwhile. */
const MAX_ROUNDS = 3;

/**
 * Writes all of a user's custom claims, from what they may use now; nothing else writes any. The token has them when it is next
 * renewed. Somebody whom Firebase Auth does not know has no token.
 *
 * Bill: twice a read for each entitlement the user ever had, and for whether they are an operator.
 */
export async function setClaims(uid: string): Promise<void> {
  let written: string | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const claims = await claimsOf(uid);
    const text = JSON.stringify(claims);
    if (text === written) return;
    if (!(await write(uid, claims))) return;
    written = text;
  }
}

async function claimsOf(uid: string): Promise<Claims> {
  const [isOperator, found] = await Promise.all([isAdmin(uid), entitlements(uid).limit(MAX_ENTITLEMENTS).get()]);
  const active = found.docs.map((document) => [document.id, document.data()] as const);
  return compact(isOperator ? ["admin"] : [], active.filter(([, entitlement]) => isActive(entitlement)).sort(byEnd));
}

/** As many entitlements as a token has room for, those that last longest first. */
export function compact(roles: readonly string[], active: readonly (readonly [string, Entitlement])[]): Claims {
  for (let count = active.length; count > 0; count--) {
    const kept = active.slice(0, count);
    const ends = kept.flatMap(([, { expiresAt }]) => (expiresAt === null ? [] : [expiresAt.seconds]));
    const claims: Claims = {
      roles,
      entitlements: kept.map(([name]) => name).sort(),
      ...(ends.length > 0 ? { until: Math.min(...ends) } : {}),
    };
    if (Buffer.byteLength(JSON.stringify(claims)) <= MAX_BYTES) return claims;
  }
  return { roles, entitlements: [] };
}

function byEnd([a, one]: readonly [string, Entitlement], [b, other]: readonly [string, Entitlement]): number {
  const [x, y] = [one, other].map(({ expiresAt }) => expiresAt?.toMillis() ?? Number.POSITIVE_INFINITY);
  if (x !== y) return (y ?? 0) > (x ?? 0) ? 1 : -1;
  return a < b ? -1 : 1;
}

/** False for a user whom there is not. */
async function write(uid: string, claims: Claims): Promise<boolean> {
  try {
    await getAuth(getApps()[0] ?? initializeApp()).setCustomUserClaims(uid, claims);
    return true;
  } catch (error) {
    if (!isUnknownUser(error)) throw error;
    log.info("no claims for a user whom Auth does not know", { uid });
    return false;
  }
}

function isUnknownUser(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "auth/user-not-found";
}
