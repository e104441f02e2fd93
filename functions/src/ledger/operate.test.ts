import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now } from "../platform/clock.ts";
import { FieldValue } from "../platform/firestore.ts";
import { AdjustRequest, FreezeRequest } from "./contract.ts";
import { CURRENCIES } from "./currencies.ts";
import { signHeads } from "./heads.ts";
import { history } from "./history.ts";
import { capture, hold } from "./holds.ts";
import { adjustByHand, freezeByHand } from "./operate.ts";
import { post } from "./post.ts";
import { accounts, heads, manifests, transactions } from "./records.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";
import { wallet } from "./wallet.ts";

const backend = useBackend();
const operator = { uid: "an-operator" };

const move = (from: string, to: string, amount: number, kind: "grant" | "spend" = "grant") =>
  post({ key: randomUUID(), kind, postings: [{ from, to, amount, currency: "COIN" }], reference: "test" });
const give = (to: string, amount: number) => move("system:mint", to, amount);
const spend = (from: string, amount: number) => move(from, "system:revenue", amount, "spend");
const freeze = (user: string, frozen: boolean, currency?: string) =>
  freezeByHand(operator, FreezeRequest.parse({ user, frozen, note: "a suspicion", ...(currency ? { currency } : {}) }));
const adjust = (request: object) =>
  adjustByHand(operator, AdjustRequest.parse({ key: randomUUID(), currency: "COIN", note: "by hand", ...request }));
const account = async (user: string) => (await accounts().doc(`${user}:COIN`).get()).data();
const problems = async () => (await verify({ scope: "all" })).problems;

