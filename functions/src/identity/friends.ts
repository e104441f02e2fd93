import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { Failure, type Reason } from "../platform/failure.ts";
import { type Transaction, transact } from "../platform/firestore.ts";
import { activeProfile, ownProfile, profileToChange } from "./change.ts";
import type { Friends, FriendsRequest, Related, UserRequest } from "./contract.ts";
import { MAX_BLOCKED, MAX_FRIENDS, MAX_REQUESTS, relations } from "./records.ts";
import { count, forgetFriends, type Pair, readPair, type Sides, sidesOf, writePair } from "./related.ts";

type Input = z.output<typeof UserRequest>;

const STRANGERS: Sides = { mine: undefined, theirs: undefined };
const FRIENDS: Sides = { mine: "friend", theirs: "friend" };

/**
 * Asks somebody to be the caller's friend; of two who ask each other both are. Bill: four reads, two writes.
 * Refuses `not-yourself`, `unknown-user`, `user-blocked`, `cannot-ask` (they block the caller, or are asked by too many; which one is not said),
 * `too-many-requests`, `too-many-friends`, `no-profile`, `user-banned`.
 */
export async function askFriend({ uid }: Caller, { user }: Input): Promise<Related> {
  return await relate(uid, user, {
    check: async (tx) => {
      await activeProfile(tx, uid);
      await profileToChange(tx, user);
    },
    next: asked,
  });
}

function asked(pair: Pair): Sides {
  const before = sidesOf(pair);
  if (before.mine === "friend" || before.mine === "asked") return before;
  if (before.mine === "asking") return befriended(pair);
  if (before.mine === "blocked") throw refusal("user-blocked", "You block this user.");
  if (before.theirs === "blocked" || count(pair.theirs, "asking") >= MAX_REQUESTS) throw cannotAsk();
  if (count(pair.mine, "asked") >= MAX_REQUESTS) {
    throw refusal("too-many-requests", "Too many have not answered yet.", MAX_REQUESTS);
  }
  return { mine: "asked", theirs: "asking" };
}

/** Accepts who asks. Bill: two reads, two writes. Refuses `unknown-request`, `too-many-friends`, `not-yourself`. */
export async function acceptFriend({ uid }: Caller, { user }: Input): Promise<Related> {
  return await relate(uid, user, {
    next: (pair) => {
      const { mine } = sidesOf(pair);
      if (mine === "friend") return FRIENDS;
      if (mine === "asking") return befriended(pair);
      throw new Failure("not-found", "This user does not ask.", { reason: "unknown-request" });
    },
  });
}

/** Sends away who asks; they may ask again. Bill: two reads, two writes. Refuses `not-yourself`. */
export async function declineFriend({ uid }: Caller, { user }: Input): Promise<Related> {
  return await relate(uid, user, {
    next: (pair) => (sidesOf(pair).mine === "asking" ? STRANGERS : sidesOf(pair)),
  });
}

/** Ends a friendship, or takes back what the caller has asked. Bill: two reads, two writes. Refuses `not-yourself`. */
export async function removeFriend({ uid }: Caller, { user }: Input): Promise<Related> {
  return await relate(uid, user, {
    next: (pair) => {
      const before = sidesOf(pair);
      return before.mine === "friend" || before.mine === "asked" ? STRANGERS : before;
    },
  });
}

/**
 * Keeps somebody away: what they were to the caller ends, and they cannot ask or invite. They see that there is nothing, and not why.
 * Bill: three reads, one write, and another if they were anything. Refuses `too-many-blocked`, `not-yourself`, `no-profile`.
 */
export async function block({ uid }: Caller, { user }: Input): Promise<Related> {
  return await relate(uid, user, {
    // Who has been erased must not come back with a list of their own.
    check: async (tx) => {
      await ownProfile(tx, uid);
    },
    next: (pair) => {
      const { mine, theirs } = sidesOf(pair);
      if (mine !== "blocked" && count(pair.mine, "blocked") >= MAX_BLOCKED) {
        throw refusal("too-many-blocked", "So many cannot be blocked.", MAX_BLOCKED);
      }
      return { mine: "blocked", theirs: theirs === "blocked" ? "blocked" : undefined };
    },
  });
}

/** Lets somebody ask again, who is nothing to the caller then. Bill: two reads, one write. Refuses `not-yourself`. */
export async function unblock({ uid }: Caller, { user }: Input): Promise<Related> {
  return await relate(uid, user, {
    next: (pair) => {
      const { mine, theirs } = sidesOf(pair);
      return { mine: mine === "blocked" ? undefined : mine, theirs };
    },
  });
}

/** A page of those who are something to the caller. One read, however many they are. */
export async function listFriends(
  { uid }: Caller,
  { relation, limit, cursor = "" }: z.output<typeof FriendsRequest>,
): Promise<Friends> {
  const others = (await relations().doc(uid).get()).data()?.others ?? {};
  const found = Object.entries(others)
    .filter(([user, { is }]) => is === relation && user > cursor)
    .map(([user, { since }]) => ({ user, since: since.toMillis() }))
    .sort((a, b) => (a.user < b.user ? -1 : 1));
  const users = found.slice(0, limit);
  const last = users.at(-1);
  return { users, ...(last && found.length > limit ? { nextCursor: last.user } : {}) };
}

interface Step {
  /** What else has to be so; reads only. */
  readonly check?: (tx: Transaction) => Promise<void>;
  /** What both are to each other afterwards, or a refusal. */
  readonly next: (pair: Pair) => Sides;
}

/** Takes a step between two users. It goes by what they are, so taking it again does nothing. */
async function relate(me: string, them: string, { check, next }: Step): Promise<Related> {
  if (me === them) throw notYourself();
  const { before, after } = await transact(async (tx) => {
    await check?.(tx);
    const pair = await readPair(tx, me, them);
    const sides = next(pair);
    writePair(tx, pair, sides);
    return { before: sidesOf(pair), after: sides };
  });
  if ((before.mine === "friend") !== (after.mine === "friend")) await forgetFriends(me, them);
  return {
    ...(after.mine === undefined ? {} : { relation: after.mine }),
    repeated: before.mine === after.mine && before.theirs === after.theirs,
  };
}

function befriended({ mine, theirs }: Pair): Sides {
  if (Math.max(count(mine, "friend"), count(theirs, "friend")) >= MAX_FRIENDS) {
    throw refusal("too-many-friends", "One of you has as many friends as one can have.", MAX_FRIENDS);
  }
  return FRIENDS;
}

/** One answer for several causes, so that nobody learns from it who blocks them. */
export function cannotAsk(): Failure {
  return refusal("cannot-ask", "This user cannot be asked now.");
}

export function notYourself(): Failure {
  return new Failure("invalid-argument", "This cannot be done to oneself.", { reason: "not-yourself", field: "user" });
}

function refusal(reason: Reason, message: string, limit?: number): Failure {
  return new Failure("failed-precondition", message, { reason, ...(limit === undefined ? {} : { limit }) });
}
