import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing.ts";
import { PAYOUT_SETTINGS, useStripe } from "../../testing-payouts.ts";
import { post, release } from "../ledger/index.ts";
import { verify } from "../ledger/verify.ts";
import { wallet } from "../ledger/wallet.ts";
import { deeds } from "../platform/audit.ts";
import { now } from "../platform/clock.ts";
import { firestore } from "../platform/firestore.ts";
import { deliver, outbox } from "../platform/outbox.ts";
import { change } from "./change.ts";
import { onboard, payoutAccount } from "./onboard.ts";
import { payoutAccounts, payoutCases, withdrawals } from "./records.ts";
import { addNote, approve, flag, queue, reject, retryWithdrawal } from "./review.ts";
import { Again, advance, PAYOUT_QUEUE, runTask, sweepWithdrawals } from "./run.ts";
import { subscribers } from "./subscribers.ts";
import { stripeConnect } from "./webhook.ts";
import { cancel, listWithdrawals, withdraw } from "./withdraw.ts";

const backend = useBackend(PAYOUT_SETTINGS);
const stripe = useStripe(async () => stripeConnect);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const HOME = { country: "US", returnUrl: "https://example.com/back", refreshUrl: "https://example.com/again" };

let n = 0;
const earn = (uid: string, amount: number) =>
  post({
    key: `earn ${n++}`,
    kind: "prize",
    postings: [{ from: "system:stripe", to: uid, amount, currency: "USD", as: { source: "earned" } }],
    reference: "a test",
  });
const has = async (uid: string) => {
  const balance = (await wallet({ uid })).balances.find(({ currency }) => currency === "USD");
  return { available: balance?.available ?? 0, held: balance?.held ?? 0, owed: balance?.owed ?? 0 };
};
const ask = (uid: string, amount: number, key = `withdrawal ${n++}`) =>
  withdraw({ uid }, { key, currency: "USD", amount });
const stateOf = async (id: string) => (await withdrawals().doc(id).get()).data();
const accountOf = async (uid: string) => (await payoutAccounts().doc(uid).get()).data()?.account ?? "";
/** Somebody whose account at Stripe can be paid, and who has earned something. */
const worker = async (amount: number, bank: object = {}) => {
  const { uid } = someone();
  await onboard({ uid }, HOME);
  await stripe.simulate("POST", `accounts/${await accountOf(uid)}/complete`, bank);
  await stripe.advance(MINUTE);
  await earn(uid, amount);
  return uid;
};
/** What tasks and time do to a withdrawal. */
const settle = async (id: string) => {
  for (let round = 0; round < 6; round++) {
    await advance(id);
    await stripe.advance(6 * HOUR);
  }
  await stripe.advance(3 * DAY);
  await advance(id);
};
/** What Stripe has been sent for a withdrawal, less what it has sent back. */
const sentFor = async (id: string) => {
  const { data } = await stripe.client.transfers.list({ transfer_group: `withdrawal_${id}` });
  return data.reduce((sum, { amount, amount_reversed }) => sum + amount - amount_reversed, 0);
};
const atBank = async (uid: string) => {
  const { data } = await stripe.client.payouts.list({}, { stripeAccount: await accountOf(uid) });
  return data.filter(({ status }) => status === "paid").reduce((sum, { amount }) => sum + amount, 0);
};

beforeAll(() => stripe.fund(10_000_000));

