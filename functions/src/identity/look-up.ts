import * as z from "zod";
import { cached, forget } from "../platform/cache.ts";
import type { Caller } from "../platform/endpoint.ts";
import { firestore, type Transaction } from "../platform/firestore.ts";
import { unknownUser } from "./change.ts";
import type { FindRequest, Profiles, ProfilesRequest, PublicProfile } from "./contract.ts";
import { folded } from "./handle.ts";
import { handles, ProfileRecord, profiles, SanctionRecord, sanctions } from "./records.ts";

/**
 * What other modules know of a user. Its `state` also says who is shadow-banned, which must reach no user, they themselves least of all; for
 * those there is {@link publicFace}.
 */
export const Profile = z.object({
  handle: z.string(),
  picture: z.string().optional(),
  /** ISO 3166-1 alpha-2. A claim of the app's, which nobody has checked. */
  country: z.string().optional(),
  group: z.string().optional(),
  state: z.enum(["active", "banned", "shadow-banned"]),
  /** Milliseconds since the epoch. */
  createdAt: z.int(),
});
export type Profile = z.infer<typeof Profile>;

/** In Redis for a day, because whoever changes a profile has it forgotten, twice: at once, and when the event is delivered. */
const FRESH = { processSeconds: 30, redisSeconds: 86_400 };

/**
 * A user's profile; undefined if they have none, or were erased. Other instances may show what was before for half a minute.
 * Bill: two reads, in a while.
 */
export async function profileOf(uid: string): Promise<Profile | undefined> {
  return await cached(cacheKey(uid), FRESH, Profile, () => currentProfileOf(uid));
}

/**
 * A user's profile as it is at this moment, for whoever has just heard that it has changed; in a transaction, as it stays until that is
 * committed. Bill: two reads.
 */
export async function currentProfileOf(uid: string, tx?: Transaction): Promise<Profile | undefined> {
  const [face, sanction] = await (tx ?? firestore()).getAll(profiles().doc(uid), sanctions().doc(uid));
  if (!face?.exists) return undefined;
  const profile = faceOf(ProfileRecord.parse(face.data()));
  return sanction?.exists ? { ...profile, state: SanctionRecord.parse(sanction.data()).state } : profile;
}

/** The profiles of users, by id; who has none is left out. Bill: two reads for each that nobody has asked for in a while. */
export async function profilesOf(uids: readonly string[]): Promise<Map<string, Profile>> {
  const found = await Promise.all([...new Set(uids)].map(async (uid) => [uid, await profileOf(uid)] as const));
  return new Map(found.flatMap(([uid, profile]) => (profile ? [[uid, profile] as const] : [])));
}

/** Has a user's profile read anew the next time. */
export async function forgetProfile(uid: string): Promise<void> {
  await forget(cacheKey(uid));
}

/** Whose handle this is, whatever the case and width. One read, and {@link profileOf}. Refuses `unknown-user`. */
export async function findByHandle(_caller: Caller, { handle }: z.output<typeof FindRequest>): Promise<PublicProfile> {
  const owner = (await handles().doc(folded(handle)).get()).data();
  const profile = owner && (await profileOf(owner.user));
  if (!profile) throw unknownUser();
  return publicFace(owner.user, profile);
}

/** Users as everybody sees them. See {@link profilesOf}. */
export async function listProfiles(_caller: Caller, { users }: z.output<typeof ProfilesRequest>): Promise<Profiles> {
  const found = await profilesOf(users);
  return { profiles: [...found].map(([user, profile]) => publicFace(user, profile)) };
}

/** A profile as everybody sees it: a shadow-banned user is active. */
export function publicFace(user: string, { state, ...profile }: Profile): PublicProfile {
  return { user, ...profile, state: state === "banned" ? "banned" : "active" };
}

/** What is shown of a profile. */
export function faceOf({ handle, picture, country, group, state, createdAt }: ProfileRecord): Profile {
  return {
    handle,
    ...(picture === undefined ? {} : { picture }),
    ...(country === undefined ? {} : { country }),
    ...(group === undefined ? {} : { group }),
    state,
    createdAt: createdAt.toMillis(),
  };
}

function cacheKey(uid: string): string {
  return `user:${uid}:profile`;
}
