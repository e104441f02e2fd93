import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { inProcesses } from "../../../bench/ledger/processes.ts";
import { someone, useBackend } from "../../testing/backend.ts";
import { post } from "./post.ts";
import { accounts, transactions } from "./records.ts";
import { verify } from "./verify.ts";

useBackend();
const TIMEOUT = 90_000;
const SECONDS = Number(process.env.CIRCLES_SECONDS ?? "5");

const give = (to: string, amount: number) =>
  post({
    key: randomUUID(),
    kind: "grant",
    postings: [{ from: "system:mint", to, amount, currency: "COIN" }],
    reference: "test",
  });
const account = async (uid: string) => (await accounts().doc(`${uid}:COIN`).get()).data();

test("of 500 who spend at once 200 find something, and the rest nothing", { timeout: TIMEOUT }, async () => {
  const ada = someone().uid;
  await give(ada, 200);
  const postings = [{ from: ada, to: "system:revenue", amount: 1, currency: "COIN" }];
  const spend = () => post({ key: randomUUID(), kind: "spend", postings, reference: "test" });
  const outcomes = await Promise.allSettled(Array.from({ length: 500 }, spend));
  const refused = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(refused).toHaveLength(300);
  for (const reason of refused) expect(reason).toMatchObject({ reason: "insufficient-funds" });
  expect(await account(ada)).toMatchObject({ available: 0, seq: 201 });
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});

test("…nor if they come by way of four processes", { timeout: TIMEOUT }, async () => {
  const ada = someone().uid;
  await give(ada, 200);
  const jobs = ["a", "b", "c", "d"].map((name) => ({ does: "spend", name: `${ada} ${name}`, user: ada, times: 125 }));
  const outcomes = await inProcesses(jobs);
  expect(outcomes.reduce((whole, { made }) => whole + made, 0)).toBe(200);
  expect(outcomes.reduce((whole, { refused }) => whole + (refused["insufficient-funds"] ?? 0), 0)).toBe(300);
  expect(await account(ada)).toMatchObject({ available: 0, seq: 201 });
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});

test("fifty users who send coins around in circles from four processes lose and gain none", {
  timeout: TIMEOUT + SECONDS * 1_000,
}, async () => {
  const users = Array.from({ length: 50 }, () => someone().uid);
  await Promise.all(users.map((uid) => give(uid, 100)));
  const before = (await transactions().count().get()).data().count;
  const jobs = ["a", "b", "c", "d"].map((name) => ({ does: "circle", name, users, seconds: SECONDS, parallel: 10 }));
  const outcomes = await inProcesses(jobs);
  const reasons = new Set(outcomes.flatMap(({ refused }) => Object.keys(refused)));
  reasons.delete("insufficient-funds");
  expect([...reasons]).toEqual([]);
  const held = await Promise.all(users.map(async (uid) => (await account(uid))?.available ?? 0));
  expect(held.reduce((whole, one) => whole + one, 0)).toBe(5_000);
  // What every process asked for under the same key was made once.
  const made = (await transactions().count().get()).data().count - before;
  const answered = outcomes.reduce((whole, one) => whole + one.made, 0);
  expect(made).toBeGreaterThan(0);
  expect(made).toBeLessThan(answered);
  expect(outcomes.every(({ repeated }) => repeated > 0)).toBe(true);
  expect((await verify({ scope: "all" })).problems).toEqual([]);
  console.log(`${Math.round(made / SECONDS)} transfers a second by 4 processes`);
});
