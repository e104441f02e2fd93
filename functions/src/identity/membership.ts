import { Failure } from "../platform/failure.ts";
import { FieldPath, FieldValue, type Transaction, timestamp } from "../platform/firestore.ts";
import { type Group, groups, members } from "./records.ts";

/** Who is in which group: what joining and leaving write besides the profile. */

/** A group. One read. Refuses `unknown-group`. */
export async function groupOf(tx: Transaction, id: string): Promise<Group> {
  const group = (await tx.get(groups().doc(id))).data();
  if (!group) throw new Failure("not-found", "There is no such group.", { reason: "unknown-group" });
  return group;
}

/** A group that somebody decides over. One read. Refuses `unknown-group` and `not-group-owner`. */
export async function groupOwnedBy(tx: Transaction, id: string, owner: string): Promise<Group> {
  const group = await groupOf(tx, id);
  if (group.owner === owner) return group;
  throw new Failure("permission-denied", "Only the group's owner may do this.", { reason: "not-group-owner" });
}

/** Adds a member. Two writes. */
export function enter(tx: Transaction, id: string, uid: string): void {
  tx.update(groups().doc(id), { members: FieldValue.increment(1) });
  tx.create(members(id).doc(uid), { joinedAt: timestamp() });
}

/**
 * Reads what there is to know for somebody to leave their group; the function that is returned writes it. An owner's group goes to who has been in it
 * longest, and with its last member it is gone. One read, for an owner one or two more; two writes.
 */
export async function prepareLeaving(tx: Transaction, id: string, uid: string): Promise<() => void> {
  const reference = groups().doc(id);
  const group = await groupOf(tx, id);
  const heir = group.owner === uid ? await heirOf(tx, id, uid) : group.owner;
  return () => {
    if (heir === undefined) tx.delete(reference);
    else tx.update(reference, { owner: heir, members: FieldValue.increment(-1) });
    tx.delete(members(id).doc(uid));
  };
}

/** The member who has been in the group longest, but for its owner. */
async function heirOf(tx: Transaction, id: string, owner: string): Promise<string | undefined> {
  const query = members(id).orderBy("joinedAt").orderBy(FieldPath.documentId()).limit(2);
  return (await tx.get(query)).docs.find((member) => member.id !== owner)?.id;
}
