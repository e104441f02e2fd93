import { afterEach, describe, expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { PAYOUT_SETTINGS } from "../../testing/connect.ts";
import { DAY, MINUTE, usePayouts } from "../../testing/payouts.ts";
import { firestore } from "../platform/firestore.ts";
import { deliver, outbox } from "../platform/outbox.ts";
import { payoutCases } from "./records.ts";
import { Again, advance, PAYOUT_QUEUE, runTask, sweepWithdrawals } from "./run.ts";
import { subscribers } from "./subscribers.ts";

const backend = useBackend(PAYOUT_SETTINGS);
const { stripe, has, ask, stateOf, worker, settle, sentFor, atBank } = usePayouts();

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
