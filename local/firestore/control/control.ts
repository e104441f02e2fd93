import type { IncomingMessage, ServerResponse } from "node:http";
import { resolve } from "node:path";
import * as z from "zod";
import { DataError } from "../../durability/failure.ts";
import { type Ruleset, RulesSyntaxError } from "../../rules/rules.ts";
import { exportDatabase } from "../export/export.ts";
import { clearDatabase, type Firestore } from "../firestore.ts";
import { IndexesFile } from "../indexes/file.ts";
import { parseDatabase } from "../model/path.ts";
import { readBytes } from "../wire/body.ts";
import { StatusError } from "../wire/status.ts";
import { deleteBelow } from "./clearing.ts";
import { browse, listDatabases, listRequests, readBills } from "./look.ts";
import type { Triggers } from "./triggers.ts";
import type { TimeToLive } from "./ttl.ts";

/**
 * What an emulator answers besides the Firestore API: the calls that firebase-tools and rules-unit-testing make, and the usage meter.
 * These need no authorisation, as with Google's.
 */

const MAX_BODY_BYTES = 5 * 1024 * 1024;

export interface Control {
  readonly firestore: Firestore;
  readonly timeToLive: TimeToLive;
  readonly triggers: Triggers;
}

export interface Call {
  readonly project: string;
  /** What the route's pattern captured behind the project; what it did not need to find is undefined. */
  readonly parts: readonly (string | undefined)[];
  readonly query: URLSearchParams;
  readonly body: () => Promise<unknown>;
  /** Whether it is a page in a browser that asks. */
  readonly isFromPage: boolean;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** Of a text; absent: plain. */
  readonly type?: string;
}

type Handler = (control: Control, call: Call) => Promise<Answer> | Answer;

const ROUTES: readonly [verb: string, path: RegExp, handler: Handler][] = [
  ["PUT", /^\/emulator\/v1\/projects\/([^/]+)(?:\/databases\/([^/]+))?:securityRules$/, putRules],
  ["GET", /^\/emulator\/v1\/projects\/([^/]+)(?:\/databases\/([^/]+))?:ruleCoverage$/, readCoverage],
  ["GET", /^\/emulator\/v1\/projects\/([^/]+)(?:\/databases\/([^/]+))?:ruleCoverage\.html$/, showCoverage],
  ["PUT", /^\/emulator\/v1\/projects\/([^/]+)(?:\/databases\/([^/]+))?\/indexes$/, putIndexes],
  ["PUT", /^\/emulator\/v1\/(clock)$/, setClock],
  ["POST", /^\/emulator\/v1\/projects\/([^/]+):export$/, exportTo],
  ["POST", /^\/(reset)$/, reset],
  ["DELETE", /^\/emulator\/v1\/projects\/([^/]+)\/databases\/([^/]+)\/documents\/?$/, clear],
  ["DELETE", /^\/emulator\/v1\/projects\/([^/]+)\/databases\/([^/]+)\/documents\/(.+)$/, clearBelow],
  ["POST", /^\/emulator\/v1\/projects\/([^/]+)\/eventarcTrigger$/, registerEventarc],
  ["PUT", /^\/emulator\/v1\/projects\/([^/]+)\/triggers\/(.+)$/, registerFirstGeneration],
  ["GET", /^\/emulator\/v1\/projects\/([^/]+)\/usage$/, readUsage],
  ["POST", /^\/emulator\/v1\/projects\/([^/]+)\/usage:mark$/, markUsage],
  ["GET", /^\/emulator\/v1\/(requests)$/, listRequests],
  ["GET", /^\/emulator\/v1\/(bills)$/, readBills],
  ["GET", /^\/emulator\/v1\/(databases)$/, listDatabases],
  ["GET", /^\/emulator\/v1\/projects\/([^/]+)\/databases\/([^/]+)\/browse$/, browse],
];

/** Whether a request is for the emulator's own surface. */
export function isControl(path: string): boolean {
  return path === "/" || path === "/reset" || path.startsWith("/emulator/");
}

export async function serveControl(
  control: Control,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/") return send(response, { status: 200, body: "Ok\n" });
  try {
    const answer = await route(control, request, url);
    await control.firestore.data?.settled();
    send(response, answer);
  } catch (error) {
    const isRefused =
      error instanceof z.ZodError ||
      error instanceof BadRequest ||
      error instanceof StatusError ||
      error instanceof DataError;
    if (!isRefused) throw error;
    const message = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
    send(response, { status: 400, body: { error: { code: 400, message, status: "INVALID_ARGUMENT" } } });
  }
}

class BadRequest extends Error {}

async function route(control: Control, request: IncomingMessage, url: URL): Promise<Answer> {
  for (const [verb, path, handler] of ROUTES) {
    const found = request.method === verb ? path.exec(url.pathname) : null;
    if (!found) continue;
    const [project, ...parts] = found.slice(1).map(decoded) as [string, ...(string | undefined)[]];
    const isFromPage = request.headers.origin !== undefined;
    const body = () => readJson(request);
    return await handler(control, { project, parts, query: url.searchParams, body, isFromPage });
  }
  return { status: 404, body: { error: { code: 404, message: "Not Found", status: "NOT_FOUND" } } };
}

/** A part of a path, which may be absent. */
function decoded(part: string | undefined): string | undefined {
  try {
    return part && decodeURIComponent(part);
  } catch {
    throw new BadRequest(`"${part}" is not correctly percent-encoded.`);
  }
}

/** Where a call names a database, its name; otherwise the project's id. */
function scopeOf({ project, parts: [database] }: Call): string {
  return database === undefined ? project : parseDatabase(`projects/${project}/databases/${database}`);
}

