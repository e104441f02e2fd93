import { randomUUID } from "node:crypto";
import { type DataSnapshot, onValue, ref } from "firebase/database";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type * as z from "zod";
import { someone, useBackend } from "../../../testing/backend.ts";
import { useDatabase } from "../../../testing/database.ts";
import { myProfile, updateProfile } from "../../identity/own.ts";
import { setClock } from "../../platform/clock.ts";
import { database } from "../../platform/database.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { NO_ATTEMPTS } from "../attempts.ts";
import { SubmitRequest } from "../contract.ts";
import { boards, players } from "../records.ts";
import { disqualify, reinstate } from "../seasons/disqualify.ts";
import { Board, type BoardSettings } from "../settings.ts";
import { shownPage } from "../shown.ts";
import { submit } from "../submit.ts";
import { profileChanged, userErased } from "../walk.ts";
import { withdraw } from "../withdraw.ts";
import { forgetAnnounced, LIVE_QUEUE, SLOT_SECONDS } from "./announce.ts";
import { forgetBars } from "./bars.ts";
import type { Shown } from "./delta.ts";
import { take } from "./lease.ts";
import { forgetShown, LiveTask, refreshLive } from "./refresh.ts";

const backend = useBackend();
const realtime = useDatabase();
const NOON = Date.parse("2026-11-20T12:00:00Z");
let time = NOON;
let restore = () => {};

beforeEach(() => {
  time = NOON;
  restore = setClock(() => time);
  backend.tasks.length = 0;
  forgetAnnounced();
  forgetBars();
});
afterEach(() => restore());

async function newBoard(settings: Partial<z.input<typeof BoardSettings>> = {}): Promise<string> {
  const board = `board-${randomUUID()}`;
  const given = { title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000_000, ...settings };
  await boards().doc(board).set(Board.parse(given));
  return board;
}

const score = (player: Caller, board: string, points: number) =>
  submit(player, SubmitRequest.parse({ board, score: points, attempt: randomUUID() }));
const GLOBAL = { kind: "global" } as const;
const announcedTasks = () => backend.tasks.filter(({ queue }) => queue === LIVE_QUEUE);

/** Has the tasks run that are on the queue, as Cloud Tasks would in time. */
async function runTasks(): Promise<void> {
  const mine = backend.tasks.splice(0).filter(({ queue }) => queue === LIVE_QUEUE);
  const waiting = new Set(mine.map(({ data }) => JSON.stringify(data)));
  time += SLOT_SECONDS * 1_000;
  for (const data of waiting) await refreshLive(LiveTask.parse(JSON.parse(data)));
}

/** What an app's listener has been told, the first that it heard included. */
async function listen(board: string, period: string, scope = "global") {
  const app = await realtime.app();
  const heard: DataSnapshot[] = [];
  onValue(ref(app.database, `live/leaderboards/${board}/${scope}/${period}`), (snapshot) => heard.push(snapshot));
  return {
    app,
    heard,
    shown: () => heard.at(-1)?.val() as Shown | null | undefined,
    changes: (count: number) => vi.waitFor(() => expect(heard.length).toBeGreaterThanOrEqual(count), 5_000),
  };
}

