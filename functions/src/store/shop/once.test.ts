import { expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { notices } from "../../notices/records.ts";
import { timestamp, transact } from "../../platform/firestore.ts";
import { once } from "./once.ts";

useBackend();

test("what was done without its answer being heard is answered as done before, and is not done twice", async () => {
  const { uid } = someone();
  const reference = notices(uid).doc("once");
  const notice = { kind: "test", data: {}, at: timestamp(), expiresAt: timestamp() };
  let tries = 0;
  const act = async () => {
    const state = await transact(async (tx) => {
      if ((await tx.get(reference)).exists) return "before";
      tx.create(reference, notice);
      return "now";
    });
    // The client repeats a commit whose answer was lost, and finds its own document.
    if (++tries === 1) await reference.create(notice);
    return state;
  };
  expect(await once(act, async () => undefined)).toBe("before");
  expect(tries).toBe(1 + 1);
});
