import * as z from "zod";
import { invalidArgument } from "../wire/status.ts";

/** The version of the protocol that all clients of the last ten years speak. */
const VERSION = "8";
const MAX_MESSAGES = 1_000;
/** Of one message within its request; a client that sends again what was not taken does not start at 0. */
const MAX_INDEX = 2 * MAX_MESSAGES;
const MESSAGE = /^req(\d{1,4})___data__$/;

const Whole = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

const Parameters = z.object({
  VER: z.literal(VERSION),
  /** `rpc` asks for what the server has to say; a number brings what the client has. */
  RID: z.union([z.literal("rpc"), Whole]),
  SID: z.string().min(1).max(64).optional(),
  /** The last array that has arrived; −1: none. */
  AID: z
    .string()
    .regex(/^(?:-1|\d{1,15})$/)
    .transform(Number)
    .optional(),
  /** `1`: the client cannot see an answer before its end. */
  CI: z.enum(["0", "1"]).optional(),
  TYPE: z.enum(["xmlhttp", "init", "terminate"]).optional(),
  /** For how many milliseconds a long poll may wait. */
  TO: Whole.optional(),
  "X-HTTP-Session-Id": z.string().max(64).optional(),
  $httpHeaders: z.string().optional(),
});

/** What the address of a request says. */
export type Parameters = z.output<typeof Parameters>;

const Counts = z.object({ count: Whole.pipe(z.number().max(MAX_MESSAGES)), ofs: Whole.default(0) });

/** A message of the client, with its place among all that it sends on the channel. */
export interface Numbered {
  readonly number: number;
  readonly json: unknown;
  readonly bytes: number;
}

/** The body of a request that brings messages. */
export interface Brought {
  readonly messages: readonly Numbered[];
  /** Headers in the form of HTTP, of the request that opens the channel: it cannot have them as its own without a preflight. */
  readonly headers: string | undefined;
}

/** Throws INVALID_ARGUMENT for what is no request of a channel. */
export function readParameters(search: URLSearchParams): Parameters {
  const read = Parameters.safeParse(Object.fromEntries(search));
  if (!read.success) throw malformed(read.error);
  return read.data;
}

/** Reads `headers=…&count=1&ofs=0&req0___data__={…}`. Throws INVALID_ARGUMENT for anything else. */
export function readBody(body: string): Brought {
  const form = new URLSearchParams(body);
  const counts = Counts.safeParse({ count: form.get("count") ?? undefined, ofs: form.get("ofs") ?? undefined });
  if (!counts.success) throw malformed(counts.error);
  const { count, ofs } = counts.data;
  const messages: Numbered[] = [];
  for (const [name, text] of form) {
    const index = MESSAGE.exec(name)?.[1];
    if (index === undefined) continue;
    if (Number(index) > MAX_INDEX || messages.length >= count)
      throw invalidArgument("There are more messages than were counted.");
    messages.push({ number: ofs + Number(index), json: parse(text), bytes: Buffer.byteLength(text) });
  }
  if (messages.length < count) throw invalidArgument("There are fewer messages than were counted.");
  return { messages, headers: form.get("headers") ?? undefined };
}

/** The Authorization among headers in the form of HTTP. */
export function authorizationIn(headers: string | undefined): string | undefined {
  for (const line of headers?.split("\r\n") ?? []) {
    const colon = line.indexOf(":");
    if (line.slice(0, colon).trim().toLowerCase() === "authorization") return line.slice(colon + 1).trim();
  }
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidArgument("A message is not JSON.");
  }
}

function malformed(error: z.ZodError): Error {
  const [issue] = error.issues;
  return invalidArgument(`Malformed request: ${issue?.path.join(".")}: ${issue?.message}`);
}
