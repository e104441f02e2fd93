import { afterEach, describe, expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { PAYOUT_SETTINGS } from "../../testing/connect.ts";
import { usePayouts } from "../../testing/payouts.ts";
import { settings } from "../fraud/configure.ts";
import { DEFAULTS } from "../fraud/settings.ts";
import { listNotices } from "../notices/inbox.ts";
import { deliver, outbox } from "../platform/outbox.ts";
import { payoutCases } from "./records.ts";
import { approve } from "./review.ts";
import { subscribers } from "./subscribers.ts";

useBackend({ ...PAYOUT_SETTINGS, FRAUD: "on" });
const { has, ask, worker, stateOf, settle } = usePayouts();

/** More than one withdrawal in an hour raises doubt: the second scores 75. */
const HASTY = { ...DEFAULTS.limits, user: { hour: 1, day: 100, week: 100 } };
const judging = (block: number) =>
  settings(
    { uid: "olga" },
    { settings: { ...DEFAULTS, limits: HASTY, thresholds: { review: 60, block } }, note: "a test" },
  );
const caseOf = async (id: string) => (await payoutCases().doc(id).get()).data();

describe("a withdrawal", () => {
  afterEach(() => {
    process.env.FRAUD = "on";
  });

  test("in no doubt goes on by itself, and one in doubt waits for an operator, who reads why", async () => {
    await judging(95);
    const uid = await worker(90_000);
    const first = await ask(uid, 2_000);
    expect([first.state, await caseOf(first.id)]).toEqual(["held", undefined]);
    const second = await ask(uid, 2_000);
    expect(second.state).toBe("review");
    expect(await caseOf(second.id)).toMatchObject({ why: ["fraud:velocity-user"], needed: 1 });
    expect(await approve({ uid: "olga" }, { id: second.id, note: "asked them" })).toMatchObject({ state: "approved" });
    await settle(second.id);
    expect((await stateOf(second.id))?.state).toBe("paid");
  });

  test("that is also large says both, and still takes two operators", async () => {
    await judging(95);
    const uid = await worker(90_000);
    await ask(uid, 2_000);
    const { id } = await ask(uid, 60_000);
    expect(await caseOf(id)).toMatchObject({ why: ["amount", "fraud:velocity-user"], needed: 2 });
  });

  test("that the rules block is rejected as fraud, and nothing has left the wallet", async () => {
    await judging(70);
    const uid = await worker(90_000);
    await ask(uid, 2_000);
    expect(await ask(uid, 3_000, "the-second")).toMatchObject({ state: "rejected", reason: "fraud" });
    expect(await ask(uid, 3_000, "the-second")).toMatchObject({ state: "rejected", reason: "fraud" });
    expect(await has(uid)).toMatchObject({ available: 88_000, held: 2_000 });
    for (const { id } of (await outbox().orderBy("dueAt").get()).docs) await deliver(id, subscribers);
    expect((await listNotices({ uid }, { limit: 10 })).notices).toMatchObject([
      { kind: "withdrawal-rejected", data: { amount: 3_000, currency: "USD", reason: "fraud" } },
    ]);
  });

  test("is not judged while the rules are off", async () => {
    await judging(70);
    const uid = await worker(90_000);
    process.env.FRAUD = "off";
    for (let i = 0; i < 3; i++) expect((await ask(uid, 2_000)).state).toBe("held");
  });
});
