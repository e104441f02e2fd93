import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type DatabaseServer, startDatabase } from "../database/server.ts";
import { type FirestoreServer, startFirestore } from "../firestore/server.ts";
import { unsignedToken } from "../tokens.ts";
import { Invocations } from "./invocations.ts";
import { type Inspect, startInspect } from "./server.ts";

const PROJECT = "demo-look";
const DATABASE = `projects/${PROJECT}/databases/(default)`;
const NAMESPACE = `${PROJECT}-default-rtdb`;
const OWNER = { authorization: "Bearer owner" };
const RULES = `rules_version = "2";
service cloud.firestore {
  match /databases/{database}/documents {
    match /users/{user} { allow read: if request.auth.uid == user; }
  }
}`;

let firestore: FirestoreServer;
let database: DatabaseServer;
let inspect: Inspect;
const invocations = new Invocations();

beforeAll(async () => {
  firestore = await startFirestore({ rules: { [PROJECT]: RULES } });
  database = await startDatabase();
  inspect = await startInspect({
    firestoreHost: `127.0.0.1:${firestore.port}`,
    databaseHost: `127.0.0.1:${database.port}`,
    project: PROJECT,
    invocations,
  });
});
afterAll(async () => {
  await inspect.close();
  await Promise.all([firestore.close(), database.close()]);
});

/** Reads a document as somebody, or writes one as a server. */
async function ask(path: string, uid?: string, fields?: object): Promise<void> {
  await fetch(`http://127.0.0.1:${firestore.port}/v1/${DATABASE}/documents/${path}`, {
    ...(fields ? { method: "PATCH", body: JSON.stringify({ fields }) } : {}),
    headers: uid === undefined ? OWNER : { authorization: `Bearer ${unsignedToken({ sub: uid })}` },
  });
}

async function look(path: string, init: RequestInit = {}): Promise<{ status: number; body: never; headers: Headers }> {
  const response = await fetch(`http://127.0.0.1:${inspect.port}${path}`, init);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, body: (isJson ? JSON.parse(text) : text) as never, headers: response.headers };
}

/** With headers that `fetch` does not let one set. */
function statusWith(method: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port: inspect.port, method, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once("error", reject);
    request.end();
  });
}

/** Reads events until one of a name comes that fits. */
async function nextEvent(path: string, name: string, fits: (data: never) => boolean): Promise<unknown> {
  const abort = new AbortController();
  const response = await fetch(`http://127.0.0.1:${inspect.port}${path}`, { signal: abort.signal });
  let text = "";
  for await (const piece of (response.body as ReadableStream).pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (const [, event, data] of text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)) {
      const json = JSON.parse(data ?? "") as never;
      if (event !== name || !fits(json)) continue;
      abort.abort();
      return json;
    }
  }
  throw new Error("the events have ended");
}

describe("somebody whose request was denied", () => {
  test("finds why with curl", async () => {
    await ask("users/ada", "bo");
    const { body } = await look("/requests?denied");
    expect(body).toMatchObject({
      requests: [
        {
          subject: "users/ada",
          user: "bo",
          rule: expect.stringContaining('request.auth.uid is "bo" and user is "ada"'),
        },
      ],
    });
  });

  test("finds those of both databases in the order in which they came", async () => {
    const rules = { rules: { ".read": false } };
    const url = (path: string) => `http://127.0.0.1:${database.port}${path}?ns=${NAMESPACE}`;
    await fetch(url("/.settings/rules.json"), { method: "PUT", headers: OWNER, body: JSON.stringify(rules) });
    await fetch(url("/rooms.json"));
    await ask("users/cy", "bo");
    const { requests } = (await look("/requests?denied&limit=2")).body as { requests: object[] };
    expect(requests).toMatchObject([
      { service: "database", subject: "/rooms", by: "nobody" },
      { service: "firestore", subject: "users/cy" },
    ]);
  });

  test("is told what is wrong with a filter", async () => {
    const { status, body } = await look("/requests?limit=many");
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain("limit");
  });
});

