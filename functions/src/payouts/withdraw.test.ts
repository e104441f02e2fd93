import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { PAYOUT_SETTINGS } from "../../testing/connect.ts";
import { DAY, MINUTE, usePayouts } from "../../testing/payouts.ts";
import { freeze } from "../ledger/freeze.ts";
import { post, release } from "../ledger/index.ts";
import { verify } from "../ledger/verify.ts";
import { now } from "../platform/clock.ts";
import { change, putOff } from "./change.ts";
import { payoutAccount } from "./onboard.ts";
import { payoutCases, withdrawals } from "./records.ts";
import { advance } from "./run.ts";
import { cancel, listWithdrawals } from "./withdraw.ts";

const backend = useBackend(PAYOUT_SETTINGS);
const { stripe, has, ask, stateOf, accountOf, worker, settle, sentFor, atBank } = usePayouts();

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
    expect(bill).toEqual({ reads: 12, writes: 7, deletes: 0 });
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
    await advance(id, new Set(["held"]));
    await withdrawals().doc(id).update({ account: "acct_unknown" });
    await advance(id);
    expect(await stateOf(id)).toMatchObject({ state: "rejected", reason: "transfer-refused" });
    expect(await has(uid)).toEqual({ available: 30_000, held: 0, owed: 0 });
  });

  test("of somebody who was frozen before it left does not leave", async () => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 10_000);
    await freeze({ user: uid, currency: "USD", frozen: true, note: "a suspicion", operator: "olga" });
    await advance(id);
    expect(await stateOf(id)).toMatchObject({ state: "rejected", reason: "account-frozen" });
    expect(await has(uid)).toEqual({ available: 30_000, held: 0, owed: 0 });
    expect(await sentFor(id)).toBe(0);
  });

  test("does not leave for another bank, although the webhook that says so is lost, nor while Stripe cannot be asked", async () => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 10_000);
    await stripe.simulate("POST", "webhooks/rules", { mode: "drop" });
    await stripe.client.accounts.createExternalAccount(await accountOf(uid), {
      external_account: { object: "bank_account", account_number: "000999999991", country: "US", currency: "usd" },
    });
    await stripe.fault("500", "/v1/accounts", { method: "GET" });
    expect(await advance(id)).toBe("again");
    await advance(id);
    await stripe.simulate("DELETE", "webhooks/rules");
    expect(await stateOf(id)).toMatchObject({ state: "rejected", reason: "payout-account-changed" });
    expect(await sentFor(id)).toBe(0);
  });

  test("of what two operators would have to approve is theirs in parts, too", async () => {
    const uid = await worker(90_000);
    expect((await ask(uid, 30_000)).state).toBe("held");
    const { id, state } = await ask(uid, 30_000);
    expect(state).toBe("review");
    expect((await payoutCases().doc(id).get()).data()).toMatchObject({ why: ["amount"], needed: 2 });
  });

  test("is looked at again when it was changed while the sweep put it off", async () => {
    const uid = await worker(30_000);
    const { id } = await ask(uid, 10_000);
    const { docs } = await withdrawals().where("owner", "==", uid).get();
    await cancel({ uid }, { id });
    for (const found of docs) await putOff(found);
    expect((await stateOf(id))?.dueAt).toBeUndefined();
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
