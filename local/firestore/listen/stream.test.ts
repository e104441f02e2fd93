import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { v1 } from "@google-cloud/firestore";
import { type ChannelCredentials, Client, credentials, Metadata } from "@grpc/grpc-js";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { unsignedToken } from "../../tokens.ts";
import { DATABASE, useServer } from "../harness.ts";

/** The client library's own gRPC, which takes no credentials of another copy. */
const require = createRequire(createRequire(import.meta.url).resolve("@google-cloud/firestore"));
const { grpc } = require("google-gax") as { grpc: { credentials: { createInsecure(): ChannelCredentials } } };

/** What goes over the wire of one `Listen` stream. */
const harness = useServer();
let api: InstanceType<typeof v1.FirestoreClient>;
let collections = 0;
const newCollection = () => harness.client.collection(`raw-${++collections}`);
const streams: Listening[] = [];

interface Message {
  readonly targetChange?: {
    readonly targetChangeType: string;
    readonly targetIds: number[];
    readonly resumeToken: Buffer;
    readonly readTime: object | null;
    readonly cause: { code: number; message: string } | null;
  };
  readonly documentChange?: { document: { name: string }; targetIds: number[]; removedTargetIds: number[] };
  readonly documentDelete?: { document: string; removedTargetIds: number[] };
  readonly filter?: { targetId: number; count: number };
}

interface Listening {
  readonly stream: ReturnType<InstanceType<typeof v1.FirestoreClient>["listen"]>;
  readonly messages: Message[];
  readonly errors: Error[];
  send(request: object): void;
  /** Waits for as many moments at which all targets show one state. */
  snapshots(count: number): Promise<void>;
  token(): Buffer | undefined;
}

function listen(headers: Record<string, string> = { authorization: "Bearer owner" }): Listening {
  const messages: Message[] = [];
  const errors: Error[] = [];
  const otherArgs = { headers: { "google-cloud-resource-prefix": DATABASE, ...headers } };
  const stream = api.listen({ otherArgs, maxRetries: 0 });
  stream.on("data", (message: Message) => messages.push(message));
  stream.on("error", (error: Error) => errors.push(error));
  const listening: Listening = {
    stream,
    messages,
    errors,
    send: (request) => {
      stream.write({ database: DATABASE, ...request });
    },
    snapshots: (count) =>
      vi.waitFor(() => expect(messages.filter(isSnapshot).length).toBeGreaterThanOrEqual(count), { timeout: 5_000 }),
    token: () => messages.filter(isSnapshot).at(-1)?.targetChange?.resumeToken,
  };
  streams.push(listening);
  return listening;
}

const isSnapshot = ({ targetChange }: Message) =>
  targetChange?.targetChangeType === "NO_CHANGE" && targetChange.targetIds.length === 0;

/** A message in short: `ADD 1`, `+a 1`, `-a 1`, `deleted a 1`, `filter 1 = 2`. */
function short({ targetChange, documentChange, documentDelete, filter }: Message): string {
  const id = (name: string) => name.split("/").at(-1);
  if (targetChange) return `${targetChange.targetChangeType} ${targetChange.targetIds.join(" ")}`.trim();
  if (documentChange) {
    const { document, targetIds, removedTargetIds } = documentChange;
    return `${targetIds.length > 0 ? `+${id(document.name)} ${targetIds.join(" ")}` : ""}${removedTargetIds.length > 0 ? `-${id(document.name)} ${removedTargetIds.join(" ")}` : ""}`;
  }
  if (documentDelete) return `deleted ${id(documentDelete.document)} ${documentDelete.removedTargetIds.join(" ")}`;
  return `filter ${filter?.targetId} = ${filter?.count}`;
}

const queryOf = (collectionId: string, more: object = {}) => ({
  query: { parent: `${DATABASE}/documents`, structuredQuery: { from: [{ collectionId }], ...more } },
});

beforeAll(() => {
  const { host, port } = harness.server;
  api = new v1.FirestoreClient({
    servicePath: host,
    port,
    sslCreds: grpc.credentials.createInsecure(),
    projectId: "x",
  });
});
afterEach(() => {
  for (const { stream } of streams.splice(0)) stream.cancel();
});
afterAll(() => api.close());

