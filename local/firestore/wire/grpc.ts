import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  type ServerDuplexStream,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type Caller, callerOf } from "../access/caller.ts";
import type { Firestore } from "../firestore.ts";
import type { Outgoing } from "../listen/stream.ts";
import { LIMITS } from "../model/limits.ts";
import { isDuplex, isServed, serveDuplex, serveStreaming, serveUnary } from "../rpc/handlers.ts";
import { type Method, methods } from "./protocol.ts";
import { invalidArgument, StatusError, toStatus } from "./status.ts";

/** A little over what a request may hold, so that the refusal is ours and says why. */
const MAX_FRAME_BYTES = 4 * LIMITS.requestBytes;
/** Requests of one stream that wait for the one before. */
const MAX_WAITING_REQUESTS = 100;

export interface GrpcOptions {
  /** Hears of errors that are the server's own. */
  readonly onError: (error: unknown, method: string) => void;
  /** A listener that reads nothing for so many milliseconds is let go. */
  readonly stalledMillis: number;
  /** Resets the connection of a peer, `address:port`. */
  readonly disconnect: (peer: string) => void;
}

/** The gRPC face of the server; connections are injected into it by the port that shares them with HTTP/1. */
export function createGrpcServer(firestore: Firestore, options: GrpcOptions): Server {
  const server = new Server({
    "grpc.max_receive_message_length": MAX_FRAME_BYTES,
    "grpc.max_send_message_length": -1,
  });
  const encoded = new WeakMap<object, Buffer>();
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const method of methods.values()) {
    if (!isServed(method.name) && !isDuplex(method.name)) continue;
    definition[method.name] = {
      path: method.path,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      requestSerialize: (request: Buffer) => request,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (response: object) => encodeOnce(response, method),
      responseDeserialize: (bytes: Buffer) => bytes,
    };
    implementation[method.name] = handlerOf(method);
  }
  server.addService(definition, implementation);
  return server;

  function encodeOnce(response: object, method: Method): Buffer {
    const known = encoded.get(response);
    if (known) return known;
    const bytes = method.response.encode(response).finish() as Buffer;
    // What is said to one listener is often said to all.
    if (isDuplex(method.name)) encoded.set(response, bytes);
    return bytes;
  }

  function handlerOf(method: Method): UntypedServiceImplementation[string] {
    if (isDuplex(method.name)) return duplex(method);
    return method.responseStream ? streaming(method) : unary(method);
  }

  function duplex(method: Method): handleBidiStreamingCall<Buffer, object> {
    return async (call) => {
      try {
        const out = outgoing(call, options.stalledMillis);
        const caller = callerIn(call.metadata);
        await serveDuplex(firestore, method.name, requestsOf(call, method), { out, caller });
        call.end();
      } catch (error) {
        call.emit("error", report(error, method));
        // Not even the end of the call gets past what is not read.
        if (error instanceof Stalled) options.disconnect(call.getPeer());
      }
    };
  }

  function unary(method: Method): handleUnaryCall<Buffer, object> {
    return (call, callback) => {
      answer(call.request, call.metadata, method).then(
        (response) => callback(null, response),
        (error) => callback(report(error, method)),
      );
    };
  }

  async function answer(bytes: Buffer, metadata: Metadata, method: Method): Promise<object> {
    const caller = callerIn(metadata);
    return await serveUnary(firestore, method.name, read(bytes, method), caller);
  }

  function streaming(method: Method): handleServerStreamingCall<Buffer, object> {
    return async (call) => {
      try {
        const caller = callerIn(call.metadata);
        const request = read(call.request, method);
        for await (const response of serveStreaming(firestore, method.name, request, caller)) {
          if (call.cancelled) return;
          if (!call.write(response)) await drained(call);
        }
        call.end();
      } catch (error) {
        call.emit("error", report(error, method));
      }
    };
  }

  function report(error: unknown, method: Method): { code: number; details: string } {
    const status = toStatus(error);
    if (status.status === "INTERNAL") options.onError(error, method.name);
    return { code: status.code, details: status.message };
  }
}

/** Waits until a stream takes more, or nobody listens to it any more; for so many milliseconds at most, and says whether it was in time. */
async function drained(
  call: ServerWritableStream<Buffer, object> | ServerDuplexStream<Buffer, object>,
  millis?: number,
): Promise<boolean> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const ends = [once(call, "drain", { signal }), once(call, "cancelled", { signal })].map((end) =>
      end.then(() => true),
    );
    if (millis !== undefined) ends.push(sleep(millis, false, { signal, ref: false }));
    return await Promise.race(ends);
  } finally {
    settled.abort();
  }
}

/** What goes out to a listener, who may be slow but has to take something in every so many milliseconds. */
function outgoing(call: ServerDuplexStream<Buffer, object>, stalledMillis: number): Outgoing<object> {
  let taken = 0;
  const onTaken = () => {
    taken++;
  };
  return {
    send: (message) => call.cancelled || call.write(message, onTaken),
    drained: async () => {
      for (let before: number | undefined; before !== taken; ) {
        before = taken;
        if (await drained(call, stalledMillis)) return;
      }
      throw new Stalled("UNAVAILABLE", "The client does not read what it is sent.");
    },
  };
}

class Stalled extends StatusError {}

/** The requests of a client, one by one; it is not read from while one is worked on. Ends when the client does, or is gone. */
async function* requestsOf(call: ServerDuplexStream<Buffer, object>, method: Method): AsyncGenerator<object> {
  const waiting: Buffer[] = [];
  let isOver = false;
  let wake = () => {};
  const over = () => {
    isOver = true;
    wake();
  };
  call.on("data", (bytes: Buffer) => {
    waiting.push(bytes);
    if (waiting.length >= MAX_WAITING_REQUESTS) call.pause();
    wake();
  });
  call.once("end", over);
  call.once("cancelled", over);
  call.once("close", over);
  while (true) {
    const bytes = waiting.shift();
    if (bytes) {
      if (waiting.length === 0) call.resume();
      yield read(bytes, method);
    } else if (isOver) {
      return;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

function callerIn(metadata: Metadata): Caller {
  return callerOf(metadata.get("authorization")[0]?.toString());
}

function read(bytes: Buffer, method: Method): object {
  if (bytes.length > LIMITS.requestBytes) {
    throw invalidArgument(`Request payload size exceeds the limit: ${LIMITS.requestBytes} bytes.`);
  }
  return decode(method, bytes);
}

function decode(method: Method, bytes: Buffer): object {
  try {
    return method.request.decode(bytes);
  } catch (error) {
    throw isStatus(error)
      ? error
      : invalidArgument(`The ${method.name} request cannot be decoded: ${(error as Error).message}.`);
  }
}

function isStatus(error: unknown): error is StatusError {
  return toStatus(error) === error;
}
