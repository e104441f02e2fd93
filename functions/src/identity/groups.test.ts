import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { setClock } from "../platform/clock.ts";
import { type Caller, parseInput } from "../platform/endpoint.ts";
import { timestamp } from "../platform/firestore.ts";
import { CreateGroup, MembersRequest } from "./contract.ts";
import { block } from "./friends.ts";
import { createGroup, joinGroup, leaveGroup, listMembers } from "./groups.ts";
import { groupNamesOf, profileOf } from "./index.ts";
import { inviteToGroup, removeFromGroup } from "./invitations.ts";
import { myProfile } from "./own.ts";
import { groups, MAX_INVITATIONS, MAX_MEMBERS, members, profiles, relations } from "./records.ts";

const backend = useBackend();

const START = 1_800_000_000_000;
const DAY = 86_400_000;
let back: () => void;
beforeEach(() => {
  back = setClock(START);
});
afterEach(() => back());

async function person(): Promise<Caller> {
  const caller = someone();
  await myProfile(caller);
  return caller;
}

let keys = 0;
const create = async (owner: Caller, rest: object = {}) => {
  const request = parseInput(CreateGroup, { key: `key ${++keys}`, name: "Foxes", ...rest });
  return (await createGroup(owner, request)).group;
};
const ids = async (group: string) => (await members(group).get()).docs.map(({ id }) => id);
const groupOf = async (id: string) => (await groups().doc(id).get()).data();

