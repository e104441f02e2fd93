import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type HttpFunction, http } from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { deleteApp, initializeApp } from "firebase/app";
import { connectFunctionsEmulator, getFunctions, httpsCallable } from "firebase/functions";
import { type CallableRequest, HttpsError, onCall } from "firebase-functions/v2/https";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { unsignedToken } from "../../../local/tokens.ts";
import { useBackend } from "../../testing/backend.ts";
import { useWire } from "../../testing/wire.ts";
import { callable } from "./callable.ts";
import { setClock } from "./clock.ts";
import { action } from "./endpoint.ts";
import { Ready, ready } from "./ready.ts";
import { remembering } from "./tokens.ts";

vi.hoisted(() => {
  // As the functions emulator sets them; the SDK looks when it is loaded.
  process.env.FIREBASE_DEBUG_MODE = "true";
  process.env.FIREBASE_DEBUG_FEATURES = JSON.stringify({ skipTokenVerification: true });
});

useBackend();

const PAGE = { rows: [{ rank: 1, name: "Adé" }] };

/** Tells what it was called with, or refuses. */
async function handle({ data, auth, app, instanceIdToken, rawRequest }: CallableRequest<unknown>): Promise<unknown> {
  if (data === "refuse") throw new HttpsError("failed-precondition", "Not enough.", { reason: "insufficient-funds" });
  if (data === "nothing") return undefined;
  if (data === "value") return PAGE;
  if (data === "ready") return new Ready(JSON.stringify(PAGE));
  return { data, auth: auth ?? null, app: app ?? null, instance: instanceIdToken ?? null, path: rawRequest.path };
}

let made = 0;
const Page = z.object({ made: z.int() });
const makePage = () => ready(Page, { made: ++made });
/** Has an answer at hand for boards whose name begins with "k". */
const show = action({
  access: "user",
  input: z.object({ board: z.string().max(9) }),
  output: Page,
  run: async () => makePage(),
  peek: (_, { board }) => (board.startsWith("k") ? new Ready('{"kept":true}') : undefined),
});
const govern = action({
  access: "admin",
  input: z.object({}),
  output: Page,
  run: async () => makePage(),
  peek: makePage,
});
const wire = useWire("api", { boards: async () => ({ show, govern }) });

http("short", callable({}, handle) as unknown as HttpFunction);
http("usual", onCall({}, handle) as unknown as HttpFunction);
const servers = { short: getTestServer("short"), usual: getTestServer("usual") };
const portOf = (name: keyof typeof servers) => (servers[name].address() as AddressInfo).port;

beforeAll(async () => {
  for (const server of Object.values(servers)) await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(() => {
  for (const server of Object.values(servers)) server.close();
});

const ADA = `Bearer ${unsignedToken({ sub: "ada", name: "Ada" })}`;
const JSON_TYPE = { "content-type": "application/json" };

/** The answer of one of the two, without what is of the connection and the moment. */
async function asked(name: keyof typeof servers, request: RequestInit): Promise<object> {
  const response = await fetch(`http://127.0.0.1:${portOf(name)}/things/echo?x=1`, request);
  const headers = new Map([...response.headers].filter(([header]) => !["date", "keep-alive"].includes(header)));
  return { status: response.status, body: await response.text(), headers };
}

const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { ...JSON_TYPE, ...headers },
  body: typeof body === "string" ? body : JSON.stringify(body),
});

