import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { has } from "../../../testing/economy.ts";
import { type Person, renamed, somebodyKnown, tellBoards } from "../../../testing/people.ts";
import { useSeasons } from "../../../testing/seasons.ts";
import { updateProfile } from "../../identity/own.ts";
import { ban, shadowBan, unban } from "../../identity/sanction.ts";
import { type DocumentReference, timestamp, transact } from "../../platform/firestore.ts";
import { showOnBoard } from "../profile.ts";
import { players } from "../records.ts";
import { type Walk, walk } from "../walk.ts";
import { closeSeasons } from "./close.ts";
import { ResultsRequest, SeasonRequest } from "./contract.ts";
import { disqualify } from "./disqualify.ts";
import { myResults, season as seasonPage } from "./history.ts";
import { pages, results, seasons } from "./records.ts";
import { showAnew } from "./show-anew.ts";

const backend = useBackend();
const { at, closeAt, keptOf, newBoard, resultOf, score } = useSeasons(backend);
const OLGA = { uid: "olga" };
const NOVEMBER = { period: "daily", season: "2026-11-20" } as const;
const SEASON = "daily-2026-11-20";
/** Longer than whatever waits for nobody takes. */
const AWHILE_MILLIS = 300;
const NOTE = { note: "a bot" };

/** As an app is shown it, through whatever remembers it. */
const shown = async (board: string) =>
  (await seasonPage(OLGA, SeasonRequest.parse({ board, ...NOVEMBER }))).rows.map(({ rank, name }) => [rank, name]);
const rowsOf = async (board: string) => (await pages(board, SEASON).doc("0").get()).data()?.rows;
const known = (count: number, country?: string) =>
  Promise.all(Array.from({ length: count }, () => somebodyKnown(country)));
const walkOf = (user: string, event: string): Walk => ({ user, event, erased: false, stage: "players" });

/** Begins something while nobody can write a document, goes on after a while, and waits for what has begun. */
async function whileRead(reference: DocumentReference, begin: () => Promise<unknown[]>): Promise<unknown[]> {
  const begun = await transact(async (tx) => {
    await tx.get(reference);
    const all = await begin();
    await sleep(AWHILE_MILLIS);
    return all.map((one) => [one]);
  }, 1);
  return await Promise.all(begun.map(([one]) => one));
}

/** A season that is closed; the first of the players was the best. */
async function closedWith(people: readonly Person[], settings: object = {}): Promise<string> {
  at("2026-11-20T12:00:00Z");
  const board = await newBoard({ periods: ["daily"], ...settings });
  for (const [i, person] of people.entries()) await score(person, board, 1_000 - i, { metadata: { level: i } });
  await closeAt("2026-11-21T01:00:00Z");
  return board;
}

