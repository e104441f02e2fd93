import * as fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { deafSocket, NAMESPACE, RawClient, useDatabase } from "../harness.ts";
import { LIMITS } from "../model/limits.ts";
import { ADMIN } from "../security.ts";
import { toFrames } from "./frames.ts";

const harness = useDatabase();
const url = () => `ws://127.0.0.1:${harness.server.port}/.ws?v=5&ns=${NAMESPACE}`;
const write = (path: string[], json: unknown) => harness.database.write({ path, puts: [{ path, json }] }, ADMIN);
const push = (action: string, body: object) => ({ t: "d", d: { a: action, b: body } });

/** A frame of text as a client masks it, with a mask of zeros. */
function masked(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length =
    bytes.length < 126
      ? Buffer.from([0x80 | bytes.length])
      : Buffer.from([0xfe, bytes.length >> 8, bytes.length & 0xff]);
  return Buffer.concat([Buffer.from([0x81]), length, Buffer.alloc(4), bytes]);
}

describe("a connection", () => {
  test("is greeted with the time, the session and where to come back to", async () => {
    const client = await harness.raw();
    await vi.waitFor(() => expect(client.received).toHaveLength(1));
    expect(client.messages[0]).toEqual({
      t: "c",
      d: {
        t: "h",
        d: { ts: expect.any(Number), v: "5", h: `127.0.0.1:${harness.server.port}`, s: expect.any(String) },
      },
    });
  });

  test("answers pings, and says nothing to keep-alives", async () => {
    const client = await harness.raw();
    client.socket.send("0");
    client.socket.send(JSON.stringify({ t: "c", d: { t: "p", d: {} } }));
    await vi.waitFor(() => expect(client.messages.at(-1)).toEqual({ t: "c", d: { t: "o", d: {} } }));
    expect(client.messages).toHaveLength(2);
  });

  test("says which session it had before, and what that had left to do is done first", async () => {
    const first = await harness.raw();
    await first.ask("o", { p: "/me", d: "gone" });
    const { d } = first.messages[0] as { d: { d: { s: string } } };
    const second = new RawClient(`${url()}&ls=${d.d.s}`);
    onTestFinished(() => second.socket.terminate());
    await second.opened;
    expect(await second.ask("g", { p: "/me" })).toEqual({ s: "ok", d: "gone" });
    await first.closed;
  });
});

describe("a listen", () => {
  test("sends nothing to a client that knows it all, by its hash", async () => {
    write(["list"], { a: 1, b: 2 });
    const client = await harness.raw();
    expect(await client.ask("q", { p: "/list", h: harness.database.root.child("list").hash() })).toEqual({
      s: "ok",
      d: {},
    });
    expect(await client.ask("q", { p: "/nothing", h: "" })).toEqual({ s: "ok", d: {} });
    expect(client.messages).toHaveLength(3);
    expect(await client.ask("q", { p: "/list", h: "old" })).toEqual({ s: "ok", d: {} });
    expect(client.messages).toContainEqual(push("d", { p: "list", d: { a: 1, b: 2 } }));
  });

  test("of a query sends what came into view and what went in one merge, under its tag", async () => {
    write(["list"], { a: 1, b: 2 });
    const client = await harness.raw();
    await client.ask("q", { p: "/list", q: { i: ".key", l: 2, vf: "l" }, t: 7, h: "" });
    write(["list", "A"], 0);
    await vi.waitFor(() =>
      expect(client.messages).toContainEqual(push("m", { p: "list", d: { A: 0, b: null }, t: 7 })),
    );
    await client.ask("n", { p: "/list", q: { l: 2, vf: "l", i: ".key" }, t: 7 });
    write(["list", "A"], 1);
    await client.ask("s", { c: {} });
    expect(JSON.stringify(client.messages.at(-2))).not.toContain('"A":1');
  });

  test("is told of a write before its writer is told that it was taken", async () => {
    const client = await harness.raw();
    await client.ask("q", { p: "/a", h: "" });
    expect(await client.ask("p", { p: "/a/b", d: 1 })).toEqual({ s: "ok", d: "" });
    expect(client.messages.slice(-2)).toEqual([
      push("d", { p: "a/b", d: 1 }),
      { t: "d", d: { r: 2, b: { s: "ok", d: "" } } },
    ]);
  });

  test("comes in pieces where it is large", async () => {
    const text = "🦊x".repeat(100_000);
    write(["large"], text);
    const client = await harness.raw();
    const request = JSON.stringify({ t: "d", d: { r: 1, a: "q", b: { p: "/large", h: "" } } });
    client.socket.send(request);
    await vi.waitFor(() => expect(client.received.at(-1)).toContain('"r":1'));
    const [, count, ...pieces] = client.received.slice(0, -1);
    expect(Number(count)).toBe(pieces.length);
    expect(JSON.parse(pieces.join(""))).toEqual(push("d", { p: "large", d: text }));
    expect(pieces.join("")).toBe(toFrames(pieces.join("")).slice(1).join(""));
  });
});

