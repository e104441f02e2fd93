import { cacheKey } from "../../functions/src/leaderboards/board.ts";
import { seasonShown, slotOf } from "../../functions/src/leaderboards/periods.ts";
import { GLOBAL } from "../../functions/src/leaderboards/place.ts";
import { announceAll, followAll } from "../../functions/src/leaderboards/redis/follow.ts";
import { keptPage, keptStanding } from "../../functions/src/leaderboards/redis/read.ts";
import { Board } from "../../functions/src/leaderboards/settings.ts";
import { shownPage } from "../../functions/src/leaderboards/shown.ts";
import type { View } from "../../functions/src/leaderboards/view.ts";
import { cached } from "../../functions/src/platform/cache.ts";
import { BOARD, MAX_SCORE } from "../serving/requests.ts";
import { changeTo } from "./fill-redis.ts";
import { BOARD_SETTINGS, idOf, PERIOD } from "./players.ts";

/** The product's own questions to Redis, and what it tells it of a score, of a board with so many players; each throws if Redis cannot say. */
export const PAGE = 100;
export const REACH = 5;

function viewOfBoard(): View {
  const season = seasonShown(PERIOD, Date.now(), BOARD_SETTINGS);
  return { id: BOARD, board: BOARD_SETTINGS, period: PERIOD, season, slot: slotOf(PERIOD, season), scope: GLOBAL };
}

/** What a page is answered with to players, which is at most a second old; the board is known as after the first question of a minute. */
export async function shownPageQuestion(): Promise<() => Promise<void>> {
  await cached(cacheKey(BOARD), { processSeconds: 3_600 }, Board, async () => BOARD_SETTINGS);
  return async () => {
    const { json } = await shownPage({ uid: "nobody" }, { board: BOARD, period: PERIOD, scope: GLOBAL });
    if (json.length < PAGE) throw new Error("there is no page");
  };
}

export function questions(players: number) {
  const view = viewOfBoard();
  const someone = () => Math.floor(Math.random() * players);
  return {
    page: async () => {
      const found = await keptPage(view, undefined, PAGE);
      if (found?.rows.length !== PAGE) throw new Error("Redis has no page");
    },
    around: async () => {
      const found = await keptStanding(view, idOf(someone()), REACH);
      if (!found?.rank || found.neighbours.length <= REACH) throw new Error("Redis has nobody around");
    },
    standing: async () => {
      const found = await keptStanding(view, idOf(someone()), 0);
      if (!found?.rank || found.of !== players) throw new Error("Redis has no standing");
    },
    score: async () => {
      const change = changeTo(someone(), Math.floor(Math.random() * MAX_SCORE), Date.now());
      const announced = announceAll([{ id: BOARD, player: change.player }]);
      await followAll([{ id: BOARD, board: BOARD_SETTINGS, change }], announced, true);
    },
  };
}
