import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { relations } from "../identity/records.ts";
import { forgetAll } from "../platform/cache.ts";
import { setClock } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { timestamp } from "../platform/firestore.ts";
import { SubmitRequest } from "./contract.ts";
import { friends, MAX_FRIENDS } from "./friends.ts";
import { boards, type Player, players, type Slot } from "./records.ts";
import { Board } from "./settings.ts";
import { submit } from "./submit.ts";

const backend = useBackend();
let restore = () => {};

beforeAll(() => {
  restore = setClock(Date.parse("2026-11-20T12:00:00Z"));
});
afterAll(() => restore());

async function newBoard(): Promise<string> {
  const board = `board-${randomUUID()}`;
  await boards()
    .doc(board)
    .set(Board.parse({ title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000 }));
  return board;
}

const score = (player: Caller, board: string, points: number) =>
  submit(player, SubmitRequest.parse({ board, score: points, attempt: randomUUID() }));
const unranked = ({ order: _, ...slot }: Slot): Slot => slot;
/** The answer to somebody who has these friends. */
async function friendsOf(caller: Caller, board: string, ids: readonly string[]) {
  const others = Object.fromEntries(ids.map((id) => [id, { is: "friend", since: timestamp() } as const]));
  await relations().doc(caller.uid).set({ others, invitations: {} });
  forgetAll();
  return await backend.billed(() => friends(caller, { board, period: "daily" }));
}

describe("the friends of a player", () => {
  test("are ranked among themselves, the player included and strangers not, for a read each", async () => {
    const board = await newBoard();
    const [ada, bo, cy, stranger, lazy] = [someone("Ada"), someone("Bo"), someone("Cy"), someone("Di"), someone("Ed")];
    for (const [player, points] of [
      [ada, 20],
      [bo, 30],
      [cy, 10],
      [stranger, 25],
    ] as const)
      await score(player, board, points);
    const { result, bill } = await friendsOf(ada, board, [bo.uid, cy.uid, lazy.uid]);
    expect(result.season).toBe("2026-11-20");
    expect(result.rows.map(({ rank, name, score: points }) => [rank, name, points])).toEqual([
      [1, "Bo", 30],
      [2, "Ada", 20],
      [3, "Cy", 10],
    ]);
    // The board and who the friends are come out of caches, mostly.
    expect(bill).toEqual({ reads: 4 + 2, writes: 0, deletes: 0 });
  });

  test("who are hidden are not there", async () => {
    const board = await newBoard();
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    await score(ada, board, 1);
    await score(bo, board, 2);
    const { d0, d1, ...rest } = (await players(board).doc(bo.uid).get()).data() as Player;
    await players(board)
      .doc(bo.uid)
      .set({ ...rest, ...(d0 ? { d0: unranked(d0) } : {}), ...(d1 ? { d1: unranked(d1) } : {}), hidden: "banned" });
    expect((await friendsOf(ada, board, [bo.uid])).result.rows.map(({ name }) => name)).toEqual(["Ada"]);
  });

  test("are not told that the player is hidden in the shadow, and the player is not either", async () => {
    const board = await newBoard();
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    await score(ada, board, 2);
    await score(bo, board, 1);
    const { d0, d1, ...rest } = (await players(board).doc(ada.uid).get()).data() as Player;
    await players(board)
      .doc(ada.uid)
      .set({ ...rest, ...(d0 ? { d0: unranked(d0) } : {}), ...(d1 ? { d1: unranked(d1) } : {}), hidden: "shadow" });
    const names = async (caller: Caller, other: Caller) =>
      (await friendsOf(caller, board, [other.uid])).result.rows.map(({ rank, name }) => [rank, name]);
    expect(await names(ada, bo)).toEqual([
      [1, "Ada"],
      [2, "Bo"],
    ]);
    expect(await names(bo, ada)).toEqual([[1, "Bo"]]);
  });

  test("are looked at up to a number, however many there are", async () => {
    const board = await newBoard();
    const crowd = Array.from({ length: 2 * MAX_FRIENDS }, (_, i) => `friend-${i}`);
    const { bill } = await friendsOf(someone(), board, crowd);
    expect(bill.reads).toBeLessThanOrEqual(MAX_FRIENDS + 3);
  });

  test("are nobody for whom there are none", async () => {
    const board = await newBoard();
    expect((await friendsOf(someone(), board, [])).result).toEqual({ season: "2026-11-20", rows: [] });
    await expect(friendsOf(someone(), "missing", [])).rejects.toMatchObject({ reason: "unknown-board" });
  });

  test("stand in the order of the board, whatever they scored", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 6 }), async (scores) => {
        const board = await newBoard();
        const everybody = scores.map(() => someone());
        for (const [i, points] of scores.entries()) await score(everybody[i] as Caller, board, points);
        const { result } = await friendsOf(
          everybody[0] as Caller,
          board,
          everybody.slice(1).map(({ uid }) => uid),
        );
        const { rows } = result;
        expect(rows.map((row) => row.score)).toEqual([...scores].sort((a, b) => b - a));
        expect(rows.map(({ rank }) => rank)).toEqual(scores.map((_, i) => i + 1));
      }),
      { numRuns: 15 },
    );
  });
});
