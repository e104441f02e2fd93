import * as z from "zod";
import { cached, forget } from "../platform/cache.ts";
import { FieldValue, getAll, type Transaction, timestamp } from "../platform/firestore.ts";
import { type Relation, type Relations, relations } from "./records.ts";

/** The two sides of what people are to each other, read and written as one. */

const NOTHING: Relations = { others: {}, invitations: {} };

/** What two users are to each other, as `me` sees it. */
export interface Pair {
  readonly me: string;
  readonly them: string;
  readonly mine: Relations;
  readonly theirs: Relations;
}

export interface Sides {
  /** What the other is to me; undefined: nothing. */
  readonly mine: Relation | undefined;
  readonly theirs: Relation | undefined;
}

/** Both sides of a pair. Two reads. */
export async function readPair(tx: Transaction, me: string, them: string): Promise<Pair> {
  const found = await getAll(tx, relations(), [me, them]);
  return { me, them, mine: found.get(me) ?? NOTHING, theirs: found.get(them) ?? NOTHING };
}

/** One side. One read. */
export async function readRelations(tx: Transaction, uid: string): Promise<Relations> {
  return (await tx.get(relations().doc(uid))).data() ?? NOTHING;
}

export function sidesOf({ me, them, mine, theirs }: Pair): Sides {
  return { mine: relationTo(mine, them), theirs: relationTo(theirs, me) };
}

/** What another is to somebody. */
export function relationTo({ others }: Relations, user: string): Relation | undefined {
  // Some ids are names of what every object has.
  return Object.hasOwn(others, user) ? others[user]?.is : undefined;
}

/** Writes what differs from what was read: one write for each side. */
export function writePair(tx: Transaction, pair: Pair, after: Sides): void {
  const before = sidesOf(pair);
  if (after.mine !== before.mine) writeSide(tx, pair.me, pair.them, after.mine);
  if (after.theirs !== before.theirs) writeSide(tx, pair.them, pair.me, after.theirs);
}

function writeSide(tx: Transaction, of: string, other: string, is: Relation | undefined): void {
  const value = is === undefined ? FieldValue.delete() : { is, since: timestamp() };
  tx.set(relations().doc(of), { others: { [other]: value } }, { merge: true });
}

export function count({ others }: Relations, relation: Relation): number {
  return Object.values(others).filter(({ is }) => is === relation).length;
}

/** Takes others out of a document that is there. One write, however many they are. */
export function dropOthers(tx: Transaction, of: string, others: readonly string[]): void {
  const gone = Object.fromEntries(others.map((other) => [other, FieldValue.delete()]));
  tx.set(relations().doc(of), { others: gone }, { merge: true });
}

const FRESH = { processSeconds: 10, redisSeconds: 60 };

/** The ids of a user's friends, 500 at most, in no order. Up to a minute late. One read in a while, however many they are. */
export async function friendsOf(uid: string): Promise<readonly string[]> {
  const friends = await cached(cacheKey(uid), FRESH, z.array(z.string()), async () => {
    const { others } = (await relations().doc(uid).get()).data() ?? NOTHING;
    return Object.keys(others).filter((other) => others[other]?.is === "friend");
  });
  return friends ?? [];
}

/** Has users' friends read anew the next time. */
export async function forgetFriends(...uids: readonly string[]): Promise<void> {
  await Promise.all(uids.map((uid) => forget(cacheKey(uid))));
}

function cacheKey(uid: string): string {
  return `user:${uid}:friends`;
}