describe("the first of a board", () => {
  test("are seen by an app's listener, by player and without ranks", async () => {
    const board = await newBoard();
    const listener = await listen(board, "daily");
    await listener.changes(1);
    expect(listener.shown()).toBeNull();
    const ada = someone("Ada");
    await score(ada, board, 100);
    await runTasks();
    await listener.changes(2);
    expect(listener.shown()).toEqual({
      season: "2026-11-20",
      updatedAt: time,
      players: { [ada.uid]: { name: "Ada", score: 100, at: NOON } },
    });
  });

  test("cost a task once in a slot however many score, and a read for each who is shown", async () => {
    const board = await newBoard({ periods: ["daily"] });
    for (let i = 0; i < 5; i++) await score(someone(), board, i);
    expect(announcedTasks()).toMatchObject([{ data: { board, scope: GLOBAL } }]);
    time += SLOT_SECONDS * 1_000;
    for (let i = 0; i < 5; i++) await score(someone(), board, i);
    expect(announcedTasks()).toHaveLength(2);
    const { bill } = await backend.billed(() => refreshLive({ board, scope: GLOBAL }));
    expect(bill).toEqual({ reads: 10, writes: 0, deletes: 0 });
  });

  test("are announced once by all instances together", async () => {
    const board = await newBoard();
    await score(someone(), board, 1);
    forgetAnnounced();
    await score(someone(), board, 2);
    expect(announcedTasks()).toHaveLength(1);
  });

  test("are not looked at for a score that a page just read says is not among them", async () => {
    const board = await newBoard({ periods: ["daily"] });
    await Promise.all(Array.from({ length: 100 }, (_, i) => score(someone(), board, 100 + i)));
    const newSlot = () => {
      backend.tasks.length = 0;
      forgetAnnounced();
    };
    await shownPage(someone(), { board, period: "daily", scope: GLOBAL });
    newSlot();
    await score(someone(), board, 99);
    expect(announcedTasks()).toHaveLength(0);
    await score(someone(), board, 150);
    expect(announcedTasks()).toHaveLength(1);
    newSlot();
    time += 31_000;
    await score(someone(), board, 99);
    expect(announcedTasks()).toHaveLength(1);
  });

  test("lose who withdraws, and who is outscored", async () => {
    const board = await newBoard({ periods: ["daily"] });
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    await score(ada, board, 100);
    await score(bo, board, 50);
    const listener = await listen(board, "daily");
    await runTasks();
    await withdraw(ada, { board });
    await runTasks();
    await vi.waitFor(() => expect(Object.keys(listener.shown()?.players ?? {})).toEqual([bo.uid]), 5_000);
    await Promise.all(Array.from({ length: 100 }, (_, i) => score(someone(), board, 60 + i)));
    await runTasks();
    await vi.waitFor(() => expect(Object.keys(listener.shown()?.players ?? {})).toHaveLength(100), 5_000);
    expect(listener.shown()?.players).not.toHaveProperty(bo.uid);
  });

  test("follow their profiles, and lose who is erased", async () => {
    const board = await newBoard({ periods: ["daily"] });
    const ada = someone("Ada");
    await score(ada, board, 100);
    const listener = await listen(board, "daily");
    await runTasks();
    const handle = `h${randomUUID().slice(0, 12)}`;
    await myProfile(ada);
    await updateProfile(ada, { handle });
    await profileChanged(`changed ${ada.uid}`, { user: ada.uid });
    await runTasks();
    await vi.waitFor(() => expect(listener.shown()?.players?.[ada.uid]?.name).toBe(handle), 5_000);
    await userErased(`erased ${ada.uid}`, { user: ada.uid });
    await runTasks();
    await vi.waitFor(() => expect(listener.shown()).toEqual({ season: "2026-11-20", updatedAt: time }), 5_000);
  });

  test("are without who is disqualified, until they are reinstated", async () => {
    const board = await newBoard({ periods: ["daily"] });
    const ada = someone("Ada");
    await score(ada, board, 100);
    const listener = await listen(board, "daily");
    await runTasks();
    await vi.waitFor(() => expect(listener.shown()?.players).toHaveProperty(ada.uid), 5_000);
    await disqualify({ uid: "olga" }, { board, user: ada.uid, note: "A bot.", seasons: [] });
    await runTasks();
    await vi.waitFor(() => expect(listener.shown()).not.toHaveProperty("players"), 5_000);
    await reinstate({ uid: "olga" }, { board, user: ada.uid, note: "No bot." });
    await runTasks();
    await vi.waitFor(() => expect(listener.shown()?.players).toHaveProperty(ada.uid), 5_000);
  });

  test("of the last season are gone when the next begins, even if nobody scores in it", async () => {
    const board = await newBoard({ periods: ["daily", "allTime"] });
    await score(someone("Ada"), board, 100);
    const listeners = [await listen(board, "daily"), await listen(board, "allTime")];
    await runTasks();
    const atTheEnd = announcedTasks();
    expect(atTheEnd).toHaveLength(1);
    time = Date.parse("2026-11-21T00:00:01Z");
    await refreshLive(LiveTask.parse(atTheEnd[0]?.data));
    await vi.waitFor(() => expect(listeners[0]?.shown()).toEqual({ season: "2026-11-21", updatedAt: time }), 5_000);
    expect(listeners[1]?.shown()).toMatchObject({ season: "all", updatedAt: NOON + SLOT_SECONDS * 1_000 });
    backend.tasks.length = 0;
    await refreshLive({ board, scope: GLOBAL });
    expect(announcedTasks()).toHaveLength(0);
  });

  test("of a country are shown where the board says so, under the country's name", async () => {
    const board = await newBoard({ periods: ["daily"], scopes: ["country"], live: ["country"] });
    const ada = someone("Ada");
    await players(board).doc(ada.uid).set({ player: ada.uid, name: "Ada", country: "DE", attempts: NO_ATTEMPTS });
    await score(ada, board, 100);
    expect(announcedTasks()).toMatchObject([{ data: { scope: { kind: "country", id: "DE" } } }]);
    const listener = await listen(board, "daily", "country:DE");
    await runTasks();
    await vi.waitFor(() => expect(listener.shown()?.players).toHaveProperty(ada.uid), 5_000);
  });

  test("come right whichever instance writes, and whatever another has written since", async () => {
    const board = await newBoard({ periods: ["daily"] });
    const everybody = Array.from({ length: 5 }, () => someone());
    const listener = await listen(board, "daily");
    for (const [i, player] of everybody.entries()) {
      await score(player, board, 10 + i);
      if (i % 2 === 0) forgetShown();
      await runTasks();
    }
    await vi.waitFor(
      () => expect(Object.keys(listener.shown()?.players ?? {}).sort()).toEqual(everybody.map(({ uid }) => uid).sort()),
      5_000,
    );
  });

  test("are written by one run at a time; another comes again later", async () => {
    const board = await newBoard({ periods: ["daily"] });
    await score(someone(), board, 1);
    const runs = await Promise.allSettled(Array.from({ length: 3 }, () => refreshLive({ board, scope: GLOBAL })));
    const refused = runs.flatMap((run) => (run.status === "rejected" ? [run.reason.reason] : []));
    expect(runs.length - refused.length).toBeGreaterThanOrEqual(1);
    expect(new Set(refused)).toEqual(new Set(["busy"]));
    await refreshLive({ board, scope: GLOBAL });
  });
});

