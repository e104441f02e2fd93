import { once } from "node:events";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { ListenResponse } from "../../local/firestore/wire/messages.ts";
import { type Method, methods } from "../../local/firestore/wire/protocol.ts";
import { table } from "../../scripts/table.ts";
import { connect, PROJECT, percentile, rounded, startProgram } from "./program.ts";

/**
 * How long after a commit was asked for it has been seen by everybody who listens: by the official client, all of them in this one
 * process, and by bare gRPC streams, which shows what of it is the server's.
 */
const COMMITS = 50;
/** Streams that one HTTP/2 connection of the client carries. */
const STREAMS_OF_A_CONNECTION = 100;
const DATABASE = `projects/${PROJECT}/databases/(default)`;

/** Starts listeners to a document; returns the way to end them. */
type Listen = (path: string, crowd: number, heard: () => void) => Promise<() => Promise<unknown>>;

const server = await startProgram("firestore/main.ts");
const rows: (string | number)[][] = [];
for (const crowd of [1, 100, 1_000]) rows.push(await measure("official client", officially, crowd));
rows.push(await measure("bare streams", barely, 1_000));
console.log(
  table(["listeners to one document", "", "ms until half have seen a commit", "95 % (p95)", "the last, slowest"], rows),
);
server.process.kill("SIGINT");
await once(server.process, "exit");

async function measure(name: string, listen: Listen, crowd: number): Promise<(string | number)[]> {
  const path = `crowds/${name} ${crowd}`;
  const writer = connect(server.port);
  await writer.doc(path).set({ n: -1 });
  let began = 0;
  let waiting = crowd;
  let delays: number[] = [];
  let all = () => {};
  const everybody = () =>
    new Promise<void>((resolve) => {
      waiting = crowd;
      all = resolve;
    });
  const present = everybody();
  const end = await listen(path, crowd, () => {
    delays.push(performance.now() - began);
    if (--waiting === 0) all();
  });
  await present;
  for (let n = 0; n <= COMMITS; n++) {
    // The first commit warms the client up.
    if (n === 1) delays = [];
    const seen = everybody();
    began = performance.now();
    await Promise.all([writer.doc(path).set({ n }), seen]);
  }
  await end();
  await writer.terminate();
  return [crowd, name, ...[0.5, 0.95, 1].map((share) => rounded(percentile(delays, share)))];
}

async function officially(path: string, crowd: number, heard: () => void): Promise<() => Promise<unknown>> {
  const clients = Array.from({ length: Math.ceil(crowd / STREAMS_OF_A_CONNECTION) }, () => connect(server.port));
  const stops = Array.from({ length: crowd }, (_, i) => clients[i % clients.length]?.doc(path).onSnapshot(heard));
  return async () => {
    for (const stop of stops) stop?.();
    await Promise.all(clients.map((client) => client.terminate()));
  };
}

async function barely(path: string, crowd: number, heard: () => void): Promise<() => Promise<unknown>> {
  const method = methods.get("Listen") as Method;
  const metadata = new Metadata();
  metadata.set("authorization", "Bearer owner");
  const documents = { documents: [`${DATABASE}/documents/${path}`] };
  const request = method.request.encode({ database: DATABASE, addTarget: { targetId: 1, documents } }).finish();
  const clients = Array.from(
    { length: Math.ceil(crowd / STREAMS_OF_A_CONNECTION) },
    (_, i) => new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), { "bench.connection": i }),
  );
  for (let i = 0; i < crowd; i++) {
    const client = clients[i % clients.length] as Client;
    const same = (bytes: Buffer) => bytes;
    const stream = client.makeBidiStreamRequest<Buffer, Buffer>(method.path, same, same, metadata);
    stream.on("error", () => undefined);
    stream.on("data", (bytes: Buffer) => {
      if (isClosing(bytes)) heard();
    });
    stream.write(Buffer.from(request));
  }
  return async () => {
    for (const client of clients) client.close();
  };

  /** A target change without target ids: the moment is complete. */
  function isClosing(bytes: Buffer): boolean {
    const { targetChange } = method.response.decode(bytes) as unknown as ListenResponse;
    return targetChange?.targetIds.length === 0;
  }
}
