import { once } from "node:events";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Firestore } from "../firestore.ts";
import { LIMITS } from "../model/limits.ts";
import { isServed, serveStreaming, serveUnary } from "../rpc/handlers.ts";
import { authorize } from "./authorize.ts";
import { type Method, methods } from "./protocol.ts";
import { invalidArgument, type StatusError, toStatus } from "./status.ts";

/** A little over what a request may hold, so that the refusal is ours and says why. */
const MAX_FRAME_BYTES = 4 * LIMITS.requestBytes;

/** The gRPC face of the server; connections are injected into it by the port that shares them with HTTP/1. */
export function createGrpcServer(firestore: Firestore, onError: (error: unknown, method: string) => void): Server {
  const server = new Server({
    "grpc.max_receive_message_length": MAX_FRAME_BYTES,
    "grpc.max_send_message_length": -1,
  });
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const method of methods.values()) {
    if (!isServed(method.name)) continue;
    definition[method.name] = {
      path: method.path,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      requestSerialize: (request: Buffer) => request,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (response: object) => method.response.encode(response).finish() as Buffer,
      responseDeserialize: (bytes: Buffer) => bytes,
    };
    implementation[method.name] = method.responseStream ? streaming(method) : unary(method);
  }
  server.addService(definition, implementation);
  return server;

  function unary(method: Method): handleUnaryCall<Buffer, object> {
    return (call, callback) => {
      answer(call.request, call.metadata, method).then(
        (response) => callback(null, response),
        (error) => callback(report(error, method)),
      );
    };
  }

  async function answer(bytes: Buffer, metadata: Metadata, method: Method): Promise<object> {
    return await serveUnary(firestore, method.name, accept(bytes, metadata, method));
  }

  function streaming(method: Method): handleServerStreamingCall<Buffer, object> {
    return async (call) => {
      try {
        for await (const response of serveStreaming(
          firestore,
          method.name,
          accept(call.request, call.metadata, method),
        )) {
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
    if (status.status === "INTERNAL") onError(error, method.name);
    return { code: status.code, details: status.message };
  }
}

/** Waits until a stream takes more, or nobody listens to it any more. */
async function drained(call: ServerWritableStream<Buffer, object>): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(call, "drain", { signal }), once(call, "cancelled", { signal })]);
  } finally {
    settled.abort();
  }
}

/** Checks who is asking and what, and decodes the request. */
function accept(bytes: Buffer, metadata: Metadata, method: Method): object {
  authorize(metadata.get("authorization")[0]?.toString());
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
