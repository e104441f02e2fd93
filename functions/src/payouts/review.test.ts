import { describe, expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { PAYOUT_SETTINGS } from "../../testing/connect.ts";
import { usePayouts } from "../../testing/payouts.ts";
import { audit, auditId, deeds } from "../platform/audit.ts";
import { payoutCases, withdrawals } from "./records.ts";

import { addNote, approve, flag, queue, reject, retryWithdrawal } from "./review.ts";

useBackend(PAYOUT_SETTINGS);
const { has, ask, stateOf, worker, settle } = usePayouts();

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
    const written = await audit()
      .doc(auditId({ action: "payouts/reject", key: id }))
      .get();
    expect(written.data()).toMatchObject({ by: "olga", note: "stolen card", details: { from: "review" } });
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