describe("a request", () => {
  test.each([
    ["a write that is stale", "p", { p: "/a", d: 1, h: "other" }, "datastale", "Transaction hash does not match"],
    [
      "a path that nothing can stand at",
      "p",
      { p: "/a.b", d: 1 },
      "invalid_path",
      "Invalid path: Invalid token in path",
    ],
    [
      "a place beside the data",
      "q",
      { p: "/.info/connected", h: "" },
      "invalid_path",
      "Invalid path: Invalid token in path",
    ],
    [
      "an update without children",
      "m",
      { p: "/a", d: 5 },
      "invalid_data",
      "Invalid data; couldn't parse JSON object. Are you sending a JSON object with valid key names?",
    ],
    ["an unknown token", "auth", { cred: "nonsense" }, "invalid_token", "Could not parse auth token."],
    ["an unknown action", "zz", {}, "invalid_request", "Unknown action zz"],
    ["no path at all", "q", {}, "invalid_request", "Malformed request"],
    ["a limit of nothing", "q", { p: "/a", q: { l: 0 }, t: 1 }, "invalid_query", "limit must be positive"],
    ["an order by no path", "q", { p: "/a", q: { i: "a..b", l: 1 }, t: 1 }, "invalid_query", "Invalid path in orderBy"],
    ["a bound that is no value", "q", { p: "/a", q: { sp: {} }, t: 1 }, "invalid_request", "Malformed request"],
  ])("of %s is refused, and the connection lives on", async (_, action, body, status, message) => {
    const client = await harness.raw();
    expect(await client.ask(action, body)).toEqual({ s: status, d: message });
    expect(await client.ask("g", { p: "/" })).toEqual({ s: "ok", d: null });
  });

  test("of more than 16 MB is not read: the client is told and cut off", async () => {
    const client = await harness.raw();
    client.socket.send("1100");
    const piece = "x".repeat(16_384);
    for (let i = 0; i * piece.length <= LIMITS.messageBytes; i++) client.socket.send(piece);
    await client.closed;
    expect(client.messages.at(-1)).toEqual({ t: "c", d: { t: "e", d: "Write too large" } });
  });

  test("of just under 16 MB is taken", async () => {
    const client = await harness.raw();
    const d = { a: "x".repeat(8 * 1024 * 1024 - 100), b: "y".repeat(8 * 1024 * 1024 - 100) };
    for (const frame of toFrames(JSON.stringify({ t: "d", d: { r: 1, a: "p", b: { p: "/a", d } } })))
      client.socket.send(frame);
    await vi.waitFor(() => expect(client.messages.at(-1)).toEqual({ t: "d", d: { r: 1, b: { s: "ok", d: "" } } }));
  });

  test("of an owner may be made as somebody else", async () => {
    await harness.rules({ mine: { ".read": "auth.uid === 'ada'" } });
    const client = await harness.raw();
    const read = async () => (await client.ask("g", { p: "/mine" })).s;
    expect(await read()).toBe("permission_denied");
    await client.ask("gauth", { cred: "owner" });
    expect(await read()).toBe("ok");
    await client.ask("gauth", { cred: "owner", authvar: { uid: "bob" } });
    expect(await read()).toBe("permission_denied");
    await client.ask("gauth", { cred: "owner", authvar: { uid: "ada" } });
    expect(await read()).toBe("ok");
    await client.ask("q", { p: "/mine", h: "" });
    await client.ask("gauth", { cred: "owner", noauth: true });
    expect(client.messages).toContainEqual(push("c", { p: "mine" }));
    expect(await read()).toBe("permission_denied");
  });
});

