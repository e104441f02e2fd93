import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { rewrapKeys } from "../platform/keys/rewrap.ts";
import { log } from "../platform/log.ts";
import type { RotatedKeys, RotateKeys } from "./contract.ts";

/** A page of wrapping users' keys anew. A read and a write for each, and a read for every 1,000 that remain. */
export async function rotateKeys(caller: Caller, page: z.output<typeof RotateKeys>): Promise<RotatedKeys> {
  const result = await rewrapKeys(page);
  const { kek, rewrapped, failed, remaining } = result;
  log.info("keys rotated by hand", { by: caller.uid, kek, rewrapped, failed, remaining });
  return result;
}
