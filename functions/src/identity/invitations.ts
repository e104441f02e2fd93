import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { FieldPath, FieldValue, type Timestamp, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { activeProfile, changeProfile, profileToChange } from "./change.ts";
import type { GroupUserRequest, InGroup } from "./contract.ts";
import { cannotAsk, notYourself } from "./friends.ts";
import { forgetProfile } from "./look-up.ts";
import { groupOwnedBy, prepareLeaving } from "./membership.ts";
import { MAX_INVITATIONS, profiles, type Relations, relations } from "./records.ts";
import { readRelations, relationTo } from "./related.ts";

/** What owners of groups decide: who may join, and who has to go. */

type Input = z.output<typeof GroupUserRequest>;

const VALID_MILLIS = 30 * 86_400_000;

/**
 * Lets somebody join a closed group within 30 days. Who has 50 invitations loses those that are over, and else the oldest.
 * Bill: four reads, one write. Refuses `unknown-group`, `not-group-owner`, `unknown-user`, `not-yourself`, `cannot-ask` (they block the
 * owner), `no-profile`, `user-banned`.
 */
export async function inviteToGroup({ uid }: Caller, { group, user }: Input): Promise<InGroup> {
  if (uid === user) throw notYourself();
  return await transact(async (tx) => {
    await activeProfile(tx, uid);
    await groupOwnedBy(tx, group, uid);
    const invited = await profileToChange(tx, user);
    const theirs = await readRelations(tx, user);
    if (relationTo(theirs, uid) === "blocked") throw cannotAsk();
    if (invited.group === group || mayJoin(theirs, group)) return { group, repeated: true };
    const invitations = { ...kept(theirs), [group]: timestamp() };
    tx.set(relations().doc(user), { invitations }, { mergeFields: ["invitations"] });
    return { group, repeated: false };
  });
}

/**
 * Sends a member away, or takes an invitation back. Bill: three reads, of a member four writes, of an invitation one.
 * Refuses `unknown-group`, `not-group-owner`, `not-yourself`.
 */
export async function removeFromGroup({ uid }: Caller, { group, user }: Input): Promise<InGroup> {
  if (uid === user) throw notYourself();
  const removed = await transact(async (tx) => {
    await groupOwnedBy(tx, group, uid);
    const profile = (await tx.get(profiles().doc(user))).data();
    if (profile?.group !== group) return await takeBack(tx, user, group);
    const leave = await prepareLeaving(tx, group, user);
    leave();
    changeProfile(tx, user, profile, { group: null });
    return true;
  });
  if (removed) await forgetProfile(user);
  return { group, repeated: !removed };
}

async function takeBack(tx: Transaction, user: string, group: string): Promise<boolean> {
  const { invitations } = await readRelations(tx, user);
  if (!Object.hasOwn(invitations, group)) return false;
  useInvitation(tx, user, group);
  return true;
}

/** Whether somebody has an invitation to a group that is not over. */
export function mayJoin({ invitations }: Relations, group: string): boolean {
  const since = Object.hasOwn(invitations, group) ? invitations[group] : undefined;
  return since !== undefined && isValid(since);
}

/** Takes an invitation out of a document that is there. One write. */
export function useInvitation(tx: Transaction, uid: string, group: string): void {
  tx.update(relations().doc(uid), new FieldPath("invitations", group), FieldValue.delete());
}

/** Invitations that are not over, so many that there is room for another. */
function kept({ invitations }: Relations): Record<string, Timestamp> {
  return Object.fromEntries(
    Object.entries(invitations)
      .filter(([, since]) => isValid(since))
      .sort(([, a], [, b]) => b.toMillis() - a.toMillis())
      .slice(0, MAX_INVITATIONS - 1),
  );
}

function isValid(since: Timestamp): boolean {
  return since.toMillis() + VALID_MILLIS > now();
}