describe("the server", () => {
  test("survives whatever a client sends, and serves others meanwhile", async () => {
    const anyAction = fc.constantFrom("q", "n", "p", "m", "g", "o", "om", "oc", "auth", "gauth", "unauth", "s", "x");
    const anyPath = fc.oneof(fc.constantFrom("/", "", "/a", "/a/.priority", "a/../b", "/a.b"), fc.string());
    const anyBody = fc.oneof(
      fc.anything(),
      fc.record(
        { p: anyPath, d: fc.jsonValue(), q: fc.jsonValue(), t: fc.jsonValue(), h: fc.jsonValue(), cred: fc.string() },
        { requiredKeys: [] },
      ),
      fc.record({
        p: anyPath,
        q: fc.record({ sp: fc.jsonValue(), sn: fc.jsonValue(), ep: fc.jsonValue(), i: fc.string(), l: fc.integer() }),
        t: fc.integer(),
      }),
    );
    const anyRequest = fc.record({ t: fc.constant("d"), d: fc.record({ r: fc.integer(), a: anyAction, b: anyBody }) });
    const anyFrame = fc.oneof(
      {
        weight: 6,
        arbitrary: anyRequest.map((request) =>
          JSON.stringify(request, (_, value) => (typeof value === "bigint" ? 1 : value)),
        ),
      },
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.string({ unit: "binary" }),
      fc.nat(12).map(String),
    );
    const bystander = await harness.raw();
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { minLength: 1, maxLength: 10 }), async (frames) => {
        const client = new RawClient(url());
        await client.opened;
        for (const frame of frames) client.socket.send(frame);
        expect((await bystander.ask("p", { p: "/alive", d: 1 })).s).toBe("ok");
        client.socket.terminate();
      }),
      { numRuns: 300 },
    );
    expect(harness.reports).toEqual([]);
  });

  test("survives bytes that are no WebSocket frames", async () => {
    for (const bytes of [Buffer.from([0xff, 0xff, 0xff]), Buffer.alloc(1_000, 0x81), masked("{")]) {
      const socket = await deafSocket(harness.server.port);
      socket.on("error", () => {});
      socket.resume();
      socket.write(bytes);
      await new Promise((resolve) => socket.once("close", resolve));
    }
    expect((await harness.http("GET", "/.json")).status).toBe(200);
    await vi.waitFor(() => expect(harness.database.usage.total.connections).toBe(0));
  });

  test("cuts off a client that does not read, and keeps nobody else waiting", async () => {
    const slow = await deafSocket(harness.server.port);
    onTestFinished(() => void slow.destroy());
    slow.write(masked(JSON.stringify({ t: "d", d: { r: 1, a: "q", b: { p: "/feed", h: "" } } })));
    const quick = await harness.raw();
    await quick.ask("q", { p: "/feed", h: "" });
    await vi.waitFor(() => expect([...harness.database.subscribers.all]).toHaveLength(2));
    const text = "x".repeat(1024 * 1024);
    for (let i = 0; i < 64; i++) {
      write(["feed"], `${i}${text}`);
      expect((await quick.ask("s", { c: {} })).s).toBe("ok");
    }
    expect([...harness.database.subscribers.all]).toHaveLength(1);
    expect(harness.database.usage.total.connections).toBe(1);
  });
});

describe("usage", () => {
  test("counts the bytes sent down and the connections, in all and since a mark", async () => {
    const client = await harness.raw();
    await client.ask("q", { p: "/a", h: "" });
    const sent = () => client.received.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    expect(harness.database.usage.total).toEqual({ bytesDown: sent(), connections: 1, peakConnections: 1 });
    const { body } = await harness.http("POST", "/.inspect/usage.json:mark");
    const before = sent();
    write(["a"], "é".repeat(100));
    await vi.waitFor(() => expect(sent()).toBeGreaterThan(before));
    const { mark } = body as { mark: string };
    expect((await harness.http("GET", `/.inspect/usage.json?since=${mark}`)).body).toEqual({
      bytesDown: sent() - before,
      connections: 1,
      peakConnections: 1,
    });
    expect((await harness.http("GET", "/.inspect/usage.json?since=99")).status).toBe(404);
  });
});
