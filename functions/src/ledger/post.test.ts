import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { history } from "./history.ts";
import { forgetAccounts } from "./memory.ts";
import { post } from "./post.ts";
import { accounts, transactions } from "./records.ts";
import type { Expectation } from "./request.ts";
import { wallet } from "./wallet.ts";

const backend = useBackend();

const give = (to: string, amount: number, currency = "COIN") =>
  post({
    key: randomUUID(),
    kind: "grant",
    postings: [{ from: "system:mint", to, amount, currency }],
    reference: "test",
  });
const spend = (from: string, amount: number, key: string = randomUUID()) =>
  post({ key, kind: "spend", postings: [{ from, to: "system:revenue", amount, currency: "COIN" }], reference: "test" });
const coins = async (uid: string) =>
  (await wallet({ uid })).balances.find(({ currency }) => currency === "COIN")?.available;

describe("a transaction", () => {
  test("moves coins from one account to another, and both histories show it", async () => {
    const [ada, bo] = [someone(), someone()];
    await give(ada.uid, 100);
    const postings = [{ from: ada.uid, to: bo.uid, amount: 30, currency: "COIN" }];
    await post({ key: randomUUID(), kind: "transfer", postings, reference: "a gift" });
    expect([await coins(ada.uid), await coins(bo.uid)]).toEqual([70, 30]);
    const seen = async (uid: string) =>
      (await history({ uid }, { currency: "COIN", limit: 10 })).transactions.map(({ kind, amount }) => [kind, amount]);
    expect(await seen(ada.uid)).toEqual([
      ["transfer", -30],
      ["grant", 100],
    ]);
    expect(await seen(bo.uid)).toEqual([["transfer", 30]]);
  });

  test("with the same key happens once and answers the same, however often it is posted", async () => {
    const ada = someone();
    await give(ada.uid, 100);
    const key = randomUUID();
    const first = await spend(ada.uid, 60, key);
    const again = await Promise.all(Array.from({ length: 5 }, () => spend(ada.uid, 60, key)));
    for (const repeated of again) expect(repeated).toEqual(first);
    expect(await coins(ada.uid)).toBe(40);
  });

  test("with the key of another request is refused", async () => {
    const ada = someone();
    await give(ada.uid, 100);
    const key = randomUUID();
    await spend(ada.uid, 60, key);
    await expect(spend(ada.uid, 10, key)).rejects.toMatchObject({ reason: "idempotency-key-reused" });
    await expect(spend(ada.uid, 61, key)).rejects.toMatchObject({ reason: "idempotency-key-reused" });
    expect(await coins(ada.uid)).toBe(40);
  });

  test("never overdraws, however many come at once", async () => {
    const ada = someone();
    await give(ada.uid, 100);
    const outcomes = await Promise.allSettled(Array.from({ length: 25 }, () => spend(ada.uid, 7)));
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(outcomes.length - refused.length).toBe(14);
    for (const { reason } of refused)
      expect(reason).toMatchObject({ reason: "insufficient-funds", details: { available: 2, needed: 7 } });
    expect(await coins(ada.uid)).toBe(2);
  });

  test("of several postings is made whole or not at all", async () => {
    const [ada, bo] = [someone(), someone()];
    await give(ada.uid, 100);
    const postings = [
      { from: ada.uid, to: bo.uid, amount: 60, currency: "COIN" },
      { from: ada.uid, to: "system:fees", amount: 50, currency: "COIN" },
    ];
    await expect(post({ key: randomUUID(), kind: "transfer", postings, reference: "test" })).rejects.toMatchObject({
      reason: "insufficient-funds",
    });
    expect([await coins(ada.uid), await coins(bo.uid)]).toEqual([100, undefined]);
  });

  test("takes its place in the chain of each account it touches", async () => {
    const ada = someone();
    for (const amount of [1, 2, 3]) await give(ada.uid, amount);
    const id = `${ada.uid}:COIN`;
    const account = (await accounts().doc(id).get()).data();
    expect(account).toMatchObject({ seq: 3, available: 6, owner: ada.uid, currency: "COIN" });
    const chain: number[] = [];
    for (let next = account?.head.transaction ?? ""; next !== ""; ) {
      const link = (await transactions().doc(next).get()).data()?.links[id];
      chain.push(link?.seq ?? 0);
      next = link?.previous ?? "";
    }
    expect(chain).toEqual([3, 2, 1]);
  });

  test.each([
    ["unknown-currency", { from: "system:mint", to: "x", amount: 1, currency: "DOUBLOON" }],
    ["invalid-amount", { from: "system:mint", to: "x", amount: 1.5, currency: "COIN" }],
    ["same-account", { from: "x", to: "x", amount: 1, currency: "COIN" }],
    ["not-transferable", { from: "x", to: "y", amount: 1, currency: "GEM" }],
    ["not-transferable", { from: "x", to: "y", amount: 1, currency: "USD" }],
  ])("is refused with %s", async (reason, posting) => {
    await expect(
      post({ key: randomUUID(), kind: "grant", postings: [posting], reference: "test" }),
    ).rejects.toMatchObject({ reason });
  });

  test("between two users costs three reads and three writes, whatever they have", async () => {
    const [ada, bo] = [someone(), someone()];
    await give(ada.uid, 100);
    forgetAccounts();
    const postings = [{ from: ada.uid, to: bo.uid, amount: 1, currency: "COIN" }];
    const transfer = () => post({ key: randomUUID(), kind: "transfer", postings, reference: "test" });
    expect((await backend.billed(transfer)).bill).toEqual({ reads: 3, writes: 3, deletes: 0 });
  });
});

