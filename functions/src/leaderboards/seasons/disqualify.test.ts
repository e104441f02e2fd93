import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { has } from "../../../testing/economy.ts";
import { useSeasons } from "../../../testing/seasons.ts";
import { post } from "../../ledger/index.ts";
import { accounts } from "../../ledger/records.ts";
import { verify } from "../../ledger/verify.ts";
import { audit } from "../../platform/audit.ts";
import { PageRequest } from "../contract.ts";
import { page } from "../page.ts";
import { closeSeasons } from "./close.ts";
import { DisqualifyRequest } from "./contract.ts";
import { disqualify, reinstate } from "./disqualify.ts";
import { seasonId } from "./records.ts";

const backend = useBackend();
const { at, closeAt, keptOf, newBoard, resultOf, score, seasonOf } = useSeasons(backend);
const operator = someone();
const NOVEMBER = { period: "daily", season: "2026-11-20" } as const;
const ID = seasonId("daily", "2026-11-20");
const prizes = [
  { period: "daily", from: 1, to: 2, reward: { coins: { COIN: 100 }, items: { medal: 2 }, entitlements: ["hall"] } },
];

const shown = async (board: string) =>
  (await page(operator, PageRequest.parse({ board, period: "daily" }))).rows.map(({ rank, name }) => [rank, name]);
const off = (board: string, user: string, rest: object = {}) =>
  disqualify(operator, DisqualifyRequest.parse({ board, user, note: "played with a bot", ...rest }));

async function playedOut() {
  at("2026-11-20T12:00:00Z");
  const board = await newBoard({ periods: ["daily"], prizes });
  const [ada, bo, cy] = [someone("Ada"), someone("Bo"), someone("Cy")];
  for (const [i, player] of [ada, bo, cy].entries()) await score(player, board, 30 - i);
  return { board, ada, bo, cy };
}

describe("who is disqualified", () => {
  test("is off the board whatever comes, until reinstated", async () => {
    const { board, ada } = await playedOut();
    await off(board, ada.uid);
    expect(await shown(board)).toEqual([
      [1, "Bo"],
      [2, "Cy"],
    ]);
    await score(ada, board, 99);
    expect(await shown(board)).toHaveLength(2);
    await reinstate(operator, { board, user: ada.uid, note: "was a mistake" });
    expect(await shown(board)).toEqual([
      [1, "Ada"],
      [2, "Bo"],
      [3, "Cy"],
    ]);
    await expect(reinstate(operator, { board, user: ada.uid, note: "again" })).rejects.toMatchObject({
      reason: "not-disqualified",
    });
    const entries = await audit().where("subject", "==", `leaderboards/${board}/players/${ada.uid}`).get();
    expect(entries.docs.map((entry) => entry.data().action).sort()).toEqual([
      "leaderboards/disqualify",
      "leaderboards/reinstate",
    ]);
  });

  test("is struck out of the seasons that are named, gives its prizes back, and others keep their ranks and prizes", async () => {
    const { board, ada, bo } = await playedOut();
    await closeAt("2026-11-21T01:00:00Z");
    const postings = [{ from: ada.uid, to: "system:revenue", amount: 70, currency: "COIN" }];
    await post({ key: `spent ${ada.uid}`, kind: "spend", postings, reference: "test" });
    expect(await off(board, ada.uid, { seasons: [NOVEMBER] })).toEqual({ seasons: [ID], prizesTakenBack: 1 });
    expect(await off(board, ada.uid, { seasons: [NOVEMBER] })).toEqual({ seasons: [], prizesTakenBack: 0 });
    expect(await keptOf(board, ID)).toEqual([
      [2, "Bo", 29],
      [3, "Cy", 28],
    ]);
    expect((await accounts().doc(`${ada.uid}:COIN`).get()).data()).toMatchObject({ available: 0, owed: 70 });
    expect(await has(ada.uid)).not.toHaveProperty("medal");
    expect(await has(bo.uid)).toEqual({ COIN: 100, medal: 2 });
    const result = await resultOf(board, ID, ada.uid);
    expect(result).toMatchObject({ rank: 1, awards: [{ state: "taken-back" }] });
    expect(result?.struckAt).toBeDefined();
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test.each([0, 1, 2, 3])(
    "while a season is being closed, after %i steps, has no rank and no prize in it",
    async (steps) => {
      const { board, ada, bo, cy } = await playedOut();
      at("2026-11-21T01:00:00Z");
      await closeSeasons(board, "daily", steps);
      expect((await seasonOf(board, ID))?.state).toBe(steps === 3 ? "closed" : "closing");
      await off(board, ada.uid, steps === 3 ? { seasons: [NOVEMBER] } : {});
      await closeAt("2026-11-21T01:10:00Z");
      // Whoever was kept already keeps their rank.
      const first = steps === 0 ? 1 : 2;
      expect(await keptOf(board, ID)).toEqual([
        [first, "Bo", 29],
        [first + 1, "Cy", 28],
      ]);
      expect(await has(ada.uid)).toEqual({});
      expect(await has(bo.uid)).toEqual({ COIN: 100, medal: 2 });
      expect(await has(cy.uid)).toEqual(steps === 0 ? { COIN: 100, medal: 2 } : {});
      expect((await resultOf(board, ID, ada.uid))?.struckAt).toBeDefined();
    },
  );
});
