import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { find, run } from "./api.ts";
import type { Context, Simulator } from "./context.ts";
import { control, owning } from "./control.ts";
import { errorBody, StripeError } from "./errors.ts";
import type { Fault, Faults } from "./faults.ts";
import { decodeForm, type Fields } from "./form.ts";
import type { Answer, IdempotencyKeys, KeyedRequest } from "./idempotency.ts";
import { newId } from "./ids.ts";
import { authenticationPage, checkoutPage } from "./pages/checkout.ts";
import { type Page, pageOf } from "./pages/html.ts";
import { onboardingPage, portalPage } from "./pages/portal.ts";
import { type RateLimit, tooMany } from "./rate-limit.ts";
import { API_VERSION } from "./version.ts";

/** The HTTP face: who asks, faults and repeated requests on the way in, answers and errors on the way out. */

export interface FrontOptions {
  readonly simulator: Simulator;
  readonly apiKey: string;
  readonly faults: Faults;
  readonly keys: IdempotencyKeys;
  readonly limit: RateLimit;
  readonly report: (message: string) => void;
}

interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly url: URL;
  readonly requestId: string;
  readonly body: string;
}

const MAX_BODY_BYTES = 1024 * 1024;

export class Front {
  readonly #options: FrontOptions;

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  /** Answers a request, whatever it is. Never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = newId("req", 14);
    try {
      const incoming = await read(request, response, requestId);
      if (incoming.url.pathname.startsWith("/simulator/")) await this.#control(incoming);
      else if (incoming.url.pathname.startsWith("/v1/")) await this.#api(incoming);
      else sendPage(response, this.#page(incoming));
    } catch (error) {
      const failure = this.#failureOf(error);
      send(response, failure.status, JSON.stringify(errorBody(failure, requestId), undefined, 2), {
        "request-id": requestId,
        ...failure.details.headers,
      });
    }
  }

  async #control({ method, url, response, body }: Incoming): Promise<void> {
    const { simulator, faults } = this.#options;
    const answer = await control(method, url.pathname.slice("/simulator/".length), {
      simulator,
      faults,
      body: jsonOf(body),
    });
    send(response, 200, `${JSON.stringify(answer, undefined, 2)}\n`, {});
  }

  async #api(incoming: Incoming): Promise<void> {
    const { method, url, request, response, requestId } = incoming;
    this.#authorize(request);
    this.#options.limit.count();
    const account = this.#accountOf(request);
    const fault = this.#options.faults.take(method, url.pathname);
    if (fault?.mode === "timeout-before") {
      response.destroy();
      return;
    }
    throwFault(fault);
    const key = header(request, "idempotency-key");
    const keyed: KeyedRequest | undefined =
      key === undefined || method !== "POST"
        ? undefined
        : { account, key, endpoint: `${method} ${url.pathname}`, params: canonical(incoming) };
    const known = keyed === undefined ? undefined : this.#options.keys.take(keyed);
    if (known !== undefined) {
      deliver(incoming, fault, known, {
        "idempotent-replayed": "true",
        "original-request": known.requestId,
        ...keyHeader(key),
      });
      return;
    }
    if (fault?.mode === "delay") await sleep(fault.millis);
    const context: Context = {
      simulator: this.#options.simulator,
      account,
      request: { id: requestId, idempotencyKey: key ?? null },
    };
    deliver(incoming, fault, this.#carryOut(context, incoming, keyed), keyHeader(key));
  }

  /** Errors that come from carrying out are answers like others, and kept by the idempotency key. */
  #carryOut(context: Context, incoming: Incoming, keyed: KeyedRequest | undefined): Answer {
    const { method, url, requestId } = incoming;
    try {
      const answer = run(context, find(method, url.pathname), fieldsOf(incoming));
      const carried: Answer = { status: 200, body: JSON.stringify(answer, undefined, 2), requestId };
      if (keyed !== undefined) this.#options.keys.store(keyed, carried);
      return carried;
    } catch (error) {
      const failure = this.#failureOf(error);
      if (failure.details.early === true) {
        if (keyed !== undefined) this.#options.keys.free(keyed);
        throw failure;
      }
      const failed: Answer = {
        status: failure.status,
        body: JSON.stringify(errorBody(failure, requestId), undefined, 2),
        requestId,
      };
      if (keyed !== undefined) this.#options.keys.store(keyed, failed);
      return failed;
    }
  }

  #page(incoming: Incoming): Page {
    const { simulator } = this.#options;
    const [, first = "", second = "", third = ""] = incoming.url.pathname.split("/");
    const form = incoming.method === "POST" ? decodeForm(incoming.body) : undefined;
    try {
      if (first === "c" && second === "pay")
        return checkoutPage(owning(simulator, "checkout.session", third), third, form);
      if (first === "3ds") return authenticationPage(owning(simulator, "payment_intent", second), second, form);
      if (first === "p" && second === "session")
        return portalPage(owning(simulator, "billing_portal.session", third), third, form);
      if (first === "setup" && second === "e") {
        return onboardingPage(
          owning(simulator, "account", third),
          third,
          form,
          incoming.url.searchParams.get("return_url"),
        );
      }
    } catch (error) {
      if (error instanceof StripeError)
        return pageOf(
          "Something is wrong",
          `<p>${error.status === 404 ? "There is nothing here." : "That did not work."}</p>`,
          error.status,
        );
      throw error;
    }
    return pageOf("Not found", "<p>There is nothing here.</p>", 404);
  }

  #authorize(request: IncomingMessage): void {
    const given = keyOf(header(request, "authorization") ?? "");
    if (given === undefined) {
      throw new StripeError(
        401,
        "invalid_request_error",
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
        { early: true },
      );
    }
    if (!isSame(given, this.#options.apiKey)) {
      throw new StripeError(401, "invalid_request_error", `Invalid API Key provided: ${masked(given)}`, {
        early: true,
      });
    }
  }

  #accountOf(request: IncomingMessage): string | undefined {
    const account = header(request, "stripe-account");
    if (account === undefined || this.#options.simulator.store.find("account", account, undefined) !== undefined)
      return account;
    throw new StripeError(
      403,
      "invalid_request_error",
      `The provided key '${masked(this.#options.apiKey)}' does not have access to account '${account.slice(0, 100)}' (or that account does not exist). Application access may have been revoked.`,
      { code: "account_invalid", early: true },
    );
  }

  #failureOf(error: unknown): StripeError {
    if (error instanceof StripeError) return error;
    if (error instanceof z.ZodError)
      return new StripeError(400, "invalid_request_error", z.prettifyError(error), { early: true });
    if (error instanceof RangeError) return new StripeError(400, "invalid_request_error", error.message);
    this.#options.report(`stripe: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return new StripeError(500, "api_error", "The simulator has failed; its log says how.");
  }
}

