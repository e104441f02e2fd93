import type { ServerResponse } from "node:http";
import {
  type CallableFunction,
  type CallableOptions,
  type CallableRequest,
  HttpsError,
  onCall,
  onRequest,
  type Request,
} from "firebase-functions/v2/https";
import { Failure } from "./failure.ts";
import { Ready } from "./ready.ts";
import { appAtHand, appOf, authAtHand, authOf } from "./tokens.ts";
import { unwrapped } from "./wrapped.ts";

/**
 * Callable functions by a shorter way. What `onCall` does for each call (a log line, an abort signal, heartbeats for streams, two passes over
 * the data) costs more than a small action itself, so a plain call that is in order is answered here, by the same protocol; whatever is not
 * plain, or not in order, is left to `onCall`: preflights, streams, malformed bodies, tokens that are missing their form or do not verify.
 * Source: https://firebase.google.com/docs/functions/callable-reference
 */
export type CallOptions = Omit<
  CallableOptions,
  "authPolicy" | "consumeAppCheckToken" | "cors" | "enforceAppCheck" | "heartbeatSeconds"
>;

/** Throws nothing but HttpsErrors. */
type Handle = (request: CallableRequest<unknown>) => Promise<unknown>;

type Response = Parameters<CallableFunction<unknown, unknown>>[1];

/** What is at hand to be sent, without waiting; undefined if the call is to be handled. */
type Peek = (request: CallableRequest<unknown>) => Ready | undefined;

/** A callable function. What `handle` returns is plain JSON, or {@link Ready} to be sent. */
export function callable(options: CallOptions, handle: Handle, peek?: Peek): CallableFunction<unknown, unknown> {
  const whole = onCall(options, async (request) => {
    const result = await handle(request);
    return result instanceof Ready ? result.value() : result;
  });
  // For the trace that log lines belong to, and what `onInit` has to do.
  const short = onRequest((request, response) => {
    const ready = peek && peekAt(peek, request);
    if (ready) return send(response, { status: 200, body: ready.body, origin: request.headers.origin });
    return wait(request, response);
  });
  const wait = async (request: Request, response: Response) => {
    const call = await callOf(request);
    await (call ? answer(handle, call, response) : whole(request, response));
  };
  const serve = (request: Request, response: Response) =>
    isPlain(request) ? short(request, response) : whole(request, response);
  // How it is deployed, and how it is called in tests.
  const {
    length: _,
    name: __,
    prototype: ___,
    ...of
  } = Object.getOwnPropertyDescriptors(whole) as PropertyDescriptorMap;
  return Object.defineProperties(serve, of) as CallableFunction<unknown, unknown>;
}

const JSON_BODY = /^application\/json *(;|$)/i;
/** Where 64-bit numbers are in the data, as wrappers. */
const WRAPPED = '"@type"';

function isPlain({ method, headers, body, rawBody }: Request): boolean {
  return (
    method === "POST" &&
    JSON_BODY.test(headers["content-type"] ?? "") &&
    headers.accept !== "text/event-stream" &&
    hasOnlyData(body) &&
    rawBody !== undefined
  );
}

function hasOnlyData(body: unknown): body is { data: unknown } {
  if (typeof body !== "object" || body === null || !("data" in body)) return false;
  return Object.keys(body).length === 1;
}

/** What is at hand for a call of which the tokens are remembered. */
function peekAt(peek: Peek, request: Request): Ready | undefined {
  const { authorization, "x-firebase-appcheck": appCheck } = request.headers;
  const auth = authorization === undefined ? undefined : authAtHand(authorization);
  const app = typeof appCheck === "string" && appCheck !== "" ? appAtHand(appCheck) : undefined;
  if (!auth || (appCheck && !app) || request.rawBody.includes(WRAPPED)) return undefined;
  const { data } = request.body as { data: unknown };
  return peek({ data, rawRequest: request, acceptsStreaming: false, auth, ...(app ? { app } : {}) });
}

/** The call with its tokens verified; undefined if one does not. */
async function callOf(request: Request): Promise<CallableRequest<unknown> | undefined> {
  const { authorization, "x-firebase-appcheck": app, "firebase-instance-id-token": instance } = request.headers;
  try {
    return {
      data: (request.body as { data: unknown }).data,
      rawRequest: request,
      acceptsStreaming: false,
      ...(authorization ? { auth: await authOf(authorization) } : {}),
      ...(typeof app === "string" && app !== "" ? { app: await appOf(app) } : {}),
      ...(typeof instance === "string" && instance !== "" ? { instanceIdToken: instance } : {}),
    };
  } catch {
    return undefined;
  }
}

async function answer(handle: Handle, call: CallableRequest<unknown>, response: ServerResponse): Promise<void> {
  const { origin } = call.rawRequest.headers;
  try {
    const result = (await handle(unwrapping(call))) ?? null;
    send(response, { status: 200, body: result instanceof Ready ? result.body : JSON.stringify({ result }), origin });
  } catch (error) {
    if (!(error instanceof HttpsError)) throw error;
    send(response, { status: error.httpErrorCode.status, body: JSON.stringify({ error: error.toJSON() }), origin });
  }
}

/** The call with 64-bit numbers in place of their wrappers. Throws HttpsErrors for what is wrapped wrongly. */
function unwrapping(call: CallableRequest<unknown>): CallableRequest<unknown> {
  if (!call.rawRequest.rawBody.includes(WRAPPED)) return call;
  try {
    return { ...call, data: unwrapped(call.data) };
  } catch (error) {
    throw error instanceof Failure ? new HttpsError(error.code, error.message, error.details) : error;
  }
}

interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly origin: string | undefined;
}

/** Any web app may call: what it may do goes by its tokens. */
function send(response: ServerResponse, { status, body, origin }: Answer): void {
  response.writeHead(status, {
    ...(origin === undefined ? {} : { "access-control-allow-origin": origin }),
    vary: "Origin",
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
