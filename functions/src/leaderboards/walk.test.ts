import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { has, somebodyWith } from "../../testing/economy.ts";
import { type Person, somebodyKnown, tellBoards } from "../../testing/people.ts";
import { useSeasons } from "../../testing/seasons.ts";
import { readReview } from "../fraud/index.ts";
import { CreateGroup } from "../identity/contract.ts";
import { erase } from "../identity/erase.ts";
import { createGroup } from "../identity/groups.ts";
import { ban } from "../identity/sanction.ts";
import { transactions } from "../ledger/records.ts";
import { verify } from "../ledger/verify.ts";
import type { Caller } from "../platform/endpoint.ts";
import { firestore, transact } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { pending, players } from "./records.ts";
import { closeSeasons } from "./seasons/close.ts";
import { SeasonRequest } from "./seasons/contract.ts";
import { season as seasonPage } from "./seasons/history.ts";
import { pages, results } from "./seasons/records.ts";
import { eraseResult } from "./seasons/show-anew.ts";
import { join } from "./tournaments/join.ts";
import { userErased, Walk, walk } from "./walk.ts";

const backend = useBackend();
const { at, closeAt, keptOf, newBoard, resultOf, score, seasonOf } = useSeasons(backend);
const OLGA = { uid: "olga" };
const SEASON = "daily-2026-11-20";
const PRIZES = [{ period: "daily", from: 1, to: 2, reward: { coins: { COIN: 100 } } }];

async function gone(user: Caller): Promise<void> {
  await erase(OLGA, { user: user.uid, note: "asked for it" });
  await tellBoards();
}

/** Everything that boards have, as text. */
async function allOfBoards(): Promise<string> {
  const groups = ["leaderboards", "players", "pending", "seasons", "pages", "results", "tiers", "histograms", "stock"];
  const found = await Promise.all(groups.map((group) => firestore().collectionGroup(group).get()));
  const boards = found.flatMap(({ docs }) => docs).filter(({ ref }) => ref.path.startsWith("leaderboards/"));
  return JSON.stringify(boards.map((document) => [document.ref.path, document.data()]));
}

/** The first of the players is the best. */
async function played(people: readonly Caller[], settings: object): Promise<string> {
  at("2026-11-20T12:00:00Z");
  const board = await newBoard({ periods: ["daily"], ...settings });
  for (const [i, person] of people.entries()) await score(person, board, 90 - i, { metadata: { by: person.uid } });
  return board;
}

const two = () => Promise.all([somebodyKnown("DE"), somebodyKnown("FR")]);

