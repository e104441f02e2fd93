import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { PAYOUT_SETTINGS } from "../../testing/connect.ts";
import { expireHolds, hold, post } from "../ledger/index.ts";
import { transactions } from "../ledger/records.ts";
import { transactionId } from "../ledger/request.ts";
import { reverse } from "../ledger/reverse.ts";
import { verify } from "../ledger/verify.ts";
import { wallet } from "../ledger/wallet.ts";
import { now, setClock } from "../platform/clock.ts";
import { type Escrow, fund, giveBack, MAX_JOB_MILLIS, putOffDeadline, reward, settleDispute } from "./escrow.ts";

useBackend(PAYOUT_SETTINGS);

const DAY = 86_400_000;
let n = 0;
const usd = async (uid: string) => {
  const balance = (await wallet({ uid })).balances.find(({ currency }) => currency === "USD");
  return { available: balance?.available ?? 0, held: balance?.held ?? 0, redeemable: balance?.redeemable ?? 0 };
};
const poster = async (amount: number) => {
  const { uid } = someone();
  await post({
    key: `top-up ${uid}`,
    kind: "purchase",
    postings: [{ from: "system:stripe", to: uid, amount, currency: "USD" }],
    reference: "a test",
  });
  return uid;
};
const job = async (uid: string, amount: number): Promise<Escrow> =>
  await fund(
    { key: `job ${n++}`, reference: `job:${n}`, poster: uid, amount, currency: "USD", deadline: now() + 30 * DAY },
    now(),
  );
const feesOf = async (reference: string) => {
  const { docs } = await transactions().where("reference", "==", reference).get();
  const postings = docs.flatMap((document) => document.data().postings);
  return postings.filter(({ to }) => to === "system:fees").reduce((sum, { amount }) => sum + amount, 0);
};

const move = fc.record({
  do: fc.constantFrom("pay" as const, "give-back" as const, "dispute" as const),
  share: fc.integer({ min: 1, max: 100 }),
  weights: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
  fee: fc.constantFrom(0, 1, 250, 3_333, 10_000),
  repeated: fc.boolean(),
});
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

/** Makes a move with a share of what is held, once or twice. */
async function make(
  { do: what, share, weights, fee, repeated }: Move,
  { escrow, poster: owner, workers }: { escrow: Escrow; poster: string; workers: string[] },
): Promise<void> {
  const { held } = await usd(owner);
  const part = Math.floor((held * share) / 100);
  if (part === 0) return;
  const key = `move ${n++}`;
  const to = weights.map((weight, i) => ({ to: workers[i] ?? "", weight }));
  const given = { key, workers: to, feeBasisPoints: fee, acceptedAt: now() };
  const moves = {
    pay: () => reward(escrow, { ...given, amount: part }),
    "give-back": () => giveBack(escrow, { key, amount: part }),
    dispute: () => settleDispute(escrow, { ...given, toWorkers: part, toPoster: held - part }),
  };
  await moves[what]();
  if (repeated) await moves[what]();
}

describe("money for a job", () => {
  test("goes to the worker less the fee, can be spent at once, and withdrawn when it has cleared", async () => {
    const [ada, bo] = [await poster(10_000), someone().uid];
    const escrow = await job(ada, 8_000);
    expect(await usd(ada)).toMatchObject({ available: 2_000, held: 8_000 });
    const given = {
      key: `pay ${escrow.id}`,
      workers: [{ to: bo, weight: 1 }],
      feeBasisPoints: 1_000,
      acceptedAt: now(),
    };
    const paid = await reward(escrow, given);
    const back = setClock(now() + 8 * DAY);
    expect(await reward(escrow, given)).toEqual(paid);
    expect(await usd(bo)).toEqual({ available: 7_200, held: 0, redeemable: 7_200 });
    back();
    expect(await usd(bo)).toEqual({ available: 7_200, held: 0, redeemable: 0 });
    await expect(
      hold({
        key: `early ${bo}`,
        owner: bo,
        amount: 1,
        currency: "USD",
        expiresAt: now() + DAY,
        only: "redeemable",
        reference: "a test",
      }),
    ).rejects.toMatchObject({ details: { reason: "insufficient-redeemable" } });
  });

  test("that nobody has earned by the deadline is the poster's again, and the deadline lies within Stripe's limits", async () => {
    const ada = await poster(10_000);
    const escrow = await job(ada, 8_000);
    await expect(putOffDeadline(escrow, escrow.fundedAt + MAX_JOB_MILLIS + 1)).rejects.toMatchObject({
      details: { field: "deadline" },
    });
    await putOffDeadline(escrow, escrow.fundedAt + MAX_JOB_MILLIS);
    const back = setClock(escrow.fundedAt + MAX_JOB_MILLIS - DAY);
    await expireHolds();
    expect(await usd(ada)).toMatchObject({ held: 8_000 });
    setClock(escrow.fundedAt + MAX_JOB_MILLIS);
    await expireHolds();
    expect(await usd(ada)).toMatchObject({ available: 10_000, held: 0 });
    back();
  });

  test("is never more nor less, whatever is paid, given back or disputed, and however often it is asked for", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9_999 }), fc.array(move, { maxLength: 4 }), async (amount, moves) => {
        const ada = await poster(amount);
        const workers = [someone().uid, someone().uid, someone().uid];
        const escrow = await job(ada, amount);
        for (const one of moves) await make(one, { escrow, poster: ada, workers });
        const balances = await Promise.all([ada, ...workers].map(usd));
        const all = balances.reduce((sum, { available, held }) => sum + available + held, 0);
        expect(all + (await feesOf(escrow.reference))).toBe(amount);
      }),
      { numRuns: 20 },
    );
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });
});

test("whoever chooses the key of a job reaches no key of the ledger's own", async () => {
  const uid = await poster(5_000);
  const transaction = transactionId(`top-up ${uid}`);
  const about = { reference: "job:mine", poster: uid, amount: 1_000, currency: "USD", deadline: now() + DAY };
  const escrow = await fund({ key: `reversal ${transaction}`, ...about }, now());
  expect((await usd(uid)).held).toBe(1_000);
  await giveBack(escrow, { key: `expiry ${escrow.id}`, amount: 400 });
  const { id } = await reverse({ transaction, kind: "chargeback", reference: "a stolen card" });
  expect(id).toBe(transactionId(`reversal ${transaction}`));
  expect(await usd(uid)).toEqual({ available: 0, held: 0, redeemable: 0 });
});