describe("a season that is over", () => {
  test("shows players as their profiles are, with the rank and score that they had", async () => {
    const [ada, bo] = (await known(2, "DE")) as [Person, Person];
    const board = await closedWith([ada, bo]);
    const before = await rowsOf(board);
    expect(await shown(board)).toEqual([
      [1, ada.handle],
      [2, bo.handle],
    ]);
    const handle = await renamed(bo);
    await updateProfile(bo, { country: "FR", picture: "https://example.com/bo.png" });
    await tellBoards();
    const look = { name: handle, country: "FR", picture: "https://example.com/bo.png" };
    expect(await rowsOf(board)).toEqual([before?.[0], { ...before?.[1], ...look }]);
    expect(await shown(board)).toEqual([
      [1, ada.handle],
      [2, handle],
    ]);
  });

  test("keeps the country that somebody was ranked under, where countries are ranked", async () => {
    const [ada] = (await known(1, "DE")) as [Person];
    const board = await closedWith([ada], { scopes: ["country"] });
    await updateProfile(ada, { country: "FR" });
    await tellBoards();
    expect(await rowsOf(board)).toMatchObject([{ name: ada.handle, country: "DE" }]);
  });

  test.each([
    ["banned", ban],
    ["banned in the shadow", shadowBan],
  ])("has a gap for who is %s, and them again, as they were, when that is lifted", async (_, sanction) => {
    const [ada, bo, cy] = (await known(3)) as [Person, Person, Person];
    const board = await closedWith([ada, bo, cy]);
    const before = await rowsOf(board);
    await shown(board);
    await sanction(OLGA, { user: bo.uid, ...NOTE });
    await tellBoards();
    expect(await rowsOf(board)).toEqual([before?.[0], before?.[2]]);
    expect(await shown(board)).toEqual([
      [1, ada.handle],
      [3, cy.handle],
    ]);
    // They themselves do not notice.
    const { results: own } = await myResults(bo, ResultsRequest.parse({ board }));
    expect(own).toMatchObject([{ season: "2026-11-20", rank: 2, score: 999 }]);
    await unban(OLGA, { user: bo.uid, ...NOTE });
    await tellBoards();
    expect(await rowsOf(board)).toEqual(before);
  });

  test("has no prize for who is banned before prizes are given, and the others have theirs", async () => {
    const [ada, bo] = (await known(2)) as [Person, Person];
    at("2026-11-20T12:00:00Z");
    const prizes = [{ period: "daily", from: 1, to: 2, reward: { coins: { COIN: 100 } } }];
    const board = await newBoard({ periods: ["daily"], prizes });
    await score(ada, board, 10);
    await score(bo, board, 9);
    at("2026-11-21T01:00:00Z");
    await closeSeasons(board, "daily", 1);
    await ban(OLGA, { user: ada.uid, ...NOTE });
    await tellBoards();
    await closeAt("2026-11-21T01:10:00Z");
    expect(await keptOf(board, SEASON)).toEqual([[2, bo.handle, 9]]);
    expect([await has(ada.uid), await has(bo.uid)]).toEqual([{}, { COIN: 100 }]);
  });

  test("does not bring back who was struck out of it", async () => {
    const [ada, bo] = (await known(2)) as [Person, Person];
    const board = await closedWith([ada, bo]);
    await disqualify(OLGA, { board, user: ada.uid, seasons: [NOVEMBER], ...NOTE });
    await renamed(ada);
    await tellBoards();
    expect(await keptOf(board, SEASON)).toEqual([[2, bo.handle, 999]]);
  });

  test("costs four reads for each season, and a write if somebody looks different", async () => {
    const [ada] = (await known(1)) as [Person];
    const board = await closedWith([ada]);
    await renamed(ada);
    const show = () => showAnew({ board, season: SEASON, player: ada.uid });
    expect((await backend.billed(show)).bill).toEqual({ reads: 4, writes: 1, deletes: 0 });
    expect((await backend.billed(show)).bill).toEqual({ reads: 4, writes: 0, deletes: 0 });
    // Found on a board, with a read for the board, and in a season, besides.
    const { bill } = await backend.billed(() => walk(walkOf(ada.uid, `walk ${board}`)));
    expect(bill).toEqual({ reads: 1 + 1 + 3 + 1 + 4, writes: 1, deletes: 0 });
  });
});

