import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { unsignedToken } from "../../tokens.ts";
import { DATABASE, PROJECT, useServer } from "../harness.ts";
import { arraysIn, form, RawClient, sessionIn } from "./raw-client.ts";
import { Session } from "./session.ts";

/** What goes over the wire. */
const RULES = `rules_version = "2";
service cloud.firestore {
  match /databases/{database}/documents/{name}/{id} { allow read, write: if name != "own" || request.auth.uid == id; }
}`;
const STALLED_MILLIS = 1_500;
const harness = useServer({ rules: { [PROJECT]: RULES }, stalledMillis: STALLED_MILLIS });
const client = new RawClient(harness);
const ORIGIN = "http://localhost:5173";
let documents = 0;
const newPath = () => `rooms/${++documents}`;

describe("a channel", () => {
  test("opens with a session, whose second name is told to who asks for it", async () => {
    const answer = await client.post("Listen", { RID: "7", "X-HTTP-Session-Id": "gsessionid" }, "count=0");
    const [[number, [kind, id, , version]]] = (await arraysIn(answer)) as [[number, [string, string, string, number]]];
    expect({ number, kind, version }).toEqual({ number: 0, kind: "c", version: 8 });
    expect(answer.headers.get("x-http-session-id")).toBe(id);
    expect((await client.post("Listen", { RID: "7" }, "count=0")).headers.get("x-http-session-id")).toBeNull();
  });

  test("lets pages of any origin in with their cookies, and shows them refusals", async () => {
    const preflight = await fetch(client.address("Listen", {}), {
      method: "OPTIONS",
      headers: { origin: ORIGIN, "access-control-request-headers": "x-goog-api-client,google-cloud-resource-prefix" },
    });
    expect(preflight.status).toBe(200);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      "access-control-allow-origin": ORIGIN,
      "access-control-allow-credentials": "true",
      "access-control-allow-headers": "x-goog-api-client,google-cloud-resource-prefix",
    });
    const refused = await client.post("Listen", { RID: "8", SID: "nobody" }, "count=0", { origin: ORIGIN });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([400, ORIGIN]);
    const single = await fetch(new URL(`/v1/${DATABASE}/documents/own/ada`, client.address("Listen", {})), {
      headers: { origin: ORIGIN },
    });
    expect([single.status, single.headers.get("access-control-allow-origin")]).toEqual([403, ORIGIN]);
  });

  test("says again what has not arrived, under the same numbers, and nothing that has", async () => {
    const path = newPath();
    const id = await client.open("Listen", [listenTo(path)]);
    await vi.waitFor(async () => expect((await client.poll("Listen", id, 0)).length).toBeGreaterThan(2));
    const first = await client.poll("Listen", id, 0);
    const again = await client.poll("Listen", id, 0);
    expect(again).toEqual(first);
    const half = Math.floor(first.length / 2);
    expect(await client.poll("Listen", id, half)).toEqual(first.slice(half));
    expect(first.map(([number]) => number)).toEqual(first.map((_, i) => i + 1));
  });

  test("counts the length of what it says as JavaScript does", async () => {
    const path = newPath();
    await harness.client.doc(path).set({ text: "a😀ä\n" });
    const id = await client.open("Listen", [listenTo(path)]);
    const told = await client.untilTold(id, "documentChange");
    expect(told).toMatchObject({ documentChange: { document: { fields: { text: { stringValue: "a😀ä\n" } } } } });
  });

  test("takes messages in their order and once, in whatever order and how often they come", async () => {
    const path = newPath();
    const id = await client.open("Write", [{ database: DATABASE }]);
    const send = (from: number, ...texts: string[]) =>
      client.post(
        "Write",
        { RID: "9", SID: id },
        form(
          texts.map((text) => append(path, text)),
          from,
        ),
      );
    await send(3, "c", "d");
    await send(1, "a");
    await send(1, "a", "b");
    await send(2, "b");
    await vi.waitFor(async () => expect((await harness.client.doc(path).get()).get("texts")).toEqual([..."abcd"]));
  });

  test("tells why a stream has ended, and is not known any more when the client has taken leave", async () => {
    const path = newPath();
    const id = await client.open("Write", [
      { database: DATABASE },
      { writes: [{ update: { name: `${DATABASE}/documents/own/x` } }] },
    ]);
    expect(await client.untilTold(id, "error", "Write")).toMatchObject({
      error: { code: 403, status: "PERMISSION_DENIED", message: expect.stringContaining("for 'create' @ L3") },
    });
    expect((await client.request("Write", { RID: "9", SID: id, TYPE: "terminate" })).status).toBe(200);
    await expectUnknown(id, "Write");
    expect((await harness.client.doc(path).get()).exists).toBe(false);
  });

  test("knows who speaks from the headers in its first body, from the address, or from the request", async () => {
    const authorization = `Bearer ${unsignedToken({ sub: "ada" })}`;
    const line = `X-Goog-Api-Client:gl-js/\r\nAuthorization:${authorization}\r\n`;
    const body = form([listenTo("own/ada")]);
    const answers = [
      await client.post("Listen", { RID: "1" }, `headers=${encodeURIComponent(line)}&${body}`),
      await client.post("Listen", { RID: "1", $httpHeaders: line }, body),
      await client.post("Listen", { RID: "1" }, body, { authorization }),
    ];
    for (const answer of answers) {
      expect(await client.untilTold(await sessionIn(answer), "documentDelete")).toBeDefined();
    }
    const stranger = await client.open("Listen", [listenTo("own/ada")]);
    expect(await client.untilTold(stranger, "targetChange", "Listen", "cause")).toMatchObject({
      targetChange: { cause: { code: 7 } },
    });
  });

  test("answers a long poll within the time that it names, if only to say nothing", async () => {
    const id = await client.open("Write", []);
    const start = performance.now();
    expect(await client.poll("Write", id, 0, { TO: "1000" })).toEqual([[1, ["noop"]]]);
    expect(performance.now() - start).toBeLessThan(STALLED_MILLIS + 5_000);
  });

  test("speaks over the last answer that was asked for, and ends the one before", async () => {
    const id = await client.open("Write", []);
    const first = await client.request("Write", { RID: "rpc", SID: id, AID: "0", CI: "0" });
    const second = await client.request("Write", { RID: "rpc", SID: id, AID: "0", CI: "0" });
    expect(await arraysIn(first)).toEqual([[1, ["noop"]]]);
    await client.request("Write", { RID: "9", SID: id, TYPE: "terminate" });
    expect(await arraysIn(second)).toEqual([[1, ["noop"]]]);
  });

  test("is let go when nobody has listened for a while", async () => {
    const id = await client.open("Listen", [listenTo(newPath())]);
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

async function expectUnknown(id: string, stream: string): Promise<void> {
  const answer = await client.request(stream, { RID: "rpc", SID: id, AID: "0" });
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