describe("the bill", () => {
  test("is counted from the start or from a mark, by kinds of paths and in money", async () => {
    const { mark } = (await look("/bill:mark", { method: "POST" })).body as { mark: string };
    await ask("shops/a/items/1", undefined, {});
    await ask("shops/a/items/2", undefined, {});
    await ask("shops/a/items/2");
    const since = (await look(`/bill?since=${mark}`)).body;
    expect(since).toMatchObject({
      reads: 1,
      writes: 2,
      deletes: 0,
      paths: [{ path: "shops/{}/items", requests: 3, reads: 1, writes: 2 }],
      prices: { currency: "USD" },
    });
    expect((since as { cost: number }).cost).toBeCloseTo(0.0000021, 10);
    const { writes } = (await look("/bill")).body as { writes: number };
    expect(writes).toBeGreaterThanOrEqual(2);
    expect((await look("/bill?since=never")).status).toBe(404);
  });

  test("is not raised by looking", async () => {
    const before = (await look("/bill")).body;
    await look(`/documents?database=${DATABASE}&path=shops/a/items`);
    await look("/requests");
    expect((await look("/bill")).body).toEqual(before);
  });
});

test("calls of functions are listed, those that failed by themselves too", async () => {
  const call = { at: Date.now(), name: "us-central1-api", trigger: "callable", millis: 3 };
  invocations.keep({ ...call, path: "POST /leaderboards/submit", user: "ada", status: 200, isFailed: false });
  invocations.keep({ ...call, path: "POST /broken", status: 500, isFailed: true });
  expect((await look("/functions?name=submit")).body).toMatchObject({ functions: [{ user: "ada", status: 200 }] });
  expect((await look("/functions?failed")).body).toMatchObject({ functions: [{ path: "POST /broken" }] });
  expect((await look("/bill")).body).toMatchObject({ functions: { calls: 2, failed: 1 } });
});

test("documents and the tree can be walked through", async () => {
  await ask("shops/b", undefined, { name: { stringValue: "B" } });
  expect((await look("/databases")).body).toEqual({ firestore: [DATABASE], database: [NAMESPACE] });
  const { body } = await look(`/documents?database=${DATABASE}&path=shops/b`);
  expect(body).toMatchObject({ document: { fields: { name: { stringValue: "B" } } } });
  expect((await look(`/tree?ns=${NAMESPACE}&path=/`)).body).toEqual({ value: null });
  expect((await look("/documents?database=../../reset")).status).toBe(400);
});

describe("who looks on", () => {
  test("is told of what is new, filtered", async () => {
    const event = nextEvent(
      "/events?denied&last=0",
      "requests",
      (requests: { subject: string }[]) => requests.length > 0,
    );
    // The first look is at what was before.
    await vi.waitFor(() => look("/bill"));
    await new Promise((resolve) => setTimeout(resolve, 700));
    await ask("users/dee");
    await ask("users/dee", "bo");
    expect(await event).toMatchObject([{ subject: "users/dee", user: "bo", isDenied: true }]);
  });

  test("is told of the bill as it changes", async () => {
    const event = nextEvent("/events", "bill", ({ paths }: { paths: { path: string }[] }) =>
      paths.some(({ path }) => path === "fresh"),
    );
    await ask("fresh/a", undefined, {});
    expect(await event).toMatchObject({ prices: { place: "us-central1" } });
  });
});

describe("nobody else", () => {
  test("can look: a page under a name that was made to lead here is refused", async () => {
    expect(await statusWith("GET", "/bill", { host: "evil.example" })).toBe(403);
    expect(await statusWith("GET", "/", { host: `evil.example:${inspect.port}` })).toBe(403);
    expect(await statusWith("GET", "/bill", { host: "localhost:1" })).toBe(200);
    expect(await statusWith("GET", "/bill", { host: "[::1]:1" })).toBe(200);
  });

  test("can set a mark: another page is refused, the page itself and programs are not", async () => {
    const host = `127.0.0.1:${inspect.port}`;
    expect(await statusWith("POST", "/bill:mark", { host, origin: "http://evil.example" })).toBe(403);
    expect(await statusWith("POST", "/bill:mark", { host, origin: "null" })).toBe(403);
    expect(await statusWith("POST", "/bill:mark", { host, origin: `http://${host}` })).toBe(200);
    expect(await statusWith("POST", "/bill:mark", { host })).toBe(200);
    expect(await statusWith("GET", "/bill:mark", { host })).toBe(404);
  });

  test("can put a script into the page, nor show it in a frame, nor read what it is told", async () => {
    const { headers, body } = await look("/");
    expect(headers.get("content-security-policy")).toMatch(
      /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/,
    );
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(body).not.toMatch(/<script(?![^>]*src=)|\son\w+=|<style/);
  });
});
