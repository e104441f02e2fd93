import { connect } from "node:net";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { unsignedToken } from "../../tokens.ts";
import { NAMESPACE, OWNER, useDatabase } from "../harness.ts";

const harness = useDatabase();
const get = async (path: string, headers?: Record<string, string>) =>
  (await harness.http("GET", path, undefined, headers)).body;

describe("reading and writing", () => {
  test("go by PUT, PATCH, POST, DELETE and GET", async () => {
    expect(await harness.http("PUT", "/users/ada.json", { name: "Ada", age: 36 })).toMatchObject({
      status: 200,
      body: { name: "Ada", age: 36 },
    });
    expect(await harness.http("PATCH", "/users.json", { "ada/age": 37, bob: true })).toMatchObject({
      status: 200,
      body: { "ada/age": 37, bob: true },
    });
    expect(await get("/users.json")).toEqual({ ada: { name: "Ada", age: 37 }, bob: true });
    const { body } = await harness.http("POST", "/log.json", "first");
    expect(body).toEqual({ error: expect.stringMatching(/^Invalid data; couldn't parse JSON/) });
    const named = (await harness.http("POST", "/log.json", '"first"')).body as { name: string };
    expect(named.name).toMatch(/^-[\w-]{19}$/);
    expect(await get("/log.json")).toEqual({ [named.name]: "first" });
    expect(await harness.http("DELETE", "/users/bob.json")).toMatchObject({ status: 200, body: null });
    expect(await get("/users/bob.json")).toBeNull();
  });

  test("take children in the order in which they were posted", async () => {
    const names: string[] = [];
    for (let i = 0; i < 50; i++)
      names.push(((await harness.http("POST", "/log.json", `${i}`)).body as { name: string }).name);
    expect([...names].sort()).toEqual(names);
    expect(Object.values((await get("/log.json")) as object)).toEqual(names.map((_, i) => i));
  });

  test("resolve server values", async () => {
    await harness.http("PUT", "/n.json", 4);
    await harness.http("PATCH", "/.json", { n: { ".sv": { increment: 3 } }, at: { ".sv": "timestamp" } });
    expect(await get("/n.json")).toBe(7);
    expect(Math.abs(Number(await get("/at.json")) - Date.now())).toBeLessThan(5_000);
  });

  test("print as they are asked to", async () => {
    await harness.http("PUT", "/a.json", { ".value": 1, ".priority": 2 });
    const url = `http://127.0.0.1:${harness.server.port}/.json?ns=${NAMESPACE}`;
    expect(await (await fetch(`${url}&print=pretty`)).text()).toBe('{\n  "a": 1\n}');
    expect(await get("/.json?format=export")).toEqual({ a: { ".value": 1, ".priority": 2 } });
    const silent = await fetch(`${url}&print=silent`);
    expect([silent.status, await silent.text()]).toEqual([204, ""]);
    const download = await fetch(`${url}&download=backup.json`);
    expect(download.headers.get("content-disposition")).toBe('attachment; filename="backup.json"');
  });

  test("show only the keys of a shallow read", async () => {
    await harness.http("PUT", "/.json", { a: { b: { c: 1 } }, d: 2 });
    expect(await get("/.json?shallow=true")).toEqual({ a: true, d: true });
    expect(await get("/d.json?shallow=true")).toBe(2);
    expect(await get("/.json?shallow=true&limitToFirst=1")).toEqual({ a: true });
    expect(await get("/none.json?shallow=true&limitToFirst=1")).toBeNull();
  });

  test("keep databases apart", async () => {
    await harness.http("PUT", "/a.json", 1);
    const other = await fetch(`http://127.0.0.1:${harness.server.port}/a.json?ns=other`);
    expect(await other.json()).toBeNull();
  });

  test("take method and path in the ways in which they can be spelled", async () => {
    await harness.http("POST", "/a.json", { x: 1 }, { "x-http-method-override": "PUT" });
    await harness.http("PUT", "/a/%C3%A9%20%F0%9F%A6%8A.json", 2);
    expect(await get("//a/.json")).toEqual({ x: 1, "é 🦊": 2 });
    await harness.http("PUT", "/a/x/.priority.json", 7);
    expect(await get("/a/x.json?format=export")).toEqual({ ".value": 1, ".priority": 7 });
  });
});

describe("queries", () => {
  test("filter and limit", async () => {
    await harness.rules({ ".read": true, ".write": true, list: { ".indexOn": ["n", ".value"] } });
    await harness.http("PUT", "/list.json", { a: { n: 3 }, b: { n: 1 }, c: { n: 2 }, d: { n: 2 } });
    expect(await get('/list.json?orderBy="n"&limitToFirst=2')).toEqual({ b: { n: 1 }, c: { n: 2 } });
    expect(await get('/list.json?orderBy="n"&startAfter=1&limitToFirst=1')).toEqual({ c: { n: 2 } });
    expect(await get('/list.json?orderBy="n"&startAt=2,"d"')).toEqual({ a: { n: 3 }, d: { n: 2 } });
    expect(await get('/list.json?orderBy="n"&equalTo=2')).toEqual({ c: { n: 2 }, d: { n: 2 } });
    expect(await get('/list.json?orderBy="$key"&endBefore="c"')).toEqual({ a: { n: 3 }, b: { n: 1 } });
    await harness.http("PUT", "/list.json", { a: 3, b: "x", c: true });
    expect(await get('/list.json?orderBy="$value"&limitToLast=2')).toEqual({ a: 3, b: "x" });
  });

  test.each([
    ["limitToFirst=1", "orderBy must be defined when other query parameters are defined"],
    ["orderBy=n", "orderBy must be a valid JSON encoded path"],
    ['orderBy="n"&limitToFirst=0', "limitToFirst must be positive"],
    ['orderBy="n"&limitToLast=x', "limitToLast must be an integer"],
    ['orderBy="$key"&startAt=1', "Provided key index type is invalid, must be string"],
    [
      'orderBy="$key"&equalTo="a"&endAt="b"',
      "equalTo cannot be specified in addition to startAfter, startAt, endAt, or endBefore",
    ],
    ['orderBy="$key"&shallow=true', "Mixing 'shallow' and querying parameters is not supported"],
    ["callback=alert(1)//", "callback must be the name of a function"],
    ['orderBy="$key"&limitToFirst=1&limitToLast=1', "Only one of limitToFirst and limitToLast may be specified"],
    ['orderBy="n"&limitToFirst=1', 'Index not defined, add ".indexOn": "n", for path "/list", to the rules'],
    ['orderBy="$key"&limitToFirst=1&shallow=true', "Mixing 'shallow' and querying parameters is not supported"],
    ["timeout=1h", "timeout must be a number followed by ms, s or min, and at most 15min"],
  ])("that make no sense are refused: %s", async (parameters, error) => {
    expect(await harness.http("GET", `/list.json?${parameters}`)).toMatchObject({ status: 400, body: { error } });
  });
});

describe("conditional writes", () => {
  test("are taken only if nothing was written since the ETag was read", async () => {
    const etag = async () =>
      (await harness.http("GET", "/n.json", undefined, { "x-firebase-etag": "true" })).headers.get("etag") ?? "";
    const before = await etag();
    expect(before).toBe("null_etag");
    expect((await harness.http("PUT", "/n.json", 1, { "if-match": before })).status).toBe(200);
    const stale = await harness.http("PUT", "/n.json", 2, { "if-match": before });
    expect(stale).toMatchObject({ status: 412, body: 1 });
    expect(stale.headers.get("etag")).toBe(await etag());
    expect((await harness.http("DELETE", "/n.json", undefined, { "if-match": await etag() })).status).toBe(200);
    expect(await get("/n.json")).toBeNull();
  });

  test("say the ETag that they have led to", async () => {
    const written = await harness.http("PUT", "/n.json", 1, { "if-match": "null_etag" });
    const read = await harness.http("GET", "/n.json", undefined, { "x-firebase-etag": "true" });
    expect(written.headers.get("etag")).toBe(read.headers.get("etag"));
  });

  test("that race for one number lose none", async () => {
    const add = async (): Promise<void> => {
      for (let attempt = 0; attempt < 100; attempt++) {
        const { body, headers } = await harness.http("GET", "/n.json", undefined, { "x-firebase-etag": "true" });
        const condition = { "if-match": headers.get("etag") ?? "" };
        if ((await harness.http("PUT", "/n.json", Number(body) + 1, condition)).status === 200) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, add));
    expect(await get("/n.json")).toBe(20);
  });
});

test("a read of what is known already is answered with nothing but that", async () => {
  const read = (etag: string) => harness.http("GET", "/n.json?print=pretty", undefined, { "if-none-match": etag });
  const first = await read("unknown");
  expect(first).toMatchObject({ status: 200, body: null });
  expect(await read(first.headers.get("etag") ?? "")).toMatchObject({ status: 304, body: "" });
  await harness.http("PUT", "/n.json", 1);
  expect(await read(first.headers.get("etag") ?? "")).toMatchObject({ status: 200, body: 1 });
});

test("a page may load what it reads as a script", async () => {
  await harness.http("PUT", "/n.json", { a: 1 });
  const answer = await fetch(`http://127.0.0.1:${harness.server.port}/n.json?ns=${NAMESPACE}&callback=page.got`);
  expect(answer.headers.get("content-type")).toContain("javascript");
  expect(await answer.text()).toBe('page.got({"a":1});');
});

describe("what is refused", () => {
  test("says why", async () => {
    const deep = `/${"a/".repeat(33)}.json`;
    expect(await harness.http("PUT", "/a%2Eb.json", 1)).toMatchObject({
      status: 400,
      body: { error: "Invalid path: Invalid token in path" },
    });
    expect(await harness.http("PUT", deep, 1)).toMatchObject({ status: 400 });
    expect(await harness.http("PUT", `/${"k".repeat(769)}.json`, 1)).toMatchObject({ status: 400 });
    expect(await harness.http("PUT", "/a.json", "{")).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("couldn't parse JSON") },
    });
    for (const body of ["[1]", "5", "{"]) {
      expect(await harness.http("PATCH", "/a.json", body)).toMatchObject({
        status: 400,
        body: {
          error: "Invalid data; couldn't parse JSON object. Are you sending a JSON object with valid key names?",
        },
      });
    }
    for (const verb of ["PUT", "POST", "PATCH"]) {
      expect(await harness.http(verb, "/a.json")).toMatchObject({
        status: 400,
        body: { error: "Error: No data supplied." },
      });
    }
    expect(await harness.http("PATCH", "/a.json", { b: 1, "b/c": 2 })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("is an ancestor of") },
    });
    expect(await harness.http("PUT", "/a", 1)).toMatchObject({
      status: 404,
      body: { error: "append .json to your request URI to use the REST API." },
    });
    expect((await harness.http("LINK", "/a.json")).status).toBe(405);
    expect(harness.reports).toEqual([]);
  });

  test("is what is larger than its sender allowed", async () => {
    const large = JSON.stringify("x".repeat(2 * 1024 * 1024));
    const tooBig = { error: "Data to write exceeds the maximum size that can be modified with a single request." };
    expect(await harness.http("PUT", "/a.json?writeSizeLimit=tiny", large)).toMatchObject({
      status: 400,
      body: tooBig,
    });
    expect((await harness.http("PUT", "/a.json?writeSizeLimit=unlimited", large)).status).toBe(200);
    expect(await harness.http("DELETE", "/a.json?writeSizeLimit=tiny")).toMatchObject({ status: 400, body: tooBig });
    expect((await harness.http("DELETE", "/a.json?writeSizeLimit=huge")).status).toBe(400);
  });

  test("is what rules do not allow, unless it is the owner who asks", async () => {
    await harness.rules({ mine: { ".read": "auth.uid === 'ada'", ".write": "auth.token.admin === true" } });
    const denied = { status: 401, body: { error: "Permission denied" } };
    expect(await harness.http("GET", "/mine.json")).toMatchObject(denied);
    expect(await harness.http("GET", `/mine.json?auth=${unsignedToken({ sub: "bob" })}`)).toMatchObject(denied);
    expect(await harness.http("GET", `/mine.json?auth=${unsignedToken({ sub: "ada" })}`)).toMatchObject({
      status: 200,
    });
    const ada = { authorization: `Bearer ${unsignedToken({ user_id: "ada", admin: true, iat: 0, exp: 3600 })}` };
    expect(await harness.http("PUT", "/mine.json", 1, ada)).toMatchObject({ status: 200 });
    expect(await harness.http("PUT", "/mine.json", 2, OWNER)).toMatchObject({ status: 200 });
    expect(await harness.http("PUT", "/mine.json?access_token=owner", 3)).toMatchObject({ status: 200 });
    const override = encodeURIComponent(JSON.stringify({ uid: "bob" }));
    expect(await harness.http("GET", `/mine.json?auth_variable_override=${override}`, undefined, OWNER)).toMatchObject(
      denied,
    );
    expect(await harness.http("GET", "/mine.json?auth=nonsense")).toMatchObject({
      status: 401,
      body: { error: "Could not parse auth token." },
    });
  });
});

