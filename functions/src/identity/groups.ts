import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { Failure, keyReused } from "../platform/failure.ts";
import { FieldPath, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { activeProfile, changeProfile } from "./change.ts";
import type { CreateGroup, GroupRequest, InGroup, Members, MembersRequest } from "./contract.ts";
import { cleaned } from "./handle.ts";
import { mayJoin, useInvitation } from "./invitations.ts";
import { forgetProfile } from "./look-up.ts";
import { enter, groupOf, prepareLeaving } from "./membership.ts";
import { groups, MAX_MEMBERS, members, type ProfileRecord, profiles } from "./records.ts";
import { readRelations } from "./related.ts";

/**
 * Makes a group that the caller owns and is in; once for each key, for as long as the group is there. Bill: two reads, four writes.
 * Refuses `in-a-group`, `idempotency-key-reused`, `no-profile`, `user-banned`.
 */
export async function createGroup(
  { uid }: Caller,
  { key, name, isOpen }: z.output<typeof CreateGroup>,
): Promise<InGroup> {
  const id = deterministicId("group", uid, key);
  const wanted = { name: cleaned(name), isOpen };
  return await entering(uid, id, async (tx) => {
    const known = (await tx.get(groups().doc(id))).data();
    const profile = await activeProfile(tx, uid);
    if (known && (profile.group !== id || known.name !== wanted.name || known.isOpen !== isOpen)) throw keyReused();
    checkFree(profile, id);
    return {
      profile,
      write: () => {
        const createdAt = timestamp();
        tx.create(groups().doc(id), { ...wanted, owner: uid, members: 1, createdAt });
        tx.create(members(id).doc(uid), { joinedAt: createdAt });
      },
    };
  });
}

/**
 * Joins a group that is open, or that the caller was invited to, which uses up the invitation. Bill: two reads, four writes; a closed one a read and a
 * write more. Refuses `unknown-group`, `in-a-group`, `not-invited`, `group-full`, `no-profile`, `user-banned`.
 */
export async function joinGroup({ uid }: Caller, { group: id }: z.output<typeof GroupRequest>): Promise<InGroup> {
  return await entering(uid, id, async (tx) => {
    const [profile, group] = [await activeProfile(tx, uid), await groupOf(tx, id)];
    checkFree(profile, id);
    const isInvited = !group.isOpen && profile.group !== id && mayJoin(await readRelations(tx, uid), id);
    return {
      profile,
      write: () => {
        if (!group.isOpen && !isInvited) {
          throw new Failure("permission-denied", "The group is closed.", { reason: "not-invited" });
        }
        if (group.members >= MAX_MEMBERS) {
          throw new Failure("failed-precondition", "The group is full.", { reason: "group-full", limit: MAX_MEMBERS });
        }
        enter(tx, id, uid);
        if (isInvited) useInvitation(tx, uid, id);
      },
    };
  });
}

/**
 * Leaves a group; who is not in it has left. An owner's group goes to who has been in it longest.
 * Bill: two reads, for an owner up to two more; four writes.
 */
export async function leaveGroup({ uid }: Caller, { group: id }: z.output<typeof GroupRequest>): Promise<InGroup> {
  const left = await transact(async (tx) => {
    const profile = (await tx.get(profiles().doc(uid))).data();
    if (profile?.group !== id) return false;
    const leave = await prepareLeaving(tx, id, uid);
    leave();
    changeProfile(tx, uid, profile, { group: null });
    return true;
  });
  if (left) await forgetProfile(uid);
  return { group: id, repeated: !left };
}

/** A page of who is in a group, by id. One read for each. */
export async function listMembers(
  _caller: Caller,
  { group, limit, cursor }: z.output<typeof MembersRequest>,
): Promise<Members> {
  let query = members(group).orderBy(FieldPath.documentId()).limit(limit);
  if (cursor !== undefined) query = query.startAfter(cursor);
  const { docs } = await query.get();
  const last = docs.at(-1);
  return {
    members: docs.map((member) => ({ user: member.id, joinedAt: member.data().joinedAt.toMillis() })),
    ...(last && docs.length === limit ? { nextCursor: last.id } : {}),
  };
}

/** Has somebody enter a group, unless they are in it. */
async function entering(
  uid: string,
  id: string,
  prepare: (tx: Transaction) => Promise<{ profile: ProfileRecord; write: () => void }>,
): Promise<InGroup> {
  const entered = await transact(async (tx) => {
    const { profile, write } = await prepare(tx);
    if (profile.group === id) return false;
    write();
    changeProfile(tx, uid, profile, { group: id });
    return true;
  });
  if (entered) await forgetProfile(uid);
  return { group: id, repeated: !entered };
}

function checkFree({ group }: ProfileRecord, id: string): void {
  if (group === undefined || group === id) return;
  throw new Failure("failed-precondition", "Leave your group first.", { reason: "in-a-group" });
}
