import { setTimeout as sleep } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { unsignedToken } from "../../tokens.ts";
import { DATABASE, PROJECT, useServer } from "../harness.ts";
import { Session } from "./session.ts";

/** What goes over the wire. */
const RULES = `rules_version = "2";
service cloud.firestore {
  match /databases/{database}/documents/{name}/{id} { allow read, write: if name != "own" || request.auth.uid == id; }
}`;
const STALLED_MILLIS = 1_500;
const harness = useServer({ rules: { [PROJECT]: RULES }, stalledMillis: STALLED_MILLIS });
const ORIGIN = "http://localhost:5173";
let documents = 0;
const newPath = () => `rooms/${++documents}`;

type Arrays = readonly (readonly [number: number, payload: readonly unknown[]])[];

describe("a channel", () => {
  test("opens with a session, whose second name is told to who asks for it", async () => {
    const answer = await post("Listen", { RID: "7", "X-HTTP-Session-Id": "gsessionid" }, "count=0");
    const [[number, [kind, id, , version]]] = (await arraysIn(answer)) as [[number, [string, string, string, number]]];
    expect({ number, kind, version }).toEqual({ number: 0, kind: "c", version: 8 });
    expect(answer.headers.get("x-http-session-id")).toBe(id);
    expect((await post("Listen", { RID: "7" }, "count=0")).headers.get("x-http-session-id")).toBeNull();
  });

  test("lets pages of any origin in with their cookies, and shows them refusals", async () => {
    const preflight = await fetch(address("Listen", {}), {
      method: "OPTIONS",
      headers: { origin: ORIGIN, "access-control-request-headers": "x-goog-api-client,google-cloud-resource-prefix" },
    });
    expect(preflight.status).toBe(200);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-origin": ORIGIN,
      "access-control-allow-credentials": "true",
      "access-control-allow-headers": "x-goog-api-client,google-cloud-resource-prefix",
    });
    const refused = await post("Listen", { RID: "8", SID: "nobody" }, "count=0", { origin: ORIGIN });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([400, ORIGIN]);
    const single = await fetch(new URL(`/v1/${DATABASE}/documents/own/ada`, address("Listen", {})), {
      headers: { origin: ORIGIN },
    });
    expect([single.status, single.headers.get("access-control-allow-origin")]).toEqual([403, ORIGIN]);
  });

  test("says again what has not arrived, under the same numbers, and nothing that has", async () => {
    const path = newPath();
    const id = await open("Listen", [listenTo(path)]);
    await vi.waitFor(async () => expect((await poll("Listen", id, 0)).length).toBeGreaterThan(2));
    const first = await poll("Listen", id, 0);
    const again = await poll("Listen", id, 0);
    expect(again).toEqual(first);
    const half = Math.floor(first.length / 2);
    expect(await poll("Listen", id, half)).toEqual(first.slice(half));
    expect(first.map(([number]) => number)).toEqual(first.map((_, i) => i + 1));
  });

  test("counts the length of what it says as JavaScript does", async () => {
    const path = newPath();
    await harness.client.doc(path).set({ text: "a😀ä\n" });
    const id = await open("Listen", [listenTo(path)]);
    const told = await untilTold(id, "documentChange");
    expect(told).toMatchObject({ documentChange: { document: { fields: { text: { stringValue: "a😀ä\n" } } } } });
  });

  test("takes messages in their order and once, in whatever order and how often they come", async () => {
    const path = newPath();
    const id = await open("Write", [{ database: DATABASE }]);
    const request = (from: number, ...texts: string[]) =>
      post(
        "Write",
        { RID: "9", SID: id },
        form(
          texts.map((text) => append(path, text)),
          from,
        ),
      );
    await request(3, "c", "d");
    await request(1, "a");
    await request(1, "a", "b");
    await request(2, "b");
    await vi.waitFor(async () => expect((await harness.client.doc(path).get()).get("texts")).toEqual([..."abcd"]));
  });

  test("tells why a stream has ended, and is not known any more when the client has taken leave", async () => {
    const path = newPath();
    const id = await open("Write", [
      { database: DATABASE },
      { writes: [{ update: { name: `${DATABASE}/documents/own/x` } }] },
    ]);
    expect(await untilTold(id, "error", "Write")).toMatchObject({
      error: { code: 403, status: "PERMISSION_DENIED", message: expect.stringContaining("for 'create' @ L3") },
    });
    expect((await request("Write", { RID: "9", SID: id, TYPE: "terminate" })).status).toBe(200);
    await expectUnknown(id, "Write");
    expect((await harness.client.doc(path).get()).exists).toBe(false);
  });

  test("knows who speaks from the headers in its first body, from the address, or from the request", async () => {
    const authorization = `Bearer ${unsignedToken({ sub: "ada" })}`;
    const line = `X-Goog-Api-Client:gl-js/\r\nAuthorization:${authorization}\r\n`;
    const body = form([listenTo("own/ada")]);
    const answers = [
      await post("Listen", { RID: "1" }, `headers=${encodeURIComponent(line)}&${body}`),
      await post("Listen", { RID: "1", $httpHeaders: line }, body),
      await post("Listen", { RID: "1" }, body, { authorization }),
    ];
    for (const answer of answers) {
      expect(await untilTold(await sessionIn(answer), "documentDelete")).toBeDefined();
    }
    const stranger = await open("Listen", [listenTo("own/ada")]);
    expect(await untilTold(stranger, "targetChange", "Listen", "cause")).toMatchObject({
      targetChange: { cause: { code: 7 } },
    });
  });

  test("answers a long poll within the time that it names, if only to say nothing", async () => {
    const id = await open("Write", []);
    const start = performance.now();
    expect(await poll("Write", id, 0, { TO: "1000" })).toEqual([[1, ["noop"]]]);
    expect(performance.now() - start).toBeLessThan(STALLED_MILLIS + 5_000);
  });

  test("speaks over the last answer that was asked for, and ends the one before", async () => {
    const id = await open("Write", []);
    const first = await request("Write", { RID: "rpc", SID: id, AID: "0", CI: "0" });
    const second = await request("Write", { RID: "rpc", SID: id, AID: "0", CI: "0" });
    expect(await arraysIn(first)).toEqual([[1, ["noop"]]]);
    await request("Write", { RID: "9", SID: id, TYPE: "terminate" });
    expect(await arraysIn(second)).toEqual([[1, ["noop"]]]);
  });

  test("is let go when nobody has listened for a while", async () => {
    const id = await open("Listen", [listenTo(newPath())]);
    await sleep(STALLED_MILLIS + 300);
    await expectUnknown(id, "Listen");
  });

  test("makes no more than a client that hears nothing may be owed, and goes on when it has heard", async () => {
    const session = new Session({ patienceMillis: 10_000, onClose: () => undefined });
    const payload = JSON.stringify(["x".repeat(100_000)]);
    let made = 0;
    const sent = session.send(
      (function* () {
        for (; made < 200; made++) yield payload;
      })(),
    );
    const owed = made;
    expect(owed * payload.length).toBeLessThan(5 * 1024 * 1024);
    session.acknowledge(owed);
    await vi.waitFor(() => expect(made).toBeGreaterThan(owed));
    session.close();
    await sent;
  });
});

