import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { deeds } from "../platform/audit.ts";
import { now, setClock } from "../platform/clock.ts";
import { firestore, timestamp } from "../platform/firestore.ts";
import { deliver, outbox } from "../platform/outbox.ts";
import { seal, unseal } from "../platform/seal.ts";
import { erase, forgetRelations } from "./erase.ts";
import { acceptFriend, askFriend, block } from "./friends.ts";
import { createGroup, joinGroup } from "./groups.ts";
import { friendsOf, profileOf, subscribers, USER_ERASED } from "./index.ts";
import { inviteToGroup } from "./invitations.ts";
import { findByHandle } from "./look-up.ts";
import { myProfile, updateProfile } from "./own.ts";
import { groups, MAX_FRIENDS, MAX_REQUESTS, type Relations, relations } from "./records.ts";
import { shadowBan } from "./sanction.ts";

const backend = useBackend();

const olga = someone();
const note = "asked for it";

async function person(name?: string) {
  const caller = someone(name);
  await myProfile(caller);
  return caller;
}

/** Every event that the outbox holds, as its trigger would. */
async function deliverAll(): Promise<void> {
  for (const { id } of (await outbox().get()).docs) await deliver(id, subscribers);
}

/** All that is stored, by path. */
async function everything(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const walk = async (collections: FirebaseFirestore.CollectionReference[]): Promise<void> => {
    for (const collection of collections) {
      for (const document of await collection.listDocuments()) {
        const data = (await document.get()).data();
        if (data) found.set(document.path, JSON.stringify(data));
        await walk(await document.listCollections());
      }
    }
  };
  await walk(await firestore().listCollections());
  return found;
}