describe("a frozen account", () => {
  test("lets nothing go but what comes in, until it is let go itself", async () => {
    const ada = someone().uid;
    await give(ada, 100);
    expect(await freeze(ada, true, "COIN")).toEqual({ user: ada, frozen: true, changed: ["COIN"] });
    await expect(spend(ada, 1)).rejects.toMatchObject({ reason: "account-frozen" });
    await give(ada, 10);
    expect(await freeze(ada, false, "COIN")).toMatchObject({ changed: ["COIN"] });
    await spend(ada, 110);
    expect(await account(ada)).toMatchObject({ available: 0, seq: 5 });
    expect(await problems()).toEqual([]);
  });

  test("is frozen once, by whom and why, however often and by however many it is asked for", async () => {
    const ada = someone().uid;
    await give(ada, 100);
    const answers = await Promise.all(Array.from({ length: 6 }, () => freeze(ada, true, "COIN")));
    expect(answers.flatMap(({ changed }) => changed)).toEqual(["COIN"]);
    const { bill } = await backend.billed(() => freeze(ada, true, "COIN"));
    expect(bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
    const [latest] = (await history({ uid: ada }, { currency: "COIN", limit: 5 })).transactions;
    expect(latest).toMatchObject({ kind: "freeze", amount: 0, available: 100, reference: "a suspicion" });
    const record = (
      await transactions()
        .doc(latest?.id ?? "")
        .get()
    ).data();
    expect(record?.metadata).toEqual({ operator: "an-operator" });
    await expect(reverse({ transaction: latest?.id ?? "", kind: "refund", reference: "x" })).rejects.toMatchObject({
      reason: "not-reversible",
    });
  });

  test("is one of all that the user has or will have, unless a currency is named", async () => {
    const ada = someone().uid;
    await give(ada, 100);
    expect((await freeze(ada, true)).changed.sort()).toEqual(Object.keys(CURRENCIES).sort());
    await post({
      key: randomUUID(),
      kind: "grant",
      postings: [{ from: "system:mint", to: ada, amount: 5, currency: "GEM" }],
      reference: "test",
    });
    const postings = [{ from: ada, to: "system:revenue", amount: 1, currency: "GEM" }];
    await expect(post({ key: randomUUID(), kind: "spend", postings, reference: "test" })).rejects.toMatchObject({
      reason: "account-frozen",
    });
    await expect(freeze(ada, true, "DOUBLOON")).rejects.toMatchObject({ reason: "unknown-currency" });
    const { balances } = await wallet({ uid: ada });
    expect(balances.map(({ available }) => available).filter((available) => available > 0)).toEqual([100, 5]);
    expect(await problems()).toEqual([]);
  });

  test("still pays what it had promised, and what is taken back", async () => {
    const [ada, bo] = [someone().uid, someone().uid];
    await give(ada, 100);
    const request = { key: randomUUID(), owner: ada, amount: 60, currency: "COIN", reference: "a job" };
    const { id } = await hold({ ...request, expiresAt: now() + 1_000_000 });
    await freeze(ada, true, "COIN");
    await expect(hold({ ...request, key: randomUUID(), amount: 1, expiresAt: now() + 1_000_000 })).rejects.toThrow();
    await capture({ key: randomUUID(), hold: id, payees: [{ to: bo, weight: 1 }], reference: "a job" });
    await adjust({ user: ada, amount: -40 });
    expect(await account(ada)).toMatchObject({ available: 0, held: 0, frozen: true });
  });

  test("that is let go in the database by hand is found, with heads signed or without", async () => {
    const ada = someone().uid;
    await give(ada, 100);
    await freeze(ada, true, "COIN");
    const path = `accounts/${ada}:COIN`;
    const found = async (scope: "all" | "since-heads") => (await verify({ scope })).problems.map((one) => one.document);
    await accounts().doc(`${ada}:COIN`).update({ frozen: FieldValue.delete() });
    expect(await found("all")).toEqual([path]);
    await accounts().doc(`${ada}:COIN`).update({ frozen: true });
    await signHeads();
    expect(await found("since-heads")).toEqual([]);
    await accounts().doc(`${ada}:COIN`).update({ frozen: false });
    expect(await found("since-heads")).toEqual([path]);
    await heads().doc(`${ada}:COIN`).update({ frozen: FieldValue.delete() });
    expect(await found("since-heads")).toContain(`heads/${ada}:COIN`);
    await Promise.all(
      [...(await heads().get()).docs, ...(await manifests().get()).docs].map(({ ref }) => ref.delete()),
    );
    await accounts().doc(`${ada}:COIN`).update({ frozen: true });
  });
});

describe("an adjustment by hand", () => {
  test("gives or takes once under its key, and says who and why", async () => {
    const ada = someone().uid;
    const key = randomUUID();
    const given = await adjust({ key, user: ada, amount: 70, source: "earned" });
    expect(await adjust({ key, user: ada, amount: 70, source: "earned" })).toEqual(given);
    await expect(adjust({ key, user: ada, amount: 71 })).rejects.toMatchObject({ reason: "idempotency-key-reused" });
    expect(await account(ada)).toMatchObject({ available: 70, lots: [{ source: "earned", amount: 70 }] });
    const taken = await adjust({ user: ada, amount: -30 });
    expect(await account(ada)).toMatchObject({ available: 40 });
    expect((await transactions().doc(taken.transaction).get()).data()).toMatchObject({
      kind: "adjustment",
      reference: "by hand",
      metadata: { operator: "an-operator" },
    });
    expect(await problems()).toEqual([]);
  });

  test("takes no more than there is, and knows its currencies and bounds", async () => {
    const ada = someone().uid;
    await adjust({ user: ada, amount: 10 });
    await expect(adjust({ user: ada, amount: -11 })).rejects.toMatchObject({ reason: "insufficient-funds" });
    await expect(adjust({ user: ada, amount: 1, currency: "DOUBLOON" })).rejects.toMatchObject({
      reason: "unknown-currency",
    });
    await expect(adjust({ user: ada, amount: 2_000_000_000_000 })).rejects.toMatchObject({
      reason: "balance-too-large",
    });
    for (const wrong of [{ amount: 0 }, { amount: 1.5 }, { amount: 1, user: "system:mint" }, { amount: 1, note: "" }]) {
      expect(AdjustRequest.safeParse({ key: "k", user: ada, currency: "COIN", note: "n", ...wrong }).success).toBe(
        false,
      );
    }
  });
});
