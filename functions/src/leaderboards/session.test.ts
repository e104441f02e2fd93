import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import type * as z from "zod";
import { someone, useBackend } from "../../testing/backend.ts";
import { finishes, starts } from "../../testing/games.ts";
import { approve, reject } from "../fraud/decide.ts";
import { reviews } from "../fraud/records.ts";
import { now, setClock } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { boardOf } from "./board.ts";
import { PageRequest, SubmitRequest } from "./contract.ts";
import { page } from "./page.ts";
import { boards, pending, players } from "./records.ts";
import { Board } from "./settings.ts";
import { submit as submitTo } from "./submit.ts";
import { subscribers } from "./subscribers.ts";

const backend = useBackend();
const NOON = Date.parse("2026-11-20T12:00:00Z");
let restore = setClock(NOON);

afterEach(() => {
  restore();
  restore = setClock(NOON);
});

function later(seconds: number): void {
  const time = now() + seconds * 1_000;
  restore();
  restore = setClock(time);
}

async function newBoard(settings: Partial<z.input<typeof Board>>): Promise<string> {
  const board = `board-${randomUUID()}`;
  const common = { title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000_000 };
  await boards()
    .doc(board)
    .set(Board.parse({ ...common, ...settings }));
  // What a board says is read once in ten minutes.
  await boardOf(board);
  return board;
}

const submit = (player: Caller, request: z.input<typeof SubmitRequest>) =>
  submitTo(player, SubmitRequest.parse(request));
const scores = async (board: string) =>
  (await page(someone(), PageRequest.parse({ board, period: "allTime" }))).rows.map(({ score }) => score);

describe("a board that requires a session", () => {
  test("takes one score of each, for 2 reads and 2 writes, and the same attempt again for nothing", async () => {
    const board = await newBoard({ session: "required" });
    const ada = someone("Ada");
    const earlier = await starts(ada.uid, { board });
    await submit(ada, { board, score: 1, attempt: "attempt-0", session: earlier.token });
    const { token } = await starts(ada.uid, { board });
    const request = { board, score: 10, attempt: "attempt-1", session: token };
    const first = await backend.billed(() => submit(ada, request));
    expect(first.bill).toEqual({ reads: 2, writes: 2, deletes: 0 });
    expect(first.result).toMatchObject({ bests: { allTime: { score: 10, improved: true } }, repeated: false });
    const again = await backend.billed(() => submit(ada, request));
    expect(again.bill).toEqual({ reads: 2, writes: 0, deletes: 0 });
    expect(again.result).toMatchObject({ bests: { allTime: { score: 10, improved: false } }, repeated: true });
    await expect(submit(ada, { ...request, attempt: "attempt-2" })).rejects.toMatchObject({ reason: "session-used" });
    expect(await scores(board)).toEqual([10]);
  });

  test("takes none without, none with somebody else's, none with another board's, and changes nothing then", async () => {
    const board = await newBoard({ session: "required" });
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    const { token } = await starts(ada.uid, { board });
    const elsewhere = await starts(bo.uid, { board: await newBoard({ session: "required" }) });
    const attempt = () => ({ board, score: 10, attempt: randomUUID() });
    await expect(submit(bo, attempt())).rejects.toMatchObject({ reason: "session-required" });
    await expect(submit(bo, { ...attempt(), session: token })).rejects.toMatchObject({ reason: "token-foreign" });
    await expect(submit(bo, { ...attempt(), session: elsewhere.token })).rejects.toMatchObject({
      reason: "token-foreign",
    });
    await expect(submit(bo, { ...attempt(), session: `${token}x` })).rejects.toMatchObject({ reason: "token-invalid" });
    expect(await scores(board)).toEqual([]);
    expect((await players(board).doc(bo.uid).get()).exists).toBe(false);
  });

  test("takes only what can be scored in the time, and counts it from when the session was finished", async () => {
    const board = await newBoard({ session: "required", maxPerSecond: 10 });
    const ada = someone("Ada");
    const { token, session } = await starts(ada.uid, { board });
    later(6);
    await finishes(ada.uid, { session, score: 50 });
    later(600);
    await expect(submit(ada, { board, score: 51, attempt: "attempt-1", session: token })).rejects.toMatchObject({
      reason: "score-differs",
    });
    await submit(ada, { board, score: 50, attempt: "attempt-2", session: token });
    expect((await players(board).doc(ada.uid).get()).data()?.a0?.at.toMillis()).toBe(NOON + 6_000);
    const second = await starts(ada.uid, { board });
    later(6);
    await expect(submit(ada, { board, score: 61, attempt: "attempt-3", session: second.token })).rejects.toMatchObject({
      reason: "implausible-score",
    });
    expect(await scores(board)).toEqual([50]);
  });
});

