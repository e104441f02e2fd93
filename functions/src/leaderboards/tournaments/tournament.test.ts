import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { has, somebodyWith } from "../../../testing/economy.ts";
import { useSeasons } from "../../../testing/seasons.ts";
import { myProfile } from "../../identity/own.ts";
import { ban } from "../../identity/sanction.ts";
import { verify } from "../../ledger/verify.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { shards } from "../../platform/stock.ts";
import { PageRequest } from "../contract.ts";
import { defineBoard } from "../define.ts";
import { page } from "../page.ts";
import { players } from "../records.ts";
import { BoardSettings } from "../settings.ts";
import { withdraw } from "../withdraw.ts";
import { join as joinIt } from "./join.ts";
import { leave as leaveIt } from "./leave.ts";
import { prizesOf } from "./pool.ts";

const backend = useBackend();
const { at, closeAt, keptOf, newBoard, score, seasonOf } = useSeasons(backend);
const ID = "custom-2026-11-20T18:00Z";
const TIMES = {
  opensAt: Date.parse("2026-11-20T12:00:00Z"),
  closesAt: Date.parse("2026-11-20T19:00:00Z"),
  startsAt: Date.parse("2026-11-20T18:00:00Z"),
  endsAt: Date.parse("2026-11-20T20:00:00Z"),
};
const FEE = { currency: "COIN", amount: 25 };
const settings = (rest: object = {}) => ({
  title: "Cup",
  timeZone: "Etc/UTC",
  minScore: 0,
  maxScore: 1_000,
  periods: ["custom"],
  tournament: { ...TIMES, fee: FEE, shares: [5_000, 3_000, 2_000], ...rest },
});
const newTournament = (rest: object = {}) => newBoard(settings(rest));
const join = (player: Caller, board: string) => joinIt(player, { board });
const leave = (player: Caller, board: string) => leaveIt(player, { board });
const rich = () => somebodyWith({ coins: { COIN: 100 } });

