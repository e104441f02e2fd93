import { randomUUID } from "node:crypto";
import { describe, expect } from "vitest";
import { defineBoard } from "../../functions/src/leaderboards/define.ts";
import { type Player, players } from "../../functions/src/leaderboards/records.ts";
import { BoardSettings } from "../../functions/src/leaderboards/settings.ts";
import { placesOf } from "../../functions/src/leaderboards/tournaments/places.ts";
import { shards } from "../../functions/src/platform/stock.ts";
import { type Path, testPath } from "./crash.ts";
import { resultOf } from "./functions.ts";
import { OPERATOR, somebody, testBooks, useStage, type Way } from "./stage.ts";

/** Who comes into a tournament or a league, and who leaves, while the function dies at each of its calls of Firestore. */
const money = useStage();
const { give, path, serving } = money;
const stage = serving("api", false);
const passes = ["Commit"];
const HOUR_MILLIS = 3_600_000;
const FEE = 25;

async function newBoard(settings: object): Promise<string> {
  const id = `board-${randomUUID()}`;
  const board = { title: "Cup", timeZone: "Etc/UTC", minScore: 0, maxScore: 10, ...settings };
  await defineBoard({ uid: OPERATOR }, { id, board: BoardSettings.parse(board) });
  return id;
}

interface Entrant {
  readonly uid: string;
  readonly board: string;
}

const rich = async () => {
  const user = somebody();
  await give(user.uid, 100);
  return user;
};
const joins = ({ uid, board }: Entrant, on = stage().healthy) => on.call(uid, "leaderboards/join", { board });

/** Somebody with coins, and a tournament of two places of which one is taken. */
async function arrived(): Promise<Entrant> {
  const now = Date.now();
  const tournament = {
    ...{ opensAt: now - HOUR_MILLIS, closesAt: now + HOUR_MILLIS },
    ...{ startsAt: now + HOUR_MILLIS, endsAt: now + 2 * HOUR_MILLIS },
    ...{ fee: { currency: "COIN", amount: FEE }, shares: [10_000], capacity: 2 },
  };
  const board = await newBoard({ periods: ["custom"], tournament });
  const [{ uid }, other] = await Promise.all([rich(), rich()]);
  resultOf(await joins({ uid: other.uid, board }));
  return { uid, board };
}

/** Who is in a tournament, of whom there are as many as places were taken, and each of whom has paid. */
async function entrantsOf(board: string): Promise<readonly string[]> {
  const [all, places] = await Promise.all([players(board).get(), shards(placesOf(board)).get()]);
  const inIt = all.docs.filter((one) => one.data().entry?.paid !== undefined);
  expect(places.docs.reduce((sum, shard) => sum + shard.data().sold, 0)).toBe(inIt.length);
  for (const one of inIt) {
    expect(one.data().entry?.paid).toBe(FEE);
    expect((await money.standing(one.id)).coins).toEqual({ COIN: 100 - FEE });
  }
  return inIt.map(({ id }) => id);
}

/** A way on which, wherever it is cut off, who is in the tournament has paid and who is not has not. */
function fitting(way: Way<Entrant>): Path<Entrant> {
  const { halfway, ...rest } = path(way);
  return {
    ...rest,
    halfway: async (subject) => {
      await halfway(subject);
      const inIt = await entrantsOf(subject.board);
      const { coins } = await money.standing(subject.uid);
      expect(inIt.includes(subject.uid)).toBe(coins?.COIN === 100 - FEE);
    },
  };
}

const out = { coins: { COIN: 100 }, kinds: ["grant"] };
const inside = { coins: { COIN: 100 - FEE }, kinds: ["grant", "spend"] };

describe("leaderboards/join", () => {
  testPath("the fee is taken with a place, or neither, once, and no place is given twice", {
    stage,
    passes,
    path: fitting({
      prepare: arrived,
      act: (on, subject) => joins(subject, on),
      before: out,
      after: inside,
      also: async ({ uid, board }) => {
        const inIt = await entrantsOf(board);
        expect([inIt.includes(uid), inIt.length]).toEqual([true, 2]);
        const late = await rich();
        const refused = await joins({ uid: late.uid, board });
        expect(refused?.body).toMatchObject({ error: { details: { reason: "sold-out" } } });
        expect(await money.standing(late.uid)).toEqual(out);
      },
    }),
  });
});

describe("leaderboards/leave", () => {
  testPath("the fee is given back with the place, or neither, and once", {
    stage,
    passes,
    path: fitting({
      prepare: async () => {
        const subject = await arrived();
        resultOf(await joins(subject));
        return subject;
      },
      act: (on, { uid, board }) => on.call(uid, "leaderboards/leave", { board }),
      before: inside,
      after: { coins: { COIN: 100 }, kinds: ["grant", "refund", "spend"] },
      also: async ({ uid, board }) => {
        const inIt = await entrantsOf(board);
        expect([inIt.includes(uid), inIt.length]).toEqual([false, 1]);
      },
    }),
  });
});

describe("the first score of a season in a league", () => {
  const SIZE = 2;
  const TIER = 1;
  let league: Promise<string> | undefined;
  /** One for all who come, so that cohorts fill up. */
  const leagueOf = (): Promise<string> => {
    const rule = { period: "monthly", tiers: 2, size: SIZE, promote: 1, demote: 1 };
    league ??= newBoard({ periods: ["monthly", "allTime"], league: rule });
    return league;
  };
  /** By player how many seats were taken when they had their score for the first time. */
  const seatedAt = new Map<string, number>();
  const seatsOf = async (board: string): Promise<number> => {
    const seasons = await money.firestore.collectionGroup("tiers").get();
    const tier = seasons.docs.find(({ id, ref }) => id === String(TIER) && ref.path.includes(board));
    return Number(tier?.get("seated") ?? 0);
  };
  const slotOf = ({ m0, m1 }: Player) => m0 ?? m1;

  /** Whoever has a score has it in one cohort, none of which is too large, by a seat that nobody else has. */
  const areSeated = async (board: string): Promise<ReadonlyMap<string, number>> => {
    const all = (await players(board).get()).docs.map((one) => one.data());
    const cohorts = Map.groupBy(all, (player) => slotOf(player)?.group);
    for (const [cohort, members] of cohorts) {
      expect(cohort).toMatch(/^1-[1-9]\d*$/);
      expect(members.length).toBeLessThanOrEqual(SIZE);
    }
    expect(await seatsOf(board)).toBeGreaterThanOrEqual(all.length);
    return new Map(all.map((player) => [player.player, slotOf(player)?.score ?? -1]));
  };

  testPath("is in one cohort, which is never too large, and takes no seat when it is sent again", {
    stage,
    passes: ["Commit", "BatchWrite"],
    path: {
      prepare: async () => {
        const board = await leagueOf();
        return { ...somebody(), board, attempt: randomUUID() };
      },
      act: (on, { uid, board, attempt }) => on.call(uid, "leaderboards/submit", { board, score: 5, attempt }),
      halfway: async ({ uid, board }) => {
        expect([undefined, 5]).toContain((await areSeated(board)).get(uid));
      },
      end: async ({ uid, board }) => {
        expect((await areSeated(board)).get(uid)).toBe(5);
        const seated = await seatsOf(board);
        expect(seated).toBe(seatedAt.get(uid) ?? seated);
        seatedAt.set(uid, seated);
      },
    },
  });
});

testBooks();
