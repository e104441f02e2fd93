import type { IncomingMessage, ServerResponse } from "node:http";
import { type Caller, callerOf } from "../access/caller.ts";
import type { Firestore } from "../firestore.ts";
import type { Outgoing } from "../listen/stream.ts";
import { LIMITS } from "../model/limits.ts";
import { isDuplex, serveDuplex } from "../rpc/handlers.ts";
import { readBytes } from "../wire/body.ts";
import { fromJson, toJson } from "../wire/json.ts";
import { type Method, methods } from "../wire/protocol.ts";
import { HTTP_STATUS } from "../wire/rest.ts";
import { invalidArgument, StatusError, toStatus } from "../wire/status.ts";
import { Turns } from "../wire/turns.ts";
import { chunk } from "./back-channel.ts";
import { authorizationIn, type Brought, type Parameters, readBody, readParameters } from "./parameters.ts";
import { KEEPALIVE_MILLIS, Session } from "./session.ts";

const PATH = /^\/google\.firestore\.v1\.Firestore\/(\w+)\/channel$/;
const MAX_SESSIONS = 10_000;
/** Percent signs make of a byte three. */
const MAX_BODY_BYTES = 3 * LIMITS.requestBytes;
const MIN_WAIT_MILLIS = 1_000;
/** The versions of the protocol that client and server speak, as Google's servers say it. */
const VERSIONS = [8, 14] as const;
/** What a page may read of an answer is in CORS headers; this one carries the session's second name. */
const SESSION_HEADER = "x-http-session-id";

export interface WebChannelOptions {
  /** Told of what should not have happened; the caller is not. */
  readonly onError: (error: unknown, method: string) => void;
  /** A listener that reads nothing for so many milliseconds is let go. */
  readonly stalledMillis: number;
}

/**
 * The streams of the API for browsers, over plain requests: some bring what the client says, one waits for what it is told.
 * Source: the client's side of it, https://github.com/google/closure-library/tree/master/closure/goog/labs/net/webchannel
 */
export class WebChannels {
  readonly #firestore: Firestore;
  readonly #options: WebChannelOptions;
  readonly #sessions = new Map<string, { readonly session: Session; readonly method: Method }>();
  readonly #turns = new Turns();
  /** What is said to one listener is often said to all. */
  readonly #texts = new WeakMap<object, string>();

  constructor(firestore: Firestore, options: WebChannelOptions) {
    this.#firestore = firestore;
    this.#options = options;
  }

  /** How many channels there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether a request is one of a channel. */
  serves(path: string): boolean {
    return PATH.test(path);
  }

  /** Answers 400 to what is malformed, and to who speaks of a channel that is not there any more. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? "/", "http://localhost");
      await this.#dispatch(methodAt(url.pathname), readParameters(url.searchParams), { request, response });
    } catch (error) {
      const status = toStatus(error);
      if (status.status === "INTERNAL") this.#options.onError(error, "WebChannel");
      answer(response, HTTP_STATUS[status.status], `Error: ${status.message}`);
    }
  }

  close(): void {
    for (const { session } of this.#sessions.values()) session.close();
  }

  async #dispatch(method: Method, parameters: Parameters, { request, response }: Exchange): Promise<void> {
    if (parameters.TYPE === "terminate") {
      this.#find(method, parameters).close();
      answer(response, 200, "");
    } else if (request.method === "GET" && parameters.RID === "rpc") {
      this.#listen(method, parameters, response);
    } else if (request.method === "POST" && parameters.RID !== "rpc") {
      const brought = readBody((await readBytes(request, MAX_BODY_BYTES)).toString("utf8"));
      if (parameters.SID === undefined) this.#open(method, parameters, { brought, request, response });
      else await this.#take(method, parameters, { brought, response });
    } else {
      throw invalidArgument("A channel is not spoken to like this.");
    }
  }

  #open(
    method: Method,
    parameters: Parameters,
    { brought, request, response }: Exchange & { readonly brought: Brought },
  ): void {
    if (this.#sessions.size >= MAX_SESSIONS) throw new StatusError("UNAVAILABLE", "There are too many channels.");
    const session = new Session({
      patienceMillis: this.#options.stalledMillis,
      onClose: () => this.#sessions.delete(session.id),
    });
    session.inbox.take(brought.messages);
    this.#sessions.set(session.id, { session, method });
    const authorization =
      authorizationIn(brought.headers) ?? authorizationIn(parameters.$httpHeaders) ?? request.headers.authorization;
    if (parameters["X-HTTP-Session-Id"]) response.setHeader(SESSION_HEADER, session.id);
    const [client, server] = VERSIONS;
    answer(response, 200, chunk(JSON.stringify([[0, ["c", session.id, "", client, server, KEEPALIVE_MILLIS]]])));
    void this.#run(session, method, () => callerOf(authorization));
  }

  #listen(method: Method, parameters: Parameters, response: ServerResponse): void {
    const session = this.#find(method, parameters);
    session.listen(response, {
      acknowledged: parameters.AID ?? 0,
      isStreaming: parameters.CI !== "1",
      waitMillis: Math.max(MIN_WAIT_MILLIS, Math.min(parameters.TO ?? KEEPALIVE_MILLIS, KEEPALIVE_MILLIS)),
    });
  }

  async #take(
    method: Method,
    parameters: Parameters,
    { brought, response }: { readonly brought: Brought; readonly response: ServerResponse },
  ): Promise<void> {
    const session = this.#find(method, parameters);
    if (parameters.AID !== undefined) session.acknowledge(parameters.AID);
    session.inbox.take(brought.messages);
    await session.inbox.room();
    answer(response, 200, chunk(JSON.stringify(session.state)));
  }

  #find(method: Method, { SID }: Parameters): Session {
    const found = this.#sessions.get(SID ?? "");
    if (found?.method !== method) throw invalidArgument("Unknown SID");
    return found.session;
  }

  async #run(session: Session, method: Method, caller: () => Caller): Promise<void> {
    try {
      const out: Outgoing<object> = {
        send: (messages) => session.send(this.#textsOf(messages, method)),
        soon: (act) => this.#turns.soon(session, act),
      };
      await serveDuplex(this.#firestore, method.name, requestsOf(session, method), {
        out,
        caller: caller(),
        via: "WebChannel",
      });
      session.close();
    } catch (error) {
      const { status, message } = toStatus(error);
      if (status === "INTERNAL") this.#options.onError(error, method.name);
      session.finish(JSON.stringify([{ error: { code: HTTP_STATUS[status], message, status } }]));
    }
  }

  /** Made as they are sent, so that no more of them are held than the client takes. */
  *#textsOf(messages: readonly object[], method: Method): Generator<string> {
    for (const message of messages) {
      const text = this.#texts.get(message) ?? JSON.stringify([toJson(method.response, message)]);
      this.#texts.set(message, text);
      yield text;
    }
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function methodAt(path: string): Method {
  const name = PATH.exec(path)?.[1] ?? "";
  const method = methods.get(name);
  if (!method || !isDuplex(name)) throw new StatusError("NOT_FOUND", `There is no channel for ${name}.`);
  return method;
}

async function* requestsOf(session: Session, method: Method): AsyncGenerator<object> {
  for await (const json of session.inbox.messages()) yield fromJson(method.request, json) as object;
}

/** Reads what is too long to its end without keeping it: a browser hears an answer only when it has said all it had to say. */
function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return;
  const bytes = Buffer.from(text);
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-cache, no-store, max-age=0, must-revalidate",
    "content-length": bytes.length,
  });
  response.end(bytes);
}