describe("a group", () => {
  test("is made once for each key, by somebody who is in none, and is theirs", async () => {
    const ada = await person();
    const request = parseInput(CreateGroup, { key: "first", name: " Ｆｏｘｅｓ " });
    const { result, bill } = await backend.billed(() => createGroup(ada, request));
    expect(bill).toEqual({ reads: 2, writes: 4, deletes: 0 });
    expect(await groupOf(result.group)).toMatchObject({ name: "Foxes", owner: ada.uid, isOpen: true, members: 1 });
    expect(await createGroup(ada, request)).toEqual({ ...result, repeated: true });
    await expect(createGroup(ada, { ...request, name: "Wolves" })).rejects.toMatchObject({
      reason: "idempotency-key-reused",
    });
    await expect(createGroup(ada, { ...request, key: "second" })).rejects.toMatchObject({ reason: "in-a-group" });
    await expect(createGroup(someone(), request)).rejects.toMatchObject({ reason: "no-profile" });
    expect(await profileOf(ada.uid)).toMatchObject({ group: result.group });
  });

  test("that is open is joined by whoever wants to, and left, by one who is in it", async () => {
    const [ada, bo] = [await person(), await person()];
    const [group, other] = [await create(ada), await create(await person())];
    expect(await profileOf(bo.uid)).not.toHaveProperty("group");
    const { result, bill } = await backend.billed(() => joinGroup(bo, { group }));
    expect(result).toEqual({ group, repeated: false });
    expect(bill).toEqual({ reads: 2, writes: 4, deletes: 0 });
    expect(await joinGroup(bo, { group })).toEqual({ group, repeated: true });
    expect([await ids(group), (await groupOf(group))?.members]).toEqual([[ada.uid, bo.uid].sort(), 2]);
    expect(await profileOf(bo.uid)).toMatchObject({ group });
    await expect(joinGroup(bo, { group: other })).rejects.toMatchObject({ reason: "in-a-group" });
    expect(await leaveGroup(bo, { group: other })).toEqual({ group: other, repeated: true });
    const left = await backend.billed(() => leaveGroup(bo, { group }));
    expect(left).toEqual({ result: { group, repeated: false }, bill: { reads: 2, writes: 3, deletes: 1 } });
    expect([await ids(group), await profileOf(bo.uid)]).toEqual([[ada.uid], expect.not.objectContaining({ group })]);
    await expect(joinGroup(bo, { group: "nothing" })).rejects.toMatchObject({ reason: "unknown-group" });
  });

  test("that is closed is joined by those whom its owner has invited, once for each time", async () => {
    const [ada, bo] = [await person(), await person()];
    const group = await create(ada, { isOpen: false });
    await expect(joinGroup(bo, { group })).rejects.toMatchObject({ reason: "not-invited" });
    const { bill } = await backend.billed(() => inviteToGroup(ada, { group, user: bo.uid }));
    expect(bill).toEqual({ reads: 4, writes: 1, deletes: 0 });
    expect(await inviteToGroup(ada, { group, user: bo.uid })).toEqual({ group, repeated: true });
    const joined = await backend.billed(() => joinGroup(bo, { group }));
    expect(joined.bill).toEqual({ reads: 3, writes: 5, deletes: 0 });
    expect(await inviteToGroup(ada, { group, user: bo.uid })).toEqual({ group, repeated: true });
    await leaveGroup(bo, { group });
    await expect(joinGroup(bo, { group })).rejects.toMatchObject({ reason: "not-invited" });
  });

  test("lets its owner alone invite, somebody else who is there and has not blocked them", async () => {
    const [ada, bo, cy] = [await person(), await person(), await person()];
    const group = await create(ada);
    await joinGroup(bo, { group });
    const invite = (by: Caller, user: string, to = group) => inviteToGroup(by, { group: to, user });
    await expect(invite(bo, cy.uid)).rejects.toMatchObject({ reason: "not-group-owner" });
    await expect(invite(ada, ada.uid)).rejects.toMatchObject({ reason: "not-yourself" });
    await expect(invite(ada, "nobody")).rejects.toMatchObject({ reason: "unknown-user" });
    await expect(invite(ada, cy.uid, "nothing")).rejects.toMatchObject({ reason: "unknown-group" });
    await block(cy, { user: ada.uid });
    await expect(invite(ada, cy.uid)).rejects.toMatchObject({ reason: "cannot-ask" });
  });

  test("with the name of what every object has needs an invitation like any other", async () => {
    const [ada, bo] = [await person(), await person()];
    await create(ada);
    const id = "constructor";
    const closed = { name: id, owner: ada.uid, isOpen: false, members: 1, createdAt: timestamp() };
    await groups().doc(id).set(closed);
    await expect(joinGroup(bo, { group: id })).rejects.toMatchObject({ reason: "not-invited" });
    expect(await removeFromGroup(ada, { group: id, user: bo.uid })).toEqual({ group: id, repeated: true });
  });

  test("tells other modules its name for one read, and for none again", async () => {
    const ada = await person();
    const group = await create(ada, { name: "Hares" });
    const { result, bill } = await backend.billed(() => groupNamesOf([group, group, "nothing"]));
    expect([[...result], bill.reads]).toEqual([[[group, "Hares"]], 2]);
    expect((await backend.billed(() => groupNamesOf([group]))).bill.reads).toBe(0);
  });

  test("keeps an invitation open for thirty days, unless its owner takes it back", async () => {
    const [ada, bo] = [await person(), await person()];
    const group = await create(ada, { isOpen: false });
    await inviteToGroup(ada, { group, user: bo.uid });
    const taken = await backend.billed(() => removeFromGroup(ada, { group, user: bo.uid }));
    expect(taken).toEqual({ result: { group, repeated: false }, bill: { reads: 3, writes: 1, deletes: 0 } });
    expect(await removeFromGroup(ada, { group, user: bo.uid })).toEqual({ group, repeated: true });
    await expect(joinGroup(bo, { group })).rejects.toMatchObject({ reason: "not-invited" });
    await inviteToGroup(ada, { group, user: bo.uid });
    setClock(START + 30 * DAY);
    await expect(joinGroup(bo, { group })).rejects.toMatchObject({ reason: "not-invited" });
    setClock(START + 30 * DAY - 1);
    expect(await joinGroup(bo, { group })).toMatchObject({ repeated: false });
  });

  test("leaves somebody no more than fifty invitations, the latest", async () => {
    const [ada, bo] = [await person(), await person()];
    const group = await create(ada, { isOpen: false });
    const entries = Array.from({ length: MAX_INVITATIONS }, (_, i) => [`g${i}`, timestamp(START - 1_000 + i)] as const);
    await relations()
      .doc(bo.uid)
      .set({ others: { kept: { is: "friend", since: timestamp() } }, invitations: Object.fromEntries(entries) });
    await inviteToGroup(ada, { group, user: bo.uid });
    const { invitations = {}, others } = (await relations().doc(bo.uid).get()).data() ?? {};
    expect(Object.keys(invitations)).toHaveLength(MAX_INVITATIONS);
    expect([group in invitations, "g0" in invitations, "g1" in invitations]).toEqual([true, false, true]);
    expect(others).toHaveProperty("kept");
  });

  test("loses whom its owner sends away, and nobody else can", async () => {
    const [ada, bo] = [await person(), await person()];
    const group = await create(ada);
    await joinGroup(bo, { group });
    await expect(removeFromGroup(bo, { group, user: ada.uid })).rejects.toMatchObject({ reason: "not-group-owner" });
    await expect(removeFromGroup(ada, { group, user: ada.uid })).rejects.toMatchObject({ reason: "not-yourself" });
    const { result, bill } = await backend.billed(() => removeFromGroup(ada, { group, user: bo.uid }));
    expect(result).toEqual({ group, repeated: false });
    expect(bill).toEqual({ reads: 3, writes: 3, deletes: 1 });
    expect([await ids(group), (await profiles().doc(bo.uid).get()).data()?.group]).toEqual([[ada.uid], undefined]);
  });

  test("whose owner leaves goes to who has been in it longest, and is gone with the last", async () => {
    const [ada, bo, cy] = [await person(), await person(), await person()];
    const group = await create(ada);
    setClock(START + 1_000);
    await joinGroup(cy, { group });
    setClock(START + 2_000);
    await joinGroup(bo, { group });
    const { bill } = await backend.billed(() => leaveGroup(ada, { group }));
    expect(bill).toEqual({ reads: 4, writes: 3, deletes: 1 });
    expect(await groupOf(group)).toMatchObject({ owner: cy.uid, members: 2 });
    await leaveGroup(bo, { group });
    await leaveGroup(cy, { group });
    expect([await groupOf(group), await ids(group)]).toEqual([undefined, []]);
  });

  test("has a hundred members at most, even if the last place is wanted by many at once", async () => {
    const ada = await person();
    const group = await create(ada);
    await groups()
      .doc(group)
      .update({ members: MAX_MEMBERS - 1 });
    const crowd = await Promise.all(Array.from({ length: 4 }, person));
    const results = await Promise.allSettled(crowd.map((one) => joinGroup(one, { group })));
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(refused).toHaveLength(3);
    for (const one of refused) {
      expect(one).toMatchObject({ reason: "group-full", details: { limit: MAX_MEMBERS } });
    }
    expect((await groupOf(group))?.members).toBe(MAX_MEMBERS);
  });

  test("shows who is in it, page by page, for a read each", async () => {
    const crowd = await Promise.all(Array.from({ length: 5 }, person));
    const [ada = someone(), ...rest] = crowd;
    const group = await create(ada);
    for (const one of rest) await joinGroup(one, { group });
    const page = (cursor?: string) => listMembers(ada, parseInput(MembersRequest, { group, limit: 3, cursor }));
    const { result: first, bill } = await backend.billed(() => page());
    const second = await page(first.nextCursor);
    expect(bill.reads).toBe(3);
    expect(second.nextCursor).toBeUndefined();
    const shown = [...first.members, ...second.members];
    expect(shown.map(({ user }) => user)).toEqual(crowd.map(({ uid }) => uid).sort());
    expect(shown[0]).toMatchObject({ joinedAt: START });
  });
});