describe("a target", () => {
  test("is added, told what it has, made current, and closed with a read time", async () => {
    const things = newCollection();
    await things.doc("a").set({});
    const { send, messages, snapshots } = listen();
    send({ addTarget: { targetId: 2, ...queryOf(things.id) } });
    await snapshots(1);
    expect(messages.map(short)).toEqual(["ADD 2", "+a 2", "CURRENT 2", "NO_CHANGE"]);
    expect(messages.at(-1)?.targetChange?.readTime).not.toBeNull();
    await things.doc("a").delete();
    await snapshots(2);
    expect(messages.slice(4).map(short)).toEqual(["deleted a 2", "NO_CHANGE"]);
  });

  test("that is resumed is told only what has changed", async () => {
    const things = newCollection();
    for (const id of ["same", "changed", "deleted", "left"]) await things.doc(id).set({ n: 1 });
    const first = listen();
    const target = {
      targetId: 2,
      ...queryOf(things.id, {
        where: { fieldFilter: { field: { fieldPath: "n" }, op: "LESS_THAN", value: { integerValue: 5 } } },
      }),
    };
    first.send({ addTarget: target });
    await first.snapshots(1);
    first.stream.cancel();
    await things.doc("changed").update({ n: 2 });
    await things.doc("deleted").delete();
    await things.doc("left").update({ n: 5 });
    await things.doc("new").set({ n: 3 });
    const again = listen();
    again.send({ addTarget: { ...target, resumeToken: first.token() } });
    await again.snapshots(1);
    expect(again.messages.map(short).slice(1, -2).sort()).toEqual([
      "+changed 2",
      "+new 2",
      "-left 2",
      "deleted deleted 2",
    ]);
  });

  test("that cannot be resumed is reset and told all of it", async () => {
    const things = newCollection();
    await things.doc("a").set({});
    for (const resumeToken of [Buffer.from("from elsewhere"), Buffer.alloc(16)]) {
      const { send, messages, snapshots } = listen();
      send({ addTarget: { targetId: 1, ...queryOf(things.id), resumeToken } });
      await snapshots(1);
      expect(messages.map(short)).toEqual(["ADD 1", "RESET 1", "+a 1", "CURRENT 1", "NO_CHANGE"]);
    }
  });

  test("of which the client has counted other documents than there were is told how many there are", async () => {
    const things = newCollection();
    await things.doc("a").set({});
    const first = listen();
    first.send({ addTarget: { targetId: 1, ...queryOf(things.id) } });
    await first.snapshots(1);
    const again = listen();
    const resumeToken = first.token();
    again.send({ addTarget: { targetId: 1, ...queryOf(things.id), resumeToken, expectedCount: { value: 3 } } });
    await again.snapshots(1);
    expect(again.messages.map(short)).toEqual(["ADD 1", "filter 1 = 1", "CURRENT 1", "NO_CHANGE"]);
    const right = listen();
    right.send({ addTarget: { targetId: 1, ...queryOf(things.id), resumeToken, expectedCount: { value: 1 } } });
    await right.snapshots(1);
    expect(right.messages.map(short)).toEqual(["ADD 1", "CURRENT 1", "NO_CHANGE"]);
  });

  test("that is wanted once is removed when it is current", async () => {
    const things = newCollection();
    const { send, messages } = listen();
    send({ addTarget: { targetId: 1, once: true, ...queryOf(things.id) } });
    await vi.waitFor(() => expect(messages.map(short)).toEqual(["ADD 1", "CURRENT 1", "NO_CHANGE", "REMOVE 1"]));
  });

  test("that is removed is heard of no more", async () => {
    const things = newCollection();
    const { send, messages, snapshots } = listen();
    send({ addTarget: { targetId: 1, ...queryOf(things.id) } });
    await snapshots(1);
    send({ removeTarget: 1 });
    await vi.waitFor(() => expect(messages.map(short).at(-1)).toBe("REMOVE 1"));
    await things.doc("a").set({});
    await sleep(100);
    expect(messages.map(short).at(-1)).toBe("REMOVE 1");
    send({ addTarget: { targetId: 1, ...queryOf(things.id) } });
    await snapshots(2);
    expect(messages.map(short).slice(-4)).toEqual(["ADD 1", "+a 1", "CURRENT 1", "NO_CHANGE"]);
  });

  test("that cannot be is removed with the cause, and the stream goes on", async () => {
    const things = newCollection();
    const { send, messages, snapshots, errors } = listen();
    const wrong: [object, number][] = [
      [{}, 3],
      [{ query: { parent: `${DATABASE}/documents` } }, 3],
      [queryOf("a/b"), 3],
      [{ documents: { documents: ["projects/p/databases/other/documents/a/b"] } }, 3],
      [queryOf(things.id, { findNearest: { limit: { value: 1 } } }), 12],
    ];
    for (const [i, [target]] of wrong.entries()) send({ addTarget: { targetId: i + 1, ...target } });
    send({ addTarget: { targetId: 9, ...queryOf(things.id) } });
    await snapshots(1);
    const causes = messages.flatMap(({ targetChange }) => (targetChange?.cause ? [targetChange.cause.code] : []));
    expect(causes).toEqual(wrong.map(([, code]) => code));
    expect(errors).toEqual([]);
  });

  test("of several documents tells of each, of those that are not there too", async () => {
    const things = newCollection();
    await things.doc("a").set({});
    const { send, messages, snapshots } = listen();
    const documents = ["a", "b"].map((id) => `${DATABASE}/documents/${things.id}/${id}`);
    send({ addTarget: { targetId: 1, documents: { documents } } });
    await snapshots(1);
    expect(messages.map(short)).toEqual(["ADD 1", "+a 1", "deleted b 1", "CURRENT 1", "NO_CHANGE"]);
  });
});

