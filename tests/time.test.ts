import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Page, Submitted } from "../functions/src/leaderboards/contract.ts";
import type { Player } from "../scripts/player.ts";
import { BOARD_ID, seed } from "../scripts/seed.ts";
import { useBackend } from "./backend.ts";

/** What time does to the backend: the suite's clock is moved, and everything goes along. */
const backend = useBackend();
const { connection, newcomer, simulate } = backend;
const DAY = 86_400_000;
const PATIENCE = { timeout: 20_000, interval: 100 };
let operator: Player;

beforeAll(async () => {
  operator = await newcomer("Olga");
  await seed(connection, operator);
});
afterEach(() => time("PUT", "/clock", { offset: 0 }));

async function time<Answer>(verb: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${connection.timeUrl}${path}`, {
    method: verb,
    ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
  });
  if (!response.ok) throw new Error(`${verb} ${path}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

test("scheduled functions tick", async () => {
  interface Schedules {
    readonly schedules: readonly { readonly name: string; readonly lastRun?: { readonly state: string } }[];
  }
  const { now: before } = await time<{ now: number }>("GET", "/clock");
  await time("PUT", "/clock", { advance: "PT20M" });
  const { schedules } = await time<Schedules>("GET", "/schedules");
  const housekeeping = schedules.find(({ name }) => name.includes("housekeeping"));
  expect(housekeeping).toMatchObject({ lastRun: { state: "succeeded" } });
  const names = schedules.map(({ name }) => name.split("-")[0] ?? "");
  expect(new Set(names)).toEqual(
    new Set([
      "housekeeping",
      "hotProducts",
      "leaderboardUpkeep",
      "ledgerHeads",
      "payoutReconciliation",
      "storeReconciliation",
    ]),
  );
  const { now: after } = await time<{ now: number }>("GET", "/clock");
  expect(after - before).toBeGreaterThanOrEqual(20 * 60_000);
});

test("events that were delivered are kept for a month, and are gone when their time is over", async () => {
  const product = `p-${randomUUID()}`;
  await operator.call("admin/store/define", { id: product, product: { title: "P", grant: {} } });
  const { docs } = await backend.firestore.collection("outbox").get();
  const event = docs.find((one) => one.get("data.product") === product);
  const { now } = await time<{ now: number }>("GET", "/clock");
  const expiresAt = event?.get("expiresAt").toMillis();
  expect(Math.round((expiresAt - now) / DAY)).toBe(30);
  await vi.waitFor(async () => expect((await event?.ref.get())?.data()).not.toHaveProperty("dueAt"), PATIENCE);
  // Every schedule ticks through the time that passes: a month of it would take most of a minute.
  await event?.ref.update({ expiresAt: new Date(now + 1.5 * DAY) });
  await time("PUT", "/clock", { advance: DAY });
  expect((await event?.ref.get())?.exists).toBe(true);
  await time("PUT", "/clock", { advance: DAY });
  expect((await event?.ref.get())?.exists).toBe(false);
});

test("a new day begins a new season", async () => {
  const player = await newcomer("Ada");
  const submit = (score: number) =>
    player.call<Submitted>("api/leaderboards/submit", { board: BOARD_ID, score, attempt: randomUUID() });
  const today = await submit(500);
  await time("PUT", "/clock", { advance: "P1D" });
  const tomorrow = await submit(100);
  expect(tomorrow.bests.daily?.season).not.toBe(today.bests.daily?.season);
  expect(tomorrow.bests.daily).toMatchObject({ score: 100, improved: true });
  expect(tomorrow.bests.allTime).toMatchObject({ score: 500, improved: false });
  const { rows } = await player.call<Page>("api/leaderboards/page", { board: BOARD_ID, period: "daily" });
  expect(rows.map(({ score }) => score)).toEqual([100]);
});

test("a webhook that nobody makes possible is tried for days and then parked", { timeout: 120_000 }, async () => {
  const { event } = await simulate("purchases", {
    customer: operator.uid,
    product: "never_defined",
    kind: "consumable",
  });
  const record = backend.firestore.doc(`webhooks/revenuecat_${event}`);
  await vi.waitFor(
    async () => expect((await record.get()).data()).toMatchObject({ state: "retrying", attempts: 2 }),
    PATIENCE,
  );
  for (let day = 0; day < 5 && (await record.get()).get("state") === "retrying"; day++) {
    await time("PUT", "/clock", { advance: DAY });
  }
  await vi.waitFor(
    async () => expect((await record.get()).data()).toMatchObject({ state: "parked", attempts: 24 }),
    PATIENCE,
  );
});
