import { beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { finishes, GAME, starts } from "../../testing/games.ts";
import { parseInput } from "../platform/endpoint.ts";
import { ListRequest, ResultsRequest } from "./contract.ts";
import { list, results } from "./results.ts";

const backend = useBackend();
const [ada, bo, operator] = [someone(), someone(), someone()];
const mine = async (uid: string, request: object = {}) =>
  results({ uid }, parseInput(ResultsRequest, { game: GAME, ...request }));
const everybodys = async (request: object = {}) => list(operator, parseInput(ListRequest, { game: GAME, ...request }));

beforeAll(async () => {
  const scores: [string, number, string?][] = [
    [ada.uid, 50],
    [ada.uid, -5],
    [ada.uid, 50],
    [ada.uid, 900, "chess"],
    [bo.uid, 70],
    [bo.uid, 10],
  ];
  for (const [uid, score, game = GAME] of scores) {
    const { session } = await starts(uid, { game, ...(score === 70 ? { board: undefined } : {}) });
    await finishes(uid, { session, score });
  }
  await starts(ada.uid);
});

describe("results", () => {
  test("are the caller's own of a game, the highest first, and none of sessions that are not finished", async () => {
    expect((await mine(ada.uid)).results.map(({ score }) => score)).toEqual([50, 50, -5]);
    expect((await mine(bo.uid)).results.map(({ score, board }) => [score, board])).toEqual([
      [70, undefined],
      [10, "arcade"],
    ]);
    expect(await mine(someone().uid)).toEqual({ results: [] });
  });

  test("are everybody's for operators, and pages neither lose nor repeat one", async () => {
    const found = [];
    let cursor: string | undefined;
    for (let page = 0; page < 9; page++) {
      const { result, bill } = await backend.billed(() => everybodys({ limit: 2, cursor }));
      expect(bill.reads).toBe(Math.max(1, result.results.length));
      found.push(...result.results);
      cursor = result.nextCursor;
      if (cursor === undefined) break;
    }
    expect(found.map(({ score, user }) => [score, user])).toEqual([
      [70, bo.uid],
      [50, ada.uid],
      [50, ada.uid],
      [10, bo.uid],
      [-5, ada.uid],
    ]);
    expect(new Set(found.map(({ session }) => session)).size).toBe(5);
  });

  test.each(["nonsense", "5", "5.a/b", "x.y", "5."])("refuse the cursor %j", async (cursor) => {
    await expect(mine(ada.uid, { cursor })).rejects.toMatchObject({ reason: "invalid-input" });
  });
});