describe("whatever is sent to a channel", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("-1", "0", "1", "8", "rpc", "1e9", "9".repeat(30), "%", "xmlhttp", "terminate", "undefined"),
  );
  const name = fc.constantFrom(
    "VER",
    "RID",
    "SID",
    "AID",
    "CI",
    "TYPE",
    "TO",
    "X-HTTP-Session-Id",
    "$httpHeaders",
    "$req",
    "zx",
  );
  const bodies = fc.oneof(
    fc.string(),
    fc
      .dictionary(
        fc.constantFrom(
          "count",
          "ofs",
          "headers",
          "req0___data__",
          "req1___data__",
          "req9999___data__",
          "req-1___data__",
        ),
        fc.oneof(text, fc.json()),
      )
      .map((fields) => new URLSearchParams(fields).toString()),
  );

  test("what is malformed is refused with 400, and hurts nobody", async () => {
    const bystander = await open("Write", [{ database: DATABASE }]);
    const malformed = fc.record({
      verb: fc.constantFrom("GET", "POST", "PUT", "DELETE"),
      stream: fc.constantFrom("Listen", "Write"),
      parameters: fc.dictionary(name, text).map((all) => ({ VER: "8", RID: "1", ...all })),
      body: bodies,
    });
    await fc.assert(
      fc.asyncProperty(malformed, async ({ verb, stream, parameters, body }) => {
        const init = verb === "GET" ? { method: verb } : { method: verb, body };
        const answer = await fetch(address(stream, parameters), init);
        await answer.body?.cancel();
        // What is no nonsense opens a channel of its own.
        expect(answer.status).toBe(isOpening(verb, parameters, body) ? 200 : 400);
      }),
      { numRuns: 400 },
    );
    expect(harness.reports).toEqual([]);
    expect(await untilTold(bystander, "streamId", "Write")).toBeDefined();
  });

  test("nonsense about a channel that is there is refused or taken, and no more", async () => {
    const id = await open("Write", [{ database: DATABASE }]);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, text), bodies, fc.boolean(), async (more, body, isPost) => {
        const parameters = { VER: "8", RID: isPost ? "2" : "rpc", ...more, SID: id };
        const answer = await fetch(address("Write", parameters), isPost ? { method: "POST", body } : {});
        await answer.body?.cancel();
        expect([200, 400]).toContain(answer.status);
      }),
      { numRuns: 300 },
    );
    expect((await request("Strange", { RID: "1" })).status).toBe(404);
    expect(harness.reports).toEqual([]);
  });

  test("messages that are none end the stream with a reason of the client's", async () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constantFrom(DATABASE, `${DATABASE}/documents`, `${DATABASE}/documents/a/b`),
    );
    const { message } = fc.letrec((tie) => ({
      message: fc.dictionary(
        fc.constantFrom(
          "database",
          "addTarget",
          "removeTarget",
          "targetId",
          "query",
          "parent",
          "structuredQuery",
          "from",
          "documents",
          "writes",
          "update",
          "name",
          "fields",
          "resumeToken",
          "limit",
          "where",
          "labels",
        ),
        fc.oneof({ depthSize: "small" }, leaf, tie("message"), fc.array(tie("message"), { maxLength: 2 })),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("Listen", "Write"), fc.oneof(message, fc.jsonValue()), async (stream, one) => {
        const id = await open(stream, [one]);
        await request(stream, { RID: "9", SID: id, TYPE: "terminate" });
      }),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (one) => {
        const id = await open("Listen", [{ database: DATABASE, addTarget: one, strange: true }]);
        expect(await untilTold(id, "error")).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
      }),
      { numRuns: 30 },
    );
    expect(harness.reports).toEqual([]);
  });
});