describe("onboarding", () => {
  test("makes one account however often it is asked for at once, and webhooks tell how it stands", async () => {
    const { uid } = someone();
    const links = await Promise.allSettled(Array.from({ length: 5 }, () => onboard({ uid }, HOME)));
    expect(links.some(({ status }) => status === "fulfilled")).toBe(true);
    expect((await onboard({ uid }, HOME)).url).toContain("/setup/e/");
    const made = (await stripe.client.accounts.list({ limit: 100 })).data.filter(
      ({ metadata }) => metadata?.uid === uid,
    );
    expect(made).toHaveLength(1);
    expect((await payoutAccount({ uid })).account).toMatchObject({ country: "US", state: "onboarding" });
    await stripe.simulate("POST", `accounts/${await accountOf(uid)}/complete`);
    await stripe.advance(1);
    expect((await payoutAccounts().doc(uid).get()).data()).toMatchObject({ state: "enabled", due: [] });
    await stripe.simulate("POST", `accounts/${await accountOf(uid)}/restrict`, { due: ["individual.id_number"] });
    await stripe.advance(1);
    expect((await payoutAccount({ uid })).account).toMatchObject({
      state: "restricted",
      due: ["individual.id_number"],
    });
  });

  test.each(["timeout-before", "timeout-after-success", "500", "500-after-success"])(
    "finds the account that an answer was lost of, or makes it, after a %s",
    async (mode) => {
      const { uid } = someone();
      await stripe.fault(mode, "/v1/accounts", { method: "POST" });
      await expect(onboard({ uid }, HOME)).rejects.toMatchObject({ details: { reason: "stripe-unavailable" } });
      await stripe.advance(2 * DAY);
      await onboard({ uid }, HOME);
      const made = (await stripe.client.accounts.list({ limit: 100 })).data.filter(
        ({ metadata }) => metadata?.uid === uid,
      );
      expect(made.map(({ id }) => id)).toEqual([await accountOf(uid)]);
    },
  );

  test("takes no address that is not https, and no other country afterwards", async () => {
    const { uid } = someone();
    await expect(onboard({ uid }, { ...HOME, returnUrl: "http://example.com/" })).rejects.toMatchObject({
      details: { field: "returnUrl" },
    });
    await onboard({ uid }, HOME);
    await expect(onboard({ uid }, { ...HOME, country: "DE" })).rejects.toMatchObject({ details: { field: "country" } });
  });

  test("ends when its owner cuts the account off", async () => {
    const { uid } = someone();
    await onboard({ uid }, HOME);
    await stripe.client.accounts.del(await accountOf(uid));
    await stripe.advance(1);
    expect((await payoutAccounts().doc(uid).get()).data()?.state).toBe("disabled");
    await expect(onboard({ uid }, HOME)).rejects.toMatchObject({ details: { reason: "payout-account-closed" } });
  });
});

