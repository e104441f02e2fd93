import { Failure } from "../platform/failure.ts";
import { type Transaction, timestamp } from "../platform/firestore.ts";
import { emit } from "../platform/outbox.ts";
import { PROFILE_CHANGED } from "./events.ts";
import { type ProfileRecord, profiles } from "./records.ts";

/** A profile's fields as they are to be; null takes away. */
type Change = {
  readonly [Field in "handle" | "picture" | "country" | "group" | "state" | "renamedAt"]?: ProfileRecord[Field] | null;
};

/** The caller's own profile. One read. Refuses `no-profile`. */
export async function ownProfile(tx: Transaction, uid: string): Promise<ProfileRecord> {
  const profile = (await tx.get(profiles().doc(uid))).data();
  if (profile) return profile;
  throw new Failure("failed-precondition", "Ask for your profile first, which makes it.", { reason: "no-profile" });
}

/** The caller's own profile, for something that others will see. One read. Refuses `no-profile` and `user-banned`. */
export async function activeProfile(tx: Transaction, uid: string): Promise<ProfileRecord> {
  const profile = await ownProfile(tx, uid);
  if (profile.state !== "banned") return profile;
  throw new Failure("permission-denied", "You are banned.", { reason: "user-banned" });
}

/** The profile of somebody else. One read. Refuses `unknown-user`. */
export async function profileToChange(tx: Transaction, uid: string): Promise<ProfileRecord> {
  const profile = (await tx.get(profiles().doc(uid))).data();
  if (!profile) throw unknownUser();
  return profile;
}

/** Writes a profile that was not there, and tells of it. Two writes. */
export function createProfile(tx: Transaction, uid: string, profile: ProfileRecord): void {
  tx.create(profiles().doc(uid), profile);
  tellChange(tx, uid, String(profile.version));
}

/** Changes a profile, and tells of it. Two writes. */
export function changeProfile(tx: Transaction, uid: string, before: ProfileRecord, change: Change): ProfileRecord {
  const fields = Object.entries({ ...before, ...change }).filter(([, value]) => value !== null);
  const after = {
    ...(Object.fromEntries(fields) as ProfileRecord),
    version: before.version + 1,
    updatedAt: timestamp(),
  };
  tx.set(profiles().doc(uid), after);
  tellChange(tx, uid, String(after.version));
  return after;
}

/** Tells of a change. One write. @param version tells the user's changes apart */
export function tellChange(tx: Transaction, uid: string, version: string): void {
  emit(tx, { type: PROFILE_CHANGED, key: `${uid} ${version}`, data: { user: uid } });
}

export function unknownUser(): Failure {
  return new Failure("not-found", "There is no such user.", { reason: "unknown-user" });
}
