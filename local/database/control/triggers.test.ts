import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { NAMESPACE, OWNER, useDatabase } from "../harness.ts";
import { anyNode } from "../model/arbitrary.ts";
import type { Node } from "../model/node.ts";
import { ADMIN, ANYBODY, type Caller } from "../security.ts";
import { deltaText } from "./triggers.ts";

interface Received {
  readonly url: string;
  readonly type: string;
  readonly event: Record<string, unknown>;
}

interface Snapshot {
  val(): unknown;
}
interface Change {
  readonly before: Snapshot;
  readonly after: Snapshot;
}
type Decode<T> = (event: unknown, context?: unknown) => T | Promise<T>;

/** The library that functions are written with, from where they are. */
const require = createRequire(new URL("../../../functions/package.json", import.meta.url));
const v2 = require("firebase-functions/v2/database") as Record<
  "onValueWritten" | "onValueCreated",
  (pattern: string, handler: (event: Record<string, unknown>) => unknown) => Decode<unknown>
>;
const v1 = require("firebase-functions/v1") as {
  database: { instance(name: string): { ref(path: string): { onWrite(handler: unknown): Decode<unknown> } } };
};

const received: Received[] = [];
let status = 200;
let functions: Server;
const port = () => (functions.address() as AddressInfo).port;

beforeAll(async () => {
  vi.stubEnv("FIREBASE_CONFIG", JSON.stringify({ databaseURL: `https://${NAMESPACE}.firebaseio.com` }));
  functions = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString("utf8");
    });
    request.once("end", () => {
      const { url = "", headers } = request;
      received.push({ url, type: String(headers["content-type"]), event: JSON.parse(body) as Received["event"] });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => functions.listen(0, "127.0.0.1", resolve));
});
afterAll(() => functions.close());
beforeEach(() => {
  received.length = 0;
  status = 200;
});

