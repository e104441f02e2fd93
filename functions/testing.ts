import { randomUUID } from "node:crypto";
import type { Request } from "firebase-functions/v2/https";
import { afterAll, beforeAll } from "vitest";
import { type FirestoreServer, startFirestore } from "../local/firestore/server.ts";
import type { Bill } from "../local/firestore/usage.ts";
import type { Caller } from "./src/platform/endpoint.ts";

/** For tests of modules: the real Firestore server of the local suite in this process, with nothing in it. */
export interface Backend {
  /** What an action is billed, and what it gives. */
  billed<T>(action: () => Promise<T>): Promise<{ result: T; bill: Bill }>;
}

const SETTINGS = {
  GCLOUD_PROJECT: "demo-modules",
  METADATA_SERVER_DETECTION: "none",
  REGION: "us-central1",
  GRANT_SANDBOX_PURCHASES: "false",
  REVENUECAT_WEBHOOK_AUTHORIZATION: "the-authorization",
  REVENUECAT_API_KEY: "the-api-key",
};

export function useBackend(settings: Record<string, string> = {}): Backend {
  let server: FirestoreServer | undefined;
  beforeAll(async () => {
    server = await startFirestore();
    Object.assign(process.env, SETTINGS, settings, { FIRESTORE_EMULATOR_HOST: `${server.host}:${server.port}` });
  });
  afterAll(async () => {
    const { deleteApp, getApps } = await import("firebase-admin/app");
    await Promise.all(getApps().map(deleteApp));
    await server?.close();
  });
  return {
    billed: async (action) => {
      const { usage } = (server as FirestoreServer).firestore;
      const mark = usage.mark();
      const result = await action();
      return { result, bill: usage.since(mark) as Bill };
    },
  };
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
