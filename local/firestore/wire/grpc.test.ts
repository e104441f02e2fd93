import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import { connect as connectSocket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE, useServer } from "../harness.ts";
import { FrameReader, framed, messageIn } from "./frame.ts";
import type { ListenResponse } from "./messages.ts";
import { type Method, methods } from "./protocol.ts";

const harness = useServer();
let session: ClientHttp2Session;

beforeAll(() => {
  session = connect(`http://127.0.0.1:${harness.server.port}`);
});
afterAll(async () => {
  await new Promise<void>((resolve) => session.close(resolve));
});

function call(method: string, headers: Record<string, string> = {}): ClientHttp2Stream {
  return session.request({
    ":method": "POST",
    ":path": `/google.firestore.v1.Firestore/${method}`,
    "content-type": "application/grpc",
    authorization: "Bearer owner",
    ...headers,
  });
}

/** The status in the trailers, or in the headers where there is nothing else. Closes the stream then, as clients do. */
async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  const status = new Promise<number>((resolve) => {
    for (const part of ["response", "trailers"] as const) {
      stream.once(part, (headers: IncomingHttpHeaders) => {
        if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
      });
    }
  });
  stream.resume();
  const code = await status;
  stream.close();
  return code;
}

const request = (method: string, message: object) =>
  Buffer.from((methods.get(method) as Method).request.encode(message).finish());

const listenTo = (path: string) =>
  request("Listen", {
    database: DATABASE,
    addTarget: { targetId: 1, documents: { documents: [`${DATABASE}/documents/${path}`] } },
  });

describe("a listener", () => {
  test("is told of a commit in one frame of HTTP/2, document and closing together", async () => {
    const stream = call("Listen");
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.write(framed(listenTo("frames/a")));
    await vi.waitFor(() => expect(chunks.flatMap(contents)).toContain("NO_CHANGE"));
    chunks.length = 0;
    await harness.client.doc("frames/a").set({ n: 1 });
    await vi.waitFor(() => expect(chunks.map(contents)).toEqual([["document", "NO_CHANGE"]]));
    stream.close();
  });

  test("that says no more is let go without an error", async () => {
    const stream = call("Listen");
    stream.write(framed(listenTo("frames/b")));
    await once(stream, "data");
    stream.end();
    expect(await statusOf(stream)).toBe(0);
  });

  /** What the messages of one chunk are. */
  function contents(chunk: Buffer): string[] {
    const { response } = methods.get("Listen") as Method;
    return new FrameReader().take(chunk).map((frame) => {
      const message = response.decode(messageIn(frame, undefined)) as unknown as ListenResponse;
      return message.documentChange ? "document" : message.targetChange?.targetIds.length === 0 ? "NO_CHANGE" : "other";
    });
  }
});

describe("a call", () => {
  const get = () => request("GetDocument", { name: `${DATABASE}/documents/frames/none` });

  test("may be compressed", async () => {
    const stream = call("GetDocument", { "grpc-encoding": "gzip" });
    const frame = framed(gzipSync(get()));
    frame[0] = 1;
    stream.end(frame);
    expect(await statusOf(stream)).toBe(5);
  });

  test("ends when its time is up", async () => {
    const stream = call("Listen", { "grpc-timeout": "50m" });
    stream.write(framed(listenTo("frames/c")));
    expect(await statusOf(stream)).toBe(4);
  });

  test("of one request is refused without one and with two", async () => {
    const none = call("GetDocument");
    none.end();
    expect(await statusOf(none)).toBe(3);
    const two = call("GetDocument");
    two.end(Buffer.concat([framed(get()), framed(get())]));
    expect(await statusOf(two)).toBe(3);
  });

  test("of an unknown method is UNIMPLEMENTED", async () => {
    const stream = call("Guess");
    stream.end(framed(Buffer.alloc(0)));
    expect(await statusOf(stream)).toBe(12);
  });

  test("that is none of gRPC is refused by HTTP", async () => {
    const stream = call("GetDocument", { "content-type": "application/json" });
    stream.end();
    const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
    expect(headers[":status"]).toBe(415);
  });

  test("that the client gives up does no harm to others", async () => {
    for (const method of ["GetDocument", "Listen", "RunQuery"]) {
      const stream = call(method);
      stream.on("error", () => undefined);
      stream.write(framed(get()).subarray(0, 7));
      stream.close(8);
      await once(stream, "close");
    }
    const stream = call("GetDocument");
    stream.end(framed(get()));
    expect(await statusOf(stream)).toBe(5);
    expect(harness.reports).toEqual([]);
  });
});

test("a connection that begins as HTTP/2 and goes on as anything else is closed, and no other", async () => {
  const stream = call("Listen");
  stream.write(framed(listenTo("frames/d")));
  await once(stream, "data");
  for (const rest of ["", "x".repeat(100), "\0\0\x04\0\0\0\0\0\x01oops"]) {
    const socket = connectSocket(harness.server.port, "127.0.0.1");
    socket.on("error", () => undefined).resume();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.end(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${rest}`);
    await closed;
  }
  const told = once(stream, "data");
  await harness.client.doc("frames/d").set({});
  await told;
  stream.close();
  expect(harness.reports).toEqual([]);
});
