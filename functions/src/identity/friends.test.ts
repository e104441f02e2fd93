import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { forgetAll } from "../platform/cache.ts";
import { type Caller, parseInput } from "../platform/endpoint.ts";
import { timestamp } from "../platform/firestore.ts";
import { FriendsRequest } from "./contract.ts";
import { acceptFriend, askFriend, block, declineFriend, listFriends, removeFriend, unblock } from "./friends.ts";
import { friendsOf } from "./index.ts";
import { myProfile } from "./own.ts";
import {
  MAX_BLOCKED,
  MAX_FRIENDS,
  MAX_REQUESTS,
  profiles,
  RELATIONS,
  type Relation,
  type Relations,
  relations,
} from "./records.ts";

const backend = useBackend();

async function people(count: number): Promise<Caller[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const caller = someone();
      await myProfile(caller);
      return caller;
    }),
  );
}

async function two(): Promise<[Caller, Caller]> {
  const [ada, bo] = await people(2);
  if (!ada || !bo) throw new Error("there are two");
  return [ada, bo];
}

const list = (caller: Caller, relation: Relation = "friend", page: object = {}) =>
  listFriends(caller, parseInput(FriendsRequest, { relation, ...page }));
const ids = async (caller: Caller, relation?: Relation) => (await list(caller, relation)).users.map(({ user }) => user);

/** Gives somebody so many others at once. */
async function fill(caller: Caller, is: Relation, count: number): Promise<void> {
  const others: Relations["others"] = {};
  for (let i = 0; i < count; i++) others[`other-${String(i).padStart(3, "0")}`] = { is, since: timestamp() };
  await relations().doc(caller.uid).set({ others, invitations: {} });
}

describe("friends", () => {
  test("are those of whom one has asked and the other has accepted; both see it", async () => {
    const [ada, bo] = await two();
    const { result, bill } = await backend.billed(() => askFriend(ada, { user: bo.uid }));
    expect(result).toEqual({ relation: "asked", repeated: false });
    expect(bill).toEqual({ reads: 4, writes: 2, deletes: 0 });
    expect([await ids(ada, "asked"), await ids(bo, "asking"), await ids(ada)]).toEqual([[bo.uid], [ada.uid], []]);
    expect([await friendsOf(ada.uid), await friendsOf(bo.uid)]).toEqual([[], []]);
    const accepted = await backend.billed(() => acceptFriend(bo, { user: ada.uid }));
    expect(accepted).toEqual({
      result: { relation: "friend", repeated: false },
      bill: { reads: 2, writes: 2, deletes: 0 },
    });
    expect([await friendsOf(ada.uid), await friendsOf(bo.uid)]).toEqual([[bo.uid], [ada.uid]]);
    expect([await ids(ada), await ids(bo)]).toEqual([[bo.uid], [ada.uid]]);
  });

  test("are those, too, who have asked each other, even at the same time", async () => {
    const [ada, bo] = await two();
    await Promise.all([askFriend(ada, { user: bo.uid }), askFriend(bo, { user: ada.uid })]);
    expect([await ids(ada), await ids(bo)]).toEqual([[bo.uid], [ada.uid]]);
  });

  test("are found by one read, however many they are, and by none again", async () => {
    const [ada] = await two();
    await fill(ada, "friend", MAX_FRIENDS);
    const { result, bill } = await backend.billed(() => friendsOf(ada.uid));
    expect([result.length, bill.reads]).toEqual([MAX_FRIENDS, 1]);
    expect((await backend.billed(() => friendsOf(ada.uid))).bill.reads).toBe(0);
    const first = await list(ada, "friend", { limit: 100 });
    const found = [...first.users];
    for (let cursor = first.nextCursor; cursor !== undefined; ) {
      const page = await list(ada, "friend", { limit: 100, cursor });
      found.push(...page.users);
      cursor = page.nextCursor;
    }
    expect(found.map(({ user }) => user)).toEqual([...result].sort());
  });

  test("cannot be more than 500, on either side", async () => {
    const [ada, bo] = await two();
    await askFriend(ada, { user: bo.uid });
    const asking = (await relations().doc(bo.uid).get()).data()?.others ?? {};
    await fill(bo, "friend", MAX_FRIENDS);
    await relations().doc(bo.uid).set({ others: asking }, { merge: true });
    const full = { reason: "too-many-friends", details: { limit: MAX_FRIENDS } };
    await expect(acceptFriend(bo, { user: ada.uid })).rejects.toMatchObject(full);
    await expect(askFriend(bo, { user: ada.uid })).rejects.toMatchObject(full);
    expect(await ids(ada, "asked")).toEqual([bo.uid]);
  });
});

