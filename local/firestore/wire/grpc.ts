import { constants, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { type Caller, callerOf } from "../access/caller.ts";
import type { Firestore } from "../firestore.ts";
import type { Outgoing } from "../listen/stream.ts";
import { LIMITS } from "../model/limits.ts";
import { isDuplex, isServed, serveDuplex, serveStreaming, serveUnary } from "../rpc/handlers.ts";
import { GrpcCall } from "./call.ts";
import { framed } from "./frame.ts";
import { type Method, methods } from "./protocol.ts";
import { invalidArgument, StatusError, toStatus } from "./status.ts";
import { Turns } from "./turns.ts";

/** The gRPC face of the server. */
export interface GrpcServer {
  /** Serves a connection, which the port shares with HTTP/1. */
  accept(socket: Socket): void;
}

export interface GrpcOptions {
  /** Told of what should not have happened; the caller is not. */
  readonly onError: (error: unknown, method: string) => void;
  /** A listener that reads nothing for so many milliseconds is let go. */
  readonly stalledMillis: number;
}

const CONTENT_TYPE = "application/grpc";

export function createGrpcServer(firestore: Firestore, { onError, stalledMillis }: GrpcOptions): GrpcServer {
  const frames = new WeakMap<object, Buffer>();
  const turns = new Turns();
  const byPath = new Map(
    [...methods.values()]
      .filter(({ name }) => isServed(name) || isDuplex(name))
      .map((method) => [method.path, { method, serve: serverOf(method) }]),
  );
  // What is held for slow clients is bounded by stream; a bound for the connection would end all of its streams.
  const server = createServer({ maxSessionMemory: Number.MAX_SAFE_INTEGER, maxSendHeaderBlockLength: 2 ** 31 - 1 });
  server.on("stream", (stream, headers) => void serve(stream, headers));
  return { accept: (socket) => void server.emit("connection", socket) };

  async function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const call = new GrpcCall(stream, headers);
    if (!headers["content-type"]?.startsWith(CONTENT_TYPE)) {
      stream.respond({ ":status": constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE }, { endStream: true });
      return;
    }
    const path = headers[":path"] ?? "";
    const served = byPath.get(path);
    if (!served) {
      call.fail(new StatusError("UNIMPLEMENTED", `The server does not implement the method ${path}`));
      return;
    }
    try {
      await served.serve(call, callerOf(headers.authorization));
    } catch (error) {
      const status = toStatus(error);
      if (status.status === "INTERNAL") onError(error, served.method.name);
      call.fail(status);
    }
  }

  function serverOf(method: Method): (call: GrpcCall, caller: Caller) => Promise<void> {
    if (isDuplex(method.name)) return (call, caller) => duplex(method, call, caller);
    return method.responseStream
      ? (call, caller) => streaming(method, call, caller)
      : (call, caller) => unary(method, call, caller);
  }

  async function unary(method: Method, call: GrpcCall, caller: Caller): Promise<void> {
    const request = read(await call.request(), method);
    const response = await serveUnary(firestore, method.name, request, caller);
    call.finish(method.response.encode(response).finish());
  }

  async function streaming(method: Method, call: GrpcCall, caller: Caller): Promise<void> {
    const request = read(await call.request(), method);
    for await (const response of serveStreaming(firestore, method.name, request, caller)) {
      if (call.isOver) return;
      const full = call.send([framed(method.response.encode(response).finish())]);
      if (full) await full;
    }
    call.finish();
  }

  async function duplex(method: Method, call: GrpcCall, caller: Caller): Promise<void> {
    const { connection } = call;
    const out: Outgoing<object> = {
      send: (messages) => call.send(framesOf(messages, method), stalledMillis),
      soon: (act) => turns.soon(connection, act),
    };
    await serveDuplex(firestore, method.name, requestsOf(call, method), { out, caller });
    call.finish();
  }

  /** Made as they are sent, so that no more of them are held than the stream takes. */
  function* framesOf(messages: readonly object[], method: Method): Generator<Buffer> {
    for (const message of messages) yield frameOnce(message, method);
  }

  /** What is said to one listener is often said to all. */
  function frameOnce(message: object, method: Method): Buffer {
    const known = frames.get(message);
    if (known) return known;
    const frame = framed(method.response.encode(message).finish());
    frames.set(message, frame);
    return frame;
  }
}

async function* requestsOf(call: GrpcCall, method: Method): AsyncGenerator<object> {
  for await (const bytes of call.requests()) yield read(bytes, method);
}

function read(bytes: Buffer, method: Method): object {
  if (bytes.length > LIMITS.requestBytes) {
    throw invalidArgument(`Request payload size exceeds the limit: ${LIMITS.requestBytes} bytes.`);
  }
  try {
    return method.request.decode(bytes);
  } catch (error) {
    throw error instanceof StatusError
      ? error
      : invalidArgument(`The ${method.name} request cannot be decoded: ${(error as Error).message}.`);
  }
}
