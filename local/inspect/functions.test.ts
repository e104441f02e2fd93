import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { unsignedToken } from "../tokens.ts";
import { type FunctionsEmulator, recordInvocations } from "./functions.ts";
import { InvocationFilter, Invocations } from "./invocations.ts";

const ALL = InvocationFilter.parse({});
const TRIGGERS = {
  "us-central1-api": { def: { httpsTrigger: {}, labels: { "deployment-callable": "true" } } },
  "us-central1-hook": { def: { httpsTrigger: {} } },
  "us-central1-tidy-0": { def: { schedule: {}, eventTrigger: { eventType: "pubsub" } } },
  "us-central1-send": { def: { httpsTrigger: {}, taskQueueTrigger: {} } },
  "us-central1-onSale-0": { def: { eventTrigger: { eventType: "google.cloud.firestore.document.v1.created" } } },
};

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

/** What the functions emulator has of what is used here: its class, behind the routes by which it is called. */
async function startEmulator(answer: (response: ServerResponse) => void): Promise<[url: string, Invocations]> {
  class Emulator implements FunctionsEmulator {
    readonly triggers = TRIGGERS;

    async handleHttpsTrigger(_: unknown, response: ServerResponse): Promise<void> {
      answer(response);
    }
  }
  const invocations = new Invocations();
  recordInvocations(Emulator.prototype, invocations);
  const emulator = new Emulator();
  server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const [, , region, name = ""] = path.split("/");
    const params =
      region === "projects" ? { trigger_name: path.split("/").at(-1) ?? "" } : { region, trigger_name: name };
    const call = Object.assign(request, { path, params }) as unknown as Parameters<Emulator["handleHttpsTrigger"]>[0];
    void emulator.handleHttpsTrigger(call, response);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return [`http://127.0.0.1:${(server.address() as AddressInfo).port}`, invocations];
}

describe("a call of a function", () => {
  test("is written down with its path and who called, but neither the query nor what was sent", async () => {
    const [url, invocations] = await startEmulator((response) => response.end("{}"));
    const authorization = `Bearer ${unsignedToken({ sub: "ada", secret: "hush" })}`;
    await fetch(`${url}/demo/us-central1/api/boards/submit?key=hush`, {
      method: "POST",
      headers: { authorization },
      body: "hush",
    });
    await vi.waitFor(() => expect(invocations.list(ALL)).toHaveLength(1));
    expect(invocations.list(ALL)).toMatchObject([
      { name: "us-central1-api", trigger: "callable", path: "POST /boards/submit", user: "ada", status: 200 },
    ]);
    expect(JSON.stringify(invocations.list(ALL))).not.toContain("hush");
  });

  test.each([
    ["demo/us-central1/hook", { name: "us-central1-hook", trigger: "https", path: "GET /" }],
    ["functions/projects/demo/triggers/us-central1-tidy-0", { name: "us-central1-tidy", trigger: "schedule" }],
    ["demo/us-central1/send", { name: "us-central1-send", trigger: "task" }],
    [
      "functions/projects/demo/triggers/us-central1-onSale-0",
      { name: "us-central1-onSale", trigger: "google.cloud.firestore.document.v1.created" },
    ],
    ["demo/us-central1/missing", { name: "us-central1-missing", trigger: "unknown" }],
  ])("at %s is known by what set it off", async (path, known) => {
    const [url, invocations] = await startEmulator((response) => response.end());
    await fetch(`${url}/${path}`);
    await vi.waitFor(() => expect(invocations.list(ALL)).toMatchObject([known]));
  });

  test("has failed if it says so, or if it is gone without an answer, but not if it refuses", async () => {
    const answers = [
      (response: ServerResponse) => response.writeHead(500).end(),
      (response: ServerResponse) => response.destroy(),
      (response: ServerResponse) => response.writeHead(403).end(),
    ];
    const [url, invocations] = await startEmulator((response) => answers.shift()?.(response));
    for (let i = 0; i < 3; i++) await fetch(`${url}/demo/us-central1/hook`).catch(() => undefined);
    await vi.waitFor(() => expect(invocations.list(ALL)).toHaveLength(3));
    expect(invocations.list(ALL).map(({ status, isFailed }) => [status, isFailed])).toEqual([
      [500, true],
      [0, true],
      [403, false],
    ]);
    expect(invocations.list(InvocationFilter.parse({ failed: "" }))).toHaveLength(2);
  });
});
