import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { TransferRequest } from "./contract.ts";
import { history } from "./history.ts";
import { forgetAccounts } from "./memory.ts";
import { post } from "./post.ts";
import { accounts } from "./records.ts";
import { transfer } from "./transfer.ts";
import { verify } from "./verify.ts";

const backend = useBackend();

const rich = async (currency = "COIN") => {
  const ada = someone();
  const postings = [{ from: "system:mint", to: ada.uid, amount: 100, currency }];
  await post({ key: randomUUID(), kind: "purchase", postings, reference: "test" });
  return ada;
};
const send = (from: { uid: string }, to: string, amount: number, rest: object = {}) =>
  transfer(from, TransferRequest.parse({ key: "first", to, currency: "COIN", amount, ...rest }));
const account = async (uid: string) => (await accounts().doc(`${uid}:COIN`).get()).data();

test("coins are sent as the lots they are, and both histories say what for", async () => {
  const [ada, bo] = [await rich(), someone()];
  expect(await send(ada, bo.uid, 30, { note: "for the sword" })).toMatchObject({ available: 70 });
  expect(await account(bo.uid)).toMatchObject({ available: 30, lots: [{ source: "bought", amount: 30 }] });
  for (const [caller, amount] of [
    [ada, -30],
    [bo, 30],
  ] as const) {
    const { transactions } = await history(caller, { currency: "COIN", limit: 1 });
    expect(transactions).toMatchObject([{ kind: "transfer", amount, reference: "for the sword" }]);
  }
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});

test("a transfer happens once for its key, which is the sender's own, and is billed 3 reads and 3 writes", async () => {
  const [ada, cy, bo] = [await rich(), await rich(), someone()];
  forgetAccounts();
  expect((await backend.billed(() => send(ada, bo.uid, 10))).bill).toEqual({ reads: 3, writes: 3, deletes: 0 });
  expect((await backend.billed(() => send(ada, bo.uid, 10))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  await send(cy, bo.uid, 10);
  expect((await account(bo.uid))?.available).toBe(20);
  await expect(send(ada, bo.uid, 11)).rejects.toMatchObject({ reason: "idempotency-key-reused" });
});

test("two users whose ids and keys begin alike share none", async () => {
  const [ada, bo] = [await rich(), someone()];
  const other = { uid: `${ada.uid} x` };
  const postings = [{ from: "system:mint", to: other.uid, amount: 100, currency: "COIN" }];
  await post({ key: randomUUID(), kind: "grant", postings, reference: "test" });
  await send(other, bo.uid, 10, { key: "y" });
  await send(ada, bo.uid, 10, { key: "x y" });
  expect((await account(bo.uid))?.available).toBe(20);
});

test.each([
  ["more than there is", {}, 101, "insufficient-funds"],
  ["a currency that is not for sending", { currency: "GEM" }, 1, "not-transferable"],
  ["a currency that there is not", { currency: "DOUBLOON" }, 1, "unknown-currency"],
])("%s is refused", async (_what, rest, amount, reason) => {
  const ada = await rich("currency" in rest && rest.currency === "GEM" ? "GEM" : "COIN");
  await expect(send(ada, someone().uid, amount, rest)).rejects.toMatchObject({ reason });
});

test("nobody sends to themselves, and nobody to an account of the house", async () => {
  const ada = await rich();
  await expect(send(ada, ada.uid, 1)).rejects.toMatchObject({ reason: "same-account" });
  for (const to of ["system:mint", "ada/held", ""]) {
    expect(TransferRequest.safeParse({ key: "k", to, currency: "COIN", amount: 1 }).success).toBe(false);
  }
});