describe("nobody", () => {
  test("asks, accepts or blocks themselves", async () => {
    const [ada] = await two();
    for (const act of [askFriend, acceptFriend, declineFriend, removeFriend, block, unblock]) {
      await expect(act(ada, { user: ada.uid })).rejects.toMatchObject({ reason: "not-yourself" });
    }
  });

  test("asks who is not there, or before they are there themselves, or while they are banned", async () => {
    const [ada, bo] = await two();
    await expect(askFriend(ada, { user: "nobody" })).rejects.toMatchObject({ reason: "unknown-user" });
    await expect(askFriend(someone(), { user: bo.uid })).rejects.toMatchObject({ reason: "no-profile" });
    await expect(block(someone(), { user: bo.uid })).rejects.toMatchObject({ reason: "no-profile" });
    await profiles().doc(ada.uid).update({ state: "banned" });
    await expect(askFriend(ada, { user: bo.uid })).rejects.toMatchObject({ reason: "user-banned" });
    expect(await block(ada, { user: bo.uid })).toMatchObject({ relation: "blocked" });
  });

  test("is anything by being called like what every object has", async () => {
    const [ada] = await two();
    const user = "constructor";
    await expect(acceptFriend(ada, { user })).rejects.toMatchObject({ reason: "unknown-request" });
    expect(await unblock(ada, { user })).toEqual({ repeated: true });
    expect(await block(ada, { user })).toEqual({ relation: "blocked", repeated: false });
    expect(await unblock(ada, { user })).toEqual({ repeated: false });
  });

  test("accepts who has not asked", async () => {
    const [ada, bo] = await two();
    await expect(acceptFriend(ada, { user: bo.uid })).rejects.toMatchObject({ reason: "unknown-request" });
    await askFriend(ada, { user: bo.uid });
    await expect(acceptFriend(ada, { user: bo.uid })).rejects.toMatchObject({ reason: "unknown-request" });
  });

  test("has more than a hundred requests open, and who is asked by so many answers as one who blocks", async () => {
    const [ada, bo] = await two();
    await fill(ada, "asked", MAX_REQUESTS);
    await expect(askFriend(ada, { user: bo.uid })).rejects.toMatchObject({
      reason: "too-many-requests",
      details: { limit: MAX_REQUESTS },
    });
    const [cy, di] = await two();
    await fill(cy, "asking", MAX_REQUESTS);
    await block(di, { user: bo.uid });
    const answers = await Promise.all(
      [cy, di].map(({ uid }) => askFriend(bo, { user: uid }).catch((error: { details: object }) => error.details)),
    );
    expect(answers).toEqual([{ reason: "cannot-ask" }, { reason: "cannot-ask" }]);
  });

  test("blocks more than 500, but may block again whom they do", async () => {
    const [ada, bo] = await two();
    await fill(ada, "blocked", MAX_BLOCKED);
    await expect(block(ada, { user: bo.uid })).rejects.toMatchObject({
      reason: "too-many-blocked",
      details: { limit: MAX_BLOCKED },
    });
    expect(await block(ada, { user: "other-000" })).toEqual({ relation: "blocked", repeated: true });
  });
});

describe("who is blocked", () => {
  test("is a friend no more, cannot ask, and sees only that there is nothing", async () => {
    const [ada, bo] = await two();
    await askFriend(ada, { user: bo.uid });
    await acceptFriend(bo, { user: ada.uid });
    expect(await friendsOf(bo.uid)).toEqual([ada.uid]);
    const { bill } = await backend.billed(() => block(ada, { user: bo.uid }));
    expect(bill).toEqual({ reads: 3, writes: 2, deletes: 0 });
    expect([await friendsOf(ada.uid), await friendsOf(bo.uid)]).toEqual([[], []]);
    await expect(askFriend(bo, { user: ada.uid })).rejects.toMatchObject({ reason: "cannot-ask" });
    await expect(askFriend(ada, { user: bo.uid })).rejects.toMatchObject({ reason: "user-blocked" });
    for (const relation of RELATIONS) expect(await ids(bo, relation)).toEqual([]);
    expect(await unblock(ada, { user: bo.uid })).toEqual({ repeated: false });
    expect(await askFriend(bo, { user: ada.uid })).toEqual({ relation: "asked", repeated: false });
  });
});

/** What people are to each other, said in the plainest way: who asks whom, who is whose friend, who blocks whom. */
class Model {
  readonly asks = new Set<string>();
  readonly friends = new Set<string>();
  readonly blocks = new Set<string>();

  step(what: Act, a: number, b: number): string {
    return this[what](`${a}>${b}`, `${b}>${a}`);
  }

