import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { runAll } from "./jobs.ts";

const failing = (what: string) => async () => {
  throw new Error(what);
};

test("a job that fails at once ends the run only when the others have come to their end", async () => {
  const ended: string[] = [];
  const slow = async () => {
    await sleep(30);
    ended.push("slow");
  };
  await expect(runAll([failing("Stripe is down"), slow])).rejects.toThrow("Stripe is down");
  expect(ended).toEqual(["slow"]);
});

test("a job that throws before it begins is one that fails, and all that failed are told of", async () => {
  const broken = () => {
    throw new Error("broken");
  };
  const error = await runAll([failing("one"), broken, async () => 1]).catch((reason: unknown) => reason);
  expect((error as AggregateError).errors).toEqual([new Error("one"), new Error("broken")]);
  await expect(runAll([async () => 1])).resolves.toBeUndefined();
});
