import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { deeds } from "../platform/audit.ts";
import { outbox } from "../platform/outbox.ts";
import { admin, api } from "./endpoint.ts";
import { friendsOf, PROFILE_CHANGED, profileOf } from "./index.ts";
import { listProfiles } from "./look-up.ts";
import { myProfile, updateProfile } from "./own.ts";
import { profiles } from "./records.ts";
import { ban, shadowBan, unban } from "./sanction.ts";

const backend = useBackend();

const olga = someone();
const note = "plays with a script";

async function person(): Promise<string> {
  const { uid } = someone();
  await myProfile({ uid });
  return uid;
}

const stored = async (uid: string) => (await profiles().doc(uid).get()).data();
const shown = async (uid: string) => (await listProfiles(someone(), { users: [uid] })).profiles[0];
const changes = async (uid: string) => {
  const { docs } = await outbox().where("type", "==", PROFILE_CHANGED).get();
  return docs.filter((event) => event.data().data.user === uid).length;
};

describe("a user", () => {
  test("who is banned is shown as banned, and does nothing that others see", async () => {
    const user = await person();
    await profileOf(user);
    const { result, bill } = await backend.billed(() => ban(olga, { user, note }));
    expect(result).toEqual({ state: "banned", repeated: false });
    expect(bill).toEqual({ reads: 2, writes: 4, deletes: 0 });
    expect([await profileOf(user), await shown(user), await myProfile({ uid: user })]).toMatchObject([
      { state: "banned" },
      { state: "banned" },
      { state: "banned" },
    ]);
    await expect(updateProfile({ uid: user }, { country: "DE" })).rejects.toMatchObject({ reason: "user-banned" });
  });

  test("who is shadow-banned is to nobody but other modules anything but what they were", async () => {
    const user = await person();
    const [before, seen, own] = [await stored(user), await shown(user), await myProfile({ uid: user })];
    const { result, bill } = await backend.billed(() => shadowBan(olga, { user, note }));
    expect(result).toEqual({ state: "shadow-banned", repeated: false });
    expect(bill).toEqual({ reads: 2, writes: 3, deletes: 0 });
    expect(await profileOf(user)).toMatchObject({ state: "shadow-banned" });
    expect([await stored(user), await shown(user), await myProfile({ uid: user })]).toEqual([before, seen, own]);
    expect(await updateProfile({ uid: user }, { country: "DE" })).toMatchObject({ state: "active", country: "DE" });
    expect(await profileOf(user)).toMatchObject({ state: "shadow-banned", country: "DE" });
  });

  test("goes from any of the three to any other, each told and written down once", async () => {
    const user = await person();
    const acts = { banned: ban, "shadow-banned": shadowBan, active: unban };
    const way = ["active", "banned", "banned", "shadow-banned", "banned", "active", "shadow-banned", "active"] as const;
    const repeated = [];
    for (const state of way) {
      repeated.push((await acts[state](olga, { user, note })).repeated);
      expect((await profileOf(user))?.state ?? "none").toBe(state);
      expect((await stored(user))?.state).toBe(state === "banned" ? "banned" : "active");
    }
    expect(repeated).toEqual([true, false, true, false, false, false, false, false]);
    const written = await deeds({ subject: `users/${user}` }, { limit: 20 });
    expect(written.map(({ record }) => record.action).sort()).toEqual([
      "identity/ban",
      "identity/ban",
      "identity/shadow-ban",
      "identity/shadow-ban",
      "identity/unban",
      "identity/unban",
    ]);
    for (const { record } of written) expect(record).toMatchObject({ by: olga.uid, note });
    // Its making is told, too.
    expect(await changes(user)).toBe(1 + 6);
  });

  test("who is not there, or is the operator themselves, is not judged", async () => {
    for (const act of [ban, shadowBan, unban]) {
      await expect(act(olga, { user: "nobody", note })).rejects.toMatchObject({ reason: "unknown-user" });
      await expect(act(olga, { user: olga.uid, note })).rejects.toMatchObject({ reason: "own-account" });
    }
    expect(await friendsOf("nobody")).toEqual([]);
  });
});

test("sanctions and erasing are for operators, all else for users", () => {
  expect(new Set(Object.values(admin).map(({ access }) => access))).toEqual(new Set(["admin"]));
  expect(new Set(Object.values(api).map(({ access }) => access))).toEqual(new Set(["user"]));
});
