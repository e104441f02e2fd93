import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import {
  connectDatabaseEmulator,
  type Database,
  type DataSnapshot,
  getDatabase,
  onValue,
  type Query,
} from "firebase/database";
import { afterEach, beforeEach } from "vitest";
import { WebSocket } from "ws";
import { type DatabaseServer, type ServerOptions, startDatabase } from "./server.ts";
import type { Namespace } from "./store/namespace.ts";

/** For tests: a server of its own for each, and clients on it. */
export interface Harness {
  readonly server: DatabaseServer;
  /** The database that clients use. */
  readonly database: Namespace;
  /** What the server has reported. */
  readonly reports: string[];
  /** The official client, signed in as somebody if claims are given, through another port if one is. */
  connect(claims?: { sub: string } & Record<string, unknown>, port?: number): Database;
  /** A client that speaks the protocol word by word. */
  raw(): Promise<RawClient>;
  /** Calls the server over HTTP; objects are sent as JSON. */
  http(verb: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<HttpAnswer>;
  /** Puts rules into force, as the CLI does. */
  rules(rules: object): Promise<void>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

export const NAMESPACE = "demo-default-rtdb";
export const OWNER = { authorization: "Bearer owner" };

let apps = 0;

export function useDatabase(options: ServerOptions = {}): Harness {
  const reports: string[] = [];
  const clients: FirebaseApp[] = [];
  const raws: RawClient[] = [];
  let server: DatabaseServer | undefined;
  const harness: Harness = {
    get server() {
      if (!server) throw new Error("the server runs while a test does");
      return server;
    },
    get database() {
      return harness.server.database(NAMESPACE);
    },
    reports,
    connect: (claims, port = harness.server.port) => {
      const app = initializeApp({ projectId: "demo", apiKey: "none" }, `test-${++apps}`);
      clients.push(app);
      const database = getDatabase(app, `https://${NAMESPACE}.firebaseio.com`);
      connectDatabaseEmulator(database, "127.0.0.1", port, claims ? { mockUserToken: claims } : {});
      return database;
    },
    raw: async () => {
      const client = new RawClient(`ws://127.0.0.1:${harness.server.port}/.ws?v=5&ns=${NAMESPACE}`);
      raws.push(client);
      await client.opened;
      return client;
    },
    http: async (verb, path, body, headers = {}) => {
      const separator = path.includes("?") ? "&" : "?";
      const response = await fetch(`http://127.0.0.1:${harness.server.port}${path}${separator}ns=${NAMESPACE}`, {
        method: verb,
        headers,
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === "" ? "" : JSON.parse(text), headers: response.headers };
    },
    rules: async (rules) => {
      const { status, body } = await harness.http("PUT", "/.settings/rules.json", { rules }, OWNER);
      if (status !== 200) throw new Error(JSON.stringify(body));
    },
  };
  beforeEach(async () => {
    reports.length = 0;
    server = await startDatabase({ report: (message) => reports.push(message), ...options });
  });
  afterEach(async () => {
    for (const client of raws.splice(0)) client.socket.terminate();
    await Promise.all(clients.splice(0).map((app) => deleteApp(app)));
    await server?.close();
    server = undefined;
  });
  return harness;
}

/** Everything that a listener is told. */
export function follow(query: Query): { readonly values: unknown[]; readonly errors: string[]; last(): DataSnapshot } {
  const snapshots: DataSnapshot[] = [];
  const values: unknown[] = [];
  const errors: string[] = [];
  onValue(
    query,
    (snapshot) => {
      snapshots.push(snapshot);
      values.push(snapshot.val());
    },
    (error) => errors.push(error.message),
  );
  return { values, errors, last: () => snapshots.at(-1) as DataSnapshot };
}

/** Sends requests by hand and keeps all that comes. */
export class RawClient {
  readonly socket: WebSocket;
  readonly received: string[] = [];
  readonly opened: Promise<unknown>;
  readonly closed: Promise<unknown>;
  readonly #gone: Promise<never>;
  #requests = 0;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.opened = new Promise((resolve, reject) => {
      this.socket.once("open", resolve);
      this.socket.once("error", reject);
    });
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
    this.#gone = this.closed.then(() => Promise.reject(new Error("closed before it was answered")));
    this.#gone.catch(() => {});
    this.socket.on("message", (bytes: Buffer) => this.received.push(bytes.toString("utf8")));
  }

  /** What the server has said, parsed; for tests whose messages all fit into a frame. */
  get messages(): unknown[] {
    return this.received.map((text) => JSON.parse(text) as unknown);
  }

  /** Sends a request and waits for its answer's body. */
  async ask(action: string, body: object): Promise<{ s: string; d: unknown }> {
    const request = ++this.#requests;
    this.socket.send(JSON.stringify({ t: "d", d: { r: request, a: action, b: body } }));
    const prefix = `{"t":"d","d":{"r":${request},`;
    for (;;) {
      const answer = this.received.find((text) => text.startsWith(prefix));
      if (answer) return JSON.parse(answer).d.b;
      await Promise.race([once(this.socket, "message"), this.#gone]);
    }
  }
}

/** A bare TCP connection that has asked to become a WebSocket and then reads no more. */
export async function deafSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(
    `GET /.ws?v=5&ns=${NAMESPACE} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  return socket;
}
