import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { has } from "../../../testing/economy.ts";
import { useSeasons } from "../../../testing/seasons.ts";
import { myProfile, updateProfile } from "../../identity/own.ts";
import { CURRENCIES } from "../../ledger/currencies.ts";
import { post } from "../../ledger/index.ts";
import { accounts } from "../../ledger/records.ts";
import { verify } from "../../ledger/verify.ts";
import { notices } from "../../notices/records.ts";
import { destroyKey } from "../../platform/keys/data-keys.ts";
import { BoardSettings } from "../settings.ts";
import { closeSeasons } from "./close.ts";

const backend = useBackend();
const { at, closeAt, newBoard, resultOf, score, seasonOf } = useSeasons(backend);
const SEASON = "daily-2026-11-20";
const prize = (from: number, to: number, coins: number, rest: object = {}) => ({
  period: "daily",
  from,
  to,
  reward: { coins: { COIN: coins } },
  ...rest,
});
const coinsOf = async (uid: string) => (await accounts().doc(`${uid}:COIN`).get()).data()?.available ?? 0;
const players = (...names: string[]) => names.map((name) => someone(name));

/** The first of them is the best. */
async function played(settings: object, ranked: ReturnType<typeof players>) {
  at("2026-11-20T12:00:00Z");
  const board = await newBoard({ periods: ["daily"], ...settings });
  for (const [i, player] of ranked.entries()) await score(player, board, 1_000 - i);
  at("2026-11-21T01:00:00Z");
  return board;
}

describe("prizes of a season", () => {
  test("go to the ranks that they are for, with a notice, and never twice", async () => {
    const ranked = players("Ada", "Bo", "Cy", "Di");
    const prizes = [prize(1, 1, 100), prize(2, 3, 10, { reward: { coins: { COIN: 10 }, items: { medal: 1 } } })];
    const board = await played({ prizes }, ranked);
    await Promise.allSettled(Array.from({ length: 4 }, () => closeSeasons(board, "daily")));
    await closeAt("2026-11-21T01:10:00Z");
    const [ada, bo, cy, di] = await Promise.all(ranked.map(({ uid }) => has(uid)));
    expect([ada, bo, cy, di]).toEqual([{ COIN: 100 }, { COIN: 10, medal: 1 }, { COIN: 10, medal: 1 }, {}]);
    expect(await seasonOf(board, SEASON)).toMatchObject({ state: "closed", given: 3, failed: 0 });
    expect(await resultOf(board, SEASON, ranked[1]?.uid ?? "")).toMatchObject({
      rank: 2,
      awards: [{ scope: "global", rank: 2, state: "given" }],
    });
    const told = await notices(ranked[0]?.uid ?? "").get();
    expect(told.docs.map((notice) => notice.data())).toMatchObject([
      { kind: "prize", data: { board, season: "2026-11-20", rank: 1, coins: { COIN: 100 } } },
    ]);
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  });

  test("that cannot be given are put down with the reason and stop nobody else's", async () => {
    const ranked = players("Ada", "Bo", "Cy");
    const board = await played({ prizes: [prize(1, 3, 5)] }, ranked);
    const [rich, erased, cy] = ranked.map(({ uid }) => uid);
    const amount = CURRENCIES.COIN?.maximumBalance ?? 0;
    const postings = [{ from: "system:mint", to: rich ?? "", amount, currency: "COIN" }];
    await post({ key: "too rich", kind: "grant", postings, reference: "test" });
    await destroyKey(erased ?? "");
    await closeAt("2026-11-21T01:00:00Z");
    const awardsOf = async (uid = "") => (await resultOf(board, SEASON, uid))?.awards;
    expect(await awardsOf(rich)).toEqual([{ scope: "global", rank: 1, state: "failed", reason: "balance-too-large" }]);
    expect(await awardsOf(erased)).toEqual([{ scope: "global", rank: 2, state: "failed", reason: "user-erased" }]);
    expect(await has(cy ?? "")).toEqual({ COIN: 5 });
    expect(await seasonOf(board, SEASON)).toMatchObject({ state: "closed", given: 1, failed: 2 });
    expect((await notices(rich ?? "").get()).size).toBe(0);
  });

  test("of countries go to the first of each, besides those of everybody", async () => {
    const ranked = Array.from({ length: 30 }, (_, i) => someone(`P${i}`));
    at("2026-11-20T12:00:00Z");
    const prizes = [prize(1, 1, 1_000), prize(1, 2, 7, { scope: "country" })];
    const board = await newBoard({ periods: ["daily"], scopes: ["country"], prizes, keep: 5 });
    const countries = ["AT", "DE", "FR"];
    for (const [i, player] of ranked.entries()) {
      await myProfile(player);
      await updateProfile(player, { country: countries[i % 7] ?? "US" });
      await score(player, board, 500 - i);
    }
    await closeAt("2026-11-21T01:00:00Z");
    const coins = await Promise.all(ranked.map(({ uid }) => coinsOf(uid)));
    const expected = ranked.map((_, i) => {
      const country = countries[i % 7] ?? "US";
      const before = ranked.slice(0, i).filter((__, j) => (countries[j % 7] ?? "US") === country).length;
      return (i === 0 ? 1_000 : 0) + (before < 2 ? 7 : 0);
    });
    expect(coins).toEqual(expected);
    expect(await seasonOf(board, SEASON)).toMatchObject({ state: "closed", given: 1 + 8, kept: 5 });
  });

  test("bill 3 reads and 4 writes each, besides the player's own read and write", async () => {
    const closing = async (count: number) => {
      const ranked = Array.from({ length: 20 }, (_, i) => someone(`P${i}`));
      const board = await played({ prizes: count === 0 ? [] : [prize(1, count, 5)] }, ranked);
      return (await backend.billed(() => closeSeasons(board, "daily"))).bill;
    };
    const [five, twenty] = [await closing(5), await closing(20)];
    // The result, the user's key and the account; the result, the notice, the transaction and the account.
    expect(twenty.reads - five.reads).toBe(15 * 3);
    expect(twenty.writes - five.writes).toBe(15 * 4);
  });
});

describe("a board's prizes", () => {
  const settings = { title: "Cup", timeZone: "Etc/UTC", minScore: 0, maxScore: 10, periods: ["daily"] };
  test.each([
    ["keep", { keep: 10, prizes: [prize(1, 11, 1)] }],
    ["prizes", { prizes: [prize(1, 1, 1, { period: "weekly" })] }],
    ["prizes", { prizes: [prize(1, 1, 1, { scope: "country" })] }],
    ["prizes.0.to", { prizes: [prize(3, 2, 1)] }],
    ["prizes.0.period", { prizes: [prize(1, 1, 1, { period: "allTime" })] }],
    ["cron", { periods: ["custom"], cron: "*/30 * * * *" }],
    ["late.acceptSeconds", { late: { acceptSeconds: 50_000 } }],
  ])("are refused where %s does not fit", (field, wrong) => {
    const parsed = BoardSettings.safeParse({ ...settings, ...wrong });
    expect(parsed.error?.issues.map(({ path }) => path.join("."))).toContain(field);
  });
});