const WHOLE = /^\d{1,15}$/;

/** Whether a request opens a channel by the rules of the protocol. */
function isOpening(verb: string, parameters: Record<string, string>, body: string): boolean {
  const { VER = "", RID = "", AID = "0", CI = "0", TYPE = "init", TO = "0", SID } = parameters;
  const isAddressed = verb === "POST" && VER === "8" && WHOLE.test(RID) && SID === undefined;
  const isPlain = /^(-1|\d{1,15})$/.test(AID) && /^[01]$/.test(CI) && /^(init|xmlhttp)$/.test(TYPE) && WHOLE.test(TO);
  return isAddressed && isPlain && isWhole(new URLSearchParams(body));
}

function isWhole(body: URLSearchParams): boolean {
  const { count = "", ofs = "0" } = Object.fromEntries(body);
  const messages = [...body].filter(([key]) => /^req\d{1,4}___data__$/.test(key));
  return (
    WHOLE.test(count) &&
    WHOLE.test(ofs) &&
    Number(count) === messages.length &&
    messages.every(([key, value]) => Number(ofs) + Number(key.slice(3, -9)) < 1_000 && isJson(value))
  );
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

function address(stream: string, parameters: Record<string, string>): string {
  const query = new URLSearchParams({ VER: "8", database: DATABASE, ...parameters });
  return `http://127.0.0.1:${harness.server.port}/google.firestore.v1.Firestore/${stream}/channel?${query}`;
}

function request(stream: string, parameters: Record<string, string>): Promise<Response> {
  return fetch(address(stream, parameters));
}

function post(
  stream: string,
  parameters: Record<string, string>,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const type = { "content-type": "application/x-www-form-urlencoded" };
  return fetch(address(stream, parameters), { method: "POST", body, headers: { ...type, ...headers } });
}

function form(messages: readonly unknown[], from = 0): string {
  const fields = messages.map((message, i): [string, string] => [`req${i}___data__`, JSON.stringify(message)]);
  return new URLSearchParams([["count", String(messages.length)], ["ofs", String(from)], ...fields]).toString();
}

async function open(stream: string, messages: readonly unknown[]): Promise<string> {
  return sessionIn(await post(stream, { RID: "1" }, form(messages)));
}

async function sessionIn(answer: Response): Promise<string> {
  const [opening] = await arraysIn(answer);
  return String(opening?.[1][1]);
}

/** All that an answer says: pieces, each with its length before it. */
async function arraysIn(answer: Response): Promise<Arrays> {
  const arrays: Arrays[number][] = [];
  let rest = await answer.text();
  while (rest !== "") {
    const start = rest.indexOf("\n") + 1;
    const end = start + Number(rest.slice(0, start));
    arrays.push(...(JSON.parse(rest.slice(start, end)) as Arrays));
    rest = rest.slice(end);
  }
  return arrays;
}

async function poll(
  stream: string,
  id: string,
  acknowledged: number,
  more: Record<string, string> = {},
): Promise<Arrays> {
  return arraysIn(await request(stream, { RID: "rpc", SID: id, AID: String(acknowledged), CI: "1", ...more }));
}

/** The first message that a channel tells with a member, and with a word in it. */
async function untilTold(id: string, member: string, stream = "Listen", word = member): Promise<unknown> {
  for (let heard = 0, polls = 0; polls < 10; polls++) {
    const arrays = await poll(stream, id, heard, { TO: "1000" });
    const messages = arrays.map(([, [message]]) => message);
    const found = messages.find(
      (one) => typeof one === "object" && one !== null && member in one && JSON.stringify(one).includes(word),
    );
    if (found) return found;
    heard = arrays.at(-1)?.[0] ?? heard;
  }
  return undefined;
}

async function expectUnknown(id: string, stream: string): Promise<void> {
  const answer = await request(stream, { RID: "rpc", SID: id, AID: "0" });
  expect(answer.status).toBe(400);
  // The client looks for it behind the beginning.
  expect((await answer.text()).indexOf("Unknown SID")).toBeGreaterThan(0);
}

function listenTo(path: string): object {
  return {
    database: DATABASE,
    addTarget: { targetId: 1, documents: { documents: [`${DATABASE}/documents/${path}`] } },
  };
}

/** A write that can be told how often it was made, and when. */
function append(path: string, text: string): object {
  const name = `${DATABASE}/documents/${path}`;
  const appendMissingElements = { values: [{ stringValue: text }] };
  return {
    writes: [{ transform: { document: name, fieldTransforms: [{ fieldPath: "texts", appendMissingElements }] } }],
  };
}
