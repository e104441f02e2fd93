import { hash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as z from "zod";
import { Failure } from "../platform/failure.ts";
import { canonical } from "../platform/ids.ts";

/**
 * The log of a session: what its app says happened, for people who doubt a score. It is kept compressed, in chunks, and nothing in it is
 * understood here.
 */
export const MAX_CHUNKS = 100;
/** Of one chunk. */
export const MAX_EVENTS = 10_000;
/** Of one chunk as JSON; nothing larger is unpacked either. */
export const MAX_BYTES = 1_000_000;
/** Of one chunk compressed; a document has room for 1 MiB. */
export const MAX_PACKED_BYTES = 200_000;
const MAX_DEPTH = 16;

/** Any JSON that is not nested too deep. */
export const Event = z
  .unknown()
  .refine((value) => isJson(value, MAX_DEPTH), `must be JSON, nested ${MAX_DEPTH} deep at most`);

function isJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth === 0) return false;
  return Object.values(value).every((item) => isJson(item, depth - 1));
}

/** Events as they are kept. */
export interface Packed {
  /** The same for the same events, whatever the order of their keys. */
  readonly print: string;
  /** Their JSON, by gzip. */
  readonly zipped: Buffer;
}

const zip = promisify(gzip);
const unzip = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip);

/** Packs events. Refuses `chunk-too-large` if their JSON has more than 1 MB, or more than 200 KB are left of it. */
export async function pack(events: readonly unknown[]): Promise<Packed> {
  const text = canonical(events);
  checkSize(Buffer.byteLength(text), MAX_BYTES);
  const zipped = await zip(text);
  checkSize(zipped.length, MAX_PACKED_BYTES);
  return { print: hash("sha256", text, "base64url"), zipped };
}

/** The events again. Throws for what {@link pack} has not made, before it takes more memory than that could. */
export async function unpack(zipped: Uint8Array): Promise<unknown[]> {
  const text = await unzip(zipped, { maxOutputLength: MAX_BYTES });
  return z.array(z.unknown()).parse(JSON.parse(text.toString()));
}

function checkSize(bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new Failure("invalid-argument", "These events are too many for one chunk.", {
    reason: "chunk-too-large",
    field: "events",
    limit,
  });
}
