import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as z from "zod";
import { Bills } from "./bill.ts";
import { feed, type Wanted } from "./feed.ts";
import { isOwnHost, isOwnOrigin, SECURITY_HEADERS } from "./guard.ts";
import { InvocationFilter, Invocations } from "./invocations.ts";
import { RequestFilter } from "./requests.ts";
import { SourceError, Sources, type SourcesOptions } from "./sources.ts";

/** A page on what runs, and the same as JSON: requests with the rules that decided them, calls of functions, the bill, documents. */

const MAX_WATCHERS = 30;
/** Who does not read what it is told is let go. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

export interface InspectOptions extends SourcesOptions {
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly invocations?: Invocations;
}

export interface Inspect {
  readonly port: number;
  close(): Promise<void>;
}

interface Inside {
  readonly sources: Sources;
  readonly invocations: Invocations;
  readonly bills: Bills;
  readonly watchers: Set<AbortController>;
}

interface Call {
  readonly parameters: Readonly<Record<string, string>>;
  readonly response: ServerResponse;
}

/** What is not a file of the page answers with JSON; undefined: it has answered by itself. */
type Handler = (inside: Inside, call: Call) => Promise<object | undefined> | object;

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["index.html", "text/html"],
  "/page.js": ["page.js", "text/javascript"],
  "/show.js": ["show.js", "text/javascript"],
  "/documents.js": ["documents.js", "text/javascript"],
  "/page.css": ["page.css", "text/css"],
};

const ROUTES: Readonly<Record<string, Handler>> = {
  "GET /requests": listRequests,
  "GET /functions": ({ invocations }, { parameters }) => ({
    functions: invocations.list(InvocationFilter.parse(parameters)),
  }),
  "GET /bill": readBill,
  "POST /bill:mark": async ({ bills }) => ({ mark: await bills.mark() }),
  "GET /databases": ({ sources }) => sources.databases(),
  "GET /documents": browse,
  "GET /tree": ({ sources }, { parameters }) => sources.tree(TreePlace.parse(parameters)),
  "GET /events": watch,
};

/** Starts it; rejects if the port is taken. */
export async function startInspect(options: InspectOptions): Promise<Inspect> {
  const { host = "127.0.0.1", port = 0, invocations = new Invocations() } = options;
  const sources = new Sources(options);
  const inside = { sources, invocations, bills: new Bills(sources, invocations), watchers: new Set<AbortController>() };
  const server = createServer((request, response) => void serve(inside, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const watcher of inside.watchers) watcher.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(inside: Inside, request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  try {
    const answer = await route(inside, request, response);
    if (answer) send(response, 200, answer);
  } catch (error) {
    const { status, message } = refusalOf(error);
    if (response.headersSent) response.destroy();
    else send(response, status, { error: { message } });
  }
}

function refusalOf(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof Refusal) return error;
  if (error instanceof z.ZodError) return { status: 400, message: z.prettifyError(error) };
  if (error instanceof SourceError) return { status: 400, message: error.message };
  return { status: 502, message: `An emulator does not answer: ${error instanceof Error ? error.message : error}` };
}

async function route(inside: Inside, request: IncomingMessage, response: ServerResponse): Promise<object | undefined> {
  const { host, origin } = request.headers;
  if (!isOwnHost(host)) throw new Refusal(403, "This is for localhost and addresses of this machine only.");
  const url = new URL(request.url ?? "/", "http://localhost");
  const file = FILES[url.pathname];
  if (file && request.method === "GET") return await sendFile(file, response);
  const handler = ROUTES[`${request.method} ${url.pathname}`];
  if (!handler) throw new Refusal(404, `There is nothing at ${request.method} ${url.pathname}.`);
  if (request.method !== "GET" && !isOwnOrigin(origin, host)) throw new Refusal(403, "No other page may do that.");
  return await handler(inside, { parameters: Object.fromEntries(url.searchParams), response });
}

async function sendFile([file, type]: readonly [string, string], response: ServerResponse): Promise<undefined> {
  const bytes = await readFile(new URL(`./page/${file}`, import.meta.url));
  response.writeHead(200, { "content-type": `${type}; charset=utf-8` });
  response.end(bytes);
}

async function listRequests({ sources }: Inside, { parameters }: Call): Promise<object> {
  const { limit } = RequestFilter.parse(parameters);
  const lists = await Promise.all([
    sources.requests("firestore", parameters),
    sources.requests("database", parameters),
  ]);
  return {
    requests: lists
      .flat()
      .sort((a, b) => a.at - b.at)
      .slice(-limit),
  };
}

async function readBill({ bills }: Inside, { parameters }: Call): Promise<object> {
  const bill = await bills.since(parameters["since"]);
  if (!bill) throw new Refusal(404, `There is no mark ${parameters["since"]}.`);
  return bill;
}

const DocumentPlace = z.object({
  database: z.string().regex(/^projects\/[^/]+\/databases\/[^/]+$/),
  path: z.string().default(""),
  pageToken: z.string().default(""),
});

const TreePlace = z
  .object({
    ns: z.string().min(1),
    path: z.string().default("/"),
    after: z.string().optional(),
  })
  .transform(({ after, ...place }) => (after === undefined ? place : { ...place, after }));

async function browse({ sources }: Inside, { parameters }: Call): Promise<object> {
  const { database, ...place } = DocumentPlace.parse(parameters);
  return await sources.documents(database, place);
}

const Events = z.object({
  name: z.string().default(""),
  failed: z.string().default("false"),
  since: z.string().optional(),
  last: z.string().optional(),
});

/** Tells what is new as server-sent events for as long as somebody listens; with `last=0` nothing of what was before. */
async function watch(inside: Inside, { parameters, response }: Call): Promise<undefined> {
  if (inside.watchers.size >= MAX_WATCHERS) throw new Refusal(429, `${MAX_WATCHERS} are looking already.`);
  const wanted = wantedOf(parameters);
  const watcher = new AbortController();
  inside.watchers.add(watcher);
  response.once("close", () => {
    watcher.abort();
    inside.watchers.delete(watcher);
  });
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  response.flushHeaders();
  for await (const [event, data] of feed(inside, wanted, watcher.signal)) {
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  }
}

function wantedOf(parameters: Call["parameters"]): Wanted {
  const { name, failed, since, last } = Events.parse(parameters);
  const { denied, path, user } = RequestFilter.parse(parameters);
  return {
    requests: { denied: String(denied), path, user },
    functions: InvocationFilter.parse({ name, failed }),
    mark: since,
    isFromNow: last === "0",
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(`${JSON.stringify(body, undefined, 1)}\n`);
}
