import type * as z from "zod";
import { writeDown } from "../platform/audit.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { timestamp, transact } from "../platform/firestore.ts";
import { log } from "../platform/log.ts";
import { changeProfile, profileToChange, tellChange } from "./change.ts";
import type { Sanctioned, SanctionRequest } from "./contract.ts";
import { forgetProfile } from "./look-up.ts";
import { type Sanction, sanctions } from "./records.ts";

type Input = z.output<typeof SanctionRequest>;

const DEEDS = { banned: "identity/ban", "shadow-banned": "identity/shadow-ban", active: "identity/unban" } as const;

/**
 * Bans a user: everybody sees that they are banned, and what others would see of them they cannot do any more.
 * Bill: two reads, four writes. Refuses `unknown-user`, `own-account`.
 */
export async function ban(caller: Caller, request: Input): Promise<Sanctioned> {
  return await sanction(caller, request, "banned");
}

/**
 * Hides what a user does from others without telling them: their profile stays as it is. Who was banned no longer is.
 * Bill: two reads, three writes, of who was banned four. Refuses `unknown-user`, `own-account`.
 */
export async function shadowBan(caller: Caller, request: Input): Promise<Sanctioned> {
  return await sanction(caller, request, "shadow-banned");
}

/** Takes back whatever a user was banned by. Bill: two reads, up to four writes. Refuses `unknown-user`, `own-account`. */
export async function unban(caller: Caller, request: Input): Promise<Sanctioned> {
  return await sanction(caller, request, "active");
}

async function sanction({ uid: by }: Caller, { user, note }: Input, state: Sanction): Promise<Sanctioned> {
  checkOther(by, user);
  const repeated = await transact(async (tx) => {
    const profile = await profileToChange(tx, user);
    const before = (await tx.get(sanctions().doc(user))).data() ?? { state: "active", version: 0 };
    if (before.state === state) return true;
    const version = before.version + 1;
    tx.set(sanctions().doc(user), { state, version, updatedAt: timestamp() });
    const shown = state === "banned" ? "banned" : "active";
    if (profile.state === shown) tellChange(tx, user, `sanction ${version}`);
    else changeProfile(tx, user, profile, { state: shown });
    const details = { before: before.state, after: state };
    const key = `${user} ${version}`;
    writeDown(tx, { key, by, action: DEEDS[state], subject: `users/${user}`, note, details });
    return false;
  });
  if (!repeated) await forgetProfile(user);
  log.info("user sanctioned", { user, by, state, repeated });
  return { state, repeated };
}

/** Operators do not judge themselves. */
export function checkOther(operator: string, user: string): void {
  if (operator !== user) return;
  throw new Failure("permission-denied", "This is your own account.", { reason: "own-account" });
}
