import * as fc from "fast-check";
import { onDisconnect, ref, set } from "firebase/database";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { NAMESPACE, RawClient, useDatabase } from "../harness.ts";
import { ADMIN } from "../security.ts";
import { PollClient } from "./poll-client.ts";

const harness = useDatabase();
const address = () => `http://127.0.0.1:${harness.server.port}/.lp?ns=${NAMESPACE}`;
const write = (path: string[], json: unknown) => harness.database.write({ path, puts: [{ path, json }] }, ADMIN);
const push = (action: string, body: object) => ({ t: "d", d: { a: action, b: body } });
const control = (type: string, body: unknown = {}) => ({ t: "c", d: { t: type, d: body } });
const textAt = async (query: string) => (await fetch(`${address()}&${query}`)).text();
const isGone = () => vi.waitFor(() => expect(harness.database.usage.total.connections).toBe(0));

function connect(parameters?: string): Promise<PollClient> {
  const client = new PollClient(address());
  onTestFinished(() => client.vanish());
  return client.start(parameters);
}

describe("a client that polls", () => {
  test("is told its id and password, and greeted, at once", async () => {
    const client = await connect();
    expect(client.commands).toEqual([["start", expect.any(String), expect.any(String)]]);
    expect(client.messages).toEqual([
      control("h", { ts: expect.any(Number), v: "5", h: `127.0.0.1:${harness.server.port}`, s: expect.any(String) }),
    ]);
    expect(harness.database.usage.total.connections).toBe(1);
  });

  test("listens, writes and reads like one with a WebSocket", async () => {
    const client = await connect();
    expect(await client.ask("q", { p: "/a", h: "" })).toEqual({ s: "ok", d: {} });
    write(["a", "b"], "é🦊\u2028");
    await client.next(({ d }) => JSON.stringify(d) === JSON.stringify(push("d", { p: "a/b", d: "é🦊\u2028" }).d));
    expect(await client.ask("p", { p: "/a/c", d: "é🦊" })).toEqual({ s: "ok", d: "" });
    expect(harness.database.root.at(["a", "c"]).leaf).toBe("é🦊");
    expect(await client.ask("g", { p: "/a" })).toEqual({ s: "ok", d: { b: "é🦊\u2028", c: "é🦊" } });
    expect(client.answers).toEqual(client.answers.map((_, i) => i));
  });

  test("sends what is long in pieces, however these come", async () => {
    const client = await connect();
    const text = "0123456789é".repeat(20_000);
    const asked = Array.from({ length: 5 }, (_, i) => client.ask("p", { p: `/long/${i}`, d: `${i}${text}` }));
    expect(await Promise.all(asked)).toEqual(asked.map(() => ({ s: "ok", d: "" })));
    expect(harness.database.root.at(["long", "4"]).leaf).toBe(`4${text}`);
  });

  test("gets what was written while no poll was there, in order", async () => {
    const client = await connect();
    await client.ask("q", { p: "/n", h: "" });
    for (let n = 1; n <= 50; n++) {
      write(["n"], n);
      if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await client.next(({ d }) => (d as { b?: { d?: unknown } }).b?.d === 50);
    const seen = client.messages.map(({ d }) => (d as { b?: { p?: string; d?: unknown } }).b).filter((b) => b?.p);
    expect(seen.map((b) => b?.d)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  test("is let go of its older poll when a newer one comes", async () => {
    const client = await connect();
    client.vanish();
    const older = textAt(`${client.id}&ser=9000`);
    const newer = textAt(`${client.id}&ser=9001`);
    await older;
    expect(await Promise.race([newer, new Promise((resolve) => setTimeout(resolve, 100, "held"))])).toBe("held");
    // A third that was asked for before the second lets both go.
    expect(await textAt(`${client.id}&ser=8999`)).toBe("");
    expect(await newer).toBe("");
  });
});

describe("the end of polling", () => {
  afterEach(() => void vi.useRealTimers());

  test("is said by the page when it goes, and what was to be written then is written", async () => {
    const client = await connect();
    await client.ask("o", { p: "/left", d: true });
    expect(await textAt(`dframe=t&${client.id}`)).toContain("sendBeacon");
    const answer = await fetch(`${address()}&disconn=t&${client.id}`, { method: "POST" });
    expect(answer.status).toBe(204);
    await client.closed;
    expect(harness.database.root.child("left").leaf).toBe(true);
    await isGone();
  });

  test("comes a minute after the last poll", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const client = await connect();
    client.vanish();
    const data = Buffer.from(JSON.stringify({ t: "d", d: { r: 1, a: "o", b: { p: "/left", d: true } } }));
    await textAt(`${client.id}&ser=9000&seg0=0&ts0=1&d0=${data.toString("base64url")}`);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(harness.database.root.child("left").isEmpty).toBe(true);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(harness.database.root.child("left").leaf).toBe(true);
    expect(harness.database.usage.total.connections).toBe(0);
  });

  test("comes when the client is back and says which session it had", async () => {
    const first = await connect();
    await first.ask("o", { p: "/left", d: true });
    const second = await connect(`&ls=${first.session}`);
    expect(await second.ask("g", { p: "/left" })).toEqual({ s: "ok", d: true });
    await first.closed;
    expect(first.commands.at(-1)?.[0]).toBe("close");
  });

  test("is told to whoever polls a session that is not there, or with the wrong password", async () => {
    const client = await connect();
    expect(await textAt("id=x&pw=y&ser=1")).toBe("pLPCommand('close');\n");
    expect(await textAt(`${client.id}x&ser=1`)).toBe("pLPCommand('close');\n");
    expect(await client.ask("s", { c: {} })).toMatchObject({ s: "ok" });
  });

  test("is told with all that was said before when the server ends it", async () => {
    const client = await connect();
    client.send({ t: "x" });
    await client.closed;
    expect(client.messages.at(-1)).toEqual(control("e", "Invalid message"));
    expect(client.commands.at(-1)).toEqual(["close", client.answers.at(-1)]);
    await isGone();
  });
});

describe("a client that polls and moves to a WebSocket", () => {
  test("misses nothing, is told nothing twice, and keeps its session", async () => {
    const client = await connect();
    await client.ask("q", { p: "/n", h: "" });
    await client.ask("o", { p: "/left", d: true });
    const socket = new RawClient(`ws://127.0.0.1:${harness.server.port}/.ws?v=5&ns=${NAMESPACE}&s=${client.session}`);
    onTestFinished(() => socket.socket.terminate());
    await socket.opened;
    await vi.waitFor(() => expect(socket.messages).toEqual([control("a")]));
    socket.socket.send(JSON.stringify(control("p")));
    await vi.waitFor(() => expect(socket.messages.at(-1)).toEqual(control("o")));
    write(["n"], 1);
    socket.socket.send(JSON.stringify(control("a")));
    // What is said on the new way before the old one has ended waits for that.
    const read = socket.ask("g", { p: "/n" });
    await client.ask("p", { p: "/n", d: 2 });
    client.send(control("n"));
    expect(await read).toEqual({ s: "ok", d: 2 });
    await client.closed;
    expect(client.messages.at(-1)).toEqual(control("n"));
    write(["n"], 3);
    await socket.ask("s", { c: {} });
    const seen = [client, socket].map(({ messages }) =>
      messages.flatMap((message) =>
        (message as { d: { a?: string; b: { d: unknown } } }).d.a
          ? [(message as { d: { b: { d: unknown } } }).d.b.d]
          : [],
      ),
    );
    expect(seen).toEqual([[1, 2], [3]]);
    expect(harness.database.root.child("left").isEmpty).toBe(true);
    expect(harness.database.usage.total.connections).toBe(1);
    socket.socket.terminate();
    await vi.waitFor(() => expect(harness.database.root.child("left").leaf).toBe(true));
  });

  test("goes on polling if the WebSocket fails", async () => {
    const client = await connect();
    const socket = new RawClient(`ws://127.0.0.1:${harness.server.port}/.ws?v=5&ns=${NAMESPACE}&s=${client.session}`);
    await socket.opened;
    socket.socket.terminate();
    expect(await client.ask("p", { p: "/a", d: 1 })).toEqual({ s: "ok", d: "" });
  });

  test("is told to begin anew if its session is not there", async () => {
    const socket = new RawClient(`ws://127.0.0.1:${harness.server.port}/.ws?v=5&ns=${NAMESPACE}&s=none`);
    await socket.closed;
    expect(socket.messages).toEqual([control("r", `127.0.0.1:${harness.server.port}`)]);
  });
});

describe("polls that no client would send", () => {
  test.each([
    ["a number that is none", "seg0=x&ts0=1&d0=e30.", "Invalid segment number"],
    ["more pieces than there should be", "seg0=0&ts0=2&d0=e30.&seg1=1&ts1=1&d1=e30.", "Invalid segment count"],
    ["no JSON", "seg0=0&ts0=1&d0=aaaa", "Invalid JSON"],
  ])("with %s end the session", async (_, query, message) => {
    const client = await connect();
    client.vanish();
    expect(await textAt(`${client.id}&ser=9000&${query}`)).toContain(JSON.stringify(control("e", message)));
    await isGone();
  });

  test("with pieces whose beginning never comes are kept up to a limit", async () => {
    const client = await connect();
    client.vanish();
    const sent = Array.from({ length: 11 }, async (_, poll) => {
      const pieces = Array.from({ length: 100 }, (_, i) => `&seg${i}=${1 + poll * 100 + i}&ts${i}=9&d${i}=e30.`);
      return textAt(`${client.id}&ser=${9_000 + poll}${pieces.join("")}`);
    });
    expect((await Promise.all(sent)).join("")).toContain(JSON.stringify(control("e", "Missing segment")));
    await isGone();
  });

  test("cost nobody else anything, whatever is in them", async () => {
    const bystander = await connect();
    const name = fc.constantFrom("start", "dframe", "disconn", "id", "pw", "ser", "seg0", "ts0", "d0", "cb", "ls", "s");
    const value = fc.oneof(fc.constantFrom("t", "0", "1", "-1", "1e9", "e30.", "bnVsbA..", "%"), fc.string());
    const parameters = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((pairs) => new URLSearchParams(pairs));
    await fc.assert(
      fc.asyncProperty(parameters, fc.boolean(), async (chosen, isKnown) => {
        const victim = await connect();
        victim.vanish();
        const answer = await Promise.race([
          fetch(`${address()}&${isKnown ? `${victim.id}&` : ""}${chosen}`),
          new Promise<undefined>((resolve) => setTimeout(resolve, 20, undefined)),
        ]);
        expect(answer?.status ?? 200).toBeLessThan(500);
        expect((await bystander.ask("p", { p: "/alive", d: 1 })).s).toBe("ok");
      }),
      { numRuns: 100 },
    );
    expect(harness.reports).toEqual([]);
  });

  test("cannot put a script of their own into a page", async () => {
    const answer = await fetch(`${address()}&start=t&ser=1&cb=${encodeURIComponent("x;alert(1)//")}`);
    expect([answer.status, await answer.json()]).toEqual([400, { error: "Invalid callback" }]);
  });
});

test("a client that polls and takes nothing is cut off", async () => {
  const client = await connect();
  await client.ask("q", { p: "/feed", h: "" });
  client.vanish();
  const text = "x".repeat(1024 * 1024);
  for (let i = 0; i < 40; i++) write(["feed"], `${i}${text}`);
  await isGone();
});

test("usage counts what was sent over polls", async () => {
  const client = await connect();
  const before = harness.database.usage.total.bytesDown;
  await client.ask("g", { p: "/" });
  expect(harness.database.usage.total.bytesDown - before).toBe(
    Buffer.byteLength(JSON.stringify({ t: "d", d: { r: 1, b: { s: "ok", d: null } } })),
  );
  const sdk = harness.connect();
  await onDisconnect(ref(sdk, "x")).cancel();
  await set(ref(sdk, "x"), 1);
  expect(harness.database.usage.total.connections).toBe(2);
});
