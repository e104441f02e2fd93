import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { callerOf } from "../access/caller.ts";
import type { Firestore } from "../firestore.ts";
import { serveStreaming, serveUnary } from "../rpc/handlers.ts";
import { readBody } from "./body.ts";
import { camel } from "./field-names.ts";
import { fromJson, toJson } from "./json.ts";
import { type Parameters, readParameters, setAt } from "./parameters.ts";
import type { Method } from "./protocol.ts";
import { type Match, matchRoute } from "./routes.ts";
import { parseSelection, type Selection, selectFrom } from "./selection.ts";
import { type CodeName, toStatus } from "./status.ts";

/** HTTP status of each gRPC status. Source: google/rpc/code.proto */
export const HTTP_STATUS: Record<CodeName, number> = {
  OK: 200,
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  UNAUTHENTICATED: 401,
};

/** Answers that are smaller are not worth compressing. */
const GZIP_BYTES = 1_024;

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly isPretty: boolean;
}

/** Serves `/v1/projects/…`: the same methods as over gRPC, as JSON. Streams of answers are arrays. */
export async function serveRest(
  firestore: Firestore,
  request: IncomingMessage,
  response: ServerResponse,
  onError: (error: unknown, method: string) => void,
): Promise<void> {
  let method: Method | undefined;
  let answer: Answer;
  try {
    const [path, query] = targetOf(request);
    const match = matchRoute(verbOf(request), path);
    method = match.method;
    answer = await answerTo(firestore, request, { match, query });
  } catch (error) {
    if (toStatus(error).status === "INTERNAL") onError(error, method?.name ?? "");
    const body = errorOf(error);
    answer = {
      status: body.error.code,
      body: method?.responseStream ? [body] : body,
      isPretty: true,
    };
  }
  await send(request, response, answer);
}

/** What a request is for: the path as it was sent, and the query string. */
function targetOf({ url = "/" }: IncomingMessage): [path: string, query: string] {
  // Proxies are sent the whole address.
  const target = url.replace(/^https?:\/\/[^/?]*/i, "");
  const [path = "", ...query] = target.split("?");
  return [path, query.join("?")];
}

function verbOf({ method = "GET", headers }: IncomingMessage): string {
  const override = headers["x-http-method-override"];
  return method === "POST" && typeof override === "string" ? override.toUpperCase() : method;
}

async function answerTo(
  firestore: Firestore,
  request: IncomingMessage,
  { match, query }: { match: Match; query: string },
): Promise<Answer> {
  const { method } = match;
  const parameters = readParameters(query, method.request);
  const selection = parameters.fields ? parseSelection(parameters.fields, method.response) : undefined;
  const caller = callerOf(request.headers.authorization ?? bearer(parameters.accessToken));
  const message = await readRequest(match, parameters, request);
  const json = (answer: object) => selected(toJson(method.response, answer), selection);
  if (!method.responseStream) {
    const body = json(await serveUnary(firestore, method.name, message, caller, "REST"));
    return { status: HTTP_STATUS.OK, body, isPretty: parameters.isPretty };
  }
  const body: unknown[] = [];
  try {
    for await (const answer of serveStreaming(firestore, method.name, message, caller, "REST")) body.push(json(answer));
  } catch (error) {
    // Of a stream that has begun, only the last element can say that it broke.
    if (body.length === 0 || toStatus(error).status === "INTERNAL") throw error;
    body.push(errorOf(error));
  }
  return { status: HTTP_STATUS.OK, body, isPretty: parameters.isPretty };
}

function bearer(token: string | undefined): string | undefined {
  return token === undefined ? undefined : `Bearer ${token}`;
}

function selected(json: unknown, selection: Selection | undefined): unknown {
  return selection ? selectFrom(json, selection) : json;
}

/** Puts the parts of a request together: parameters of the query string, the body, and variables of the path. */
async function readRequest(
  { method, binding, variables }: Match,
  parameters: Parameters,
  request: IncomingMessage,
): Promise<object> {
  const json = parameters.request;
  if (binding.body === undefined) request.resume();
  else if (binding.body === "*") Object.assign(json, await readBody(request));
  else json[camel(binding.body)] = await readBody(request);
  for (const [place, value] of Object.entries(variables)) setAt(json, method.request, place, [value]);
  return fromJson(method.request, json) as object;
}

function errorOf(error: unknown): { error: { code: number; message: string; status: string; details?: unknown } } {
  const { status, message, details } = toStatus(error);
  return { error: { code: HTTP_STATUS[status], message, status, ...(details.length > 0 ? { details } : {}) } };
}

async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const { status, body, isPretty } = answer;
  const bytes = Buffer.from(JSON.stringify(body, undefined, isPretty ? 2 : undefined));
  const isCompressed = bytes.length >= GZIP_BYTES && takesGzip(request);
  const sent = isCompressed ? await promisify(gzip)(bytes, { level: constants.Z_BEST_SPEED }) : bytes;
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": sent.length,
    ...(isCompressed ? { "content-encoding": "gzip" } : {}),
  });
  response.end(sent);
}

function takesGzip({ headers }: IncomingMessage): boolean {
  return /(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(headers["accept-encoding"]?.toString() ?? "");
}