test.each(["", "   ", "x".repeat(41), "Fo\u0000xes", "Fo\u202exes"])("a group is not called %j", (name) => {
  expect(() => parseInput(CreateGroup, { key: "k", name })).toThrow(
    expect.objectContaining({ details: { reason: "invalid-input", field: "name" } }),
  );
});

describe("whatever people do at the same time", () => {
  const who = fc.integer({ min: 0, max: 3 });
  const step = fc.record({ what: fc.constantFrom("create", "join", "join", "leave", "remove"), a: who, b: who });
  const rounds = fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 5 });

  async function act(
    crowd: readonly Caller[],
    made: string[],
    { what, a, b }: { what: string; a: number; b: number },
  ): Promise<void> {
    const [caller = someone(), other = someone()] = [crowd[a], crowd[b]];
    const group = made[b % Math.max(1, made.length)] ?? "none";
    if (what === "create") made.push(await create(caller));
    if (what === "join") await joinGroup(caller, { group });
    if (what === "leave") await leaveGroup(caller, { group });
    if (what === "remove") await removeFromGroup(caller, { group, user: other.uid });
  }

  /** Who is in which group, as their profiles say. */
  async function claimed(crowd: readonly Caller[]): Promise<Map<string, string[]>> {
    const seen = new Map<string, string[]>();
    for (const { uid } of crowd) {
      const { group } = (await profiles().doc(uid).get()).data() ?? {};
      if (group !== undefined) seen.set(group, [...(seen.get(group) ?? []), uid].sort());
    }
    return seen;
  }

  async function checkAll(made: readonly string[], seen: ReadonlyMap<string, string[]>): Promise<void> {
    for (const group of made) {
      const [record, expected] = [await groupOf(group), seen.get(group) ?? []];
      expect(await ids(group)).toEqual(expected);
      expect(record?.members ?? 0).toBe(expected.length);
      if (record) expect(expected).toContain(record.owner);
    }
  }

  test("each is in one group, and groups know who and how many they are, and have an owner among them", async () => {
    const crowd = await Promise.all(Array.from({ length: 4 }, person));
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const made: string[] = [];
        for (const round of all) await Promise.allSettled(round.map((one) => act(crowd, made, one)));
        await checkAll(made, await claimed(crowd));
        for (const caller of crowd) for (const group of made) await leaveGroup(caller, { group });
      }),
      { numRuns: 20 },
    );
  }, 60_000);
});