describe("targets of one stream", () => {
  test("that share a document hear of it in one message", async () => {
    const things = newCollection();
    const { send, messages, snapshots } = listen();
    send({ addTarget: { targetId: 1, ...queryOf(things.id) } });
    send({ addTarget: { targetId: 2, ...queryOf(things.id, { limit: { value: 1 } }) } });
    await vi.waitFor(() => expect(messages.map(short).join()).toContain("2"));
    await snapshots(1);
    const before = messages.length;
    await things.doc("b").set({});
    await vi.waitFor(() => expect(messages.slice(before).map(short)).toEqual(["+b 1 2", "NO_CHANGE"]));
    await things.doc("a").set({});
    await vi.waitFor(() => expect(messages.slice(before + 2).map(short)).toEqual(["+a 1 2", "-b 2", "NO_CHANGE"]));
  });

  test("need ids of their own, and are of one database", async () => {
    const { send, messages, errors } = listen();
    send({ addTarget: { targetId: 1, ...queryOf("x") } });
    send({ addTarget: { targetId: 1, ...queryOf("y") } });
    await vi.waitFor(() => expect(messages.map(short)).toContain("REMOVE 1"));
    send({ database: `${DATABASE.replace("(default)", "other")}`, addTarget: { targetId: 2, ...queryOf("x") } });
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: 3 }]));
  });
});

describe("a listener that does not read", () => {
  test("slows nobody, and is sent the last state and not all that led to it", { timeout: 60_000 }, async () => {
    const things = newCollection();
    const slow = listen();
    const quick = listen();
    for (const { send, snapshots } of [slow, quick]) {
      send({ addTarget: { targetId: 1, ...queryOf(things.id) } });
      await snapshots(1);
    }
    slow.stream.pause();
    const text = "x".repeat(100_000);
    const writes = 400;
    for (let n = 1; n <= writes; n++) await things.doc("a").set({ n, text });
    const n = ({ documentChange }: Message) =>
      (documentChange?.document as { fields?: { n?: { integerValue: string } } } | undefined)?.fields?.n?.integerValue;
    await vi.waitFor(() => expect(quick.messages.flatMap((message) => n(message) ?? []).at(-1)).toBe(String(writes)));
    slow.stream.resume();
    await vi.waitFor(() => expect(slow.messages.flatMap((message) => n(message) ?? []).at(-1)).toBe(String(writes)), {
      timeout: 10_000,
    });
    const heard = slow.messages.flatMap((message) => n(message) ?? []);
    expect(heard.length).toBeLessThan(writes);
    expect(heard.map(Number)).toEqual([...heard.map(Number)].sort((a, b) => a - b));
  });
});

