import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { afterEach, describe, expect, test, vi } from "vitest";
import { unsignedToken } from "../../tokens.ts";
import { DATABASE, useServer } from "../harness.ts";
import { type Method, methods } from "../wire/protocol.ts";

/** Listeners that do not read what they are sent, over bare HTTP/2: the gRPC client cannot be made so rude. */
const STALLED_MILLIS = 500;
const harness = useServer({ stalledMillis: STALLED_MILLIS });
const ADA = unsignedToken({ sub: "ada" });
const sessions: ClientHttp2Session[] = [];

afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});

/** A `Listen` stream to a collection or a document. It reads nothing unless its `data` is listened to. */
function listenTo(target: object, token = "owner"): { session: ClientHttp2Session; stream: ClientHttp2Stream } {
  const session = connect(`http://127.0.0.1:${harness.server.port}`);
  sessions.push(session);
  session.on("error", () => undefined);
  const method = methods.get("Listen") as Method;
  const stream = session.request({
    ":method": "POST",
    ":path": method.path,
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${token}`,
    "google-cloud-resource-prefix": DATABASE,
  });
  stream.on("error", () => undefined);
  const addTarget = { targetId: 1, ...target };
  const message = method.request.encode(method.request.fromObject({ database: DATABASE, addTarget })).finish();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.write(Buffer.concat([prefix, message]));
  return { session, stream };
}

const collectionOf = (collectionId: string) => ({
  query: { parent: `${DATABASE}/documents`, structuredQuery: { from: [{ collectionId }] } },
});

/** More than a connection's window and the buffers of two sockets. */
async function writeMuch(collection: string): Promise<void> {
  const text = "x".repeat(100_000);
  for (let n = 0; n < 300; n++) await harness.client.doc(`${collection}/${n}`).set({ text });
}

describe("a listener that reads nothing", () => {
  test("is let go when its time is over, and nothing is kept for it", { timeout: 30_000 }, async () => {
    const { session, stream } = listenTo(collectionOf("flood"));
    await new Promise((resolve) => stream.once("response", resolve));
    const { views } = harness.server.firestore.open(DATABASE);
    await vi.waitFor(() => expect(views.count).toBe(1));
    await writeMuch("flood");
    await vi.waitFor(() => expect(views.count).toBe(0), { timeout: 10_000 });
    await vi.waitFor(() => expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL), { timeout: 10_000 });
    expect(session.destroyed).toBe(false);
  });

  test("is not one that reads slowly", { timeout: 30_000 }, async () => {
    const { session, stream } = listenTo(collectionOf("trickle"));
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      stream.pause();
      setTimeout(() => stream.resume(), 20);
    });
    await writeMuch("trickle");
    await vi.waitFor(() => expect(bytes).toBeGreaterThan(2_000_000), { timeout: 20_000 });
    expect(session.destroyed).toBe(false);
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  test("is not told, when it reads at last, what it may no longer read", { timeout: 30_000 }, async () => {
    const rules = `rules_version = '2';
      service cloud.firestore { match /databases/{database}/documents {
        match /letters/{id} { allow get: if resource.data.open == true; }
      } }`;
    const [, project] = DATABASE.split("/") as [string, string];
    harness.server.firestore.rules.put(project, rules);
    const letter = harness.client.doc("letters/one");
    await letter.set({ open: true });
    const { stream } = listenTo({ documents: { documents: [`${DATABASE}/documents/letters/one`] } }, ADA);
    await new Promise((resolve) => stream.once("response", resolve));
    const text = "x".repeat(50_000);
    for (let n = 0; n < 12; n++) await letter.set({ open: true, n, text });
    await letter.set({ open: false, text: "a secret" });
    let heard = "";
    stream.on("data", (chunk: Buffer) => {
      heard += chunk.toString("latin1");
    });
    await vi.waitFor(() => expect(heard).toContain("false for 'get'"), { timeout: 5_000 });
    expect(heard).toContain(text);
    expect(heard).not.toContain("secret");
  });
});
