import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { defineGame, give, has, item, operator, recipe, table } from "../../testing/economy.ts";
import { transactions } from "../ledger/records.ts";
import { outbox } from "../platform/outbox.ts";
import { Table } from "./definitions.ts";
import { listEntitlements } from "./entitlements.ts";
import { takeByHand } from "./operate.ts";

useBackend();
beforeAll(defineGame);

describe("an operator", () => {
  test("gives once under a key and takes what is there; the rest is owed or missing", async () => {
    const { uid } = someone();
    const key = randomUUID();
    const first = await give(uid, { coins: { COIN: 30 }, items: { plank: 3, blade: 2 }, entitlements: ["vip"] }, key);
    expect(await give(uid, { coins: { COIN: 30 }, items: { plank: 3, blade: 2 }, entitlements: ["vip"] }, key)).toEqual(
      first,
    );
    await expect(give(uid, { coins: { COIN: 31 } }, key)).rejects.toMatchObject({ reason: "idempotency-key-reused" });
    const request = {
      key: randomUUID(),
      user: uid,
      taken: { coins: { COIN: 50 }, items: { plank: 5, blade: 1 }, entitlements: ["vip"] },
      note: "given by mistake",
    };
    const taken = await takeByHand(operator, request);
    expect(taken.missingItems).toEqual({ plank: 2 });
    expect(await takeByHand(operator, request)).toEqual(taken);
    expect(await has(uid)).toEqual({ COIN: -20, instances: ["blade"] });
    expect((await listEntitlements({ uid })).entitlements).toMatchObject([{ entitlement: "vip", active: false }]);
    const record = (await transactions().doc(taken.transaction).get()).data();
    expect(record).toMatchObject({
      kind: "adjustment",
      reference: "given by mistake",
      metadata: { operator: operator.uid },
    });
  });

  test("changes what a token says with what somebody may use, whether it is given or taken", async () => {
    const { uid } = someone();
    const told = async () => {
      const events = (await outbox().get()).docs.map((one) => one.data());
      return events.filter(({ data }) => data.user === uid).map(({ type }) => type);
    };
    await give(uid, { entitlements: ["vip"] }, randomUUID());
    expect(await told()).toEqual(["entitlements.changed"]);
    const taken = { coins: {}, items: {}, entitlements: ["vip"] };
    await takeByHand(operator, { key: randomUUID(), user: uid, taken, note: "given by mistake" });
    expect(await told()).toEqual(["entitlements.changed", "entitlements.changed"]);
    await takeByHand(operator, { key: randomUUID(), user: uid, taken, note: "once more" });
    expect(await told()).toHaveLength(2);
  });

  test.each([
    ["unknown-table", () => item("bad", { consume: { table: "nothing" } })],
    ["unknown-currency", () => item("bad", { consume: { reward: { coins: { DOUBLOON: 1 } } } })],
    ["unknown-table", () => table("bad", { entries: [{ id: "a", weight: 1, table: "nothing" }] })],
    ["table-too-large", () => table("bad", { entries: [{ id: "a", weight: 1, table: "bad" }] })],
    ["invalid-input", () => table("bad", { entries: [{ id: "a", weight: 1, reward: { coins: { USD: 1 } } }] })],
    ["invalid-input", () => recipe("bad", { costs: { coins: { USD: 1 } }, gives: { table: "chest" } })],
    ["invalid-input", () => recipe("bad", { costs: { coins: { XP: 1 } }, gives: { table: "chest" } })],
  ])("cannot define what could not be carried out: %s", async (reason, define) => {
    await expect(define()).rejects.toMatchObject({ reason });
  });

  test("cannot make tables deeper than three, or so that they draw without an end", async () => {
    await table("d3", { draws: 20, entries: [{ id: "a", weight: 1 }] });
    await table("d2", { draws: 20, entries: [{ id: "a", weight: 1, table: "d3" }] });
    await expect(table("d1", { draws: 20, entries: [{ id: "a", weight: 1, table: "d2" }] })).rejects.toMatchObject({
      reason: "table-too-large",
    });
    await table("d1", { draws: 1, entries: [{ id: "a", weight: 1, table: "d2" }] });
    await expect(table("d0", { entries: [{ id: "a", weight: 1, table: "d1" }] })).rejects.toMatchObject({
      reason: "table-too-large",
    });
  });

  test.each([
    { title: "x", entries: [] },
    { title: "x", entries: [{ id: "a", weight: 0 }] },
    {
      title: "x",
      entries: [
        { id: "a", weight: 1 },
        { id: "a", weight: 1 },
      ],
    },
    { title: "x", entries: [{ id: "a", weight: 1 }], draws: 2, replacement: false },
    { title: "x", entries: [{ id: "a", weight: 1 }], pity: { entries: ["b"], after: 1 } },
  ])("cannot define a table that makes no sense: %j", (wrong) => {
    expect(Table.safeParse(wrong).success).toBe(false);
  });
});