describe("who is erased", () => {
  test("is named nowhere: not on boards, in seasons, leagues, tournaments or reviews", async () => {
    const [ada, bo] = await two();
    const league = { period: "daily", tiers: 3, size: 4, promote: 1, demote: 1 };
    const arcade = await played([ada, bo], { prizes: PRIZES, scopes: ["country"] });
    const leagues = await played([ada, bo], { league });
    const reviewed = await played([], { review: { beyond: 50 } });
    await score(ada, reviewed, 60);
    await closeAt("2026-11-21T01:00:00Z");
    at("2026-11-21T02:00:00Z");
    await score(ada, arcade, 5);
    const [row, other] = (await pages(arcade, SEASON).doc("0").get()).data()?.rows ?? [];
    await seasonPage(bo, SeasonRequest.parse({ board: arcade, period: "daily", season: "2026-11-20" }));
    const before = await allOfBoards();
    expect([before.includes(ada.uid), before.includes(ada.handle)]).toEqual([true, true]);

    await gone(ada);
    const after = await allOfBoards();
    expect([after.includes(ada.uid), after.includes(ada.handle)]).toEqual([false, false]);
    const nobody = { rank: 1, player: "", name: "", score: 90, at: row?.at };
    expect((await pages(arcade, SEASON).doc("0").get()).data()?.rows).toEqual([nobody, other]);
    const request = SeasonRequest.parse({ board: arcade, period: "daily", season: "2026-11-20" });
    expect((await seasonPage(bo, request)).rows).toEqual([nobody, other]);
    expect(await resultOf(leagues, SEASON, bo.uid)).toMatchObject({ rank: 2, league: { rank: 2 } });
    expect((await pending(reviewed).get()).size).toBe(0);
  });

  test("leaves nothing to be looked at, and what they have won in the books", async () => {
    const [ada, bo] = await two();
    const board = await played([ada, bo], { prizes: PRIZES });
    const reviewed = await played([], { review: { beyond: 50 } });
    await score(ada, reviewed, 60, { attempt: "attempt-1" });
    await closeAt("2026-11-21T01:00:00Z");
    const [award] = (await resultOf(board, SEASON, ada.uid))?.awards ?? [];
    await gone(ada);
    const review = await transact((tx) =>
      readReview(tx, { kind: "score", subject: `${reviewed}/${deterministicId("pending", ada.uid, "attempt-1")}` }),
    );
    expect(review.state).toBe("closed");
    expect(
      (
        await transactions()
          .doc(award?.transaction ?? "")
          .get()
      ).data(),
    ).toMatchObject({
      kind: "prize",
      reference: `leaderboard:${board}`,
      metadata: { season: "2026-11-20", rank: 1 },
    });
    expect(await seasonOf(board, SEASON)).toMatchObject({ state: "closed", given: 2, failed: 0 });
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test.each([0, 1, 2])("while a season is being closed, after %i steps, is not brought back by it", async (steps) => {
    const [ada, bo] = await two();
    const prizes = [...PRIZES, { ...PRIZES[0], to: 1, scope: "country" }];
    const league = { period: "daily", tiers: 3, size: 4, promote: 1, demote: 1 };
    const [board, leagues] = [
      await played([ada, bo], { prizes, scopes: ["country"] }),
      await played([ada, bo], { league }),
    ];
    at("2026-11-21T01:00:00Z");
    for (const id of [board, leagues]) await closeSeasons(id, "daily", steps);
    await gone(ada);
    await closeAt("2026-11-21T01:10:00Z");
    expect(await allOfBoards()).not.toContain(ada.uid);
    const nobody = steps === 0 ? [] : [[1, "", 90]];
    expect(await keptOf(board, SEASON)).toEqual([...nobody, [nobody.length + 1, bo.handle, 89]]);
    expect(await has(bo.uid)).toEqual({ COIN: 200 });
  });

  test("gets no result again from a prize that cannot be given any more", async () => {
    const [ada] = await two();
    const board = await played([ada], { prizes: PRIZES });
    at("2026-11-21T01:00:00Z");
    await closeSeasons(board, "daily", 1);
    const page = pages(board, SEASON).doc("0");
    const kept = (await page.get()).data();
    await gone(ada);
    // As the closing has read it just before.
    if (kept) await page.set(kept);
    await closeAt("2026-11-21T01:10:00Z");
    expect(await seasonOf(board, SEASON)).toMatchObject({ state: "closed", given: 0, failed: 1 });
    expect(await resultOf(board, SEASON, ada.uid)).toBeUndefined();
  });

  test("and was banned before leaves a gap", async () => {
    const [ada, bo] = await two();
    const board = await played([ada, bo], {});
    await closeAt("2026-11-21T01:00:00Z");
    await ban(OLGA, { user: ada.uid, note: "a bot" });
    await tellBoards();
    await gone(ada);
    expect(await keptOf(board, SEASON)).toEqual([[2, bo.handle, 89]]);
    expect(await allOfBoards()).not.toContain(ada.uid);
  });

  test("is looked for again when the last token that an app may have is not valid any more", async () => {
    const [ada] = await two();
    const board = await played([], {});
    const before = backend.tasks.length;
    await gone(ada);
    await score(ada, board, 10);
    expect(await allOfBoards()).toContain(ada.uid);
    const [again, ...more] = backend.tasks.slice(before).filter(({ queue }) => queue === "seasonTasks");
    expect(more).toEqual([]);
    await walk(Walk.parse(again?.data));
    expect(await allOfBoards()).not.toContain(ada.uid);
    expect(backend.tasks.slice(before).filter(({ queue }) => queue === "seasonTasks")).toHaveLength(1);
  });

  test("has the fee that they have paid played for by the others", async () => {
    at("2026-11-20T12:00:00Z");
    const times = { opensAt: "12:00", closesAt: "19:00", startsAt: "18:00", endsAt: "20:00" };
    const dated = Object.entries(times).map(([name, time]) => [name, Date.parse(`2026-11-20T${time}:00Z`)]);
    const fee = { currency: "COIN", amount: 25 };
    const tournament = { ...Object.fromEntries(dated), fee, shares: [10_000] };
    const board = await newBoard({ periods: ["custom"], tournament });
    const [ada, bo] = [await somebodyWith({ coins: { COIN: 25 } }), await somebodyWith({ coins: { COIN: 25 } })];
    for (const player of [ada, bo]) await join(player, { board });
    at("2026-11-20T18:30:00Z");
    await score(bo, board, 5);
    await gone(ada);
    expect(await allOfBoards()).not.toContain(ada.uid);
    await closeAt("2026-11-20T20:03:00Z");
    expect(await has(bo.uid)).toEqual({ COIN: 50 });
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test("leaves the score of a group, which is not theirs", async () => {
    at("2026-11-20T12:00:00Z");
    const [ada] = await two();
    const { group } = await createGroup(ada, CreateGroup.parse({ key: randomUUID(), name: "Foxes", isOpen: true }));
    await tellBoards();
    const board = await newBoard({ periods: ["daily"], owner: "group" });
    await score(ada, board, 7);
    await gone(ada);
    expect((await players(board).doc(group).get()).data()).toMatchObject({ name: "Foxes" });
    expect(await allOfBoards()).not.toContain(ada.uid);
  });

  test("costs two reads, a write and a delete for each season, and on boards and in reviews as much as there is", async () => {
    const [ada, bo]: Person[] = await two();
    if (!ada || !bo) throw new Error("there are two");
    const board = await played([ada, bo], { review: { beyond: 90 } });
    await score(ada, board, 95);
    await closeAt("2026-11-21T01:00:00Z");
    const season = { board, season: SEASON };
    const { bill } = await backend.billed(() => eraseResult({ ...season, player: bo.uid }));
    expect(bill).toEqual({ reads: 2, writes: 1, deletes: 1 });
    expect((await results(board, SEASON).get()).size).toBe(1);
    const all = await backend.billed(() => userErased(`erased ${board}`, { user: ada.uid }));
    // A board and its player, a season's result and page, a score and its review; and each of the three is found. The second time nothing.
    expect(all.bill).toEqual({ reads: 3 + 1 + 1 + 2 + 2 + 3, writes: 1 + 1, deletes: 3 });
  });

  test("of nobody's there is nothing to be done", async () => {
    const { bill } = await backend.billed(() => userErased(`erased ${randomUUID()}`, { user: someone().uid }));
    expect(bill).toEqual({ reads: 6, writes: 0, deletes: 0 });
  });
});
