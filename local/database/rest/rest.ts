import type { ServerResponse } from "node:http";
import { invalidData, invalidQuery, RequestError, writeTooBig } from "../model/failure.ts";
import { toText } from "../model/json.ts";
import type { Node } from "../model/node.ts";
import { checkPath, type Path, PRIORITY } from "../model/path.ts";
import { select } from "../query/query.ts";
import { type Operation, subjectOf, writeDown } from "../record.ts";
import type { Caller } from "../security.ts";
import { type Namespace, type Put, toPuts } from "../store/namespace.ts";
import { type Answer, send } from "./answer.ts";
import { PushIds } from "./push-id.ts";
import { parseRestQuery, parseShallowQuery } from "./query.ts";
import { callerOfRequest, checkTimeout, parseJson, type RestRequest, readBody } from "./request.ts";
import { stream } from "./stream.ts";

/**
 * The REST surface of a database: reading, writing, conditions and event streams.
 * Source: https://firebase.google.com/docs/reference/rest/database
 */

const EMPTY_ETAG = "null_etag";
/** The service estimates how long a write takes; here it is its size that counts, at this many bytes a second. */
const BYTES_PER_SECOND = 1024 * 1024;
const WRITE_SECONDS: Readonly<Record<string, number>> = {
  tiny: 1,
  small: 10,
  medium: 30,
  large: 60,
  unlimited: Number.POSITIVE_INFINITY,
};

const pushIds = new PushIds();

export interface Asked extends RestRequest {
  readonly database: Namespace;
  readonly caller: Caller;
}

/** Serves one request for data. Throws a {@link RequestError} for what is refused. */
export async function serveRest(request: RestRequest, database: Namespace, response: ServerResponse): Promise<void> {
  const { message, method, parameters } = request;
  const asked: Asked = { ...request, database, caller: callerOfRequest(message, parameters) };
  const subject = subjectOf(asked.path, { i: parameters.get("orderBy") });
  const operation: Operation = { via: "REST", method, subject, caller: asked.caller, began: performance.now() };
  try {
    checkTimeout(parameters);
    await answer(asked, response);
    writeDown(database, operation);
  } catch (error) {
    writeDown(database, operation, error);
    throw error;
  }
}

async function answer(asked: Asked, response: ServerResponse): Promise<void> {
  const { message, method, parameters, database } = asked;
  if (method === "GET" && (message.headers.accept ?? "").includes("text/event-stream")) return stream(asked, response);
  const answer = await whenKept(database, async () => (method === "GET" ? read(asked) : write(asked)));
  send(response, answer, parameters.get("print"), database.usage);
}

/** An answer, or why there is none, once all that it may rest on is on disk. */
async function whenKept(database: Namespace, serve: () => Promise<Answer>): Promise<Answer> {
  try {
    return await serve();
  } finally {
    await database.keeper.settled();
  }
}

function read({ database, caller, path, parameters, message }: Asked): Answer {
  const isShallow = parameters.get("shallow") === "true";
  const query = isShallow ? parseShallowQuery(parameters) : parseRestQuery(parameters);
  const place = checkPath(path);
  database.checkRead(place, query, caller);
  database.checkIndex(place, query);
  const all = database.root.at(place);
  const node = query ? select(all, query) : all;
  const known = message.headers["if-none-match"];
  if (known !== undefined && known === etagOf(node)) return { status: 304, text: "", headers: { etag: known } };
  const form = parameters.get("format") === "export" ? "export" : "value";
  const download = parameters.get("download");
  return {
    status: 200,
    text: isShallow ? shallowText(node) : toText(node, form),
    ...callbackOf(parameters),
    headers: {
      ...etagHeader(node, known === undefined ? message.headers["x-firebase-etag"] : "true"),
      ...(download === null ? {} : { "content-disposition": `attachment; filename="${encodeURIComponent(download)}"` }),
    },
  };
}

