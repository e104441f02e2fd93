import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { busy, Failure } from "../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { keys } from "../platform/keys/data-keys.ts";
import { activeProfile, changeProfile, createProfile } from "./change.ts";
import { isPicture, type PublicProfile, type UpdateRequest } from "./contract.ts";
import { candidates, cleaned, folded, isRefused } from "./handle.ts";
import { faceOf, forgetProfile, publicFace } from "./look-up.ts";
import { handles, type ProfileRecord, profiles } from "./records.ts";

const DAY_MILLIS = 86_400_000;
/** A handle that was chosen stays this long, so that nobody slips through many. */
const RENAME_MILLIS = 7 * DAY_MILLIS;

/**
 * The caller's profile, made at the first call from what the token says of them.
 * Bill: one read; the first time three, or a few more if others have the name, and three writes. Refuses `user-erased`.
 */
export async function myProfile(caller: Caller): Promise<PublicProfile> {
  const known = (await profiles().doc(caller.uid).get()).data();
  return publicFace(caller.uid, faceOf(known ?? (await transact((tx) => make(tx, caller)))));
}

/**
 * Changes the caller's profile; what is so already is not written, so asking again does nothing. The first handle may be changed at once, one that was
 * chosen after seven days; the handle given up is free for others.
 * Bill: one read, with a new handle two; two writes, with a new handle four.
 * Refuses `handle-refused`, `handle-taken`, `rename-too-soon` (with `retryAfter`), `no-profile`, `user-banned`.
 */
export async function updateProfile(caller: Caller, wanted: z.output<typeof UpdateRequest>): Promise<PublicProfile> {
  const { uid } = caller;
  const { profile, changed } = await transact(async (tx) => {
    const before = await activeProfile(tx, uid);
    const renamed = wanted.handle === undefined ? undefined : await rename(tx, uid, before, cleaned(wanted.handle));
    const change = { ...renamed, ...differing(before, wanted) };
    if (Object.keys(change).length === 0) return { profile: before, changed: false };
    return { profile: changeProfile(tx, uid, before, change), changed: true };
  });
  if (changed) await forgetProfile(uid);
  return publicFace(uid, faceOf(profile));
}

function differing(
  before: ProfileRecord,
  { picture, country }: z.output<typeof UpdateRequest>,
): { picture?: string | null; country?: string | null } {
  const isOther = (wanted: string | null | undefined, now: string | undefined) =>
    wanted !== undefined && wanted !== (now ?? null);
  return {
    ...(picture !== undefined && isOther(picture, before.picture) ? { picture } : {}),
    ...(country !== undefined && isOther(country, before.country) ? { country } : {}),
  };
}

/** Takes the new handle and gives up the old one; nothing if it is the same. */
async function rename(
  tx: Transaction,
  uid: string,
  before: ProfileRecord,
  handle: string,
): Promise<Pick<ProfileRecord, "handle" | "renamedAt"> | undefined> {
  if (handle === before.handle) return undefined;
  checkRename(before, handle);
  const [id, idBefore] = [folded(handle), folded(before.handle)];
  if (id !== idBefore) {
    if ((await tx.get(handles().doc(id))).exists) {
      throw new Failure("already-exists", "Somebody else has this handle.", {
        reason: "handle-taken",
        field: "handle",
      });
    }
    tx.create(handles().doc(id), { user: uid, since: timestamp() });
    tx.delete(handles().doc(idBefore));
  }
  return { handle, renamedAt: timestamp() };
}

function checkRename({ renamedAt }: ProfileRecord, handle: string): void {
  if (isRefused(handle)) {
    throw new Failure("invalid-argument", "Nobody may have this handle.", {
      reason: "handle-refused",
      field: "handle",
    });
  }
  const wait = renamedAt === undefined ? 0 : renamedAt.toMillis() + RENAME_MILLIS - now();
  if (wait <= 0) return;
  throw new Failure("failed-precondition", "The handle was changed a short time ago.", {
    reason: "rename-too-soon",
    field: "handle",
    retryAfter: Math.ceil(wait / 1_000),
  });
}

async function make(tx: Transaction, { uid, name, picture }: Caller): Promise<ProfileRecord> {
  const known = (await tx.get(profiles().doc(uid))).data();
  if (known) return known;
  await checkNotErased(tx, uid);
  const handle = await freeHandle(tx, uid, name);
  const at = timestamp();
  const profile: ProfileRecord = {
    handle,
    ...(picture !== undefined && isPicture(picture) ? { picture } : {}),
    state: "active",
    version: 1,
    createdAt: at,
    updatedAt: at,
  };
  tx.create(handles().doc(folded(handle)), { user: uid, since: at });
  createProfile(tx, uid, profile);
  return profile;
}

/** A token outlives its user by up to an hour, and must not bring them back. */
async function checkNotErased(tx: Transaction, uid: string): Promise<void> {
  if ((await tx.get(keys().doc(uid))).get("state") !== "destroyed") return;
  throw new Failure("failed-precondition", "What was personal of this user has been erased for good.", {
    reason: "user-erased",
  });
}

async function freeHandle(tx: Transaction, uid: string, name: string | undefined): Promise<string> {
  for (const handle of candidates(uid, name)) {
    if (!(await tx.get(handles().doc(folded(handle)))).exists) return handle;
  }
  throw busy("No handle could be made of this name.");
}