describe("functions", () => {
  const harness = useDatabase({
    get functionsHost() {
      return `127.0.0.1:${port()}`;
    },
  });
  const addTrigger = async (key: string, path: string, event: string, more: object = { namespacePattern: "*" }) => {
    const name = `projects/demo/locations/us-central1/triggers/${key}`;
    const body = { name, path, event, topic: `projects/demo/topics/${key}`, ...more };
    const answer = await harness.http("POST", "/.settings/functionTriggers.json", body, OWNER);
    expect(answer.status).toBe(200);
  };
  const write = (path: string, json: unknown, caller: Caller = ADMIN, silent = false) => {
    const place = path.split("/").filter(Boolean);
    harness.database.write({ path: place, puts: [{ path: place, json }], silent }, caller);
  };
  const events = async (count: number): Promise<Received[]> => {
    await vi.waitFor(() => expect(received).toHaveLength(count));
    return received;
  };
  const refs = async (count: number) => (await events(count)).map(({ event }) => event.ref).sort();

  test("of the second generation get an event that the library decodes, with who wrote", async () => {
    await addTrigger("us-central1-moved-0", "rooms/{room}/players/{player}", "google.firebase.database.ref.v1.written");
    const ada: Caller = { admin: false, auth: { uid: "ada", token: {} } };
    write("rooms/r1/players/p1", { x: 1, y: { z: 2 }, list: [1, 2] }, ada);
    write("rooms/r1/players/p1", { x: 5, list: [1] });
    const decoded: unknown[] = [];
    const decode = v2.onValueWritten("rooms/{room}/players/{player}", ({ params, data, authType, authId }) => {
      const { before, after } = data as Change;
      decoded.push({ params, authType, authId, before: before.val(), after: after.val() });
    });
    for (const { url, type, event } of await events(2)) {
      expect(url).toBe("/functions/projects/demo/triggers/us-central1-moved-0");
      expect(type).toContain("application/cloudevents+json");
      await decode(event);
    }
    const params = { room: "r1", player: "p1" };
    const first = { x: 1, y: { z: 2 }, list: [1, 2] };
    expect(decoded).toEqual([
      { params, authType: "app_user", authId: "ada", before: null, after: first },
      { params, authType: "admin", authId: "", before: first, after: { x: 5, list: [1] } },
    ]);
  });

  test("of the first generation get an event that the library decodes", async () => {
    const event = "providers/google.firebase.database/eventTypes/ref.write";
    await addTrigger("us-central1-old-0", "/items/{id}", event, {});
    write("items/i1/n", 1, ANYBODY);
    const raw = (await events(1))[0]?.event;
    const decoded: unknown[] = [];
    const decode = v1.database
      .instance(NAMESPACE)
      .ref("/items/{id}")
      .onWrite(({ before, after }: Change, { params, authType }: Record<string, unknown>) => {
        decoded.push({ params, authType, before: before.val(), after: after.val() });
        return null;
      });
    await decode(raw?.data, raw?.context);
    expect(decoded).toEqual([{ params: { id: "i1" }, authType: "UNAUTHENTICATED", before: null, after: { n: 1 } }]);
  });

  test("are told of each place that fits, whether the write was above it, at it or below it", async () => {
    await addTrigger("us-central1-f-0", "rooms/{room}/score", "google.firebase.database.ref.v1.written");
    write("rooms", { a: { score: 1 }, b: { score: 2 }, c: { name: "no score" } });
    expect(await refs(2)).toEqual(["rooms/a/score", "rooms/b/score"]);
    write("rooms/a/score/deep", 1);
    expect(await refs(3)).toEqual(["rooms/a/score", "rooms/a/score", "rooms/b/score"]);
    write("rooms/b/name", "nothing to do with it");
    write("rooms/b/score", 2);
    write("rooms/b", null);
    expect(await refs(4)).toEqual(["rooms/a/score", "rooms/a/score", "rooms/b/score", "rooms/b/score"]);
  });

  test("are told only of what they asked for: creation, change, deletion", async () => {
    for (const kind of ["created", "updated", "deleted"]) {
      await addTrigger(`us-central1-${kind}-0`, "n", `google.firebase.database.ref.v1.${kind}`);
    }
    for (const value of [1, 2, null]) {
      write("n", value);
      await vi.waitFor(() => expect(received.length).toBe([1, 2, null].indexOf(value) + 1));
    }
    expect(received.map(({ url }) => url.split("/").at(-1))).toEqual(
      ["created", "updated", "deleted"].map((kind) => `us-central1-${kind}-0`),
    );
  });

  test("hear nothing of other databases, of silent writes and of imports", async () => {
    await addTrigger("us-central1-here-0", "n", "google.firebase.database.ref.v1.written", {
      namespacePattern: NAMESPACE,
    });
    await addTrigger("us-central1-there-0", "n", "google.firebase.database.ref.v1.written", {
      namespacePattern: "other-*",
    });
    write("n", 1, ADMIN, true);
    await harness.http("PUT", "/n.json?disableTriggers=true", 2, OWNER);
    write("n", 3);
    const [{ url } = { url: "" }] = await events(1);
    expect(url).toContain("here");
  });

  test("that the emulator no longer knows are forgotten", async () => {
    await addTrigger("us-central1-gone-0", "n", "google.firebase.database.ref.v1.written");
    const registered = async () =>
      ((await harness.http("GET", "/.settings/functionTriggers.json", undefined, OWNER)).body as { triggers: object[] })
        .triggers;
    expect(await registered()).toHaveLength(1);
    status = 404;
    write("n", 1);
    await vi.waitFor(async () => expect(await registered()).toEqual([]));
  });

  test("are registered by the owner only, and in the right form", async () => {
    const body = { name: "projects/demo/locations/r/triggers/k", path: "n", event: "ref.v1.written" };
    expect((await harness.http("POST", "/.settings/functionTriggers.json", body)).status).toBe(401);
    const wrong = await harness.http("POST", "/.settings/functionTriggers.json", { ...body, event: "x" }, OWNER);
    expect(wrong).toMatchObject({ status: 400, body: { error: expect.stringContaining("event") } });
  });
});

describe("a delta", () => {
  test("leads from the state before to the state after, as the library applies it", async () => {
    const seen: unknown[] = [];
    const decode = v2.onValueWritten("n", ({ data }) => seen.push((data as Change).after.val()));
    const apply = async (data: unknown, delta: unknown) => {
      await decode({ ref: "n", instance: "i", data: { data, delta } });
      return seen.pop();
    };
    await fc.assert(
      fc.asyncProperty(anyNode, anyNode, async (before, after) => {
        const delta: unknown = JSON.parse(deltaText(before, after));
        expect(await apply(objectsOf(before), delta)).toEqual(await apply(null, objectsOf(after)));
      }),
      { numRuns: 500 },
    );
  });

  const objectsOf = (node: Node): unknown =>
    node.leaf !== undefined
      ? node.leaf
      : Object.fromEntries([...node.entries()].map(([key, child]) => [key, objectsOf(child)]));
});
