import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Keeping } from "../durability/data.ts";
import { Requests } from "../inspect/requests.ts";
import { Clock } from "./clock.ts";
import { isControl, serveControl } from "./control/control.ts";
import { Triggers } from "./control/triggers.ts";
import { Keeper } from "./durability/kept.ts";
import { RequestError } from "./model/failure.ts";
import { allowOrigins, errorAnswer, send } from "./rest/answer.ts";
import { readRequest, urlOf } from "./rest/request.ts";
import { serveRest } from "./rest/rest.ts";
import { readRules } from "./security.ts";
import { Sessions } from "./socket/sessions.ts";
import { Namespace } from "./store/namespace.ts";

const MAX_NAMESPACES = 10_000;

export interface ServerOptions {
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** `host:port` of the functions emulator, to which events go. */
  readonly functionsHost?: string | undefined;
  /** Rules by the name of the database; those without rules are open to everybody. */
  readonly rules?: Readonly<Record<string, string>>;
  /** Where the data is kept; without that it is in memory only. */
  readonly data?: Keeping | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Told of what an operator should know. */
  readonly report?: (message: string) => void;
}

export interface DatabaseServer {
  readonly host: string;
  readonly port: number;
  /** The database of a name; it is there, empty, from when it is first named. */
  database(name: string): Namespace;
  close(): Promise<void>;
}

/** Starts a Realtime Database server: WebSocket, long polls, REST, event streams and the emulator's control surface on one port. */
export async function startDatabase(options: ServerOptions = {}): Promise<DatabaseServer> {
  const { host = "127.0.0.1", port = 0, report = console.error } = options;
  const clock = new Clock();
  const now = options.now ?? clock.now;
  const triggers = new Triggers(options.functionsHost, report);
  const databases = new Map<string, Namespace>();
  const keeper = new Keeper();
  const requests = new Requests();
  const onCommit = (namespace: Namespace, commit: Parameters<Triggers["onCommit"]>[1]) =>
    keeper.whenSettled(() => triggers.onCommit(namespace.name, commit));
  const database = (name: string): Namespace => {
    const known = databases.get(name);
    if (known) return known;
    if (databases.size >= MAX_NAMESPACES) throw new RequestError("too_many_databases", "Too many databases", 429);
    const created = new Namespace({ name, now, onCommit, keeper, requests });
    databases.set(name, created);
    return created;
  };
  const roots = () => new Map([...databases].map(([name, { root }]) => [name, root]));
  if (options.data) await keeper.open(options.data, { database, roots }, report);
  for (const [name, source] of Object.entries(options.rules ?? {})) database(name).security = await readRules(source);

  const controlled = { database, names: () => [...databases.keys()], triggers, clock, requests };
  const sessions = new Sessions({ database, now, report, keeper });
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    allowOrigins(response, request.headers);
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    const { pathname } = urlOf(request);
    if (pathname === "/.lp") return sessions.poll(request, response);
    if (isControl(pathname)) return send(response, await serveControl(controlled, request), null);
    const asked = readRequest(request);
    await serveRest(asked, database(asked.namespace), response);
  };
  const http = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => answerError(error, response, report));
  });
  http.on("upgrade", (request, socket, head) => sessions.upgrade(request, socket, head));
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, host, resolve);
  }).catch(async (error: unknown) => {
    await keeper.close();
    throw error;
  });
  return {
    host,
    port: (http.address() as AddressInfo).port,
    database,
    close: async () => {
      triggers.close();
      sessions.close();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
      await keeper.close();
    },
  };
}

function answerError(error: unknown, response: ServerResponse, report: (message: string) => void): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  if (error instanceof RequestError) return send(response, errorAnswer(error.http, error.message), null);
  report(error instanceof Error ? (error.stack ?? error.message) : String(error));
  send(response, errorAnswer(500, "Internal server error."), null);
}