async function read(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<Incoming> {
  const target = request.url ?? "/";
  if (!URL.canParse(target, "http://simulator"))
    throw new StripeError(400, "invalid_request_error", "Unreadable URL.", { early: true });
  const url = new URL(target, "http://simulator");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new StripeError(413, "invalid_request_error", `Bodies have at most ${MAX_BODY_BYTES} bytes.`, {
        early: true,
      });
    chunks.push(chunk);
  }
  return {
    request,
    response,
    method: request.method ?? "GET",
    url,
    requestId,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

function throwFault(fault: Fault | undefined): void {
  if (fault?.mode === "429") throw tooMany("endpoint-rate");
  if (fault?.mode === "500") throw new StripeError(500, "api_error", "An unknown error occurred.", { early: true });
  if (fault?.mode === "409-lock") {
    throw new StripeError(
      409,
      "invalid_request_error",
      "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate.",
      { code: "lock_timeout", early: true },
    );
  }
}

/** Sends what was carried out, unless a fault keeps it from arriving. */
function deliver(
  { response, requestId }: Incoming,
  fault: Fault | undefined,
  answer: Answer,
  headers: Record<string, string>,
): void {
  if (fault?.mode === "timeout-after-success") response.destroy();
  else if (fault?.mode === "500-after-success") throw new StripeError(500, "api_error", "An unknown error occurred.");
  else send(response, answer.status, answer.body, { "request-id": requestId, ...headers });
}

function fieldsOf({ method, url, body }: Incoming): Fields {
  const query = url.search.slice(1);
  return decodeForm(method === "POST" ? body : [query, body].filter((part) => part !== "").join("&"));
}

/** The same for the same parameters in another order. */
function canonical({ body }: Incoming): string {
  return body.split("&").sort().join("&");
}

function keyHeader(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { "idempotency-key": encodeURIComponent(key) };
}

/** `Bearer sk_…`, or as the name of Basic. */
function keyOf(authorization: string): string | undefined {
  const [scheme = "", value = ""] = authorization.split(" ", 2);
  if (scheme.toLowerCase() === "bearer" && value !== "") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  return Buffer.from(value, "base64").toString("utf8").split(":", 1)[0] || undefined;
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function masked(key: string): string {
  return key.length <= 12 ? "****" : `${key.slice(0, 8)}****${key.slice(-4)}`;
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function jsonOf(body: string): unknown {
  try {
    return body === "" ? {} : JSON.parse(body);
  } catch {
    throw new StripeError(400, "invalid_request_error", "The body is not JSON.");
  }
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string>): void {
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json", "stripe-version": API_VERSION, ...headers });
  response.end(body);
}

function sendPage(response: ServerResponse, { status, body = "", location }: Page): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    ...(location === undefined ? {} : { location }),
  });
  response.end(body);
}
