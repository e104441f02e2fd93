import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { setClock } from "../platform/clock.ts";
import { parseInput } from "../platform/endpoint.ts";
import { outbox } from "../platform/outbox.ts";
import { FindRequest, ProfilesRequest, UpdateRequest } from "./contract.ts";
import { folded } from "./handle.ts";
import { currentProfileOf, PROFILE_CHANGED, type Profile, profileOf, profilesOf } from "./index.ts";
import { findByHandle, listProfiles } from "./look-up.ts";
import { myProfile, updateProfile } from "./own.ts";
import { handles, profiles } from "./records.ts";

const backend = useBackend();

const START = 1_800_000_000_000;
const DAY = 86_400_000;
let back: () => void;
const at = (millis: number) => {
  setClock(millis);
};
beforeEach(() => {
  back = setClock(START);
});
afterEach(() => back());

let count = 0;
/** A handle that nobody has yet. */
const fresh = () => `Somebody ${++count}`;
const update = (uid: string, change: object) => updateProfile({ uid }, parseInput(UpdateRequest, change));
const find = (handle: string) => findByHandle(someone(), parseInput(FindRequest, { handle }));
const ownerOf = async (handle: string) => (await handles().doc(folded(handle)).get()).data()?.user;
const changesOf = async (uid: string) => {
  const { docs } = await outbox().where("type", "==", PROFILE_CHANGED).get();
  return docs.filter((event) => event.data().data.user === uid).length;
};

describe("a profile", () => {
  test("is made at the first call, from what the token says, and is the same at the next", async () => {
    const ada = { ...someone("Ada"), picture: "https://example.com/ada.png" };
    const { result: made, bill } = await backend.billed(() => myProfile(ada));
    expect(made).toEqual({
      user: ada.uid,
      handle: "Ada",
      picture: "https://example.com/ada.png",
      state: "active",
      createdAt: START,
    });
    expect(bill).toEqual({ reads: 4, writes: 3, deletes: 0 });
    const again = await backend.billed(() => myProfile({ ...ada, name: "Somebody else" }));
    expect(again).toEqual({ result: made, bill: { reads: 1, writes: 0, deletes: 0 } });
    expect(await ownerOf("ADA")).toBe(ada.uid);
    expect(await changesOf(ada.uid)).toBe(1);
  });

  test("is made once, however many ask at the same time, each with a handle of their own", async () => {
    const bo = someone("Bo Diddley");
    const made = await Promise.all(Array.from({ length: 6 }, () => myProfile(bo)));
    expect(new Set(made.map(({ handle }) => handle))).toEqual(new Set(["Bo Diddley"]));
    const namesakes = await Promise.all(Array.from({ length: 6 }, () => myProfile(someone("BO DIDDLEY"))));
    const names = namesakes.map(({ handle }) => handle);
    expect(new Set(names).size).toBe(6);
    for (const [i, { user }] of namesakes.entries()) expect(await ownerOf(names[i] ?? "")).toBe(user);
  });

  test("of somebody without a name, or with a picture that is none, has what can be used", async () => {
    const { handle, picture } = await myProfile({ ...someone(), picture: "http://example.com/a.png" });
    expect([handle, picture]).toEqual([expect.stringMatching(/^Player-\w+$/), undefined]);
  });

  test("is changed as far as it differs, which is told each time, and nothing else is written", async () => {
    const { uid } = someone();
    await myProfile({ uid });
    const change = { picture: "https://example.com/1.png", country: "DE" };
    const { result, bill } = await backend.billed(() => update(uid, change));
    expect(result).toMatchObject(change);
    expect(bill).toEqual({ reads: 1, writes: 2, deletes: 0 });
    expect((await backend.billed(() => update(uid, change))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
    expect(await update(uid, { picture: null })).toEqual({ ...result, picture: undefined });
    expect(await update(uid, {})).toMatchObject({ country: "DE" });
    expect(await changesOf(uid)).toBe(3);
    expect((await profiles().doc(uid).get()).data()).toMatchObject({ version: 3 });
  });

  test.each([
    ["handle", { handle: "x" }],
    ["picture", { picture: "http://example.com/a.png" }],
    ["country", { country: "de" }],
    ["country", { country: "XX" }],
  ])("takes no %s of %j", (field, change) => {
    expect(() => parseInput(UpdateRequest, change)).toThrow(
      expect.objectContaining({ details: { reason: "invalid-input", field } }),
    );
  });

  test("has to be there before it is changed", async () => {
    await expect(update(someone().uid, { country: "DE" })).rejects.toMatchObject({ reason: "no-profile" });
  });
});

describe("a handle", () => {
  test("goes over to who takes it, and the one given up is free", async () => {
    const [ada, bo] = [someone(), someone()];
    await Promise.all([myProfile(ada), myProfile(bo)]);
    const [first, second] = [fresh(), fresh()];
    const { bill } = await backend.billed(() => update(ada.uid, { handle: first }));
    expect(bill).toEqual({ reads: 2, writes: 3, deletes: 1 });
    await expect(update(bo.uid, { handle: first.toUpperCase() })).rejects.toMatchObject({
      reason: "handle-taken",
      details: { field: "handle" },
    });
    at(START + 7 * DAY);
    await update(ada.uid, { handle: second });
    expect(await update(bo.uid, { handle: first })).toMatchObject({ handle: first });
    expect([await ownerOf(first), await ownerOf(second)]).toEqual([bo.uid, ada.uid]);
  });

  test("that was chosen stays for seven days, the first one need not", async () => {
    const { uid } = someone();
    await myProfile({ uid });
    const [first, second] = [fresh(), fresh()];
    await update(uid, { handle: first });
    at(START + 7 * DAY - 1_500);
    await expect(update(uid, { handle: second })).rejects.toMatchObject({
      reason: "rename-too-soon",
      details: { retryAfter: 2 },
    });
    expect(await update(uid, { handle: first, country: "FR" })).toMatchObject({ country: "FR" });
    at(START + 7 * DAY);
    expect(await update(uid, { handle: second })).toMatchObject({ handle: second });
  });

  test("may change its case alone, and stays one's own", async () => {
    const { uid } = someone();
    await myProfile({ uid });
    const handle = fresh();
    await update(uid, { handle });
    at(START + 8 * DAY);
    const { bill } = await backend.billed(() => update(uid, { handle: handle.toUpperCase() }));
    expect(bill).toEqual({ reads: 1, writes: 2, deletes: 0 });
    expect(await ownerOf(handle)).toBe(uid);
  });

  test("that could be taken for the house is refused", async () => {
    const { uid } = someone();
    await myProfile({ uid });
    await expect(update(uid, { handle: "Moderator 7" })).rejects.toMatchObject({ reason: "handle-refused" });
  });

  test("that many want at once, whatever the case and width, is one's, and the others keep theirs", async () => {
    const handle = "Wanted";
    const spellings = [handle, "WANTED", "wanted", "Ｗａｎｔｅｄ", "wAnTeD", "ＷＡＮＴＥＤ"];
    const users = await Promise.all(spellings.map(() => myProfile(someone())));
    const results = await Promise.allSettled(
      users.map(({ user }, i) => update(user, { handle: spellings[i] ?? handle })),
    );
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason.reason] : []));
    expect(refused).toEqual(Array.from({ length: spellings.length - 1 }, () => "handle-taken"));
    const owner = await ownerOf(handle);
    for (const { user, handle: before } of users) {
      const { handle: now = "" } = (await profiles().doc(user).get()).data() ?? {};
      expect(folded(now) === folded(handle)).toBe(user === owner);
      if (user !== owner) expect(now).toBe(before);
      expect(await ownerOf(now)).toBe(user);
    }
    const mine = (await handles().get()).docs.filter(({ id }) => id.includes("wanted"));
    expect(mine).toHaveLength(1);
  });

  test("finds its user, whatever the case and width, for one read once the user is known", async () => {
    const { uid } = someone("Grace Hopper");
    await myProfile({ uid, name: "Grace Hopper" });
    expect(await find("ＧＲＡＣＥ hopper")).toMatchObject({ user: uid, handle: "Grace Hopper" });
    expect((await backend.billed(() => find("grace hopper"))).bill.reads).toBe(1);
    await expect(find("Not There")).rejects.toMatchObject({ reason: "unknown-user" });
  });
});