function shallowText(node: Node): string {
  if (node.leaf !== undefined) return toText(node, "value");
  return `{${[...node.keys()].map((key) => `${JSON.stringify(key)}:true`).join(",")}}`;
}

function etagHeader(node: Node, wanted: string | string[] | undefined): Record<string, string> {
  return wanted === "true" ? { etag: etagOf(node) } : {};
}

function etagOf(node: Node): string {
  return node.isEmpty ? EMPTY_ETAG : node.hash();
}

const CALLBACK = /^[\w$.]{1,100}$/;

/** The function that the page of a script wants to be called. */
function callbackOf(parameters: URLSearchParams): Pick<Answer, "callback"> {
  const callback = parameters.get("callback");
  if (callback === null) return {};
  if (!CALLBACK.test(callback)) throw invalidQuery("callback must be the name of a function");
  return { callback };
}

async function write(asked: Asked): Promise<Answer> {
  const { method, path, message } = asked;
  checkPath(path.at(-1) === PRIORITY ? path.slice(0, -1) : path);
  switch (method) {
    case "PUT":
      return put(asked, await readData(message));
    case "DELETE":
      // Nothing is expected to be there, but what is left unread would stand in front of the next request.
      await readBody(message);
      return put(asked, "null");
    case "POST":
      return post(asked, await readData(message));
    case "PATCH":
      return patch(asked, await readData(message));
    default:
      throw new RequestError("method_not_allowed", `Method not allowed: ${method}`, 405);
  }
}

async function readData(message: Asked["message"]): Promise<string> {
  const body = await readBody(message);
  if (body === "") throw new RequestError("invalid_data", "Error: No data supplied.");
  return body;
}

/** With `if-match`, writes only what stands as it did when its ETag was read; otherwise answers with what stands now. */
function put(asked: Asked, body: string): Answer {
  const { database, path, message, caller } = asked;
  const json = parseJson(body);
  const expected = message.headers["if-match"];
  const current = database.root.at(path);
  if (expected !== undefined && expected !== etagOf(current)) {
    database.checkRead(path, undefined, caller);
    return { status: 412, text: toText(current, "value"), headers: etagHeader(current, "true") };
  }
  commit(asked, [{ path, json }], body.length);
  return {
    status: 200,
    text: body.trim() === "null" ? "null" : toText(database.root.at(path), "value"),
    headers: etagHeader(database.root.at(path), expected === undefined ? message.headers["x-firebase-etag"] : "true"),
  };
}

function post(asked: Asked, body: string): Answer {
  const key = pushIds.next(Date.now());
  commit(asked, [{ path: checkPath([...asked.path, key]), json: parseJson(body) }], body.length);
  return { status: 200, text: JSON.stringify({ name: key }) };
}

function patch(asked: Asked, body: string): Answer {
  if (asked.message.headers["if-match"] !== undefined) throw invalidData("if-match is not supported for PATCH.");
  // What is no JSON is answered like what is no object.
  commit(asked, toPuts(asked.path, jsonIn(body)), body.length);
  return { status: 200, text: body };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function commit({ database, caller, path, parameters }: Asked, puts: readonly Put[], bytes: number): void {
  checkWriteSize(database.root, parameters.get("writeSizeLimit"), puts, bytes);
  const silent = parameters.get("disableTriggers") === "true";
  database.write({ path, puts, silent }, caller);
}

function checkWriteSize(root: Node, limit: string | null, puts: readonly Put[], bytes: number): void {
  if (limit === null || limit === "unlimited") return;
  const seconds = WRITE_SECONDS[limit];
  if (seconds === undefined) {
    throw invalidQuery("writeSizeLimit must be one of tiny, small, medium, large and unlimited");
  }
  const replaced = puts.reduce((sum, put) => sum + sizeOf(root, put.path), 0);
  if (bytes + replaced > seconds * BYTES_PER_SECOND) throw writeTooBig();
}

function sizeOf(root: Node, path: Path): number {
  return toText(root.at(path), "value").length;
}
