import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { Clock } from "./clock.ts";
import { isControl, serveControl } from "./control/control.ts";
import { Triggers } from "./control/triggers.ts";
import { RequestError } from "./model/failure.ts";
import { LIMITS } from "./model/limits.ts";
import { allowOrigins, errorAnswer, send } from "./rest/answer.ts";
import { namespaceOf, readRequest, urlOf } from "./rest/request.ts";
import { serveRest } from "./rest/rest.ts";
import { readRules } from "./security.ts";
import { Connection } from "./socket/connection.ts";
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

/** Starts a Realtime Database server: WebSocket, REST, event streams and the emulator's control surface on one port. */
export async function startDatabase(options: ServerOptions = {}): Promise<DatabaseServer> {
  const { host = "127.0.0.1", port = 0, report = console.error } = options;
  const clock = new Clock();
  const now = options.now ?? clock.now;
  const triggers = new Triggers(options.functionsHost, report);
  const databases = new Map<string, Namespace>();
  const onCommit = (namespace: Namespace, commit: Parameters<Triggers["onCommit"]>[1]) =>
    triggers.onCommit(namespace.name, commit);
  const database = (name: string): Namespace => {
    const known = databases.get(name);
    if (known) return known;
    if (databases.size >= MAX_NAMESPACES) throw new RequestError("too_many_databases", "Too many databases", 429);
    const created = new Namespace({ name, now, onCommit });
    databases.set(name, created);
    return created;
  };
  for (const [name, source] of Object.entries(options.rules ?? {})) database(name).security = await readRules(source);

  const controlled = { database, names: () => [...databases.keys()], triggers, clock };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    allowOrigins(response, request.headers.origin);
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    if (isControl(urlOf(request).pathname)) return send(response, await serveControl(controlled, request), null);
    const asked = readRequest(request);
    await serveRest(asked, database(asked.namespace), response);
  };
  const http = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => answerError(error, response, report));
  });
  const sockets = serveSockets(database, now, report);
  http.on("upgrade", sockets.upgrade);
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, host, resolve);
  });
  return {
    host,
    port: (http.address() as AddressInfo).port,
    database,
    close: async () => {
      triggers.close();
      sockets.close();
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
}

function answerError(error: unknown, response: ServerResponse, report: (message: string) => void): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  if (error instanceof RequestError) return send(response, errorAnswer(error.http, error.message), null);
  report(error instanceof Error ? (error.stack ?? error.message) : String(error));
  send(response, errorAnswer(500, "Internal server error."), null);
}

/** Takes WebSocket clients in. One that says which session it had before has left that one, noticed or not. */
function serveSockets(database: (name: string) => Namespace, now: () => number, report: (message: string) => void) {
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: LIMITS.messageBytes });
  const sessions = new Map<string, Connection>();
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on("error", () => socket.destroy());
    let url: URL;
    let namespace: Namespace;
    try {
      url = urlOf(request);
      namespace = database(namespaceOf(request, url));
    } catch {
      return void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    }
    if (url.pathname !== "/.ws") return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    sockets.handleUpgrade(request, socket, head, (client) => {
      sessions.get(url.searchParams.get("ls") ?? "")?.close();
      const connection: Connection = new Connection(client, {
        namespace,
        host: request.headers.host ?? "localhost",
        now,
        report,
        onClosed: ({ session }) => sessions.delete(session),
      });
      sessions.set(connection.session, connection);
    });
  };
  return {
    upgrade,
    close: () => {
      for (const connection of [...sessions.values()]) connection.close();
      sockets.close();
    },
  };
}
