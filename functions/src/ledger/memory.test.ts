import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { transact } from "../platform/firestore.ts";
import { disappointed, forgetAccounts, isContended, isMemoryGood, recall, remember } from "./memory.ts";
import { post, prepareAll } from "./post.ts";
import { accounts } from "./records.ts";
import type { NewTransaction } from "./request.ts";
import { verify } from "./verify.ts";

const backend = useBackend();
beforeEach(forgetAccounts);

const giving = (to: string, amount: number): NewTransaction => ({
  key: randomUUID(),
  kind: "grant",
  postings: [{ from: "system:mint", to, amount, currency: "COIN" }],
  reference: "test",
});
const spending = (from: string, amount: number): NewTransaction => ({
  key: randomUUID(),
  kind: "spend",
  postings: [{ from, to: "system:revenue", amount, currency: "COIN" }],
  reference: "test",
});
const stored = async (uid: string) => (await accounts().doc(`${uid}:COIN`).get()).data();
const all = (requests: readonly NewTransaction[]) => Promise.all(requests.map((one) => post(one)));

/** Makes a transaction of which this instance hears nothing: what it remembered of the account it remembers still. */
async function elsewhere(uid: string, request: NewTransaction): Promise<void> {
  const id = `${uid}:COIN`;
  const before = recall(id);
  await transact(async (tx) => (await prepareAll(tx, [request])).write());
  if (before) remember(id, before.account, before.version);
}

test("what another instance has given can be spent here at once, although this one remembers less", async () => {
  const { uid } = someone();
  await post(giving(uid, 10));
  await elsewhere(uid, giving(uid, 90));
  expect(recall(`${uid}:COIN`)?.account.available).toBe(10);
  await post(spending(uid, 100));
  expect(await stored(uid)).toMatchObject({ available: 0, seq: 3 });
});

test("what another instance has spent cannot be spent here again, although this one remembers more", async () => {
  const { uid } = someone();
  await post(giving(uid, 100));
  await elsewhere(uid, spending(uid, 100));
  expect(recall(`${uid}:COIN`)?.account.available).toBe(100);
  await expect(post(spending(uid, 100))).rejects.toMatchObject({ reason: "insufficient-funds" });
  expect(await stored(uid)).toMatchObject({ available: 0, seq: 2 });
});

test("who comes with somebody of whom this instance is wrong loses nothing by it", async () => {
  const users = Array.from({ length: 20 }, () => someone().uid);
  await all(users.map((uid) => giving(uid, 10)));
  const [first = ""] = users;
  await elsewhere(first, giving(first, 5));
  await all(users.map((uid) => giving(uid, 1)));
  expect(await stored(first)).toMatchObject({ available: 16, seq: 3 });
  for (const uid of users.slice(1)) expect(await stored(uid)).toMatchObject({ available: 11, seq: 2 });
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});

test("who was wrong once relies on nothing until it was right many times in a row", async () => {
  const { uid } = someone();
  await post(giving(uid, 10));
  expect(isMemoryGood()).toBe(true);
  await elsewhere(uid, giving(uid, 5));
  await post(giving(uid, 1));
  expect(isMemoryGood()).toBe(false);
  for (let i = 0; i < 100 && !isMemoryGood(); i++) await post(giving(uid, 1));
  expect(isMemoryGood()).toBe(true);
  // The first time it has to see which version it is.
  await post(giving(uid, 1));
  expect((await backend.billed(() => post(giving(uid, 1)))).bill).toEqual({ reads: 1, writes: 2, deletes: 0 });
});

test("to be wrong costs one more read, and what failed is billed nothing", async () => {
  const { uid } = someone();
  await post(giving(uid, 10));
  await elsewhere(uid, giving(uid, 5));
  await sleep(20);
  const { bill } = await backend.billed(() => post(giving(uid, 1)));
  expect(bill).toEqual({ reads: 2, writes: 2, deletes: 0 });
  expect(await stored(uid)).toMatchObject({ available: 16, seq: 3 });
});

test("those of whom this instance was wrong are judged anew in the order in which they came", async () => {
  const { uid } = someone();
  await post(giving(uid, 1));
  await elsewhere(uid, giving(uid, 1));
  await all([giving(someone().uid, 1), giving(uid, 10), spending(uid, 12)]);
  expect(await stored(uid)).toMatchObject({ available: 0, seq: 4 });
});

test("an account is looked at under lock when others were in the way twice in a row, and not for once", async () => {
  const id = `${someone().uid}:COIN`;
  disappointed([id]);
  expect(isContended(id)).toBe(false);
  await sleep(250);
  disappointed([id]);
  expect(isContended(id)).toBe(false);
  disappointed([id]);
  expect(isContended(id)).toBe(true);
  await sleep(250);
  expect(isContended(id)).toBe(false);
});

test("what an account no longer says is gone from its document, too", async () => {
  const { uid } = someone();
  const lot = { source: "promotional" as const, expiresAt: Date.now() + 1_000_000 };
  const { postings, ...rest } = giving(uid, 10);
  await post({ ...rest, postings: postings.map((posting) => ({ ...posting, as: lot })) });
  expect((await stored(uid))?.nextExpiryAt).toBeDefined();
  await post(spending(uid, 10));
  expect(await stored(uid)).toMatchObject({ available: 0, lots: [], seq: 2 });
  expect((await stored(uid))?.nextExpiryAt).toBeUndefined();
});

test("a hundred who come at once, some of them twice and some whose account is new, are each served once", async () => {
  const users = Array.from({ length: 10 }, () => someone().uid);
  const requests = Array.from({ length: 100 }, (_, i) => giving(users[i % 10] ?? "", 1));
  await all(requests.slice(0, 30));
  await all(requests);
  for (const uid of users) expect(await stored(uid)).toMatchObject({ available: 10, seq: 10 });
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