/** Sends text as it is and waits for the connection to end. */
async function sendRaw(text: string): Promise<string> {
  const socket = connect(harness.server.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString("utf8");
  });
  socket.write(text);
  await new Promise((resolve) => socket.once("close", resolve));
  return answer;
}

describe("the server", () => {
  test("survives whatever it is asked for, and never fails by itself", async () => {
    const part = fc.oneof(
      fc.constantFrom("a", "%", "%00", "%2F", "..", ".settings", ".inspect", "rules.json", ".priority", "é", "$x"),
      fc.webSegment(),
    );
    const parameter = fc.tuple(
      fc.constantFrom("orderBy", "startAt", "endAt", "limitToFirst", "equalTo", "shallow", "print", "auth", "timeout"),
      fc.oneof(fc.constantFrom('"$key"', '"a"', "1", "true", "null", '1,"a"', "]", "{}"), fc.string()),
    );
    const request = fc.record({
      method: fc.constantFrom("GET", "PUT", "PATCH", "POST", "DELETE"),
      path: fc.array(part, { maxLength: 3 }).map((parts) => `/${parts.join("/")}.json`),
      parameters: fc.array(parameter, { maxLength: 3 }).map((pairs) => new URLSearchParams(pairs)),
      body: fc.oneof(fc.json(), fc.string()),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ method, path, parameters, body }) => {
        const { status } = await harness.http(
          method,
          `${path}?${parameters}`,
          method === "GET" ? undefined : body,
          OWNER,
        );
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 500 },
    );
    expect(harness.reports).toEqual([]);
  });

  test("takes queries as people write them, unescaped", async () => {
    await harness.http("PUT", "/a{b}.json", { x: 1, y: 2 });
    const query = `orderBy="$key"&startAt="y"&print=pretty&ns=${NAMESPACE}`;
    const answer = await sendRaw(`GET /a{b}.json?${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK[\s\S]*\r\n{\n {2}"y": 2\n}$/);
  });

  test("survives requests that no client would make", async () => {
    const upgrade = "HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    expect(await sendRaw(`GET * ${upgrade}`)).toContain("404 Not Found");
    expect(await sendRaw(`GET /.ws?ns=../x ${upgrade}`)).toContain("400 Bad Request");
    expect(await sendRaw(`GET /elsewhere ${upgrade}`)).toContain("404 Not Found");
    expect(await sendRaw("GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toContain("404 Not Found");
    expect((await harness.http("GET", "/.json")).status).toBe(200);
  });
});
