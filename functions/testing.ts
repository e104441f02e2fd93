import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Request } from "firebase-functions/v2/https";
import { afterAll, beforeAll } from "vitest";
import { type FirestoreServer, startFirestore } from "../local/firestore/server.ts";
import type { Bill } from "../local/firestore/usage.ts";
import type { Caller } from "./src/platform/endpoint.ts";

/** For tests of modules: the real Firestore server of the local suite in this process, with nothing in it. */
export interface Backend {
  /** What an action is billed, and what it gives. */
  billed<T>(action: () => Promise<T>): Promise<{ result: T; bill: Bill }>;
  /** The tasks that were put on queues, oldest first; they are not run. */
  readonly tasks: { queue: string; name: string; data: unknown }[];
}

const SETTINGS = {
  GCLOUD_PROJECT: "demo-modules",
  METADATA_SERVER_DETECTION: "none",
  REGION: "us-central1",
  GRANT_SANDBOX_PURCHASES: "false",
  GRANT_PURCHASES_SINCE: "",
  REVENUECAT_WEBHOOK_AUTHORIZATION: "the-authorization",
  REVENUECAT_API_KEY: "the-api-key",
};

export function useBackend(settings: Record<string, string> = {}): Backend {
  let server: FirestoreServer | undefined;
  const tasks: Backend["tasks"] = [];
  const queues = createQueues(tasks);
  beforeAll(async () => {
    server = await startFirestore();
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
  return {
    tasks,
    billed: async (action) => {
      const { usage } = (server as FirestoreServer).firestore;
      const mark = usage.mark();
      const result = await action();
      return { result, bill: usage.since(mark) as Bill };
    },
  };
}

/** Takes tasks as the tasks emulator does, and keeps them. */
function createQueues(tasks: Backend["tasks"]): Server {
  return createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const { task } = JSON.parse(text) as { task: { name: string; httpRequest: { body: string } } };
    const queue = /queues\/([^/]+)\/tasks$/.exec(request.url ?? "")?.[1] ?? "";
    const isTaken = tasks.some(({ name }) => name === task.name);
    const { data } = JSON.parse(Buffer.from(task.httpRequest.body, "base64").toString()) as { data: unknown };
    if (!isTaken) tasks.push({ queue, name: task.name, data });
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