describe("other modules", () => {
  test("see profiles for two reads each, and for none again, until they change", async () => {
    const users = await Promise.all([myProfile(someone()), myProfile(someone())]);
    const ids = users.map(({ user }) => user);
    const { result, bill } = await backend.billed(() => profilesOf([...ids, ...ids, "nobody"]));
    expect([...result.keys()]).toEqual(ids);
    // Who has no profile is looked for, too.
    expect(bill.reads).toBe(6);
    expect((await backend.billed(() => profilesOf(ids))).bill.reads).toBe(0);
    const [uid = ""] = ids;
    await update(uid, { country: "SE" });
    const expected: Partial<Profile> = { country: "SE", state: "active" };
    expect(await profileOf(uid)).toMatchObject(expected);
    expect((await backend.billed(() => currentProfileOf(uid))).bill.reads).toBe(2);
    expect(await profileOf("nobody")).toBeUndefined();
  });

  test("and apps see up to a hundred at once, without those that are not there", async () => {
    const { user } = await myProfile(someone());
    const list = (list: string[]) => listProfiles(someone(), parseInput(ProfilesRequest, { users: list }));
    expect((await list([user, "nobody"])).profiles).toMatchObject([{ user }]);
    const many = Array.from({ length: 101 }, (_, i) => `u${i}`);
    expect(() => parseInput(ProfilesRequest, { users: many })).toThrow(
      expect.objectContaining({ code: "invalid-argument" }),
    );
  });
});
