import { Firestore, type Settings } from "@google-cloud/firestore";
import { afterAll, beforeAll } from "vitest";
import { type FirestoreServer, type ServerOptions, startFirestore } from "./server.ts";

/** For tests: a server of their own and the official client on it. Both are there from `beforeAll` to `afterAll`. */
export interface Harness {
  readonly server: FirestoreServer;
  readonly client: Firestore;
  /** What the server has reported. */
  readonly reports: string[];
  /** Another client, with the settings given. */
  connect(settings?: Settings): Firestore;
  /** Calls the server over HTTP; objects are sent as JSON, and servers' authorisation goes along unless headers say otherwise. */
  http(
    verb: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: unknown }>;
}

export const PROJECT = "demo-test";
export const DATABASE = `projects/${PROJECT}/databases/(default)`;

export function useServer(options: ServerOptions = {}): Harness {
  const reports: string[] = [];
  const clients: Firestore[] = [];
  let server: FirestoreServer | undefined;
  let client: Firestore | undefined;
  const harness: Harness = {
    get server() {
      return present(server);
    },
    get client() {
      return present(client);
    },
    reports,
    connect: (settings = {}) => {
      const { host, port } = present(server);
      process.env.FIRESTORE_EMULATOR_HOST = `${host}:${port}`;
      const connected = new Firestore({ projectId: PROJECT, ...settings });
      clients.push(connected);
      return connected;
    },
    http: async (verb, path, body, headers = { authorization: "Bearer owner" }) => {
      const { host, port } = present(server);
      const response = await fetch(`http://${host}:${port}${path}`, {
        method: verb,
        headers,
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: isJson(response) ? JSON.parse(text) : text };
    },
  };
  beforeAll(async () => {
    server = await startFirestore({ report: (message) => reports.push(message), ...options });
    client = harness.connect();
  });
  afterAll(async () => {
    await Promise.all(clients.map((connected) => connected.terminate()));
    await server?.close();
  });
  return harness;
}

function isJson(response: Response): boolean {
  return response.headers.get("content-type")?.includes("json") ?? false;
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the server runs from beforeAll to afterAll only");
  return value;
}
