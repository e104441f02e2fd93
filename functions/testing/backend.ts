import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Request } from "firebase-functions/v2/https";
import { afterAll, beforeAll } from "vitest";
import { IndexesFile } from "../../local/firestore/indexes/file.ts";
import { type FirestoreServer, type ServerOptions, startFirestore } from "../../local/firestore/server.ts";
import type { Bill } from "../../local/firestore/usage.ts";
import type { Caller } from "../src/platform/endpoint.ts";

/** For tests of modules: the real Firestore server of the local suite in this process, with nothing in it. */
export interface Backend {
  /** What an action is billed, and what it gives. */
  billed<T>(action: () => Promise<T>): Promise<{ result: T; bill: Bill }>;
  /** The tasks that were put on queues, oldest first; they are not run. */
  readonly tasks: Task[];
  /** Called, and waited for, when a task is put on a queue and before its sender hears of it; until the end of the test's file. */
  onTask: (task: Task) => Promise<void> | void;
}

interface Task {
  readonly queue: string;
  readonly name: string;
  readonly data: unknown;
}

const SETTINGS = {
  GCLOUD_PROJECT: "demo-modules",
  METADATA_SERVER_DETECTION: "none",
  REGION: "us-central1",
  GRANT_SANDBOX_PURCHASES: "false",
  GRANT_PURCHASES_SINCE: "",
  FRAUD: "off",
  REFUND_REJECTED: "true",
  REVENUECAT_WEBHOOK_AUTHORIZATION: "the-authorization",
  REVENUECAT_API_KEY: "the-api-key",
  REVENUECAT_API_KEY_V2: "the-api-key",
  REVENUECAT_PROJECT_ID: "",
  REVENUECAT_CURRENCIES: "CRD=COIN",
  STRIPE_URL: "http://127.0.0.1:1",
  APP_URLS: "https://game.example.com",
  SUBSCRIPTION_GRACE_DAYS: "3",
  STRIPE_API_KEY: "sk_test_modules",
  STRIPE_WEBHOOK_SECRET: "whsec_platform",
  STRIPE_CONNECT_WEBHOOK_SECRET: "whsec_connect",
  LEDGER_KEYS: `tests:${Buffer.alloc(32, "a key for tests").toString("base64")}`,
  GAME_KEYS: `tests:${Buffer.alloc(32, "a key for games").toString("base64")}`,
  SEALING_KEYS: `tests:${Buffer.alloc(32, "sealing").toString("base64")}`,
  MAIL_COLLECTION: "",
  TIME_ZONE: "Etc/UTC",
  SEALING_KMS_KEY: "",
  SEALING_KMS_URL: "http://127.0.0.1:1",
};

/** The indexes that the project deploys: a query that needs another one fails here as it would in production. */
const INDEXES = IndexesFile.parse(
  JSON.parse(readFileSync(new URL("../../firestore.indexes.json", import.meta.url), "utf8")),
);

export function useBackend(settings: Record<string, string> = {}, options: ServerOptions = {}): Backend {
  let server: FirestoreServer | undefined;
  const queues = createQueues((task) => takeTask(task));
  beforeAll(async () => {
    server = await startFirestore(options);
    server.firestore.indexes.put(SETTINGS.GCLOUD_PROJECT, INDEXES);
    await new Promise<void>((resolve) => queues.listen(0, "127.0.0.1", resolve));
    Object.assign(process.env, SETTINGS, settings, {
      FIRESTORE_EMULATOR_HOST: `${server.host}:${server.port}`,
      CLOUD_TASKS_EMULATOR_HOST: `127.0.0.1:${(queues.address() as AddressInfo).port}`,
    });
  });
  afterAll(async () => {
    const { deleteApp, getApps } = await import("firebase-admin/app");
    await Promise.all(getApps().map(deleteApp));
    queues.close();
    await server?.close();
  });
  const backend: Backend = {
    tasks: [],
    onTask: () => undefined,
    billed: async (action) => {
      const { usage } = (server as FirestoreServer).firestore;
      const mark = usage.mark();
      const result = await action();
      return { result, bill: usage.since(mark) as Bill };
    },
  };
  return backend;

  /** Whether the task's name was free. */
  async function takeTask(task: Task): Promise<boolean> {
    if (backend.tasks.some(({ name }) => name === task.name)) return false;
    backend.tasks.push(task);
    await backend.onTask(task);
    return true;
  }
}

/** Takes tasks over the wire, as the tasks emulator does. */
function createQueues(take: (task: Task) => Promise<boolean>): Server {
  return createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const { task } = JSON.parse(text) as { task: { name: string; httpRequest: { body: string } } };
    const queue = /queues\/([^/]+)\/tasks$/.exec(request.url ?? "")?.[1] ?? "";
    const { data } = JSON.parse(Buffer.from(task.httpRequest.body, "base64").toString()) as { data: unknown };
    const isTaken = !(await take({ queue, name: task.name, data }));
    response.writeHead(isTaken ? 409 : 200, { "content-type": "application/json" }).end("{}");
  });
}

/** Somebody who has not been here before. */
export function someone(name?: string): Caller {
  const uid = `user-${randomUUID()}`;
  return name === undefined ? { uid } : { uid, name };
}

/** A request as a vendor sends it: just what the receiving end looks at. */
export function webhookRequest(
  body: unknown,
  authorization: string | undefined = SETTINGS.REVENUECAT_WEBHOOK_AUTHORIZATION,
): Request {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request: Pick<Request, "rawBody" | "get"> = {
    rawBody: Buffer.from(text),
    get: ((name: string) => (name.toLowerCase() === "authorization" ? authorization : undefined)) as Request["get"],
  };
  return request as Request;
}
