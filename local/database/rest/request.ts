import type { IncomingMessage } from "node:http";
import { callerOf, overridden } from "../auth.ts";
import { invalidData, invalidPath, invalidQuery, RequestError, writeTooBig } from "../model/failure.ts";
import { LIMITS } from "../model/limits.ts";
import type { Path } from "../model/path.ts";
import type { Caller } from "../security.ts";

/** A REST request, read but for its body. */
export interface RestRequest {
  readonly message: IncomingMessage;
  readonly method: string;
  readonly namespace: string;
  /** As it was addressed; not yet checked. */
  readonly path: Path;
  readonly parameters: URLSearchParams;
}

/** The database of requests that name none. Source: firebase-tools, DEFAULT_DATABASE_EMULATOR_NAMESPACE. */
const DEFAULT_NAMESPACE = "fake-server";
const NAMESPACE = /^[\w-]{1,128}$/;
const SUFFIX = ".json";

/** Throws on URLs that lead to no data. */
export function readRequest(message: IncomingMessage): RestRequest {
  const url = urlOf(message);
  const override = message.headers["x-http-method-override"] ?? url.searchParams.get("x-http-method-override");
  if (!url.pathname.endsWith(SUFFIX)) {
    throw new RequestError("not_found", "append .json to your request URI to use the REST API.", 404);
  }
  return {
    message,
    method: String(override ?? message.method ?? "GET").toUpperCase(),
    namespace: namespaceOf(message, url),
    path: decodePath(url.pathname.slice(0, -SUFFIX.length)),
    parameters: url.searchParams,
  };
}

export function urlOf(message: IncomingMessage): URL {
  try {
    return new URL(`http://localhost${message.url ?? "/"}`);
  } catch {
    throw invalidPath("the URL cannot be read");
  }
}

/** `?ns=`, or the first label of a host name that has several. */
export function namespaceOf(message: IncomingMessage, url: URL): string {
  const name = url.searchParams.get("ns") ?? /^([a-z][a-z0-9-]*)\.[^.:]/i.exec(message.headers.host ?? "")?.[1];
  if (name === undefined) return DEFAULT_NAMESPACE;
  if (!NAMESPACE.test(name)) throw new RequestError("invalid_namespace", "Invalid namespace");
  return name;
}

function decodePath(pathname: string): Path {
  try {
    return pathname
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent);
  } catch {
    throw invalidPath("Invalid token in path");
  }
}

/** Who asks: `auth`, `access_token` or a bearer, as the owner with an override if there is one. */
export function callerOfRequest(message: IncomingMessage, parameters: URLSearchParams): Caller {
  const bearer = /^Bearer\s+(.+)$/i.exec(message.headers.authorization ?? "")?.[1];
  const caller = callerOf(parameters.get("auth") ?? parameters.get("access_token") ?? bearer);
  const override = parameters.get("auth_variable_override");
  return override === null ? caller : overridden(caller, parseJson(override));
}

/** The body as text; more than 256 MB is refused. */
export async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= LIMITS.bodyBytes) chunks.push(chunk);
    // What is still coming is read and thrown away: a client that is cut off in the middle would not see the answer.
    else chunks.length = 0;
  }
  if (length > LIMITS.bodyBytes) throw writeTooBig();
  return Buffer.concat(chunks).toString("utf8");
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidData(
      "couldn't parse JSON object, array, or value. Perhaps you're using invalid characters in your key names.",
    );
  }
}

const TIMEOUT = /^(\d+)(ms|s|min)$/;
const MILLIS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000 };
const MAX_TIMEOUT_MILLIS = 15 * 60_000;

/** Checks `timeout`: how long a read may take, at most 15 minutes. Reads here take no time. */
export function checkTimeout(parameters: URLSearchParams): void {
  const given = parameters.get("timeout");
  if (given === null) return;
  const [, amount, unit] = TIMEOUT.exec(given) ?? [];
  if (amount === undefined || unit === undefined || Number(amount) * (MILLIS[unit] ?? 0) > MAX_TIMEOUT_MILLIS) {
    throw invalidQuery("timeout must be a number followed by ms, s or min, and at most 15min");
  }
}
