import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { someone, useBackend } from "../../testing/backend.ts";
import { deeds } from "../platform/audit.ts";
import type { Caller } from "../platform/endpoint.ts";
import { parseInput } from "../platform/endpoint.ts";
import { collection, transact } from "../platform/firestore.ts";
import { outbox } from "../platform/outbox.ts";
import { settings } from "./configure.ts";
import { FraudSettingsRequest, type Queue } from "./contract.ts";
import { admin } from "./endpoint.ts";
import { type NewReview, openReview, readReview } from "./review.ts";

const backend = useBackend({ FRAUD: "on" });
const [olga, paul] = [someone(), someone()];

beforeAll(async () => {
  const admins = collection("admins", z.object({ name: z.string() }));
  await admins.doc(olga.uid).set({ name: "Olga" });
  await admins.doc(paul.uid).set({ name: "Paul" });
});
const configure = (next: object) => settings(olga, FraudSettingsRequest.parse({ settings: next }));
beforeEach(() => configure({}));

const call = async <T>(name: keyof typeof admin, caller: Caller, input: object): Promise<T> => {
  const { input: shape, output, run } = admin[name];
  return output.parse(await run(caller, parseInput(shape, input))) as T;
};
const approve = (caller: Caller, id: string, note = "looks fine") =>
  call<{ state: string; approvalsMissing: number }>("approve", caller, { id, note });
const reject = (caller: Caller, id: string, note = "stolen") => call<{ state: string }>("reject", caller, { id, note });
const queue = (input: object = {}) => call<Queue>("queue", olga, input);

let count = 0;
const open = (rest: Partial<NewReview> = {}): Promise<string> => {
  const review: NewReview = { kind: "purchase", subject: `s${++count}`, user: someone().uid, ...rest };
  const reasons = [{ rule: "refunds", score: 70, reason: "Because." }];
  return transact(async (tx) => openReview(tx, review, { score: 70, reasons }));
};
const events = async (id: string) =>
  (await outbox().where("type", "==", "review.decided").get()).docs
    .map((document) => document.data().data)
    .filter(({ review }) => review === id);
const acts = async (id: string) =>
  (await deeds({ subject: `reviews/${id}` }, { limit: 100 })).map(({ record: { by, action, note } }) => ({
    by,
    action,
    note,
  }));

describe("a decision", () => {
  test("is told to whoever waits for it, and written down with who made it and why", async () => {
    await approve(olga, await open());
    const id = await open({ subject: "mine" });
    const { result, bill } = await backend.billed(() => approve(olga, id));
    expect(result).toEqual({ state: "approved", approvalsMissing: 0 });
    expect(bill).toEqual({ reads: 1, writes: 3, deletes: 0 });
    expect(await events(id)).toEqual([
      { review: id, kind: "purchase", subject: "mine", decision: "approved", by: olga.uid },
    ]);
    expect(await acts(id)).toEqual([{ by: olga.uid, action: "fraud/approve", note: "looks fine" }]);
  });

  test("made again by the same operator is the same, and happens once", async () => {
    const [one, other] = [await open(), await open()];
    await Promise.all([approve(olga, one), approve(olga, one), approve(olga, one)]);
    await reject(olga, other);
    expect(await reject(olga, other, "once more")).toMatchObject({ state: "rejected" });
    expect(await acts(one)).toHaveLength(1);
    expect(await acts(other)).toEqual([{ by: olga.uid, action: "fraud/reject", note: "stolen" }]);
  });

  test("is one operator's: of two at the same time one is told that the review is closed", async () => {
    for (let round = 0; round < 5; round++) {
      const id = await open();
      const results = await Promise.allSettled([approve(olga, id), reject(paul, id)]);
      const refused = results.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
      expect(refused).toMatchObject([{ reason: "review-closed" }]);
      expect(await events(id)).toHaveLength(1);
      expect(await acts(id)).toHaveLength(1);
    }
  });

  test("needs a note, and a review", async () => {
    await expect(call("approve", olga, { id: await open(), note: " " })).rejects.toMatchObject({
      details: { field: "note" },
    });
    await expect(approve(olga, "nothing")).rejects.toMatchObject({ reason: "unknown-review" });
    await expect(reject(olga, "nothing")).rejects.toMatchObject({ reason: "unknown-review" });
  });

  test("on what was closed is refused; opened again it can be made", async () => {
    const review = { kind: "purchase", subject: "closed" } as const;
    const id = await open(review);
    await transact(async (tx) => (await readReview(tx, review)).close());
    await expect(approve(olga, id)).rejects.toMatchObject({ reason: "review-closed" });
    await transact(async (tx) => (await readReview(tx, review)).reopen());
    expect(await approve(olga, id)).toMatchObject({ state: "approved" });
    await transact(async (tx) => (await readReview(tx, review)).close());
    await transact(async (tx) => expect((await readReview(tx, review)).state).toBe("approved"));
  });
});