const requests: Record<string, RequestInit> = {
  "a call": post({ data: { n: 1, text: "é", list: [1, null, { deep: true }] } }, { authorization: ADA }),
  "a call of nobody": post({ data: { n: 1 } }),
  "a call of a web page": post({ data: {} }, { authorization: ADA, origin: "https://game.example.com" }),
  "a call with App Check": post({ data: {} }, { "x-firebase-appcheck": unsignedToken({ sub: "1:app", exp: 9 }) }),
  "a call with an instance's id": post({ data: {} }, { "firebase-instance-id-token": "abc" }),
  "a call in UTF-8": post({ data: "é" }, { "content-type": "Application/JSON; charset=utf-8" }),
  "a call with null": post({ data: null }),
  "a call that gives nothing": post({ data: "nothing" }),
  "a call with a 64-bit number": post({
    data: { n: { "@type": "type.googleapis.com/google.protobuf.Int64Value", value: "7" } },
  }),
  "a call that is refused": post({ data: "refuse" }, { authorization: ADA, origin: "https://game.example.com" }),
  "a stream": post({ data: { n: 1 } }, { accept: "text/event-stream" }),
  "a stream that is refused": post({ data: "refuse" }, { accept: "text/event-stream" }),
  "a preflight": {
    method: "OPTIONS",
    headers: {
      origin: "https://game.example.com",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  },
  "a GET": { method: "GET" },
  "a form": post("data=1", { "content-type": "application/x-www-form-urlencoded" }),
  "a body without data": post({}),
  "a body with more than data": post({ data: {}, more: 1 }),
  "a body that is a list": post([]),
  "a body that is no JSON": post("{"),
  "no body": { method: "POST", headers: JSON_TYPE },
  "a token that is none": post({ data: {} }, { authorization: "Bearer x.y.z.w" }),
  "another scheme": post({ data: {} }, { authorization: "Basic YWRhOmFkYQ==" }),
  "an empty header": post({ data: {} }, { authorization: "" }),
};

describe("a callable is answered as the SDK's own is:", () => {
  test.each(Object.entries(requests))("%s", async (_, request) => {
    expect(await asked("short", request)).toEqual(await asked("usual", request));
  });

  test("how it is deployed", () => {
    const options = { minInstances: 1, concurrency: 20, secrets: ["A"] };
    const [short, usual] = [callable(options, handle), onCall(options, handle)];
    expect(short.__endpoint).toEqual(usual.__endpoint);
    expect((short as unknown as { __trigger: object }).__trigger).toEqual(
      (usual as unknown as { __trigger: object }).__trigger,
    );
  });
});

test.each([{}, { accept: "text/event-stream" }])("an answer that is ready is sent as any other", async (headers) => {
  expect(await asked("short", post({ data: "ready" }, headers))).toEqual(
    await asked("short", post({ data: "value" }, headers)),
  );
});

describe("an answer that is at hand", () => {
  const call = (name: string, data: object, uid?: string) => wire.send(`boards/${name}`, JSON.stringify({ data }), uid);
  beforeAll(async () => {
    // Who calls, and what there is to call, is known from here on.
    await call("show", { board: "arcade" }, "ada");
  });
  afterEach(() => {
    process.env.ENFORCE_APP_CHECK = "false";
  });

  test("is sent at once, as the action's own answer would be", async () => {
    expect(await call("show", { board: "kart" }, "ada")).toEqual({ status: 200, result: { kept: true } });
    expect(await call("show", { board: "arcade" }, "ada")).toEqual({ status: 200, result: { made } });
    const headersOf = async (board: string) => {
      const address = `http://127.0.0.1:${wire.port}/api/boards/show`;
      const { headers } = await fetch(
        address,
        post({ data: { board } }, { authorization: ADA, origin: "https://a.b" }),
      );
      return [...headers.keys()];
    };
    expect(await headersOf("kart")).toEqual(await headersOf("arcade"));
  });

  test.each([
    ["nobody who has signed in", "show", { board: "kart" }, undefined, "not-signed-in"],
    ["an input that is wrong", "show", { board: "kart of the year" }, "ada", "invalid-input"],
    ["another path", "show/more", { board: "kart" }, "ada", "unknown-action"],
    ["who is no operator", "govern", {}, "ada", "not-an-admin"],
  ])("is not for %s", async (_, name, data, uid, reason) => {
    const before = made;
    expect((await call(name, data, uid)).error).toMatchObject({ details: { reason } });
    expect(made).toBe(before);
  });

  test("is not for an app that App Check does not vouch for", async () => {
    process.env.ENFORCE_APP_CHECK = "true";
    const { error } = await call("show", { board: "kart" }, "ada");
    expect(error).toMatchObject({ details: { reason: "app-check-missing" } });
  });
});

test("apps call it by the Firebase SDK", async () => {
  // The SDK's address of a function of an emulator has project, region and name before it.
  const app = initializeApp({ projectId: "demo-modules", apiKey: "local" }, "callable");
  const functions = getFunctions(app);
  connectFunctionsEmulator(functions, "127.0.0.1", portOf("short"));
  const call = httpsCallable(functions, "api/things/echo");
  expect((await call({ n: 1 })).data).toMatchObject({
    data: { n: 1 },
    path: "/demo-modules/us-central1/api/things/echo",
  });
  await expect(call("refuse")).rejects.toMatchObject({
    code: "functions/failed-precondition",
    message: expect.stringContaining("Not enough."),
    details: { reason: "insufficient-funds" },
  });
  await deleteApp(app);
});

test("a token is verified once, until it runs out; one that is refused, each time", async () => {
  const verified: string[] = [];
  const verify = remembering(
    async (token) => {
      verified.push(token);
      if (token === "bad") throw new Error("it is not signed");
      return { exp: 2_000 };
    },
    (claims) => claims,
  );
  expect(verify.atHand("good")).toBeUndefined();
  let time = 1_999_999;
  const unset = setClock(() => time);
  for (let i = 0; i < 3; i++) expect(await verify("good")).toEqual({ exp: 2_000 });
  for (let i = 0; i < 2; i++) await expect(verify("bad")).rejects.toThrow("it is not signed");
  expect(verify.atHand("good")).toEqual({ exp: 2_000 });
  expect(verify.atHand("bad")).toBeUndefined();
  time = 2_000_000;
  expect(verify.atHand("good")).toBeUndefined();
  await verify("good");
  expect(verified).toEqual(["good", "bad", "bad", "good"]);
  unset();
});
