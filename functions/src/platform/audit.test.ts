import { expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { audit, deeds, writeDown } from "./audit.ts";
import { setClock } from "./clock.ts";
import { isAlreadyExists, transact } from "./firestore.ts";

const backend = useBackend();

const deed = (key: string, by: string, subject = "withdrawals/a") =>
  transact(async (tx) => writeDown(tx, { key, by, action: "payouts/approve", subject, note: "seen" }));

test("a deed is written down once, newest come first, and pages neither lose nor repeat one", async () => {
  for (let i = 0; i < 5; i++) {
    const back = setClock(1_700_000_000_000 + Math.floor(i / 2));
    await deed(`deed ${i}`, i % 2 === 0 ? "olga" : "paul", i < 4 ? "withdrawals/a" : "withdrawals/b");
    back();
  }
  await expect(deed("deed 0", "mallory")).rejects.toSatisfy(isAlreadyExists);
  expect((await audit().get()).size).toBe(5);
  const { result: first, bill } = await backend.billed(() => deeds({}, { limit: 2 }));
  expect(bill).toEqual({ reads: 2, writes: 0, deletes: 0 });
  const last = first.at(-1);
  const cursor = last && { at: last.record.at.toMillis(), id: last.id };
  const rest = await deeds({}, { limit: 10, cursor });
  const times = [...first, ...rest].map(({ record }) => record.at.toMillis());
  expect(times).toEqual([...times].sort((a, b) => b - a));
  expect(new Set([...first, ...rest].map(({ id }) => id)).size).toBe(5);
  expect((await deeds({ by: "paul" }, { limit: 10 })).map(({ record }) => record.by)).toEqual(["paul", "paul"]);
  expect((await deeds({ subject: "withdrawals/b" }, { limit: 10 })).length).toBe(1);
});