  ask(mine: string, theirs: string): string {
    if (this.#areFriends(mine, theirs)) return "done";
    if (this.blocks.has(mine)) return "user-blocked";
    if (this.asks.has(theirs)) return this.#befriend(mine, theirs);
    if (this.blocks.has(theirs)) return "cannot-ask";
    this.asks.add(mine);
    return "done";
  }

  accept(mine: string, theirs: string): string {
    if (this.#areFriends(mine, theirs)) return "done";
    return this.asks.has(theirs) ? this.#befriend(mine, theirs) : "unknown-request";
  }

  decline(_mine: string, theirs: string): string {
    this.asks.delete(theirs);
    return "done";
  }

  remove(mine: string, theirs: string): string {
    this.asks.delete(mine);
    this.friends.delete(mine);
    this.friends.delete(theirs);
    return "done";
  }

  block(mine: string, theirs: string): string {
    this.remove(mine, theirs);
    this.asks.delete(theirs);
    this.blocks.add(mine);
    return "done";
  }

  unblock(mine: string): string {
    this.blocks.delete(mine);
    return "done";
  }

  #areFriends(mine: string, theirs: string): boolean {
    return this.friends.has(mine) || this.friends.has(theirs);
  }

  #befriend(mine: string, theirs: string): string {
    this.asks.delete(mine);
    this.asks.delete(theirs);
    this.friends.add(mine);
    return "done";
  }

  /** What others are to one, by relation. */
  seenBy(a: number, others: readonly number[]): Record<Relation, number[]> {
    const pick = (is: (b: number) => boolean) => others.filter((b) => b !== a && is(b));
    return {
      friend: pick((b) => this.#areFriends(`${a}>${b}`, `${b}>${a}`)),
      asked: pick((b) => this.asks.has(`${a}>${b}`)),
      asking: pick((b) => this.asks.has(`${b}>${a}`)),
      blocked: pick((b) => this.blocks.has(`${a}>${b}`)),
    };
  }
}

const ACTS = { ask: askFriend, accept: acceptFriend, decline: declineFriend, remove: removeFriend, block, unblock };
type Act = keyof typeof ACTS;

describe("whatever people do, and however often", () => {
  let crowd: Caller[] = [];
  beforeAll(async () => {
    crowd = await people(3);
  });
  const who = fc.integer({ min: 0, max: 2 });
  const step = fc.record({ what: fc.constantFrom(...(Object.keys(ACTS) as Act[])), a: who, b: who });
  const steps = fc.array(
    step.filter(({ a, b }) => a !== b),
    { minLength: 5, maxLength: 25 },
  );

  /** What is stored, with people by number. */
  async function seen(): Promise<Record<Relation, number[]>[]> {
    return await Promise.all(
      crowd.map(async (caller) => {
        const found = await Promise.all(RELATIONS.map(async (relation) => [relation, await ids(caller, relation)]));
        const numbers = ([relation, users]: (string | string[])[]) => [
          relation,
          crowd.flatMap(({ uid }, i) => (users?.includes(uid) ? [i] : [])),
        ];
        return Object.fromEntries(found.map(numbers));
      }),
    );
  }

  async function clear(): Promise<void> {
    await Promise.all(crowd.map(({ uid }) => relations().doc(uid).delete()));
    forgetAll();
  }

  async function act({ what, a, b }: { what: Act; a: number; b: number }): Promise<string> {
    const [caller, other] = [crowd[a], crowd[b]];
    if (!caller || !other) throw new Error("there are three");
    return await ACTS[what](caller, { user: other.uid }).then(
      () => "done",
      (error: { reason: string }) => error.reason,
    );
  }

  test("they are to each other what a few sets say, and a step again does nothing", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        await clear();
        const model = new Model();
        for (const one of all) {
          expect(await act(one), JSON.stringify(one)).toBe(model.step(one.what, one.a, one.b));
          const expected = crowd.map((_, i) => model.seenBy(i, [0, 1, 2]));
          expect(await seen(), JSON.stringify(one)).toEqual(expected);
        }
        for (const [i, { uid }] of crowd.entries()) {
          const friends = crowd.flatMap((other, j) => (model.seenBy(i, [j]).friend.length > 0 ? [other.uid] : []));
          expect([...(await friendsOf(uid))].sort()).toEqual(friends.sort());
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  test("both sides fit together when all happens at the same time", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        await clear();
        await Promise.all(all.map(act));
        const now = await seen();
        for (const [i, mine] of now.entries()) {
          for (const j of mine.friend) expect(now[j]?.friend).toContain(i);
          for (const j of mine.asked) expect(now[j]?.asking).toContain(i);
          for (const j of mine.asking) expect(now[j]?.asked).toContain(i);
          const all = Object.values(mine).flat();
          expect(new Set(all).size).toBe(all.length);
        }
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});