describe("what happens at the same time", () => {
  test("many who are shown otherwise on the same page all are", { timeout: 60_000 }, async () => {
    const people = await known(20);
    const board = await closedWith(people);
    const handles = await Promise.all(people.map(renamed));
    await Promise.all(people.map(({ uid }) => walk(walkOf(uid, `many ${uid}`))));
    expect((await rowsOf(board))?.map(({ name }) => name)).toEqual(handles);
  });

  test("somebody who goes back to how they looked is shown that way, in seasons and on boards", async () => {
    const [ada] = (await known(1)) as [Person];
    const board = await closedWith([ada]);
    const look = (picture: string | null) => updateProfile(ada, { picture });
    for (const [show, written] of [
      [() => showAnew({ board, season: SEASON, player: ada.uid }), pages(board, SEASON).doc("0")],
      [() => showOnBoard({ board, player: ada.uid }), players(board).doc(ada.uid)],
    ] as const) {
      await look("https://example.com/1.png");
      await whileRead(written, async () => {
        const first = show();
        await sleep(AWHILE_MILLIS);
        const second = look(null);
        // As long as it is not written how they look, they look so.
        expect(await Promise.race([second, sleep(AWHILE_MILLIS, "later")])).toBe("later");
        return [first, second.then(show)];
      });
    }
    expect((await rowsOf(board))?.[0]).not.toHaveProperty("picture");
    expect((await players(board).doc(ada.uid).get()).data()).not.toHaveProperty("picture");
  });

  test("of changes that overtake each other the last is what is shown", { timeout: 60_000 }, async () => {
    const [ada] = (await known(1)) as [Person];
    const board = await closedWith([ada]);
    const walks: Promise<void>[] = [];
    for (let i = 0; i < 5; i++) {
      await updateProfile(ada, { picture: `https://example.com/${i}.png` });
      walks.push(walk(walkOf(ada.uid, `race ${ada.uid} ${i}`)));
      await sleep(i);
    }
    await Promise.all(walks);
    expect(await rowsOf(board)).toMatchObject([{ picture: "https://example.com/4.png" }]);
  });

  test("a season is closed while those who played it play on", { timeout: 60_000 }, async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["daily"], policy: "sum" });
    const crowd = Array.from({ length: 40 }, (_, i) => someone(`P${i}`));
    for (const [i, player] of crowd.entries()) await score(player, board, 100 - i);
    at("2026-11-21T01:00:00Z");
    let isOpen = true;
    const playing = crowd.map(async (player) => {
      for (let n = 0; isOpen && n < 1_000; n++) await score(player, board, 1);
    });
    await sleep(AWHILE_MILLIS);
    await closeSeasons(board, "daily");
    isOpen = false;
    await Promise.all(playing);
    expect(await keptOf(board, SEASON)).toEqual(crowd.map(({ name }, i) => [i + 1, name, 100 - i]));
  });

  test("nobody is kept by a name that they had when the season began to be closed", async () => {
    const [ada] = (await known(1)) as [Person];
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["daily"] });
    await score(ada, board, 10);
    at("2026-11-21T01:00:00Z");
    await closeSeasons(board, "daily", 0);
    const handle = await whileRead(seasons(board).doc(SEASON), async () => {
      const closing = closeSeasons(board, "daily");
      await sleep(AWHILE_MILLIS);
      const name = await renamed(ada);
      return [name, closing, walk(walkOf(ada.uid, `closing ${ada.uid}`))];
    });
    expect(await keptOf(board, SEASON)).toEqual([[1, handle[0], 10]]);
  });
});

test("a walk that finds more than a task takes goes on in others, and shows everybody anew", async () => {
  const [ada] = (await known(1)) as [Person];
  const board = await closedWith([ada]);
  const result = await resultOf(board, SEASON, ada.uid);
  const row = (await rowsOf(board))?.[0];
  if (!result || !row) throw new Error("nothing was kept");
  const old = Array.from({ length: 70 }, (_, i) => `daily-long-ago-${i}`);
  await Promise.all(
    old.flatMap((season) => [
      pages(board, season)
        .doc("0")
        .set({ rows: [row], isLast: true }),
      results(board, season)
        .doc(ada.uid)
        .set({ ...result, season, endedAt: timestamp(0) }),
    ]),
  );
  const handle = await renamed(ada);
  const before = backend.tasks.length;
  // The board, and the first twenty; the others follow in tasks of as many as there may be.
  await walk(walkOf(ada.uid, `long ${board}`), 2);
  expect(backend.tasks.length - before).toBe(1);
  const names = await Promise.all(old.map(async (season) => (await pages(board, season).doc("0").get()).data()));
  expect(names.map((page) => page?.rows[0]?.name)).toEqual(old.map(() => handle));
  const again = await backend.billed(() => walk(walkOf(ada.uid, `again ${board}`)));
  expect(again.bill.writes).toBe(0);
});
