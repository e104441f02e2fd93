import type * as z from "zod";
import { audit, auditId, writeDown } from "../platform/audit.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { getAll, type Transaction, transact } from "../platform/firestore.ts";
import { destroyKey } from "../platform/keys/data-keys.ts";
import { log } from "../platform/log.ts";
import { emit } from "../platform/outbox.ts";
import type { Erased, SanctionRequest } from "./contract.ts";
import { USER_ERASED } from "./events.ts";
import { folded } from "./handle.ts";
import { forgetProfile } from "./look-up.ts";
import { prepareLeaving } from "./membership.ts";
import { handles, MAX_FRIENDS, MAX_REQUESTS, profiles, relations, sanctions } from "./records.ts";
import { dropOthers, forgetFriends, relationTo } from "./related.ts";
import { checkOther } from "./sanction.ts";

const ACTION = "identity/erase";
/** Whoever asks again so much later wants more than the answer. */
const AGAIN_MILLIS = 10 * 60_000;

/**
 * Erases a user for good: what was sealed for them opens no more, their profile, handle and place in a group are gone, and other modules hear of
 * it. Friends lose them when that event is delivered. Ids stay in the books, and in lists of those who blocked them; they name nobody then.
 * Asked for again ten minutes later or more, other modules hear of it once more, as of something new: for when one of them has given up.
 * Bill: three reads, three writes and three deletions; for a group up to three reads, a write and a deletion more. Refuses `own-account`.
 */
export async function erase({ uid: by }: Caller, { user, note }: z.output<typeof SanctionRequest>): Promise<Erased> {
  checkOther(by, user);
  // Before the profile, which is made for nobody whose key is destroyed.
  await destroyKey(user);
  const repeated = await transact(async (tx) => {
    const deed = { key: user, by, action: ACTION, subject: `users/${user}`, note };
    const tell = (key: string) => {
      writeDown(tx, { ...deed, key });
      emit(tx, { type: USER_ERASED, key, data: { user } });
    };
    const done = (await tx.get(audit().doc(auditId(deed)))).data();
    if (done) {
      const key = `${user} ${Math.floor(now() / AGAIN_MILLIS)}`;
      const isNew = now() - done.at.toMillis() >= AGAIN_MILLIS;
      if (isNew && !(await tx.get(audit().doc(auditId({ ...deed, key })))).exists) tell(key);
      return true;
    }
    await eraseProfile(tx, user);
    tell(user);
    return false;
  });
  await forgetProfile(user);
  log.info("user erased", { user, by, repeated });
  return { repeated };
}

async function eraseProfile(tx: Transaction, user: string): Promise<void> {
  const profile = (await tx.get(profiles().doc(user))).data();
  const leave = profile?.group === undefined ? undefined : await prepareLeaving(tx, profile.group, user);
  leave?.();
  if (profile) tx.delete(handles().doc(folded(profile.handle)));
  tx.delete(profiles().doc(user));
  tx.delete(sanctions().doc(user));
}

const PAGE = 100;
const MAX_PAGES = Math.ceil((MAX_FRIENDS + 2 * MAX_REQUESTS) / PAGE);

/**
 * Takes a user who was erased out of the lists of friends and of those whom they asked or were asked by, and deletes their own. Nobody can be
 * added to it any more, because they have no profile. Again: nothing. Bill: a read and a write for each, a read and a write for every 100 of them.
 */
export async function forgetRelations(user: string): Promise<void> {
  for (let page = 0; page < MAX_PAGES; page++) {
    const { dropped, isLast } = await transact((tx) => dropPage(tx, user));
    await forgetFriends(user, ...dropped);
    if (isLast) return;
  }
  throw new Error("a user has more relations than there can be");
}

/** Lets go of up to a page of others; with the last of them, of the user's own document. */
async function dropPage(tx: Transaction, user: string): Promise<{ dropped: string[]; isLast: boolean }> {
  const own = await tx.get(relations().doc(user));
  const { others = {} } = own.data() ?? {};
  const all = Object.keys(others).filter((other) => others[other]?.is !== "blocked");
  const dropped = all.slice(0, PAGE);
  const theirs = await getAll(tx, relations(), dropped);
  for (const other of dropped) {
    const facing = theirs.get(other);
    if (facing && relationTo(facing, user)) dropOthers(tx, other, [user]);
  }
  const isLast = dropped.length === all.length;
  if (!isLast) dropOthers(tx, user, dropped);
  else if (own.exists) tx.delete(own.ref);
  return { dropped, isLast };
}