test("a run that died leaves a lease that runs out after a minute", async () => {
  const board = await newBoard({ periods: ["daily"] });
  const ada = someone("Ada");
  await score(ada, board, 1);
  const root = (await database()).ref();
  await take(root.child(`live/leases/${board}/global`));
  await expect(refreshLive({ board, scope: GLOBAL })).rejects.toMatchObject({ reason: "busy" });
  time += 61_000;
  await refreshLive({ board, scope: GLOBAL });
  const listener = await listen(board, "daily");
  await listener.changes(1);
  expect(listener.shown()?.players).toHaveProperty(ada.uid);
});

test("a score counts even if it cannot be announced, and does not wait long for that", async () => {
  const board = await newBoard({ periods: ["daily"] });
  const stuck = Promise.withResolvers<void>();
  backend.onTask = () => stuck.promise;
  const before = performance.now();
  expect(await score(someone(), board, 1)).toMatchObject({ bests: { daily: { score: 1 } } });
  expect(performance.now() - before).toBeLessThan(5_000);
  backend.onTask = () => undefined;
  stuck.resolve();
});

test("an update takes the bytes of what has changed, however many are shown", { timeout: 60_000 }, async () => {
  const bytesOfUpdate = async (shown: number) => {
    const board = await newBoard({ periods: ["daily"] });
    const everybody = Array.from({ length: shown }, (_, i) => someone(`Player ${i}`));
    await Promise.all(everybody.map((player, i) => score(player, board, 100 + i)));
    const listener = await listen(board, "daily");
    await listener.changes(1);
    await runTasks();
    await listener.changes(2);
    const page = JSON.stringify(listener.shown()).length;
    const before = listener.app.received();
    await score(everybody[0] as Caller, board, 9_000);
    await runTasks();
    await listener.changes(3);
    return { update: listener.app.received() - before, page };
  };
  const [few, many] = [await bytesOfUpdate(5), await bytesOfUpdate(100)];
  expect(many.page).toBeGreaterThan(8_000);
  expect(many.update).toBeLessThan(600);
  expect(Math.abs(many.update - few.update)).toBeLessThan(60);
});
