import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now } from "../platform/clock.ts";
import { transact } from "../platform/firestore.ts";
import { capture, hold, release } from "./holds.ts";
import { post, prepareAll } from "./post.ts";
import { accounts, holds } from "./records.ts";
import { verify } from "./verify.ts";

const backend = useBackend();

const give = (uid: string, amount: number) =>
  post({
    key: randomUUID(),
    kind: "purchase",
    postings: [{ from: "system:mint", to: uid, amount, currency: "COIN" }],
    reference: "test",
  });
const setAside = (uid: string, amount: number) =>
  hold({ key: randomUUID(), owner: uid, amount, currency: "COIN", expiresAt: now() + 60_000, reference: "test" });
const takeBack = (uid: string, amount: number) =>
  transact(async (tx) => {
    const postings = [{ from: uid, to: "system:mint", amount, currency: "COIN" }];
    const { write } = await prepareAll(tx, [
      { key: randomUUID(), kind: "refund", postings, reference: "test", clawBack: true },
    ]);
    write();
  });
const has = async (uid: string) => {
  const { available = 0, held = 0, owed = 0 } = (await accounts().doc(`${uid}:COIN`).get()).data() ?? {};
  return { available, held, owed };
};
const left = async (id: string) => {
  const { amount = 0, captured = 0, released = 0, state } = (await holds().doc(id).get()).data() ?? {};
  return { left: amount - captured - released, state };
};

test("what is taken back is taken from the available, then from what is held, and only the rest is owed", async () => {
  const { uid } = someone();
  await give(uid, 1_000);
  const first = await setAside(uid, 300);
  const second = await setAside(uid, 300);
  await takeBack(uid, 500);
  expect(await has(uid)).toEqual({ available: 0, held: 500, owed: 0 });
  expect([await left(first.id), await left(second.id)]).toEqual([
    { left: 200, state: "active" },
    { left: 300, state: "active" },
  ]);
  await takeBack(uid, 600);
  expect(await has(uid)).toEqual({ available: 0, held: 0, owed: 100 });
  expect([await left(first.id), await left(second.id)]).toMatchObject([{ left: 0 }, { left: 0, state: "released" }]);
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});

test("whoever was to have what is held finds the hold too small, and may still have the rest of it", async () => {
  const [{ uid }, worker] = [someone(), someone()];
  await give(uid, 500);
  const { id } = await setAside(uid, 500);
  await takeBack(uid, 200);
  const pay = (amount?: number) =>
    capture({
      key: randomUUID(),
      hold: id,
      payees: [{ to: worker.uid, weight: 1 }],
      reference: "test",
      ...(amount === undefined ? {} : { amount }),
    });
  await expect(pay(500)).rejects.toMatchObject({ reason: "hold-too-small", details: { available: 300 } });
  expect(await pay()).toMatchObject({ amount: 300 });
  await expect(release({ key: randomUUID(), hold: id, reference: "test" })).rejects.toMatchObject({
    reason: "hold-closed",
  });
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});

test("what is available pays for it without a look at holds", async () => {
  const { uid } = someone();
  await give(uid, 500);
  await setAside(uid, 100);
  const { bill } = await backend.billed(() => takeBack(uid, 400));
  expect(bill).toEqual({ reads: 1, writes: 2, deletes: 0 });
});
