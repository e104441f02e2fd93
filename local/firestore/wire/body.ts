import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { LIMITS } from "../model/limits.ts";
import { invalidArgument, StatusError } from "./status.ts";

/** What a body that is no JSON says of itself; whatever else it is called, it is read as JSON, as Google's emulator does. */
const NO_JSON = /^(?:application\/(?:x-protobuf|protobuf|grpc)|multipart\/)/i;
/** From here on not every integer is a number. */
const LONG_INTEGER = /\d{16}/;
const INTEGER = /^-?\d+$/;

/**
 * Reads a JSON object; `{}` where nothing was sent. Integers that are no safe numbers are bigints. Throws INVALID_ARGUMENT for what cannot
 * be read or is larger than a request may be.
 */
export async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const type = request.headers["content-type"] ?? "";
  if (NO_JSON.test(type)) throw invalidArgument(`Requests are JSON: a body of type "${type}" is not understood.`);
  const bytes = await expand(await readBytes(request, LIMITS.requestBytes), request.headers["content-encoding"]);
  if (bytes.length === 0) return {};
  const json = parse(decode(bytes));
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw invalidArgument("Invalid JSON payload received. Root element must be a message.");
  }
  return json as Record<string, unknown>;
}

/**
 * All bytes of a body. What is longer is heard out and dropped, since a client that says everything first would not hear an answer before:
 * INVALID_ARGUMENT. Throws CANCELLED if the client is gone before its end.
 */
export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  let chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else chunks = [];
    }
  } catch {
    throw new StatusError("CANCELLED", "The request ended before its body did.");
  }
  if (length > maxBytes) throw tooLarge(maxBytes);
  return Buffer.concat(chunks);
}

async function expand(bytes: Buffer, encoding = "identity"): Promise<Buffer> {
  if (encoding === "identity") return bytes;
  if (encoding !== "gzip") throw new StatusError("UNIMPLEMENTED", `Content-Encoding "${encoding}" is not understood.`);
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: LIMITS.requestBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(LIMITS.requestBytes);
    throw invalidArgument("The request's body cannot be decompressed.");
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalidArgument("Invalid JSON payload received. Encountered non UTF-8 code points.");
  }
}

function parse(text: string): unknown {
  try {
    return LONG_INTEGER.test(text) ? JSON.parse(text, exactly) : JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`Invalid JSON payload received. ${(error as Error).message}`);
  }
}

function exactly(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  const isLost = typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined;
  return isLost && INTEGER.test(source) ? BigInt(source) : value;
}

function tooLarge(maxBytes: number): StatusError {
  return invalidArgument(`Request payload size exceeds the limit: ${maxBytes} bytes.`);
}