test("listening is billed a read for each document that is sent, and one at least", async () => {
  const things = newCollection();
  const { usage } = harness.server.firestore;
  const bill = async (act: () => Promise<unknown>, count: number, { snapshots }: Listening) => {
    const mark = usage.mark();
    await act();
    await snapshots(count);
    return usage.since(mark)?.reads;
  };
  const listening = listen();
  const add = async () => listening.send({ addTarget: { targetId: 1, ...queryOf(things.id) } });
  expect(await bill(add, 1, listening)).toBe(1);
  expect(await bill(() => things.doc("a").set({}), 2, listening)).toBe(1);
  expect(await bill(() => things.doc("a").set({ n: 1 }), 3, listening)).toBe(1);
  expect(await bill(() => things.doc("a").delete(), 4, listening)).toBe(0);
});

test("a stream whose token runs out ends as unauthenticated, so that the client comes back with a new one", async () => {
  const token = (seconds: number) =>
    `Bearer ${unsignedToken({ sub: "ada", exp: Math.floor(Date.now() / 1_000) + seconds })}`;
  const [short, old] = [listen({ authorization: token(2) }), listen({ authorization: token(-3_600) })];
  for (const { send, snapshots } of [short, old]) {
    send({ addTarget: { targetId: 1, ...queryOf("anything") } });
    await snapshots(1);
  }
  await vi.waitFor(() => expect(short.errors).toMatchObject([{ code: 16 }]), { timeout: 5_000 });
  expect(old.errors).toEqual([]);
});

test("an app is not told what has become of a document that leaves its query, a server is", async () => {
  const [, project] = DATABASE.split("/") as [string, string];
  const rules = `rules_version = '2';
    service cloud.firestore { match /databases/{database}/documents {
      match /posts/{id} { allow list: if resource.data.author == request.auth.uid; }
    } }`;
  harness.server.firestore.rules.put(project, rules);
  const post = harness.client.doc("posts/one");
  await post.set({ author: "ada" });
  const [app, server] = [listen({ authorization: `Bearer ${unsignedToken({ sub: "ada" })}` }), listen()];
  const field = { fieldPath: "author" };
  const where = { fieldFilter: { field, op: "EQUAL", value: { stringValue: "ada" } } };
  for (const { send, snapshots } of [app, server]) {
    send({ addTarget: { targetId: 1, ...queryOf("posts", { where }) } });
    await snapshots(1);
  }
  await post.set({ author: "bo", text: "of bo" });
  await Promise.all([app.snapshots(2), server.snapshots(2)]);
  const told = ({ messages }: Listening) => JSON.stringify(messages);
  expect(told(server)).toContain("of bo");
  expect(told(app)).not.toContain("of bo");
  expect(told(app)).toContain('"documentRemove"');
});

describe("bad input", () => {
  test("to a stream ends it with INVALID_ARGUMENT, whatever the bytes, and no other", { timeout: 60_000 }, async () => {
    const bystander = listen();
    bystander.send({ addTarget: { targetId: 1, ...queryOf("bystander") } });
    await bystander.snapshots(1);
    const client = new Client(`127.0.0.1:${harness.server.port}`, credentials.createInsecure());
    const same = (bytes: Buffer) => bytes;
    const metadata = new Metadata();
    metadata.set("authorization", "Bearer owner");
    const ends = (method: string, requests: readonly Uint8Array[]) =>
      new Promise<number>((resolve) => {
        const path = `/google.firestore.v1.Firestore/${method}`;
        const stream = client.makeBidiStreamRequest<Buffer, Buffer>(path, same, same, metadata);
        stream.on("data", () => undefined);
        stream.on("error", () => undefined);
        stream.once("status", ({ code }) => resolve(code));
        for (const request of requests) stream.write(Buffer.from(request));
        stream.end();
      });
    const requests = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("Listen", "Write"), requests, async (method, bytes) => {
        expect([0, 3]).toContain(await ends(method, bytes));
      }),
      { numRuns: 300 },
    );
    client.close();
    expect(harness.reports).toEqual([]);
    await harness.client.doc("bystander/a").set({});
    await bystander.snapshots(2);
    expect(bystander.errors).toEqual([]);
  });
});
