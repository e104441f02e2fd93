import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { commit } from "./commit.ts";
import { post } from "./post.ts";
import { accounts, transactions } from "./records.ts";
import { type NewTransaction, transactionId } from "./request.ts";
import { verify } from "./verify.ts";

useBackend();

const grant = (to: string, more: Partial<NewTransaction> = {}): NewTransaction => ({
  key: randomUUID(),
  kind: "grant",
  postings: [{ from: "system:mint", to, amount: 10, currency: "COIN" }],
  reference: "test",
  ...more,
});
const available = async (uid: string) => (await accounts().doc(`${uid}:COIN`).get()).data()?.available ?? 0;
const sound = async () => expect((await verify({ scope: "all" })).problems).toEqual([]);

describe("of transactions that are committed together", () => {
  test("one that Firestore does not take leaves nothing behind, and the others are made", async () => {
    const { uid } = someone();
    const bad = {
      ...grant(uid),
      metadata: { broken: undefined } as unknown as NonNullable<NewTransaction["metadata"]>,
    };
    const done = await Promise.allSettled([post(grant(uid)), post(bad), post(grant(uid)), post(grant(someone().uid))]);
    expect(done.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(await available(uid)).toBe(20);
    expect((await transactions().doc(transactionId(bad.key)).get()).exists).toBe(false);
    await sound();
  });

  test("one whose further writes cannot be made leaves nothing behind either", async () => {
    const { uid } = someone();
    const bad = grant(uid);
    const done = await Promise.allSettled([
      post(grant(uid)),
      commit(bad, () => {
        throw new RangeError("not to be written");
      }),
      post(grant(uid)),
    ]);
    expect(done.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await available(uid)).toBe(20);
    expect((await transactions().doc(transactionId(bad.key)).get()).exists).toBe(false);
    await sound();
  });
});
