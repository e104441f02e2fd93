import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now } from "../platform/clock.ts";
import { firestore, transact } from "../platform/firestore.ts";
import { AdjustRequest, CreditRequest, FreezeRequest, ReverseRequest } from "./contract.ts";
import { hold } from "./holds.ts";
import { openHold } from "./open-hold.ts";
import { adjustByHand, creditByHand, freezeByHand, reverseByHand } from "./operate.ts";
import { post } from "./post.ts";
import { accounts } from "./records.ts";
import { transactionId } from "./request.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";

useBackend();

const give = async (to: string, amount: number, more: object = {}) => {
  const key = randomUUID();
  const postings = [{ from: "system:stripe", to, amount, currency: "USD", ...more }];
  await post({ key, kind: "grant", postings, reference: "test" });
  return transactionId(key);
};
const available = async (uid: string) => (await accounts().doc(`${uid}:USD`).get()).data()?.available ?? 0;
const sound = async () => expect((await verify({ scope: "all" })).problems).toEqual([]);
/** Has the next transaction be committed, and its answer be that of a client that sends the commit once more. */
const loseAnswer = () => {
  const database = firestore();
  const original = database.runTransaction.bind(database);
  database.runTransaction = (async (...given: Parameters<typeof original>) => {
    database.runTransaction = original;
    await original(...given);
    throw Object.assign(new Error("already exists"), { code: 6 });
  }) as typeof original;
};

describe("what takes back", () => {
  test("a transaction of a hundred postings may have more of them itself", async () => {
    const { uid } = someone();
    for (let day = 1; day <= 30; day++) {
      await give(uid, 10, { as: { source: "promotional", expiresAt: now() + day * 86_400_000 } });
    }
    const key = randomUUID();
    const postings = Array.from({ length: 100 }, () => ({
      from: uid,
      to: "system:revenue",
      amount: 3,
      currency: "USD",
    }));
    await post({ key, kind: "spend", postings, reference: "test" });
    await reverse({ transaction: transactionId(key), kind: "refund", reference: "test" });
    expect(await available(uid)).toBe(300);
    await sound();
  });

  test("is told of as done when its commit has landed and the client sends it again", async () => {
    const { uid } = someone();
    const transaction = await give(uid, 100);
    loseAnswer();
    const { id } = await reverse({ transaction, kind: "refund", reference: "test" });
    expect(await reverse({ transaction, kind: "refund", reference: "test" })).toEqual({ id });
    const postings = [{ from: uid, to: "system:stripe", amount: 5, currency: "USD" }];
    loseAnswer();
    await post({ key: randomUUID(), kind: "refund", postings, reference: "test", clawBack: true });
    expect((await accounts().doc(`${uid}:USD`).get()).data()).toMatchObject({ available: 0, owed: 5 });
    await sound();
  });
});

describe("an operator", () => {
  const about = { currency: "USD", amount: 10, note: "a note" };

  test("decides over no account of their own", async () => {
    const me = someone();
    const transaction = await give(me.uid, 10);
    const own = { details: { reason: "own-account" } };
    const user = { ...about, user: me.uid, key: randomUUID() };
    await expect(creditByHand(me, CreditRequest.parse(user))).rejects.toMatchObject(own);
    await expect(adjustByHand(me, AdjustRequest.parse(user))).rejects.toMatchObject(own);
    await expect(freezeByHand(me, FreezeRequest.parse({ ...user, frozen: false }))).rejects.toMatchObject(own);
    await expect(reverseByHand(me, ReverseRequest.parse({ transaction, note: "a note" }))).rejects.toMatchObject(own);
    expect(await available(me.uid)).toBe(10);
  });

  test("takes no payout back in the books alone", async () => {
    const { uid } = someone();
    await give(uid, 100, { as: { source: "earned" } });
    const { id } = await hold({
      key: randomUUID(),
      owner: uid,
      amount: 100,
      currency: "USD",
      expiresAt: now() + 60_000,
      reference: "test",
    });
    const { id: transaction } = await transact(async (tx) => {
      const parts = [{ to: "system:stripe", amount: 100 }];
      const out = await (await openHold(tx, id)).payOut({ key: randomUUID(), parts, reference: "test" });
      out.write();
      return out;
    });
    const request = ReverseRequest.parse({ transaction, note: "a note" });
    await expect(reverseByHand({ uid: "olga" }, request)).rejects.toMatchObject({ reason: "not-reversible" });
    expect(await available(uid)).toBe(0);
  });
});
