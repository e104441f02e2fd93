import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now, setClock } from "../platform/clock.ts";
import { parseInput } from "../platform/endpoint.ts";
import { currencyOf } from "./currencies.ts";
import { admin } from "./endpoint.ts";
import { FOLD_QUEUE, fold, foldAll } from "./fold.ts";
import { history } from "./history.ts";
import { hold } from "./holds.ts";
import { noteHot, setHot } from "./hot.ts";
import { post } from "./post.ts";
import { accounts, incoming } from "./records.ts";
import { type NewPosting, transactionId } from "./request.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";
import { wallet } from "./wallet.ts";

const backend = useBackend();
const DAY = 86_400_000;

const move = async (kind: "grant" | "spend" | "transfer", posting: NewPosting, key: string = randomUUID()) => {
  await post({ key, kind, postings: [posting], reference: "test" });
  return transactionId(key);
};
const give = (
  to: string,
  amount: number,
  { currency = "COIN", ...lot }: { currency?: string; expiresAt?: number } = {},
) =>
  move("grant", {
    from: "system:mint",
    to,
    amount,
    currency,
    ...(lot.expiresAt ? { lots: [{ source: "promotional", amount, ...lot }] } : {}),
  });
const spend = (from: string, amount: number) => move("spend", { from, to: "system:revenue", amount, currency: "COIN" });
const wealth = async (uid: string) => {
  const { available = 0, owed = 0, incoming } = (await wallet({ uid })).balances[0] ?? {};
  return { available, owed, incoming };
};
const problems = async () => (await verify({ scope: "all" })).problems;

/** Somebody to whom many give, and who has something already. */
async function star(amount = 10, currency = "COIN"): Promise<string> {
  const { uid } = someone();
  await give(uid, amount, { currency });
  await setHot(uid, currency, true);
  return uid;
}

