import type { Timestamp } from "../model/value.ts";
import type { Database } from "../store/database.ts";

/**
 * Resume tokens: up to when a client has seen everything, and of which incarnation of the database. With one, a listener that comes
 * back is sent only what has changed since.
 */
const MICROS_BYTES = 8;

export function resumeToken({ epoch }: Database, micros: number): Uint8Array {
  const token = Buffer.alloc(epoch.length + MICROS_BYTES);
  epoch.copy(token);
  token.writeBigUInt64BE(BigInt(micros), epoch.length);
  return token;
}

/** The time from which a client wants to go on; `lost` if its states are not kept any more, or the token is none of ours. */
export function resumeTime(
  database: Database,
  { resumeToken: token, readTime }: { readonly resumeToken?: Uint8Array; readonly readTime?: Timestamp },
): number | "lost" | undefined {
  if (token && token.length > 0) {
    const { epoch } = database;
    const bytes = Buffer.from(token);
    if (bytes.length !== epoch.length + MICROS_BYTES || !bytes.subarray(0, epoch.length).equals(epoch)) return "lost";
    return kept(database, Number(bytes.readBigUInt64BE(epoch.length)));
  }
  return readTime ? kept(database, readTime.toMicros()) : undefined;
}

function kept(database: Database, micros: number): number | "lost" {
  return database.canRead(micros) ? micros : "lost";
}
