import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { parseInput } from "../platform/endpoint.ts";
import type { Credited } from "./contract.ts";
import { admin } from "./endpoint.ts";
import { history } from "./history.ts";
import { transactions } from "./records.ts";
import { wallet } from "./wallet.ts";

const backend = useBackend();
const olga = { uid: "olga" };

const credit = async (input: object, by = olga) => {
  const { input: contract, output, run } = admin.credit;
  return output.parse(await run(by, parseInput(contract, input))) as Credited;
};
const asked = (user: string, change: object = {}) => ({
  key: randomUUID(),
  user,
  currency: "COIN",
  amount: 25,
  note: "sorry for the outage",
  ...change,
});

describe("an operator's credit", () => {
  test("gives coins of the house once, however often it is sent, and the user's history says why", async () => {
    const ada = someone();
    const request = asked(ada.uid);
    const first = await credit(request);
    expect(await credit(request)).toEqual(first);
    expect((await wallet(ada)).balances).toMatchObject([{ currency: "COIN", available: 25 }]);
    const seen = await history(ada, { currency: "COIN", limit: 10 });
    expect(seen.transactions).toMatchObject([
      { id: first.transaction, kind: "grant", amount: 25, reference: "sorry for the outage" },
    ]);
    expect((await transactions().doc(first.transaction).get()).data()?.metadata).toEqual({ operator: "olga" });
  });

  test("costs 2 reads and 2 writes, and sent again a read", async () => {
    const request = asked(someone().uid);
    expect((await backend.billed(() => credit(request))).bill).toEqual({ reads: 2, writes: 2, deletes: 0 });
    expect((await backend.billed(() => credit(request))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });

  test("under the key of another is refused, and nobody is given anything", async () => {
    const [ada, bo] = [someone(), someone()];
    const request = asked(ada.uid);
    await credit(request);
    for (const change of [{ user: bo.uid }, { amount: 26 }, { currency: "GEM" }, { note: "again" }]) {
      await expect(credit({ ...request, ...change })).rejects.toMatchObject({ reason: "idempotency-key-reused" });
    }
    expect((await wallet(bo)).balances).toEqual([]);
  });

  test.each([
    ["user", { user: "system:revenue" }],
    ["user", { user: "a/b" }],
    ["amount", { amount: 0 }],
    ["amount", { amount: 1.5 }],
    ["amount", { amount: 2 ** 53 }],
    ["key", { key: "" }],
    ["note", { note: "" }],
  ])("with a wrong %s is refused: %o", async (field, change) => {
    await expect(credit(asked("ada", change))).rejects.toMatchObject({ details: { reason: "invalid-input", field } });
  });

  test("of an unknown currency, or past what an account can hold, is refused", async () => {
    const { uid } = someone();
    await expect(credit(asked(uid, { currency: "DOUBLOON" }))).rejects.toMatchObject({ reason: "unknown-currency" });
    await expect(credit(asked(uid, { amount: 1_000_000_000_001 }))).rejects.toMatchObject({
      reason: "balance-too-large",
    });
  });

  test("is for operators alone", () => {
    expect(admin.credit.access).toBe("admin");
  });
});
