import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now } from "../platform/clock.ts";
import { type Capture, capture, hold } from "./holds.ts";
import type { LotKind } from "./lots.ts";
import { post } from "./post.ts";
import { accounts } from "./records.ts";
import { transactionId } from "./request.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";
import { wallet } from "./wallet.ts";

/** Only what was earned and has cleared is paid out in money, and nothing becomes that on the way in a circle. */
useBackend();

const HOUR = 3_600_000;
const give = async (to: string, amount: number, as: LotKind) => {
  const key = randomUUID();
  const postings = [{ from: "system:stripe", to, amount, currency: "USD", as }];
  await post({ key, kind: "grant", postings, reference: "test" });
};
const setAside = async (owner: string, amount: number) =>
  (await hold({ key: randomUUID(), owner, amount, currency: "USD", expiresAt: now() + HOUR, reference: "a job" })).id;
const pay = (id: string, to: string[], more: Partial<Capture> = {}) =>
  capture({
    key: randomUUID(),
    hold: id,
    payees: to.map((uid) => ({ to: uid, weight: 1 })),
    reference: "a job",
    ...more,
  });
const redeemable = async (uid: string) => (await wallet({ uid })).balances[0]?.redeemable ?? 0;
const lots = async (uid: string) => (await accounts().doc(`${uid}:USD`).get()).data()?.lots;
const sound = async () => expect((await verify({ scope: "all" })).problems).toEqual([]);

describe("what was set aside", () => {
  test("and is captured for its own owner is what it was, and not earned", async () => {
    const [{ uid }, worker] = [someone(), someone()];
    await give(uid, 1_000, { source: "bought" });
    await pay(await setAside(uid, 1_000), [uid, worker.uid]);
    expect([await lots(uid), await redeemable(uid)]).toEqual([[{ source: "bought", amount: 500 }], 0]);
    expect(await redeemable(worker.uid)).toBe(500);
    await sound();
  });

  test("and shared with its owner can be taken back as a whole", async () => {
    const [{ uid }, worker] = [someone(), someone()];
    await give(uid, 1_000, { source: "bought" });
    const { id } = await pay(await setAside(uid, 1_000), [uid, worker.uid]);
    await reverse({ transaction: id, kind: "refund", reference: "not done" });
    expect(await lots(uid)).toEqual([{ source: "bought", amount: 1_000 }]);
    expect(await lots(worker.uid)).toEqual([]);
    await sound();
  });

  test("and has not cleared does not clear sooner because somebody else has it", async () => {
    const [{ uid }, friend] = [someone(), someone()];
    const clearsAt = now() + HOUR;
    await give(uid, 100, { source: "earned", clearsAt });
    await pay(await setAside(uid, 100), [friend.uid]);
    expect(await redeemable(friend.uid)).toBe(0);
    expect(await lots(friend.uid)).toEqual([{ source: "earned", clearsAt, amount: 100 }]);
    await sound();
  });
});

test("what is taken back after it has cleared goes first, and not what was bought meanwhile", async () => {
  const [{ uid }, worker] = [someone(), someone()];
  await give(uid, 100, { source: "bought" });
  const clearsAt = now() + 40;
  const { id } = await pay(await setAside(uid, 100), [worker.uid], { as: { source: "earned", clearsAt } });
  await give(worker.uid, 100, { source: "bought" });
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(await redeemable(worker.uid)).toBe(100);
  await reverse({ transaction: id, kind: "chargeback", reference: "a stolen card" });
  expect([await lots(worker.uid), await redeemable(worker.uid)]).toEqual([[{ source: "bought", amount: 100 }], 0]);
  await sound();
});

test("a debt that is forgiven comes back as what it was, whoever forgives it", async () => {
  const { uid } = someone();
  const key = randomUUID();
  const as = { source: "earned" } as const;
  await post({
    key,
    kind: "prize",
    postings: [{ from: "system:prizes", to: uid, amount: 100, currency: "USD", as }],
    reference: "test",
  });
  const spend = [{ from: uid, to: "system:revenue", amount: 70, currency: "USD" }];
  await post({ key: randomUUID(), kind: "spend", postings: spend, reference: "test" });
  const { id } = await reverse({ transaction: transactionId(key), kind: "chargeback", reference: "a suspicion" });
  await give(uid, 70, { source: "bought" });
  await reverse({ transaction: id, kind: "adjustment", reference: "a mistake" });
  expect([await lots(uid), await redeemable(uid)]).toEqual([[{ source: "earned", amount: 100 }], 100]);
  await sound();
});

test("what is earned has to clear before it is paid out, unless it is said when it does", async () => {
  process.env.PAYOUT_CLEARING_DAYS = "7";
  try {
    const [winner, worker, { uid }] = [someone(), someone(), someone()];
    const postings = [{ from: "system:prizes", to: winner.uid, amount: 100, currency: "USD" }];
    await post({ key: randomUUID(), kind: "prize", postings, reference: "test" });
    await give(uid, 100, { source: "bought" });
    await pay(await setAside(uid, 100), [worker.uid]);
    for (const one of [winner, worker]) {
      expect(await redeemable(one.uid)).toBe(0);
      const [lot] = (await lots(one.uid)) ?? [];
      expect(lot).toMatchObject({ source: "earned", amount: 100 });
      expect(lot?.clearsAt).toBeGreaterThan(now() + 6 * 24 * HOUR);
    }
    await sound();
  } finally {
    process.env.PAYOUT_CLEARING_DAYS = "0";
  }
});
