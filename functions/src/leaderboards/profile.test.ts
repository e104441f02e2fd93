import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { tellBoards } from "../../testing/people.ts";
import { erase } from "../identity/erase.ts";
import { myProfile, updateProfile } from "../identity/own.ts";
import { ban, shadowBan, unban } from "../identity/sanction.ts";
import { forgetAll } from "../platform/cache.ts";
import type { Caller } from "../platform/endpoint.ts";
import { PageRequest, StandingRequest, SubmitRequest } from "./contract.ts";
import { page } from "./page.ts";
import { boards, players } from "./records.ts";
import { Board } from "./settings.ts";
import { standing } from "./standing.ts";
import { submit } from "./submit.ts";
import { subscribers } from "./subscribers.ts";

const backend = useBackend();
const OLGA = { uid: "olga" };

async function newBoard(): Promise<string> {
  const board = `board-${randomUUID()}`;
  const settings = { title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000 };
  await boards().doc(board).set(Board.parse(settings));
  return board;
}

const score = (player: Caller, board: string, points: number) =>
  submit(player, SubmitRequest.parse({ board, score: points, attempt: randomUUID() }));
const shown = async (board: string) =>
  (await page(someone(), PageRequest.parse({ board, period: "allTime" }))).rows.map(
    ({ rank, name, country, score: points }) => [rank, name, country, points],
  );
const rankOf = async (player: Caller, board: string) =>
  (await standing(player, StandingRequest.parse({ board, period: "allTime" }))).rank;

/** Somebody with a profile whose handle is their own. */
async function known(country: string): Promise<Caller & { handle: string }> {
  const caller = someone();
  const handle = `h${randomUUID().slice(0, 12)}`;
  await myProfile(caller);
  await updateProfile(caller, { handle, country });
  forgetAll();
  return { ...caller, handle };
}

describe("a player", () => {
  test("is shown by their profile, and by the next one on every board", async () => {
    const [one, other] = [await newBoard(), await newBoard()];
    const ada = await known("DE");
    await score(ada, one, 10);
    await score(ada, other, 20);
    expect(await shown(one)).toEqual([[1, ada.handle, "DE", 10]]);
    await updateProfile(ada, { country: "FR" });
    await tellBoards();
    expect(await shown(one)).toEqual([[1, ada.handle, "FR", 10]]);
    expect(await shown(other)).toEqual([[1, ada.handle, "FR", 20]]);
    await score(ada, one, 30);
    expect(await shown(one)).toEqual([[1, ada.handle, "FR", 30]]);
  });

  test("who is banned is ranked nowhere, and takes part in nothing; pardoned they are where they were, and play on", async () => {
    const board = await newBoard();
    const [ada, bo] = [await known("DE"), await known("FR")];
    await score(ada, board, 10);
    await score(bo, board, 5);
    await ban(OLGA, { user: ada.uid, note: "cheated" });
    await tellBoards();
    for (const one of [board, await newBoard()]) {
      await expect(score(ada, one, 20)).rejects.toMatchObject({ reason: "user-banned" });
    }
    expect(await shown(board)).toEqual([[1, bo.handle, "FR", 5]]);
    expect(await rankOf(ada, board)).toBeUndefined();
    await unban(OLGA, { user: ada.uid, note: "did not" });
    await tellBoards();
    expect(await shown(board)).toEqual([
      [1, ada.handle, "DE", 10],
      [2, bo.handle, "FR", 5],
    ]);
    await score(ada, board, 20);
    expect(await shown(board)).toEqual([
      [1, ada.handle, "DE", 20],
      [2, bo.handle, "FR", 5],
    ]);
  });

  test("who is banned in the shadow sees themselves ranked, and nobody else does", async () => {
    const board = await newBoard();
    const [ada, bo] = [await known("DE"), await known("FR")];
    await shadowBan(OLGA, { user: ada.uid, note: "a bot" });
    await tellBoards();
    forgetAll();
    await score(ada, board, 10);
    await score(bo, board, 20);
    expect(await shown(board)).toEqual([[1, bo.handle, "FR", 20]]);
    expect(await rankOf(ada, board)).toBe(2);
  });

  test("who is erased is on no board any more", async () => {
    const board = await newBoard();
    const ada = await known("DE");
    await score(ada, board, 10);
    await erase(OLGA, { user: ada.uid, note: "asked for it" });
    await tellBoards();
    expect(await shown(board)).toEqual([]);
    expect((await players(board).doc(ada.uid).get()).exists).toBe(false);
  });

  test("costs two reads a board and two for the profile to be shown anew, and a write only if they look different", async () => {
    const board = await newBoard();
    const ada = await known("DE");
    await score(ada, board, 10);
    await updateProfile(ada, { country: "FR" });
    const [show] = subscribers.filter(({ type }) => type === "profile.changed");
    const react = () => show?.react({ id: "e", type: "profile.changed", data: { user: ada.uid } });
    // And one for the seasons that are over, of which there is none.
    expect((await backend.billed(async () => react())).bill).toEqual({ reads: 2 + 2 + 1, writes: 1, deletes: 0 });
    expect((await backend.billed(async () => react())).bill).toEqual({ reads: 2 + 2 + 1, writes: 0, deletes: 0 });
  });
});
