import { randomUUID } from "node:crypto";
import { append } from "../src/games/append.ts";
import { AppendRequest, FinishRequest, StartRequest } from "../src/games/contract.ts";
import { finish } from "../src/games/finish.ts";
import { start } from "../src/games/start.ts";
import { parseInput } from "../src/platform/endpoint.ts";

/** For tests: playing, with the contract in front as for an app. */

export const GAME = "asteroids";
export const BOARD = "arcade";

export const starts = async (uid: string, request: object = {}) =>
  start({ uid }, parseInput(StartRequest, { game: GAME, board: BOARD, key: randomUUID(), ...request }));

export const appends = async (uid: string, request: object) => append({ uid }, parseInput(AppendRequest, request));

export const finishes = async (uid: string, request: object) => finish({ uid }, parseInput(FinishRequest, request));
