import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now, setClock } from "../platform/clock.ts";
import { FieldValue } from "../platform/firestore.ts";
import { expireLots } from "./expiry.ts";
import { signHeads } from "./heads.ts";
import { capture, expireHolds, hold, release, renew } from "./holds.ts";
import { forgetAccounts } from "./memory.ts";
import { post } from "./post.ts";
import { accounts, heads, holds, manifests, transactions } from "./records.ts";
import { transactionId } from "./request.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";
import { wallet } from "./wallet.ts";

const backend = useBackend();
const DAY = 86_400_000;

const give = async (to: string, amount: number, currency = "COIN", lot: object = {}) => {
  const key = randomUUID();
  const lots = [{ source: "promotional" as const, amount, ...lot }];
  await post({
    key,
    kind: "grant",
    postings: [{ from: "system:mint", to, amount, currency, lots }],
    reference: "test",
  });
  return transactionId(key);
};
const send = async (from: string, to: string, amount: number) => {
  const key = randomUUID();
  await post({ key, kind: "transfer", postings: [{ from, to, amount, currency: "COIN" }], reference: "test" });
  return transactionId(key);
};
const coins = async (uid: string, currency = "COIN") => {
  const {
    available = 0,
    held = 0,
    owed = 0,
  } = (await wallet({ uid })).balances.find((one) => one.currency === currency) ?? {};
  return { available, held, owed };
};
const holdOf = (owner: string, amount: number, currency = "COIN") =>
  hold({ key: randomUUID(), owner, amount, currency, expiresAt: now() + DAY, reference: "a job" });
const problems = async () => (await verify({ scope: "all" })).problems;