describe("what a hot account is given", () => {
  test("neither reads nor writes the account, and is there when it is folded in", async () => {
    const uid = await star();
    const { bill } = await backend.billed(() => give(uid, 5));
    expect(bill).toEqual({ reads: 1, writes: 2, deletes: 0 });
    expect((await accounts().doc(`${uid}:COIN`).get()).data()).toMatchObject({ seq: 1, available: 10 });
    expect(await wealth(uid)).toEqual({ available: 10, owed: 0, incoming: 5 });
    expect(await problems()).toEqual([]);
    expect(await fold(`${uid}:COIN`)).toBe(1);
    expect(await wealth(uid)).toEqual({ available: 15, owed: 0, incoming: 0 });
    expect(await problems()).toEqual([]);
  });

  test("is folded for a read and two writes, and a read and a delete for each", async () => {
    const uid = await star();
    await Promise.all(Array.from({ length: 25 }, () => give(uid, 2)));
    const { result, bill } = await backend.billed(() => fold(`${uid}:COIN`));
    expect(result).toBe(25);
    expect(bill).toEqual({ reads: 26, writes: 2, deletes: 25 });
    expect((await backend.billed(() => fold(`${uid}:COIN`))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
    expect(await wealth(uid)).toMatchObject({ available: 60, incoming: 0 });
  });

  test("is in the account's history once, from when it was given", async () => {
    const uid = await star();
    const id = await give(uid, 5);
    const seen = async () => (await history({ uid }, { currency: "COIN", limit: 10 })).transactions;
    const before = await seen();
    expect(before).toMatchObject([
      { id, kind: "grant", amount: 5 },
      { amount: 10, available: 10 },
    ]);
    expect(before[0]).not.toHaveProperty("available");
    await fold(`${uid}:COIN`);
    expect(await seen()).toEqual(before);
  });

  test("stays what it was: promotional or earned, and with its end", async () => {
    const uid = await star();
    const expiresAt = now() + DAY;
    await give(uid, 5, { expiresAt });
    await give(uid, 7);
    await fold(`${uid}:COIN`);
    expect((await accounts().doc(`${uid}:COIN`).get()).data()?.lots).toEqual([
      { source: "promotional", amount: 17 },
      { source: "promotional", amount: 5, expiresAt },
    ]);
  });

  test("is found by whoever spends or sets aside more than the account has", async () => {
    const uid = await star();
    await give(uid, 5);
    await spend(uid, 12);
    expect(await wealth(uid)).toMatchObject({ available: 3, incoming: 0 });
    await give(uid, 5);
    await hold({ key: randomUUID(), owner: uid, amount: 8, currency: "COIN", expiresAt: now() + DAY, reference: "a" });
    await expect(spend(uid, 1)).rejects.toMatchObject({ reason: "insufficient-funds" });
    expect(await problems()).toEqual([]);
  });

  test("leaves the one who gives it at once, who cannot give what they do not have or may not send", async () => {
    const [uid, fan] = [await star(), someone().uid];
    await give(fan, 8);
    const tip = (currency = "COIN") => move("transfer", { from: fan, to: uid, amount: 6, currency });
    await tip();
    expect(await wealth(fan)).toMatchObject({ available: 2 });
    await expect(tip()).rejects.toMatchObject({ reason: "insufficient-funds" });
    await setHot(uid, "COIN", true);
    const rich = await star(10, "GEM");
    await give(fan, 8, { currency: "GEM" });
    const sent = move("transfer", { from: fan, to: rich, amount: 6, currency: "GEM" });
    await expect(sent).rejects.toMatchObject({ reason: "not-transferable" });
  });

  test("under one key is given once, whether the account was hot, is, or is not", async () => {
    const uid = await star();
    const key = randomUUID();
    const once = () => move("grant", { from: "system:mint", to: uid, amount: 5, currency: "COIN" }, key);
    await once();
    await once();
    await setHot(uid, "COIN", false);
    await once();
    await fold(`${uid}:COIN`);
    expect((await wealth(uid)).available).toBe(15);
  });

  test("settles the account's debt when it is folded in", async () => {
    const uid = await star();
    const [first] = (await history({ uid }, { currency: "COIN", limit: 1 })).transactions;
    await spend(uid, 8);
    await reverse({ transaction: first?.id ?? "", kind: "refund", reference: "a" });
    expect(await wealth(uid)).toMatchObject({ available: 0, owed: 8 });
    await give(uid, 11);
    await fold(`${uid}:COIN`);
    expect(await wealth(uid)).toMatchObject({ available: 3, owed: 0 });
    expect(await problems()).toEqual([]);
  });

  test("can be taken back before it was folded in and after", async () => {
    const uid = await star();
    const [early, late] = [await give(uid, 40), await give(uid, 3)];
    await reverse({ transaction: early, kind: "refund", reference: "a" });
    expect(await wealth(uid)).toEqual({ available: 0, owed: 30, incoming: 43 });
    await fold(`${uid}:COIN`);
    await reverse({ transaction: late, kind: "refund", reference: "a" });
    expect(await wealth(uid)).toEqual({ available: 10, owed: 0, incoming: 0 });
    expect(await problems()).toEqual([]);
  });

  test("past what an account can hold waits until there is room", async () => {
    const { maximumBalance } = currencyOf("COIN");
    const uid = await star(maximumBalance - 10);
    await give(uid, 8);
    await give(uid, 8);
    expect(await fold(`${uid}:COIN`)).toBe(1);
    expect(await fold(`${uid}:COIN`)).toBe(0);
    expect(await wealth(uid)).toMatchObject({ available: maximumBalance - 2, incoming: 8 });
    expect(await problems()).toEqual([]);
    await spend(uid, 6);
    expect(await fold(`${uid}:COIN`)).toBe(1);
    expect(await wealth(uid)).toMatchObject({ available: maximumBalance, incoming: 0 });
  });

  test("is folded once, however many fold at the same time, and while more comes in", async () => {
    const uid = await star();
    await Promise.all(Array.from({ length: 30 }, () => give(uid, 1)));
    const [counts] = await Promise.all([
      Promise.all(Array.from({ length: 4 }, () => fold(`${uid}:COIN`))),
      Promise.all(Array.from({ length: 10 }, () => give(uid, 1))),
    ]);
    const folded = counts.reduce((sum, count) => sum + count, 0);
    expect(folded + (await fold(`${uid}:COIN`))).toBe(40);
    expect(await wealth(uid)).toMatchObject({ available: 50, incoming: 0 });
    expect(await problems()).toEqual([]);
  });

  test("is folded by one task for all that comes within a few seconds, or else by the sweep", async () => {
    const restore = setClock(Math.floor(now() / 5_000) * 5_000 + 1_000_000);
    const uid = await star();
    await Promise.all(Array.from({ length: 5 }, () => give(uid, 1)));
    await give(uid, 1);
    const tasks = backend.tasks.filter(({ data }) => (data as { account?: string }).account === `${uid}:COIN`);
    expect(tasks.map(({ queue }) => queue)).toEqual([FOLD_QUEUE]);
    restore();
    await foldAll();
    expect(await wealth(uid)).toMatchObject({ available: 16, incoming: 0 });
  });
});

test("whatever is given, spent and folded, in whatever order and by instances that know and do not know, the sum is right", async () => {
  const does = fc.constantFrom(
    "give" as const,
    "spend" as const,
    "fold" as const,
    "forget" as const,
    "hot" as const,
    "cold" as const,
  );
  const step = fc.record({ does, amount: fc.integer({ min: 1, max: 25 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), async (steps) => {
      const uid = await star(10);
      let has = 10;
      for (const step of steps) has += await take(step, uid, has);
      await fold(`${uid}:COIN`);
      expect((await wealth(uid)).available).toBe(has);
    }),
    { numRuns: 15 },
  );
  expect(await problems()).toEqual([]);
});

/** Takes a step, and says what the account has gained by it. */
async function take({ does, amount }: { does: string; amount: number }, uid: string, has: number): Promise<number> {
  const account = `${uid}:COIN`;
  const steps: Record<string, () => Promise<number>> = {
    give: async () => {
      await give(uid, amount);
      return amount;
    },
    spend: async () => {
      const isDone = await spend(uid, amount).then(
        () => true,
        () => false,
      );
      expect(isDone).toBe(amount <= has);
      return isDone ? -amount : 0;
    },
    fold: async () => {
      await fold(account);
      return 0;
    },
    forget: async () => {
      noteHot(account, false);
      return 0;
    },
    hot: async () => {
      await setHot(uid, "COIN", true);
      return 0;
    },
    cold: async () => {
      await setHot(uid, "COIN", false);
      await fold(account);
      return 0;
    },
  };
  return (await steps[does]?.()) ?? 0;
}

describe("an operator", () => {
  const say = async (request: object) => {
    const { input, output, run } = admin.hot;
    return output.parse(await run({ uid: "olga" }, parseInput(input, request)));
  };

  test("says which accounts are hot; what had come in is folded when one no longer is", async () => {
    const { uid } = someone();
    await give(uid, 1);
    expect(await say({ user: uid, currency: "COIN", hot: true })).toEqual({ hot: true });
    await give(uid, 5);
    expect(await wealth(uid)).toMatchObject({ available: 1, incoming: 5 });
    expect(await say({ user: uid, currency: "COIN", hot: false })).toEqual({ hot: false });
    await give(uid, 2);
    expect(await wealth(uid)).toEqual({ available: 8, owed: 0, incoming: undefined });
    expect(admin.hot.access).toBe("admin");
  });

  test("cannot say it of an account that is not there", async () => {
    const request = { user: someone().uid, currency: "COIN", hot: true };
    await expect(say(request)).rejects.toMatchObject({ reason: "unknown-account" });
  });
});

describe("the verifier finds", () => {
  const tampered = async (change: (id: string) => Promise<unknown>) => {
    const uid = await star();
    const id = await give(uid, 5);
    await give(uid, 6);
    const reference = incoming().doc(`${id}_0`);
    const before = (await reference.get()).data();
    await change(reference.id);
    const found = await problems();
    if (before) await reference.set(before);
    expect(await problems()).toEqual([]);
    return found.map(({ document }) => document);
  };

  test("what was given and is not there any more", async () => {
    expect(await tampered((id) => incoming().doc(id).delete())).toEqual(["incoming"]);
  });

  test("what was given and is more now", async () => {
    expect(await tampered((id) => incoming().doc(id).update({ amount: 6 }))).toEqual([
      expect.stringMatching(/^incoming\/.+_0$/),
      "incoming",
    ]);
  });

  test("what was given as something else, and it is not folded in", async () => {
    const uid = await star();
    const id = await give(uid, 5);
    await give(uid, 6);
    const reference = incoming().doc(`${id}_0`);
    const before = (await reference.get()).data();
    await reference.update({ lots: [{ source: "earned", amount: 5 }] });
    expect((await problems()).map(({ document }) => document)).toEqual([reference.path]);
    expect(await fold(`${uid}:COIN`)).toBe(1);
    if (before) await reference.set(before);
    expect(await fold(`${uid}:COIN`)).toBe(1);
    expect(await problems()).toEqual([]);
  });

  test("what was given to another", async () => {
    expect(await tampered((id) => incoming().doc(id).update({ account: "eve:COIN" }))).toEqual([
      expect.stringMatching(/^incoming\/.+_0$/),
      "incoming",
      "incoming",
    ]);
  });
});