describe("a withdrawal", () => {
  test("reaches the bank less the fee, and the books say so", async () => {
    const uid = await worker(30_000);
    const asked = await ask(uid, 20_000);
    expect(asked).toMatchObject({ state: "held", amount: 20_000, fee: 500 });
    expect(await has(uid)).toEqual({ available: 10_000, held: 20_000, owed: 0 });
    await advance(asked.id);
    expect((await stateOf(asked.id))?.state).toBe("paying");
    expect(await has(uid)).toMatchObject({ held: 20_000 });
    await stripe.advance(3 * DAY);
    expect(await stateOf(asked.id)).toMatchObject({ state: "paid", booked: expect.any(String) });
    expect(await has(uid)).toEqual({ available: 10_000, held: 0, owed: 0 });
    expect(await atBank(uid)).toBe(19_500);
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test("asked for again under its key is the same, and under the key of another is refused", async () => {
    const uid = await worker(30_000);
    const first = await ask(uid, 5_000, "the same key");
    expect((await ask(uid, 5_000, "the same key")).id).toBe(first.id);
    await expect(ask(uid, 6_000, "the same key")).rejects.toMatchObject({
      details: { reason: "idempotency-key-reused" },
    });
    expect(await has(uid)).toMatchObject({ held: 5_000 });
  });

  test("costs 3 reads and 2 writes to ask for, and what it takes to set it aside", async () => {
    const uid = await worker(30_000);
    await ask(uid, 1_000);
    const { bill } = await backend.billed(() => ask(uid, 2_000));
    expect(bill).toEqual({ reads: 11, writes: 7, deletes: 0 });
  });

  test("takes only what has cleared", async () => {
    const uid = await worker(2_000);
    await post({
      key: `bought ${uid}`,
      kind: "purchase",
      postings: [{ from: "system:stripe", to: uid, amount: 9_000, currency: "USD", as: { source: "bought" } }],
      reference: "a test",
    });
    await expect(ask(uid, 2_001)).rejects.toMatchObject({ details: { reason: "insufficient-redeemable" } });
    expect((await ask(uid, 2_000)).state).toBe("held");
  });

  test("keeps to the limits of a day, which what did not leave does not count towards", async () => {
    const uid = await worker(500_000);
    await expect(ask(uid, 999)).rejects.toMatchObject({ details: { reason: "payout-too-small", minimum: 1_000 } });
    const { id } = await ask(uid, 50_000);
    await expect(ask(uid, 50_001)).rejects.toMatchObject({
      details: { reason: "payout-limit", period: "day", remaining: 50_000 },
    });
    await cancel({ uid }, { id });
    expect((await ask(uid, 50_000)).state).toBe("held");
  });

  test("waits after an account was opened, its bank changed, or the first one", async () => {
    process.env.PAYOUT_COOLING_OFF_HOURS = "24";
    try {
      const uid = await worker(30_000);
      await expect(ask(uid, 1_000)).rejects.toMatchObject({ details: { reason: "cooling-off" } });
      await stripe.advance(DAY);
      const { id } = await ask(uid, 1_000);
      await expect(ask(uid, 1_000)).rejects.toMatchObject({ details: { reason: "cooling-off" } });
      await stripe.client.accounts.createExternalAccount(await accountOf(uid), {
        external_account: { object: "bank_account", account_number: "000999999991", country: "US", currency: "usd" },
      });
      await stripe.advance(MINUTE);
      expect((await payoutAccount({ uid })).account?.coolingOffUntil).toBeGreaterThan(now() + DAY - 10 * MINUTE);
      await advance(id);
      expect(await stateOf(id)).toMatchObject({ state: "rejected", reason: "payout-account-changed" });
      expect(await has(uid)).toEqual({ available: 30_000, held: 0, owed: 0 });
    } finally {
      process.env.PAYOUT_COOLING_OFF_HOURS = "0";
    }
  });

  test("can be taken back until Stripe has heard of it, and others' cannot be seen", async () => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 4_000);
    await expect(cancel(someone(), { id })).rejects.toMatchObject({ details: { reason: "unknown-withdrawal" } });
    expect((await cancel({ uid }, { id })).state).toBe("canceled");
    expect((await cancel({ uid }, { id })).state).toBe("canceled");
    expect(await has(uid)).toEqual({ available: 30_000, held: 0, owed: 0 });
    const gone = await ask(uid, 4_000);
    await advance(gone.id);
    await expect(cancel({ uid }, { id: gone.id })).rejects.toMatchObject({ details: { reason: "withdrawal-left" } });
    const first = await listWithdrawals({ uid }, { limit: 1 });
    const rest = await listWithdrawals({ uid }, { limit: 5, cursor: first.nextCursor });
    expect([...first.withdrawals, ...rest.withdrawals].map((one) => one.id).sort()).toEqual([id, gone.id].sort());
  });

  test("that the bank does not take comes back, but only once Stripe has sent it back", async () => {
    const uid = await worker(30_000, { account_number: "000111111113" });
    const { id } = await ask(uid, 10_000);
    await advance(id);
    await stripe.fault("500", "/v1/transfers", { method: "POST", times: 1 });
    await stripe.advance(3 * DAY);
    expect(await stateOf(id)).toMatchObject({ state: "failed", reason: "payout-failed" });
    expect(await advance(id)).toBe("again");
    expect(await stateOf(id)).toMatchObject({ state: "reversing" });
    expect(await has(uid)).toEqual({ available: 20_000, held: 10_000, owed: 0 });
    await settle(id);
    expect(await stateOf(id)).toMatchObject({ state: "returned" });
    expect(await has(uid)).toEqual({ available: 30_000, held: 0, owed: 0 });
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test("that the bank sends back although it had taken it is given back out of the books", async () => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 10_000);
    await advance(id);
    await stripe.advance(3 * DAY);
    expect((await stateOf(id))?.state).toBe("paid");
    // The simulator's payouts end when they are paid, so the change is made here, and what follows is real.
    const { transfer = "" } = (await stateOf(id)) ?? {};
    await change(id, { to: "failed", patch: { reason: "payout-failed" } });
    expect(await advance(id)).toBe("again");
    expect((await payoutCases().doc(id).get()).data()?.problem?.what).toContain("balance_insufficient");
    expect(await has(uid)).toEqual({ available: 20_000, held: 0, owed: 0 });
    await stripe.client.transfers.create({
      amount: 9_750,
      currency: "usd",
      destination: await accountOf(uid),
      description: "what the bank sent back",
    });
    await stripe.advance(15 * MINUTE);
    await advance(id);
    expect((await stripe.client.transfers.retrieve(transfer)).reversed).toBe(true);
    expect((await stateOf(id))?.state).toBe("returned");
    expect(await has(uid)).toEqual({ available: 30_000, held: 0, owed: 0 });
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test("is refused by Stripe: its coins come back with the reason", async () => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 10_000);
    await withdrawals().doc(id).update({ account: "acct_unknown" });
    await payoutAccounts().doc(uid).update({ account: "acct_unknown" });
    await advance(id);
    expect(await stateOf(id)).toMatchObject({ state: "rejected", reason: "transfer-refused" });
    expect(await has(uid)).toEqual({ available: 30_000, held: 0, owed: 0 });
  });

  test("of which a part was taken back meanwhile does not leave", async () => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 10_000);
    const { hold = "" } = (await stateOf(id)) ?? {};
    await release({ key: `clawed back of ${id}`, hold, amount: 1, reference: "a test" });
    await advance(id);
    expect(await stateOf(id)).toMatchObject({ state: "rejected", reason: "insufficient-redeemable" });
    expect(await has(uid)).toEqual({ available: 30_000, held: 0, owed: 0 });
  });
});