describe("a hold", () => {
  test("is paid out in parts, to several and less a fee, without a coin lost, and the rest released", async () => {
    const [poster, worker, helper] = [someone().uid, someone().uid, someone().uid];
    await give(poster, 1_000);
    const { id } = await holdOf(poster, 1_000);
    expect(await coins(poster)).toEqual({ available: 0, held: 1_000, owed: 0 });
    const payees = [
      { to: worker, weight: 2 },
      { to: helper, weight: 1 },
    ];
    await capture({ key: randomUUID(), hold: id, amount: 101, payees, feeBasisPoints: 1_000, reference: "a job" });
    expect(await coins(worker)).toMatchObject({ available: 61 });
    expect(await coins(helper)).toMatchObject({ available: 30 });
    await release({ key: randomUUID(), hold: id, reference: "a job" });
    expect(await coins(poster)).toEqual({ available: 899, held: 0, owed: 0 });
    expect((await holds().doc(id).get()).data()).toMatchObject({ state: "captured", captured: 101, released: 899 });
    expect(await problems()).toEqual([]);
  });

  test("costs 2 reads and 3 writes, its capture 3 and 4, and either again a read", async () => {
    const [poster, worker] = [someone().uid, someone().uid];
    await give(poster, 100);
    forgetAccounts();
    const request = {
      key: randomUUID(),
      owner: poster,
      amount: 60,
      currency: "COIN",
      expiresAt: now() + DAY,
      reference: "a",
    };
    const made = await backend.billed(() => hold(request));
    expect(made.bill).toEqual({ reads: 2, writes: 3, deletes: 0 });
    expect((await backend.billed(() => hold(request))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
    const paid = { key: randomUUID(), hold: made.result.id, payees: [{ to: worker, weight: 1 }], reference: "a" };
    expect((await backend.billed(() => capture(paid))).bill).toEqual({ reads: 3, writes: 4, deletes: 0 });
    expect((await backend.billed(() => capture(paid))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
    expect(await coins(worker)).toMatchObject({ available: 60 });
  });

  test("gives no more than it holds, however many ask at once, and nothing when it is over", async () => {
    const [poster, worker] = [someone().uid, someone().uid];
    await give(poster, 100);
    const { id } = await holdOf(poster, 100);
    const pay = (amount: number) =>
      capture({ key: randomUUID(), hold: id, amount, payees: [{ to: worker, weight: 1 }], reference: "a" });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => pay(30)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    await expect(pay(11)).rejects.toMatchObject({ reason: "hold-too-small", details: { available: 10 } });
    await pay(10);
    await expect(pay(1)).rejects.toMatchObject({ reason: "hold-closed" });
    await expect(renew(id, now() + DAY)).rejects.toMatchObject({ reason: "hold-closed" });
    await expect(release({ key: randomUUID(), hold: "none", reference: "a" })).rejects.toMatchObject({
      reason: "unknown-hold",
    });
    expect(await coins(worker)).toMatchObject({ available: 100 });
  });

  test("can always be emptied, however often it was moved before", async () => {
    const [poster, worker] = [someone().uid, someone().uid];
    await give(poster, 200);
    const { id } = await holdOf(poster, 200);
    const pay = () =>
      capture({ key: randomUUID(), hold: id, amount: 1, payees: [{ to: worker, weight: 1 }], reference: "a" });
    for (let i = 0; i < 99; i++) await pay();
    await expect(pay()).rejects.toMatchObject({ reason: "too-many-moves", details: { available: 101 } });
    const restore = setClock(now() + 2 * DAY);
    await expireHolds();
    restore();
    expect(await coins(poster)).toEqual({ available: 101, held: 0, owed: 0 });
  });

  test("asked for again is the same, even when its end has come, and its key is good for nothing else", async () => {
    const poster = someone().uid;
    await give(poster, 100);
    const request = { key: randomUUID(), owner: poster, amount: 60, currency: "COIN", reference: "a" };
    const made = await hold({ ...request, expiresAt: now() + DAY });
    await expect(release({ key: request.key, hold: made.id, reference: "a" })).rejects.toMatchObject({
      reason: "idempotency-key-reused",
    });
    const expiresAt = now() + DAY;
    const second = { ...request, key: randomUUID(), amount: 10, expiresAt };
    const first = await hold(second);
    const restore = setClock(now() + 2 * DAY);
    expect(await hold(second)).toEqual(first);
    await expect(hold({ ...second, key: randomUUID() })).rejects.toThrow(RangeError);
    restore();
  });

  test("that nobody captures in time is released, unless it was renewed", async () => {
    const poster = someone().uid;
    await give(poster, 100);
    const [kept, left] = [await holdOf(poster, 30), await holdOf(poster, 40)];
    await renew(kept.id, now() + 3 * DAY);
    const restore = setClock(now() + 2 * DAY);
    await expireHolds();
    restore();
    expect(await coins(poster)).toEqual({ available: 70, held: 30, owed: 0 });
    expect((await holds().doc(left.id).get()).data()?.state).toBe("released");
  });
});

describe("a reversal", () => {
  test("takes back what was given, even if it was spent, and its own reversal gives it again", async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    const grant = await give(ada, 100);
    await send(ada, bo, 70);
    const refund = await reverse({ transaction: grant, kind: "refund", reference: "money back" });
    expect(await coins(ada)).toEqual({ available: 0, held: 0, owed: 70 });
    expect((await backend.billed(() => reverse({ transaction: grant, kind: "refund", reference: "x" }))).bill).toEqual({
      reads: 1,
      writes: 0,
      deletes: 0,
    });
    await reverse({ transaction: refund.id, kind: "adjustment", reference: "a mistake" });
    expect(await coins(ada)).toEqual({ available: 30, held: 0, owed: 0 });
    expect((await transactions().doc(grant).get()).data()).toMatchObject({ reversedBy: refund.id });
    expect((await transactions().doc(refund.id).get()).data()).toMatchObject({ reverses: grant });
    expect(await problems()).toEqual([]);
  });

  test("of a capture gives the money back to who had held it, and the worker owes what is spent", async () => {
    const [poster, worker] = [someone().uid, someone().uid];
    await give(poster, 100, "USD", { source: "bought" });
    const { id } = await holdOf(poster, 100, "USD");
    const paid = await capture({
      key: randomUUID(),
      hold: id,
      payees: [{ to: worker, weight: 1 }],
      feeBasisPoints: 500,
      reference: "a",
    });
    await reverse({ transaction: paid.id, kind: "refund", reference: "not done" });
    expect(await coins(poster, "USD")).toEqual({ available: 100, held: 0, owed: 0 });
    expect(await coins(worker, "USD")).toEqual({ available: 0, held: 0, owed: 0 });
    expect((await accounts().doc(`${poster}:USD`).get()).data()?.lots).toEqual([{ source: "bought", amount: 100 }]);
    await expect(reverse({ transaction: id, kind: "refund", reference: "a" })).rejects.toMatchObject({
      reason: "not-reversible",
    });
    expect(await problems()).toEqual([]);
  });
});

describe("coins that expire", () => {
  test("cannot be spent afterwards, whether or not the task has been there", async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    for (const uid of [ada, bo]) {
      await give(uid, 50, "COIN", { expiresAt: now() + DAY });
      await give(uid, 5);
    }
    const restore = setClock(now() + 2 * DAY);
    expect(await coins(ada)).toMatchObject({ available: 5 });
    await expect(send(ada, bo, 6)).rejects.toMatchObject({ reason: "insufficient-funds" });
    await send(ada, bo, 1);
    expect(await expireLots()).toBeGreaterThanOrEqual(0);
    restore();
    expect((await accounts().doc(`${bo}:COIN`).get()).data()).toMatchObject({ available: 6 });
    expect(await problems()).toEqual([]);
  });
});

describe("whoever has the database and not the key is found, who", () => {
  const scene = async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    const first = await give(ada, 100);
    const second = await send(ada, bo, 40);
    const third = await send(ada, bo, 10);
    expect(await problems()).toEqual([]);
    return { ada, bo, first, second, third };
  };
  /** Does something to a document, sees the problem named, and undoes it. */
  const isFound = async (
    reference: FirebaseFirestore.DocumentReference,
    tamper: () => Promise<unknown>,
    named: string,
  ) => {
    const before = (await reference.get()).data();
    await tamper();
    const found = (await problems()).map(({ document }) => document);
    if (before) await reference.set(before);
    else await reference.delete();
    expect(found).toContain(named);
    expect(await problems()).toEqual([]);
  };

  test("changes a balance, a lot, or what a transaction says", async () => {
    const { ada, first, second } = await scene();
    const account = accounts().doc(`${ada}:COIN`);
    await isFound(account, () => account.update({ available: 1_000_000 }), account.path);
    await isFound(account, () => account.update({ lots: [{ source: "earned", amount: 50 }] }), account.path);
    const transaction = transactions().doc(second);
    await isFound(transaction, () => transaction.update({ reference: "something else" }), transaction.path);
    const grant = transactions().doc(first);
    await isFound(grant, () => grant.update({ reversedBy: second }), grant.path);
  });

  test("deletes a transaction, or a whole account", async () => {
    const { ada, second, third } = await scene();
    for (const id of [second, third]) {
      const transaction = transactions().doc(id);
      await isFound(transaction, () => transaction.delete(), transaction.path);
    }
    const account = accounts().doc(`${ada}:COIN`);
    await isFound(account, () => account.delete(), account.path);
  });

  test("adds a transaction of their own, or a copy of another", async () => {
    const { second } = await scene();
    const copy = transactions().doc("a-copy");
    const original = (await transactions().doc(second).get()).data();
    await isFound(copy, () => copy.set(original ?? expect.fail()), copy.path);
  });

  test("cuts a chain short and puts everything back as it was before", async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    await give(ada, 100);
    const before = await Promise.all([ada, bo].map((uid) => accounts().doc(`${uid}:COIN`).get()));
    const gift = await send(ada, bo, 100);
    await signHeads();
    expect(await problems()).toEqual([]);
    await transactions().doc(gift).delete();
    await accounts()
      .doc(`${ada}:COIN`)
      .set(before[0]?.data() ?? expect.fail());
    await accounts().doc(`${bo}:COIN`).delete();
    const found = (await verify({ scope: "since-heads" })).problems.map(({ document }) => document);
    expect(found).toContain(`accounts/${ada}:COIN`);
    // Not even if the heads are put back, too.
    for (const uid of [ada, bo]) await heads().doc(`${uid}:COIN`).delete();
    expect((await problems()).map(({ document }) => document)).toContain("manifests/current");
    await Promise.all((await heads().get()).docs.map(({ ref }) => ref.delete()));
    await Promise.all((await manifests().get()).docs.map(({ ref }) => ref.delete()));
  });
});

test("the books fit whatever order lots came in and were spent in", async () => {
  const ada = someone().uid;
  for (const source of ["earned", "bought", "promotional"]) await give(ada, 10, "COIN", { source });
  await give(ada, 10, "COIN", { expiresAt: now() + DAY });
  await send(ada, someone().uid, 13);
  await holdOf(ada, 8);
  expect(await problems()).toEqual([]);
});

test("heads let the verifier begin where it was, and are signed for accounts that have moved alone", async () => {
  const ada = someone().uid;
  for (let i = 0; i < 5; i++) await give(ada, 10);
  await signHeads();
  expect((await signHeads()).accounts).toBe(0);
  await give(ada, 1);
  const { links, problems: found } = await verify({ scope: "since-heads", expectsHeads: true });
  expect({ links, found }).toEqual({ links: 1, found: [] });
  expect((await signHeads()).accounts).toBe(1);
  await manifests().doc("current").update({ digest: FieldValue.delete() });
  const [broken] = (await verify({ scope: "since-heads" })).problems;
  expect(broken).toMatchObject({ document: "manifests/current", what: expect.stringContaining("digest") });
});