describe("a transaction that expects something of an account", () => {
  const spendIf = (from: string, expects: readonly Expectation[], key: string = randomUUID()) => {
    const postings = [{ from, to: "system:revenue", amount: 10, currency: "COIN" }];
    return post({ key, kind: "spend", postings, reference: "test", expects });
  };

  test("is made while that is so, and once", async () => {
    const ada = someone().uid;
    await give(ada, 100);
    const key = randomUUID();
    const expects = [{ owner: ada, currency: "COIN", available: { min: 100, max: 100 }, seq: 1 }];
    const first = await spendIf(ada, expects, key);
    expect(await spendIf(ada, expects, key)).toEqual(first);
    await expect(spendIf(ada, expects)).rejects.toMatchObject({
      reason: "balance-changed",
      details: { available: 90, seq: 2 },
    });
    await expect(spendIf(ada, [], key)).rejects.toMatchObject({ reason: "idempotency-key-reused" });
    expect(await coins(ada)).toBe(90);
  });

  test("is one of all who saw the same, even if they come together", async () => {
    const ada = someone().uid;
    await give(ada, 100);
    const expects = [{ owner: ada, currency: "COIN", seq: 1 }];
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => spendIf(ada, expects)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await coins(ada)).toBe(90);
  });

  test("may ask it of an account that it does not touch, for a read", async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    await give(ada, 100);
    const isPoor = [{ owner: bo, currency: "COIN", available: { max: 5 }, seq: 0 }];
    expect((await backend.billed(() => spendIf(ada, isPoor))).bill).toEqual({ reads: 3, writes: 2, deletes: 0 });
    await give(bo, 6);
    await expect(spendIf(ada, isPoor)).rejects.toMatchObject({ reason: "balance-changed" });
    await expect(spendIf(ada, [{ owner: bo, currency: "COIN", available: { min: 7 } }])).rejects.toMatchObject({
      details: { available: 6 },
    });
  });
});

describe("the books", () => {
  test("balance after any traffic: what users have is what the system gave", async () => {
    const users = Array.from({ length: 4 }, () => someone().uid);
    const random = (n: number, i: number) => (i * 7_919 + 13) % n;
    const moves = Array.from({ length: 40 }, (_, i) => {
      const [from, to] = [users[random(4, i)] as string, users[random(4, i * 3 + 1)] as string];
      const amount = random(50, i) + 1;
      return i % 3 === 0
        ? give(to, amount)
        : i % 3 === 1
          ? spend(from, amount)
          : post({
              key: randomUUID(),
              kind: "transfer",
              postings: [{ from, to: from === to ? "system:fees" : to, amount, currency: "COIN" }],
              reference: "test",
            });
    });
    await Promise.allSettled(moves);
    const made = await transactions().get();
    const booked = new Map<string, number>();
    for (const { postings } of made.docs.map((document) => document.data())) {
      for (const { from, to, amount } of postings) {
        booked.set(from, (booked.get(from) ?? 0) - amount);
        booked.set(to, (booked.get(to) ?? 0) + amount);
      }
    }
    for (const account of (await accounts().get()).docs) {
      const { available, held, owed } = account.data();
      expect(available + held - owed, account.id).toBe(booked.get(account.id));
    }
    expect([...booked.values()].reduce((sum, balance) => sum + balance, 0)).toBe(0);
  });
});

describe("a history", () => {
  test("goes page by page, newest first, without a gap or a repetition", async () => {
    const ada = someone();
    for (let amount = 1; amount <= 7; amount++) await give(ada.uid, amount);
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await history(ada, { currency: "COIN", limit: 3, ...(cursor ? { cursor } : {}) });
      seen.push(...page.transactions.map(({ amount }) => amount));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  test("costs a read for each row, and refuses a cursor that it has not given", async () => {
    const ada = someone();
    for (let amount = 1; amount <= 4; amount++) await give(ada.uid, amount);
    const { bill } = await backend.billed(() => history(ada, { currency: "COIN", limit: 3 }));
    expect(bill).toEqual({ reads: 3, writes: 0, deletes: 0 });
    await expect(history(ada, { currency: "COIN", limit: 3, cursor: "nonsense" })).rejects.toMatchObject({
      details: { field: "cursor" },
    });
  });
});

test("a history is the caller's own, whatever they pass off as a currency", async () => {
  const uid = `a:${randomUUID()}`;
  await give(uid, 5);
  const [owner = "", rest = ""] = [uid.split(":")[0], uid.split(":")[1]];
  for (const currency of [`${rest}:COIN`, "", "COIN/x", "constructor"]) {
    await expect(history({ uid: owner }, { currency, limit: 10 })).rejects.toMatchObject({
      reason: "unknown-currency",
    });
  }
  expect((await history({ uid }, { currency: "COIN", limit: 10 })).transactions).toHaveLength(1);
});