describe("a tournament", () => {
  test("is joined once, for its fee, while it is open", async () => {
    at("2026-11-20T11:59:59Z");
    const board = await newTournament();
    const ada = await rich();
    await expect(join(ada, board)).rejects.toMatchObject({ reason: "entry-closed" });
    at("2026-11-20T12:00:00Z");
    const first = await backend.billed(() => join(ada, board));
    expect(first.result).toEqual({ paid: 25, currency: "COIN", repeated: false });
    // The board, the player and the account; the player, the account and the transaction.
    // Besides, the two documents of a profile.
    expect(first.bill).toEqual({ reads: 3 + 2, writes: 3, deletes: 0 });
    expect(await join(ada, board)).toMatchObject({ repeated: true });
    expect(await has(ada.uid)).toEqual({ COIN: 75 });
    await expect(join(someone(), board)).rejects.toMatchObject({ reason: "insufficient-funds" });
    at("2026-11-20T19:00:00Z");
    await expect(join(await rich(), board)).rejects.toMatchObject({ reason: "entry-closed" });
  });

  test("is not joined by who is banned, and takes nothing of them", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newTournament();
    const ada = await rich();
    await myProfile(ada);
    await ban(someone(), { user: ada.uid, note: "a bot" });
    const refused = await backend.billed(() =>
      expect(join(ada, board)).rejects.toMatchObject({ reason: "user-banned" }),
    );
    expect(refused.bill).toMatchObject({ writes: 0 });
    expect(await has(ada.uid)).toEqual({ COIN: 100 });
  });

  test("takes scores of those who are in it while it is played, for a read and a write", async () => {
    at("2026-11-20T17:59:59Z");
    const board = await newTournament();
    const ada = await rich();
    await join(ada, board);
    await expect(score(ada, board, 5)).rejects.toMatchObject({ reason: "tournament-not-on" });
    at("2026-11-20T18:00:00Z");
    await expect(score(someone(), board, 5)).rejects.toMatchObject({ reason: "not-entered" });
    await join(await rich(), board);
    const { bill } = await backend.billed(() => score(ada, board, 5));
    expect(bill).toEqual({ reads: 1, writes: 1, deletes: 0 });
    at("2026-11-20T20:00:00Z");
    await expect(score(ada, board, 6)).rejects.toMatchObject({ reason: "tournament-not-on" });
    // Over, but not closed: how it ended is there to be seen.
    const { rows, season } = await page(ada, PageRequest.parse({ board, period: "custom" }));
    expect([season, rows.map((row) => row.score)]).toEqual(["2026-11-20T18:00Z", [5]]);
  });

  test("can be left until it begins, with the fee back, and joined again", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newTournament({ capacity: 1 });
    const [ada, bo] = [await rich(), await rich()];
    await join(ada, board);
    await expect(join(bo, board)).rejects.toMatchObject({ reason: "sold-out" });
    expect(await leave(ada, board)).toEqual({ left: true, refunded: 25 });
    expect(await leave(ada, board)).toEqual({ left: false, refunded: 0 });
    expect(await has(ada.uid)).toEqual({ COIN: 100 });
    await join(bo, board);
    await leave(bo, board);
    expect(await join(ada, board)).toMatchObject({ paid: 25, repeated: false });
    expect(await has(ada.uid)).toEqual({ COIN: 75 });
    expect(await withdraw(ada, { board })).toEqual({ withdrawn: true });
    expect((await players(board).doc(ada.uid).get()).data()?.entry?.paid).toBe(25);
    at("2026-11-20T18:00:00Z");
    await expect(leave(ada, board)).rejects.toMatchObject({ reason: "tournament-begun" });
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test("takes exactly as many as it has places, however many come at once", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newTournament({ capacity: 7 });
    const crowd = await Promise.all(Array.from({ length: 25 }, rich));
    const came = await Promise.allSettled(crowd.map((player) => join(player, board)));
    const refused = came.flatMap((one) => (one.status === "rejected" ? [one.reason.reason] : []));
    expect(new Set(refused)).toEqual(new Set(["sold-out"]));
    expect(refused).toHaveLength(18);
    const coins = await Promise.all(crowd.map(async ({ uid }) => (await has(uid)) as { COIN?: number }));
    expect(coins.filter(({ COIN }) => COIN === 75)).toHaveLength(7);
    const sold = (await shards(`leaderboards/${board}`).get()).docs.map((shard) => shard.data().sold);
    expect(sold.reduce((sum, one) => sum + one, 0)).toBe(7);
  });

  test("gives all that was paid and added to those who were best, once", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newTournament({ guaranteed: { currency: "COIN", amount: 1 } });
    const all = await Promise.all(Array.from({ length: 5 }, rich));
    for (const player of all) await join(player, board);
    at("2026-11-20T18:30:00Z");
    for (const [i, player] of all.slice(0, 4).entries()) await score(player, board, 100 - i);
    await closeAt("2026-11-20T20:03:00Z");
    await closeAt("2026-11-20T20:13:00Z");
    // Of 126: 63, 37.8 and 25.2.
    const coins = await Promise.all(all.map(({ uid }) => has(uid)));
    expect(coins).toEqual([75 + 63, 75 + 38, 75 + 25, 75, 75].map((COIN) => ({ COIN })));
    expect(await seasonOf(board, ID)).toMatchObject({ state: "closed", given: 3, pool: { amount: 126 } });
    expect(await keptOf(board, ID)).toHaveLength(4);
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test("that fewer have played than there are shares gives them all of it", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newTournament();
    const all = await Promise.all(Array.from({ length: 3 }, rich));
    for (const player of all) await join(player, board);
    at("2026-11-20T18:30:00Z");
    for (const [i, player] of all.slice(0, 2).entries()) await score(player, board, 100 - i);
    await closeAt("2026-11-20T20:03:00Z");
    // Of 75 as 5 to 3.
    expect(await Promise.all(all.map(({ uid }) => has(uid)))).toEqual([75 + 47, 75 + 28, 75].map((COIN) => ({ COIN })));
  });

  test("that nobody has played gives the fees back", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newTournament({ guaranteed: { currency: "COIN", amount: 1_000 } });
    const all = await Promise.all(Array.from({ length: 60 }, rich));
    await Promise.all(all.map((player) => join(player, board)));
    await closeAt("2026-11-20T20:03:00Z");
    for (const { uid } of all) expect(await has(uid)).toEqual({ COIN: 100 });
    expect(await seasonOf(board, ID)).toMatchObject({ state: "closed", given: 0 });
  });

  test("is not changed once it can be joined, and is not played for money", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newTournament();
    const define = (rest: object) => defineBoard(someone(), { id: board, board: BoardSettings.parse(settings(rest)) });
    at("2026-11-20T12:00:01Z");
    await define({});
    await expect(define({ fee: { currency: "COIN", amount: 1 } })).rejects.toMatchObject({
      reason: "tournament-fixed",
    });
    await expect(newTournament({ fee: { currency: "USD", amount: 100 } })).rejects.toMatchObject({
      details: { field: "board.tournament.fee.currency" },
    });
  });

  test.each([
    ["tournament.shares", { shares: [5_000, 4_999] }],
    ["tournament.shares", { shares: [] }],
    ["tournament.closesAt", { closesAt: TIMES.endsAt + 1 }],
    ["tournament.endsAt", { startsAt: TIMES.endsAt }],
    ["tournament.guaranteed.currency", { guaranteed: { currency: "GEM", amount: 1 } }],
  ])("is refused where %s does not fit", (field, wrong) => {
    const parsed = BoardSettings.safeParse(settings(wrong));
    expect(parsed.error?.issues.map(({ path }) => path.join("."))).toEqual([field]);
  });
});

describe("a pool", () => {
  test("is divided without losing or making a coin, and by its shares to within one", () => {
    const shares = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 50 }),
        shares,
        fc.integer({ min: 0, max: 30 }),
        (amount, weights, n) => {
          const prizes = prizesOf({ currency: "COIN", amount, shares: weights }, n);
          const given = prizes.map(({ reward }) => BigInt(reward.coins.COIN ?? 0));
          const counted = weights.slice(0, n);
          const whole = BigInt(counted.reduce((sum, one) => sum + one, 0));
          expect(given.reduce((sum, one) => sum + one, 0n)).toBe(n === 0 ? 0n : BigInt(amount));
          for (const { from, to, reward } of prizes) {
            expect(from).toBe(to);
            const exact = (BigInt(amount) * BigInt(counted[from - 1] ?? 0)) / whole;
            const more = BigInt(reward.coins.COIN ?? 0) - exact;
            expect(more === 0n || more === 1n).toBe(true);
          }
        },
      ),
    );
  });
});
