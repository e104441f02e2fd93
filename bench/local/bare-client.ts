import { createRequire } from "node:module";
import { methods } from "../../local/firestore/wire/protocol.ts";

// Not the older one that the SDK of apps brings.
const fromLocal = createRequire(new URL("../../local/package.json", import.meta.url));
const { Client, credentials, Metadata } = fromLocal("@grpc/grpc-js") as typeof import("@grpc/grpc-js");

/** A request of one of Firestore's methods, as bytes. */
export interface BareRequest {
  readonly path: string;
  readonly bytes: Buffer;
}

/** Makes a call, and answers with how many messages came. */
export type BareClient = (request: BareRequest) => Promise<number>;

/** A gRPC client that leaves bytes as they are. */
export function connectBare(port: number): BareClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("authorization", "Bearer owner");
  const asIs = (bytes: Buffer) => bytes;
  return ({ path, bytes }) =>
    new Promise((resolve, reject) => {
      let messages = 0;
      const call = client.makeServerStreamRequest(path, asIs, asIs, bytes, metadata);
      call.on("data", () => messages++);
      call.once("end", () => resolve(messages));
      call.once("error", reject);
    });
}

/** @param message in the server's own form of values, as in wire/messages.ts */
export function requestOf(name: string, message: object): BareRequest {
  const method = methods.get(name);
  if (!method) throw new Error(`Firestore has no method ${name}`);
  return { path: method.path, bytes: Buffer.from(method.request.encode(message).finish()) };
}
