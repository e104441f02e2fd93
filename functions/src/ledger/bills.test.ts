import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now } from "../platform/clock.ts";
import { freeze } from "./freeze.ts";
import { capture, hold, release, renew } from "./holds.ts";
import { forgetAccounts } from "./memory.ts";
import { post } from "./post.ts";
import { accounts } from "./records.ts";
import { transactionId } from "./request.ts";
import { reverse } from "./reverse.ts";
import { wallet } from "./wallet.ts";

const backend = useBackend();
const bill = async (action: () => Promise<unknown>) => (await backend.billed(action)).bill;
const AGAIN = { reads: 1, writes: 0, deletes: 0 };

const spending = (from: string, key: string = randomUUID()) => ({
  key,
  kind: "spend" as const,
  postings: [{ from, to: "system:revenue", amount: 1, currency: "COIN" }],
  reference: "test",
});
const sending = (from: string, to: string) => ({
  key: randomUUID(),
  kind: "transfer" as const,
  postings: [{ from, to, amount: 1, currency: "COIN" }],
  reference: "test",
});
const holding = (owner: string) => ({
  key: randomUUID(),
  owner,
  amount: 10,
  currency: "COIN",
  expiresAt: now() + 1_000_000,
  reference: "test",
});

/** Gives somebody a past of so many transactions. */
async function withPast(count: number): Promise<string> {
  const uid = someone().uid;
  const postings = [{ from: "system:mint", to: uid, amount: 10, currency: "COIN" }];
  for (let made = 0; made < count; made += 1_000) {
    const chunk = Array.from({ length: Math.min(1_000, count - made) }, () =>
      post({ key: randomUUID(), kind: "grant", postings, reference: "the past" }),
    );
    await Promise.all(chunk);
  }
  expect((await accounts().doc(`${uid}:COIN`).get()).data()?.seq).toBe(count);
  return uid;
}

describe.each([10, 10_000])("with a past of %i transactions", (past) => {
  let [ada, bo] = ["", ""];
  // As an instance that has seen nobody yet, nor lately many at once.
  beforeEach(async () => {
    forgetAccounts();
    await sleep(20);
  });
  beforeAll(async () => {
    [ada, bo] = [await withPast(past), await withPast(10)];
  }, 60_000);

  test("to spend takes 2 reads and 2 writes, and again 1 read; whoever was here before, 1 and 2", async () => {
    const [first, second] = [spending(ada), spending(ada)];
    expect(await bill(() => post(first))).toEqual({ reads: 2, writes: 2, deletes: 0 });
    expect(await bill(() => post(second))).toEqual({ reads: 1, writes: 2, deletes: 0 });
    for (const request of [first, second]) expect(await bill(() => post(request))).toEqual(AGAIN);
  });

  test("to send takes 3 reads and 3 writes, either way, and again 1 read", async () => {
    for (const request of [sending(ada, bo), sending(bo, ada)]) {
      forgetAccounts();
      expect(await bill(() => post(request))).toEqual({ reads: 3, writes: 3, deletes: 0 });
      expect(await bill(() => post(request))).toEqual(AGAIN);
    }
  });

  test("to be refused takes 3 reads and no write", async () => {
    const postings = [{ from: ada, to: "system:revenue", amount: 1_000_000, currency: "COIN" }];
    const request = { key: randomUUID(), kind: "spend" as const, postings, reference: "test" };
    const refused = () => expect(post(request)).rejects.toMatchObject({ reason: "insufficient-funds" });
    expect(await bill(refused)).toEqual({ reads: 3, writes: 0, deletes: 0 });
  });

  test("to hold takes 2 reads and 3 writes, to capture 3 and 4, to release 2 and 3, and each again 1 read", async () => {
    const request = holding(ada);
    const made = await backend.billed(() => hold(request));
    expect(made.bill).toEqual({ reads: 2, writes: 3, deletes: 0 });
    expect(await bill(() => hold(request))).toEqual(AGAIN);
    const of = { hold: made.result.id, reference: "test" };
    expect(await bill(() => renew(of.hold, now() + 2_000_000))).toEqual({ reads: 2, writes: 3, deletes: 0 });
    const paid = { ...of, key: randomUUID(), amount: 6, payees: [{ to: bo, weight: 1 }], feeBasisPoints: 1_000 };
    expect(await bill(() => capture(paid))).toEqual({ reads: 3, writes: 4, deletes: 0 });
    expect(await bill(() => capture(paid))).toEqual(AGAIN);
    const back = { ...of, key: randomUUID() };
    expect(await bill(() => release(back))).toEqual({ reads: 2, writes: 3, deletes: 0 });
    expect(await bill(() => release(back))).toEqual(AGAIN);
  });

  test("to take back takes a read and a write for the original more, and again 1 read", async () => {
    const [spent, sent] = [spending(ada), sending(ada, bo)];
    for (const request of [spent, sent]) await post(request);
    const undo = (key: string) => reverse({ transaction: transactionId(key), kind: "refund", reference: "test" });
    expect(await bill(() => undo(spent.key))).toEqual({ reads: 2, writes: 3, deletes: 0 });
    expect(await bill(() => undo(sent.key))).toEqual({ reads: 3, writes: 4, deletes: 0 });
    expect(await bill(() => undo(sent.key))).toEqual(AGAIN);
  });

  test("to freeze one account takes a read and 3 writes, and to look at the wallet a read an account", async () => {
    const request = { user: ada, currency: "COIN", frozen: true, note: "test", operator: "test" };
    expect(await bill(() => freeze(request))).toEqual({ reads: 1, writes: 3, deletes: 0 });
    expect(await bill(() => wallet({ uid: ada }))).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });
});

test("transactions that meet share what they touch: a hundred who spend of one wallet read and write it a few times", async () => {
  const ada = await withPast(10);
  const requests = Array.from({ length: 100 }, () => spending(ada));
  const { reads, writes } = await bill(() => Promise.all(requests.map((one) => post(one))));
  expect(reads).toBeLessThanOrEqual(105);
  expect(writes).toBeLessThanOrEqual(105);
});