describe("a user who is erased", () => {
  test("leaves nothing personal, and their id only where it names nobody", async () => {
    const ada = await person("Ada Byron");
    await updateProfile(ada, { picture: "https://example.com/byron.png", country: "GB" });
    const [bo, cy, di, ed] = [await person(), await person(), await person(), await person()];
    await askFriend(ada, { user: bo.uid });
    await acceptFriend(bo, { user: ada.uid });
    await askFriend(ada, { user: cy.uid });
    await askFriend(di, { user: ada.uid });
    await block(ada, { user: ed.uid });
    await block(ed, { user: ada.uid });
    const { group } = await createGroup(ada, { key: "group", name: "Foxes", isOpen: true });
    await joinGroup(bo, { group });
    const { group: other } = await createGroup(cy, { key: "group", name: "Wolves", isOpen: false });
    await inviteToGroup(cy, { group: other, user: ada.uid });
    await shadowBan(olga, { user: ada.uid, note });
    const sealed = await seal(ada.uid, "here", "Augusta Ada King");
    expect(await friendsOf(bo.uid)).toEqual([ada.uid]);

    const { result, bill } = await backend.billed(() => erase(olga, { user: ada.uid, note }));
    expect(result).toEqual({ repeated: false });
    expect(bill).toEqual({ reads: 6, writes: 4, deletes: 4 });
    await deliverAll();

    expect(await profileOf(ada.uid)).toBeUndefined();
    expect(await unseal(ada.uid, "here", sealed)).toBeUndefined();
    await expect(findByHandle(bo, { handle: "Ada Byron" })).rejects.toMatchObject({ reason: "unknown-user" });
    expect([await friendsOf(bo.uid), await friendsOf(ada.uid)]).toEqual([[], []]);
    expect((await groups().doc(group).get()).data()).toMatchObject({ owner: bo.uid, members: 1 });
    const left = await everything();
    for (const [path, data] of left) expect(`${path} ${data}`).not.toMatch(/byron|augusta/i);
    const naming = [...left].filter(([path, data]) => `${path} ${data}`.includes(ada.uid)).map(([path]) => path);
    const kinds = new Set(naming.map((path) => path.split("/")[0]));
    expect(kinds).toEqual(new Set(["audit", "keys", "outbox", "relations"]));
    expect(naming.filter((path) => path.startsWith("relations/"))).toEqual([`relations/${ed.uid}`]);
  });

  test("does not come back with a token that is still good, nor does anybody reach them", async () => {
    const [ada, bo] = [await person("Ada"), await person()];
    await erase(olga, { user: ada.uid, note });
    await expect(myProfile(ada)).rejects.toMatchObject({ reason: "user-erased" });
    await expect(block(ada, { user: bo.uid })).rejects.toMatchObject({ reason: "no-profile" });
    await expect(askFriend(ada, { user: bo.uid })).rejects.toMatchObject({ reason: "no-profile" });
    await expect(askFriend(bo, { user: ada.uid })).rejects.toMatchObject({ reason: "unknown-user" });
    await expect(updateProfile(ada, { country: "DE" })).rejects.toMatchObject({ reason: "no-profile" });
  });

  test("is erased once, told once and written down once, whether they had a profile or not", async () => {
    const ada = await person();
    const nameless = someone();
    for (const user of [ada.uid, nameless.uid]) {
      const results = await Promise.all([1, 2, 3].map(() => erase(olga, { user, note })));
      expect(results.map(({ repeated }) => repeated).sort()).toEqual([false, true, true]);
      expect(await deeds({ subject: `users/${user}` }, { limit: 5 })).toMatchObject([
        { record: { action: "identity/erase", by: olga.uid, note } },
      ]);
      const told = (await outbox().where("type", "==", USER_ERASED).get()).docs;
      expect(told.filter((event) => event.data().data.user === user)).toHaveLength(1);
    }
    await expect(erase(olga, { user: olga.uid, note })).rejects.toMatchObject({ reason: "own-account" });
  });

  test("is told of once more, and that written down, when they are erased again ten minutes later", async () => {
    const ada = await person();
    const again = (why: string) => erase(olga, { user: ada.uid, note: why });
    await again(note);
    const restoreClock = setClock(now() + 10 * 60_000);
    try {
      for (let i = 0; i < 3; i++) expect(await again("boards gave up")).toEqual({ repeated: true });
    } finally {
      restoreClock();
    }
    const notes = (await deeds({ subject: `users/${ada.uid}` }, { limit: 5 })).map(({ record }) => record.note);
    expect(notes).toEqual(["boards gave up", note]);
    const told = (await outbox().where("type", "==", USER_ERASED).get()).docs;
    expect(told.filter((event) => event.data().data.user === ada.uid)).toHaveLength(2);
  });

  test("is let go of by as many as there can be, in pages, and once more by nobody", async () => {
    const ada = await person();
    const others: Relations["others"] = {};
    const writes = firestore().batch();
    const kinds = [
      ...Array.from({ length: MAX_FRIENDS }, () => ["friend", "friend"] as const),
      ...Array.from({ length: MAX_REQUESTS }, () => ["asked", "asking"] as const),
      ...Array.from({ length: MAX_REQUESTS }, () => ["asking", "asked"] as const),
    ];
    for (const [i, [mine, theirs]] of kinds.entries()) {
      others[`other-${i}`] = { is: mine, since: timestamp() };
      const facing = {
        [ada.uid]: { is: theirs, since: timestamp() },
        bo: { is: "friend" as const, since: timestamp() },
      };
      // One of them is gone, too.
      if (i > 0) writes.set(relations().doc(`other-${i}`), { others: facing, invitations: {} });
    }
    writes.set(relations().doc(ada.uid), { others, invitations: {} });
    await writes.commit();
    await erase(olga, { user: ada.uid, note });
    const { bill } = await backend.billed(() => forgetRelations(ada.uid));
    // Each of the others once, their own document for each of seven pages and once deleted.
    expect(bill).toEqual({ reads: kinds.length + 7, writes: kinds.length - 1 + 6, deletes: 1 });
    const left = (await relations().get()).docs.filter(({ id }) => /^other-/.test(id));
    expect(left).toHaveLength(kinds.length - 1);
    for (const document of left) expect(Object.keys(document.data().others)).toEqual(["bo"]);
    expect((await relations().doc(ada.uid).get()).exists).toBe(false);
    expect((await backend.billed(() => forgetRelations(ada.uid))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });
});