const RulesUpload = z.object({
  rules: z.object({ files: z.array(z.object({ name: z.string().optional(), content: z.string() })).min(1) }),
  ignore_errors: z.boolean().optional(),
});

/** Rules that cannot be are not put into force. The CLI, which wants to go on all the same, is told with status 200. */
async function putRules({ firestore }: Control, call: Call): Promise<Answer> {
  const upload = RulesUpload.parse(await call.body());
  try {
    firestore.rules.put(scopeOf(call), upload.rules.files.map(({ content }) => content).join("\n"));
    return { status: 200, body: {} };
  } catch (error) {
    if (!(error instanceof RulesSyntaxError)) throw error;
    const issues = error.issues.map(({ line, column, description }) => ({
      sourcePosition: { line, column },
      severity: "ERROR",
      description,
    }));
    if (upload.ignore_errors) return { status: 200, body: { issues } };
    const places = issues.map(({ sourcePosition: at, description }) => `L${at.line}:${at.column} ${description}`);
    const message = ["Error compiling rules:", ...places].join("\n");
    return { status: 400, body: { error: { code: 400, message, status: "INVALID_ARGUMENT" }, issues } };
  }
}

function readCoverage(control: Control, call: Call): Answer {
  return { status: 200, body: rulesetOf(control, call).coverage() };
}

function showCoverage(control: Control, call: Call): Answer {
  return { status: 200, body: rulesetOf(control, call).coverageHtml(), type: "text/html" };
}

function rulesetOf({ firestore }: Control, call: Call): Ruleset {
  const ruleset = firestore.rules.of(scopeOf(call));
  if (!ruleset) throw new BadRequest(`"${scopeOf(call)}" has no rules.`);
  return ruleset;
}

/** Takes the TTL policies of a firestore.indexes.json and, if it says `enforce=true`, refuses queries that need another index. */
async function putIndexes({ firestore, timeToLive }: Control, call: Call): Promise<Answer> {
  const file = IndexesFile.parse(await call.body());
  if (call.query.get("enforce") === "true") firestore.indexes.put(scopeOf(call), file);
  timeToLive.put(scopeOf(call), file);
  await timeToLive.sweep();
  return { status: 200, body: {} };
}

/** Of the year 2255, up to which microseconds are exact. */
const MAX_MILLIS = 9_000_000_000_000;
const ClockState = z.object({
  offset: z.number().max(MAX_MILLIS / 2),
  frozenAt: z.number().nonnegative().max(MAX_MILLIS).optional(),
});
const MICROS = 1_000;

/** Sets the time, in milliseconds: ahead of real time, or to stand still. */
async function setClock({ firestore, timeToLive }: Control, { body }: Call): Promise<Answer> {
  const { offset, frozenAt } = ClockState.parse(await body());
  const inMicros = (millis: number) => Math.round(millis * MICROS);
  firestore.clock.set({
    offset: inMicros(offset),
    frozenAt: frozenAt === undefined ? undefined : inMicros(frozenAt),
  });
  await timeToLive.sweep();
  return { status: 200, body: {} };
}

const ExportRequest = z.object({
  database: z.string(),
  export_directory: z.string().min(1),
  export_name: z.string().regex(/^[^/\\]+$/),
});

/**
 * Writes an export of one database into a folder, relative to the one that the server was started in: wherever it is told to, which is for
 * the CLI to do and for no page that is open meanwhile.
 */
async function exportTo({ firestore }: Control, { body, isFromPage }: Call): Promise<Answer> {
  if (isFromPage) throw new BadRequest("A page cannot ask for an export.");
  const { database, export_directory, export_name } = ExportRequest.parse(await body());
  exportDatabase(firestore.open(database).database, firestore.clock, resolve(export_directory), export_name);
  return { status: 200, body: {} };
}

function reset({ firestore }: Control): Answer {
  firestore.clear();
  return { status: 200, body: "Resetting...\n" };
}

function clear({ firestore }: Control, { project, parts: [database] }: Call): Answer {
  clearDatabase(firestore.open(`projects/${project}/databases/${database}`));
  return { status: 200, body: {} };
}

async function clearBelow({ firestore }: Control, { project, parts: [database, path = ""] }: Call): Promise<Answer> {
  await deleteBelow(firestore, `projects/${project}/databases/${database}`, path);
  return { status: 200, body: {} };
}

async function registerEventarc({ triggers }: Control, { project, query, body }: Call): Promise<Answer> {
  const key = query.get("eventarcTriggerId");
  if (!key) throw new BadRequest("eventarcTriggerId is missing.");
  return { status: 200, body: triggers.registerEventarc(project, key, await body()) };
}

async function registerFirstGeneration({ triggers }: Control, { project, parts: [key], body }: Call): Promise<Answer> {
  return { status: 200, body: triggers.registerFirstGeneration(project, key as string, await body()) };
}

/** What was billed in all, or since a mark. */
function readUsage({ firestore }: Control, { query }: Call): Answer {
  const mark = query.get("since");
  if (mark === null) return { status: 200, body: firestore.usage.total };
  const since = firestore.usage.since(mark);
  if (!since) throw new BadRequest(`There is no mark "${mark}".`);
  return { status: 200, body: since };
}

function markUsage({ firestore }: Control): Answer {
  return { status: 200, body: { mark: firestore.usage.mark() } };
}

/** Reads a JSON body whatever its content type: rules-unit-testing sends JSON as text/plain. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBytes(request, MAX_BODY_BYTES);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new BadRequest("The request's body is not JSON.");
  }
}

function send(response: ServerResponse, { status, body, type = "text/plain" }: Answer): void {
  const isText = typeof body === "string";
  response.writeHead(status, { "content-type": isText ? type : "application/json" });
  response.end(isText ? body : JSON.stringify(body));
}