describe("of a call whose answer is lost", () => {
  afterEach(async () => {
    await stripe.simulate("DELETE", "webhooks/rules");
  });

  test.each([
    ["timeout-before", "/v1/transfers"],
    ["timeout-after-success", "/v1/transfers"],
    ["500", "/v1/transfers"],
    ["500-after-success", "/v1/transfers"],
    ["429", "/v1/transfers"],
    ["409-lock", "/v1/transfers"],
    ["timeout-before", "/v1/payouts"],
    ["timeout-after-success", "/v1/payouts"],
    ["500", "/v1/payouts"],
    ["500-after-success", "/v1/payouts"],
  ])("nothing is released and nothing sent twice, even if no webhook comes: %s of %s", async (mode, path) => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 10_000);
    await stripe.simulate("POST", "webhooks/rules", { mode: "drop" });
    await stripe.fault(mode, path, { method: "POST" });
    expect(await advance(id)).toBe("again");
    expect(await has(uid)).toEqual({ available: 20_000, held: 10_000, owed: 0 });
    await stripe.advance(2 * DAY);
    await settle(id);
    expect((await stateOf(id))?.state).toBe("paid");
    expect({ sent: await sentFor(id), paid: await atBank(uid) }).toEqual({ sent: 9_750, paid: 9_750 });
    expect(await has(uid)).toEqual({ available: 20_000, held: 0, owed: 0 });
    expect((await payoutCases().doc(id).get()).data()?.problem).toBeUndefined();
  });

  test("tasks that come ten times at once send it once", async () => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 10_000);
    await Promise.allSettled(Array.from({ length: 10 }, () => advance(id)));
    await settle(id);
    expect({ sent: await sentFor(id), paid: await atBank(uid) }).toEqual({ sent: 9_750, paid: 9_750 });
    expect((await stateOf(id))?.state).toBe("paid");
  });
});

/** Has this process end at its n-th transaction: before it, or after it was committed and before anybody heard of it. */
const dieAt = (n: number, when: "before" | "after") => {
  const database = firestore();
  const original = database.runTransaction.bind(database);
  let count = 0;
  database.runTransaction = (async (...given: Parameters<typeof original>) => {
    count++;
    if (count > n || (count === n && when === "before")) throw new Error("the process has ended");
    const result = await original(...given);
    if (count === n) throw new Error("the process has ended");
    return result;
  }) as typeof original;
  return () => {
    database.runTransaction = original;
    return count >= n;
  };
};

describe("a process that ends at any of its steps", () => {
  test.each(["before", "after"] as const)(
    "loses and doubles nothing (%s each commit)",
    { timeout: 120_000 },
    async (when) => {
      let deaths = 0;
      for (let n = 1; n < 20; n++) {
        const uid = await worker(30_000);
        const key = `withdrawal of a process ${when} ${n}`;
        const restart = dieAt(n, when);
        await ask(uid, 10_000, key)
          .then(({ id }) => advance(id))
          .catch(() => undefined);
        if (!restart()) break;
        deaths++;
        const { id } = await ask(uid, 10_000, key);
        await settle(id);
        expect((await stateOf(id))?.state).toBe("paid");
        expect({ sent: await sentFor(id), paid: await atBank(uid) }).toEqual({ sent: 9_750, paid: 9_750 });
        expect(await has(uid)).toEqual({ available: 20_000, held: 0, owed: 0 });
      }
      expect(deaths).toBeGreaterThan(6);
    },
  );
});

