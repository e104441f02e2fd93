import type * as z from "zod";
import { forget } from "../platform/cache.ts";
import type { Caller } from "../platform/endpoint.ts";
import { log } from "../platform/log.ts";
import { cacheKey } from "./board.ts";
import type { DefineBoard } from "./contract.ts";
import { boards } from "./records.ts";

/**
 * Makes a board, or changes what one accepts from now on; scores that it has stay. Another time zone moves the ends of the seasons that
 * are on. One write.
 */
export async function defineBoard(
  caller: Caller,
  { id, board }: z.output<typeof DefineBoard>,
): Promise<{ id: string }> {
  await boards().doc(id).set(board);
  await forget(cacheKey(id));
  log.info("board defined", { board: id, by: caller.uid });
  return { id };
}