describe("a score far from the others", () => {
  const decide = async (user: string, act: typeof approve) => {
    const open = await reviews().where("user", "==", user).get();
    const [review] = open.docs;
    await act(someone("Olga"), { id: review?.id ?? "", note: "looked at" });
    const [settle] = subscribers.filter(({ type }) => type === "review.decided");
    const { kind, subject } = review?.data() ?? {};
    const event = { id: "e", type: "review.decided", data: { kind: kind ?? "", subject: subject ?? "" } };
    await Promise.all([1, 2, 3].map(() => settle?.react(event)));
  };

  test("counts once it is approved, as of when it was played; asking again changes nothing", async () => {
    const board = await newBoard({ review: { beyond: 1_000 } });
    const ada = someone("Ada");
    const request = { board, score: 5_000, attempt: "attempt-1" };
    const first = await backend.billed(() => submit(ada, request));
    // Besides, a profile, which Ada does not have, is two documents.
    expect(first.bill).toEqual({ reads: 2 + 2, writes: 2, deletes: 0 });
    expect(first.result).toMatchObject({ inReview: true, bests: { allTime: { score: null } } });
    expect(await submit(ada, request)).toMatchObject({ inReview: true, repeated: true });
    await expect(submit(ada, { ...request, score: 6_000 })).rejects.toMatchObject({ reason: "attempt-reused" });
    expect(await scores(board)).toEqual([]);
    later(60);
    await decide(ada.uid, approve);
    expect(await scores(board)).toEqual([5_000]);
    expect((await players(board).doc(ada.uid).get()).data()?.a0?.at.toMillis()).toBe(NOON);
  });

  test("is looked at once, whatever session it is sent with again", async () => {
    const board = await newBoard({ review: { beyond: 1_000 }, session: "required" });
    const ada = someone("Ada");
    const [{ token: session }, { token: another }] = [
      await starts(ada.uid, { board }),
      await starts(ada.uid, { board }),
    ];
    const request = { board, score: 5_000, attempt: "attempt-1" };
    const first = await backend.billed(() => submit(ada, { ...request, session }));
    // Besides, a profile, which Ada does not have, is two documents.
    expect(first.bill).toEqual({ reads: 3 + 2, writes: 3, deletes: 0 });
    expect(await submit(ada, { ...request, session })).toMatchObject({ inReview: true, repeated: true });
    const differs = submit(ada, { ...request, score: 6_000, session: another });
    await expect(differs).rejects.toMatchObject({ reason: "attempt-reused" });
    expect(await submit(ada, { ...request, session: another })).toMatchObject({ inReview: true, repeated: true });
    expect((await pending(board).get()).docs.map((one) => one.data().score)).toEqual([5_000]);
  });

  test("never counts when it is rejected, nor when its season is over by then", async () => {
    const board = await newBoard({ review: { beyond: 1_000 } });
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    await submit(ada, { board, score: 5_000, attempt: "attempt-1" });
    await decide(ada.uid, reject);
    await submit(bo, { board, score: 6_000, attempt: "attempt-1" });
    later(86_400);
    await decide(bo.uid, approve);
    expect(await scores(board)).toEqual([]);
  });

  test("is approved and still not taken where the board says no by then, and is not told for ever", async () => {
    const board = await newBoard({ review: { beyond: 1_000 }, attempts: { period: "allTime", max: 1 } });
    const ada = someone("Ada");
    await submit(ada, { board, score: 5_000, attempt: "attempt-1" });
    await submit(ada, { board, score: 10, attempt: "attempt-2" });
    await decide(ada.uid, approve);
    expect(await scores(board)).toEqual([10]);
    const [kept] = (await pending(board).get()).docs;
    expect(kept?.data()).toMatchObject({ state: "refused", why: "attempts-used-up" });
  });

  test("has a seat in a league once it is approved", async () => {
    const league = { period: "weekly" as const, tiers: 2, size: 2, promote: 1, demote: 1 };
    const board = await newBoard({ review: { beyond: 1_000 }, periods: ["weekly"], league });
    const ada = someone("Ada");
    await submit(ada, { board, score: 5_000, attempt: "attempt-1" });
    await decide(ada.uid, approve);
    const player = (await players(board).doc(ada.uid).get()).data();
    expect([player?.w0, player?.w1].find((slot) => slot)).toMatchObject({ score: 5_000, group: "1-1" });
  });

  test("is one many times as good as the best of a hundred, either way round", async () => {
    for (const [order, fine, doubtful] of [
      ["descending", 2_999, 3_001],
      ["ascending", 334, 333],
    ] as const) {
      const board = await newBoard({ order, review: { timesTheBest: 3 } });
      expect(await submit(someone(), { board, score: 1_000, attempt: "attempt-1" })).toMatchObject({ inReview: false });
      await Promise.all(
        Array.from({ length: 99 }, () => submit(someone(), { board, score: 1_000, attempt: "attempt-1" })),
      );
      later(61);
      expect(await submit(someone(), { board, score: doubtful, attempt: "attempt-1" })).toMatchObject({
        inReview: true,
      });
      expect(await submit(someone(), { board, score: fine, attempt: "attempt-1" })).toMatchObject({ inReview: false });
    }
  });
});
