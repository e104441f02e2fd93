import { randomUUID } from "node:crypto";
import { afterEach } from "vitest";
import type * as z from "zod";
import { SubmitRequest } from "../src/leaderboards/contract.ts";
import { defineBoard } from "../src/leaderboards/define.ts";
import { forgetPlayers } from "../src/leaderboards/memory.ts";
import { pages, results, seasons } from "../src/leaderboards/seasons/records.ts";
import { closeDue, runSeasonTask, SeasonTask } from "../src/leaderboards/seasons/schedule.ts";
import { BoardSettings } from "../src/leaderboards/settings.ts";
import { submit } from "../src/leaderboards/submit.ts";
import { forgetAll } from "../src/platform/cache.ts";
import { setClock } from "../src/platform/clock.ts";
import type { Caller } from "../src/platform/endpoint.ts";
import { type Backend, someone } from "./backend.ts";

/** For tests of leaderboards: time that passes, and what the schedule and the queue do meanwhile. To be called after `useBackend`. */
export function useSeasons(backend: Backend) {
  let restore = () => {};
  afterEach(() => restore());
  backend.onTask = async ({ queue, data }) => {
    if (queue === "seasonTasks") await runSeasonTask(SeasonTask.parse(data));
  };
  const at = (iso: string) => {
    restore();
    restore = setClock(Date.parse(iso));
  };
  return {
    /** Sets the clock; what instances remember is forgotten. */
    at: (iso: string) => {
      at(iso);
      forgetAll();
      forgetPlayers();
    },
    /** Sets the clock, and lets the schedule run once, with all tasks that follow. */
    closeAt: async (iso: string) => {
      at(iso);
      await closeDue();
      forgetAll();
      forgetPlayers();
    },
    newBoard: async (settings: object = {}) => {
      const id = `board-${randomUUID()}`;
      const board = { title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000_000, ...settings };
      await defineBoard(someone(), { id, board: BoardSettings.parse(board) });
      return id;
    },
    score: (player: Caller, board: string, points: number, rest: Partial<z.input<typeof SubmitRequest>> = {}) =>
      submit(player, SubmitRequest.parse({ board, score: points, attempt: randomUUID(), ...rest })),
    seasonOf: async (board: string, season: string) => (await seasons(board).doc(season).get()).data(),
    /** The kept rows of a season, as ranks and names. */
    keptOf: async (board: string, season: string) => {
      const { docs } = await pages(board, season).get();
      const rows = docs.flatMap((page) => page.data().rows).sort((a, b) => a.rank - b.rank);
      return rows.map(({ rank, name, score }) => [rank, name, score]);
    },
    resultOf: async (board: string, season: string, player: string) =>
      (await results(board, season).doc(player).get()).data(),
  };
}
