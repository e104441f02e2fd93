import { createRequire } from "node:module";
import type { ServiceDefinition } from "@grpc/grpc-js";

/**
 * A gRPC server that does nothing: `empty.ts PORT SOURCE` answers each method with the bytes that the server on port SOURCE gave when it was
 * first called. What a client gets done with it is what Node, gRPC and that client leave room for.
 */
const METHODS = ["BatchGetDocuments", "Commit", "RunQuery"];

interface Call {
  readonly request: Buffer;
  write(answer: Buffer): void;
  end(): void;
}

// Not the older one that the SDK of apps brings.
const fromLocal = createRequire(new URL("../../local/package.json", import.meta.url));
const { Client, credentials, Server, ServerCredentials } = fromLocal("@grpc/grpc-js") as typeof import("@grpc/grpc-js");

const [port, source] = process.argv.slice(2);
const client = new Client(`127.0.0.1:${source}`, credentials.createInsecure());
const server = new Server();
for (const method of METHODS) server.addService(...serviceOf(`/google.firestore.v1.Firestore/${method}`));
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});

function serviceOf(path: string): [ServiceDefinition, Record<string, (call: Call) => Promise<void>>] {
  let answers: Promise<readonly Buffer[]> | undefined;
  const asIs = (bytes: Buffer) => bytes;
  const method = {
    path,
    requestStream: false,
    // A single answer and a stream of one are the same on the wire.
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  const answer = async (call: Call) => {
    answers ??= ask(path, call.request);
    for (const message of await answers) call.write(message);
    call.end();
  };
  return [{ answer: method }, { answer }];
}

function ask(path: string, request: Buffer): Promise<readonly Buffer[]> {
  const asIs = (bytes: Buffer) => bytes;
  const call = client.makeServerStreamRequest(path, asIs, asIs, request);
  return new Promise((resolve, reject) => {
    const messages: Buffer[] = [];
    call.on("data", (message: Buffer) => messages.push(message));
    call.once("end", () => resolve(messages));
    call.once("error", reject);
  });
}
