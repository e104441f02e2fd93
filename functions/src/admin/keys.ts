import type * as z from "zod";
import { writeDownAlone } from "../platform/audit.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { rewrapKeys } from "../platform/keys/rewrap.ts";
import { log } from "../platform/log.ts";
import type { RotatedKeys, RotateKeys } from "./contract.ts";

/** A page of wrapping users' keys anew. A read and a write for each, a read for every 1,000 that remain, and a write. */
export async function rotateKeys(caller: Caller, page: z.output<typeof RotateKeys>): Promise<RotatedKeys> {
  const result = await rewrapKeys(page);
  const { kek, rewrapped, failed, remaining } = result;
  await writeDownAlone({
    key: `${kek} ${page.cursor ?? ""} ${now()}`,
    by: caller.uid,
    action: "keys/rotate",
    subject: "keys",
    details: { kek, rewrapped, failed, remaining },
  });
  log.info("keys rotated by hand", { by: caller.uid, kek, rewrapped, failed, remaining });
  return result;
}
