import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { useBackend } from "../../../testing.ts";
import { firestore, transact } from "../../platform/firestore.ts";
import { once } from "./once.ts";

useBackend();

test("what was done without its answer being heard is answered as done before, and is not done twice", async () => {
  const reference = firestore().doc(`acts/${randomUUID()}`);
  const spent = firestore().doc(`spent/${randomUUID()}`);
  let tries = 0;
  const act = async () => {
    const state = await transact(async (tx) => {
      if ((await tx.get(reference)).exists) return "before";
      tx.create(reference, {});
      tx.create(spent, {});
      return "now";
    });
    // The client repeats a commit whose answer was lost, and finds its own documents.
    if (++tries === 1) await spent.create({});
    return state;
  };
  expect(await once(act, async () => undefined)).toBe("before");
  expect(tries).toBe(1 + 1);
});