describe("above the amount that settings name", () => {
  const big = { amount: { amount: 10_001, currency: "USD" } };
  beforeEach(() => configure({ fourEyesAbove: { USD: 10_000 } }));

  test("it takes two operators to approve, and one of them twice is one", async () => {
    const id = await open(big);
    expect(await approve(olga, id)).toEqual({ state: "open", approvalsMissing: 1 });
    expect(await approve(olga, id)).toEqual({ state: "open", approvalsMissing: 1 });
    expect(await events(id)).toEqual([]);
    expect(await approve(paul, id)).toEqual({ state: "approved", approvalsMissing: 0 });
    expect(await approve(olga, id)).toEqual({ state: "approved", approvalsMissing: 0 });
    expect(await events(id)).toHaveLength(1);
    expect(await acts(id)).toHaveLength(2);
  });

  test("one is enough to reject, even after another has approved", async () => {
    const id = await open(big);
    await approve(olga, id);
    expect(await reject(paul, id)).toMatchObject({ state: "rejected" });
    await expect(approve(olga, id)).rejects.toMatchObject({ reason: "review-closed" });
  });

  test("and in other currencies, or at the amount itself, one is enough to approve", async () => {
    for (const amount of [
      { amount: 10_000, currency: "USD" },
      { amount: 99_999, currency: "EUR" },
    ]) {
      expect(await approve(olga, await open({ amount }))).toMatchObject({ state: "approved" });
    }
  });
});

describe("the queue", () => {
  test("gives pages, the oldest first, by kind, by state and by whose they are; one read for each", async () => {
    const mine: string[] = [];
    for (let i = 0; i < 5; i++) mine.push(await open({ kind: "gift" }));
    const { result: first, bill } = await backend.billed(() => queue({ kind: "gift", limit: 2 }));
    expect(bill).toEqual({ reads: 2, writes: 0, deletes: 0 });
    const rest = await queue({ kind: "gift", limit: 10, cursor: first.nextCursor });
    const all = [...first.reviews, ...rest.reviews];
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set(mine));
    expect(all.map(({ openedAt }) => openedAt)).toEqual(all.map(({ openedAt }) => openedAt).sort());
    const [one = ""] = mine;
    await call("assign", olga, { id: one, to: paul.uid });
    expect((await queue({ assignee: paul.uid, kind: "gift" })).reviews).toMatchObject([{ id: one, score: 70 }]);
    await approve(olga, one);
    expect((await queue({ kind: "gift", limit: 100 })).reviews).toHaveLength(4);
    expect((await queue({ kind: "gift", state: "approved" })).reviews).toMatchObject([
      { id: one, decision: { by: olga.uid, note: "looks fine" } },
    ]);
  });

  test.each(["x", "1.a/b", "1", "-1.abc"])("refuses the cursor %j, which no page has given", async (cursor) => {
    await expect(queue({ cursor })).rejects.toMatchObject({ details: { field: "cursor" } });
  });

  test("is for operators only, as all that is done with it", () => {
    for (const { access } of Object.values(admin)) expect(access).toBe("admin");
  });
});

describe("an operator", () => {
  test("leaves notes, each once, before and after it is decided", async () => {
    const id = await open();
    const say = (caller: Caller, note: string) => call<{ notes: number }>("note", caller, { id, note });
    expect(await say(olga, "asked the user")).toEqual({ notes: 1 });
    expect(await say(olga, "asked the user")).toEqual({ notes: 1 });
    expect(await say(paul, "asked the user")).toEqual({ notes: 2 });
    await approve(olga, id);
    expect(await say(paul, "all is well")).toEqual({ notes: 3 });
    expect(await acts(id)).toHaveLength(4);
  });

  test("gets no more notes in than a document should have", async () => {
    const id = await open();
    for (let i = 0; i < 100; i++) await call("note", olga, { id, note: `${i}` });
    await expect(call("note", olga, { id, note: "one more" })).rejects.toMatchObject({ reason: "too-many-notes" });
  });

  test("gives reviews to operators only, while they are open", async () => {
    const id = await open();
    const give = (to: string | null) => call("assign", olga, { id, to });
    expect(await give(paul.uid)).toEqual({ assignee: paul.uid });
    expect(await give(paul.uid)).toEqual({ assignee: paul.uid });
    await expect(give(someone().uid)).rejects.toMatchObject({ details: { field: "to" } });
    expect(await give(null)).toEqual({ assignee: null });
    expect(await acts(id)).toHaveLength(2);
    await approve(olga, id);
    await expect(give(paul.uid)).rejects.toMatchObject({ reason: "review-closed" });
  });
});