describe("a withdrawal that nobody carries on", () => {
  test("because its task was lost is queued by the sweep, once for each time", async () => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 10_000);
    backend.tasks.length = 0;
    await stripe.advance(20 * MINUTE);
    expect(await sweepWithdrawals()).toBeGreaterThan(0);
    const queued = () => backend.tasks.filter(({ data }) => (data as { id: string }).id === id);
    expect(queued()).toMatchObject([{ queue: PAYOUT_QUEUE }]);
    await sweepWithdrawals();
    expect(queued()).toHaveLength(1);
    await runTask(id);
    await stripe.advance(20 * MINUTE);
    await sweepWithdrawals();
    expect(queued()).toHaveLength(1);
  });

  test("because a webhook said that its payout failed is queued by the event", async () => {
    const uid = await worker(30_000, { account_number: "000111111116" });
    const { id } = await ask(uid, 10_000);
    await advance(id);
    await stripe.advance(3 * DAY);
    backend.tasks.length = 0;
    const events = await outbox().where("type", "==", "withdrawal.failed").get();
    for (const event of events.docs) await deliver(event.id, subscribers);
    expect(backend.tasks.map(({ data }) => data)).toContainEqual({ id });
    await stripe.fault("500", "/v1/transfers", { method: "GET" });
    await expect(runTask(id)).rejects.toThrow(Again);
    await runTask(id);
    expect((await stateOf(id))?.state).toBe("returned");
  });
});

describe("operators", () => {
  const big = async () => {
    const uid = await worker(90_000);
    const asked = await ask(uid, 60_000);
    expect(asked.state).toBe("review");
    return { uid, id: asked.id };
  };

  test("approve what is above the threshold by two, never their own, and each deed is written down", async () => {
    const { uid, id } = await big();
    expect(await has(uid)).toEqual({ available: 90_000, held: 0, owed: 0 });
    const listed = await queue({ uid: "olga" }, { state: "review", limit: 100 });
    expect(listed.withdrawals.find((one) => one.id === id)).toMatchObject({ why: ["amount"], needed: 2, owner: uid });
    const request = { id, note: "seen" };
    await expect(approve({ uid }, request)).rejects.toMatchObject({ details: { reason: "own-withdrawal" } });
    expect(await approve({ uid: "olga" }, request)).toEqual({ state: "review", missing: 1 });
    await expect(approve({ uid: "olga" }, request)).rejects.toMatchObject({ details: { reason: "approved-before" } });
    expect(await approve({ uid: "paul" }, request)).toEqual({ state: "approved", missing: 0 });
    await expect(approve({ uid: "quin" }, request)).rejects.toMatchObject({ details: { reason: "not-in-review" } });
    await settle(id);
    expect((await stateOf(id))?.state).toBe("paid");
    const written = await deeds({ subject: `withdrawals/${id}` }, { limit: 10 });
    expect(written.map(({ record: { by, action } }) => `${by} ${action}`).sort()).toEqual([
      "olga payouts/approve",
      "paul payouts/approve",
    ]);
  });

  test("who approve at the same time count as two, and the same one twice as one", async () => {
    const { id } = await big();
    const request = { id, note: "seen" };
    const both = await Promise.allSettled([
      approve({ uid: "olga" }, request),
      approve({ uid: "paul" }, request),
      approve({ uid: "olga" }, request),
    ]);
    expect(both.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    expect(
      (await payoutCases().doc(id).get())
        .data()
        ?.approvals.map(({ by }) => by)
        .sort(),
    ).toEqual(["olga", "paul"]);
  });

  test("refuse a withdrawal before it leaves, note things, and retry what is stuck", async () => {
    const { uid, id } = await big();
    await addNote({ uid: "olga" }, { id, note: "asked support" });
    expect(await retryWithdrawal({ uid: "olga" }, { id, note: "to see" })).toMatchObject({ state: "review" });
    expect(await reject({ uid: "olga" }, { id, note: "stolen card" })).toMatchObject({ state: "rejected" });
    expect(await stateOf(id)).toMatchObject({ reason: "rejected-by-operator" });
    expect(await has(uid)).toEqual({ available: 90_000, held: 0, owed: 0 });
    await expect(reject({ uid: "paul" }, { id, note: "again" })).rejects.toMatchObject({
      details: { reason: "withdrawal-left" },
    });
  });

  test("look at each withdrawal of a user who is flagged, and one of them is enough", async () => {
    const uid = await worker(30_000);
    await flag({ uid: "olga" }, { user: uid, flagged: true, note: "plays from two countries" });
    const { id, state } = await ask(uid, 2_000);
    expect(state).toBe("review");
    expect(await approve({ uid: "olga" }, { id, note: "fine" })).toEqual({ state: "approved", missing: 0 });
    await flag({ uid: "olga" }, { user: uid, flagged: false, note: "explained" });
    expect((await ask(uid, 2_000)).state).toBe("held");
  });
});

test("what owners can read says nothing of who decides, nor what Stripe says about the house", async () => {
  for (const document of (await withdrawals().get()).docs) {
    expect(JSON.stringify(document.data())).not.toMatch(/olga|paul|insufficient available/);
  }
});
