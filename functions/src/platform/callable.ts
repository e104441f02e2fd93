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

/** Throws nothing but HttpsErrors. What is at hand is answered as {@link Ready}, without waiting. */
type Handle = (request: CallableRequest<unknown>) => Ready | Promise<unknown>;

type Response = Parameters<CallableFunction<unknown, unknown>>[1];

/** A callable function. What `handle` returns is plain JSON, or {@link Ready} to be sent. */
export function callable(options: CallOptions, handle: Handle): CallableFunction<unknown, unknown> {
  const whole = onCall(options, async (request) => {
    const result = await handle(request);
    return result instanceof Ready ? result.value() : result;
  });
  // For the trace that log lines belong to, and what `onInit` has to do.
  const short = onRequest((request, response) => {
    const known = callAtHand(request);
    return known ? answer(handle, known, response) : verified(request, response);
  });
  const verified = async (request: Request, response: Response) => {
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

/** The call, if all its tokens were verified before and are remembered. */
function callAtHand(request: Request): CallableRequest<unknown> | undefined {
  const { authorization, app, instance } = tokensIn(request);
  const [auth, by] = [authorization && authAtHand(authorization), app && appAtHand(app)];
  if ((authorization && !auth) || (app && !by)) return undefined;
  return callBy(request, { auth: auth || undefined, app: by || undefined, instance });
}

/** The call with its tokens verified; undefined if one does not. */
async function callOf(request: Request): Promise<CallableRequest<unknown> | undefined> {
  const { authorization, app, instance } = tokensIn(request);
  try {
    return callBy(request, {
      auth: authorization ? await authOf(authorization) : undefined,
      app: app ? await appOf(app) : undefined,
      instance,
    });
  } catch {
    return undefined;
  }
}

/** The tokens that came with a request, as they are in its headers; an empty one is none. */
function tokensIn({ headers }: Request) {
  const { authorization, "x-firebase-appcheck": app, "firebase-instance-id-token": instance } = headers;
  return { authorization, app: textOf(app), instance: textOf(instance) };
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && header !== "" ? header : undefined;
}

interface Verified {
  readonly auth: CallableRequest["auth"];
  readonly app: CallableRequest["app"];
  readonly instance: string | undefined;
}

function callBy(request: Request, { auth, app, instance }: Verified): CallableRequest<unknown> {
  return {
    data: (request.body as { data: unknown }).data,
    rawRequest: request,
    acceptsStreaming: false,
    ...(auth ? { auth } : {}),
    ...(app ? { app } : {}),
    ...(instance === undefined ? {} : { instanceIdToken: instance }),
  };
}

/** Answers at once what is at hand. */
function answer(handle: Handle, call: CallableRequest<unknown>, response: ServerResponse): void | Promise<void> {
  const { rawBody, headers } = call.rawRequest;
  const handling = rawBody.includes(WRAPPED) ? handleUnwrapped(handle, call) : handle(call);
  if (!(handling instanceof Ready)) return finish(handling, headers.origin, response);
  send(response, { status: 200, body: handling.body, origin: headers.origin });
}

async function finish(handling: Promise<unknown>, origin: string | undefined, response: ServerResponse): Promise<void> {
  try {
    const result = (await handling) ?? null;
    send(response, { status: 200, body: result instanceof Ready ? result.body : JSON.stringify({ result }), origin });
  } catch (error) {
    if (!(error instanceof HttpsError)) throw error;
    send(response, { status: error.httpErrorCode.status, body: JSON.stringify({ error: error.toJSON() }), origin });
  }
}

/** Handles a call with 64-bit numbers in place of their wrappers. Refuses what is wrapped wrongly. */
async function handleUnwrapped(handle: Handle, call: CallableRequest<unknown>): Promise<unknown> {
  return await handle({ ...call, data: dataOf(call) });
}

function dataOf({ data }: CallableRequest<unknown>): unknown {
  try {
    return unwrapped(data);
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
