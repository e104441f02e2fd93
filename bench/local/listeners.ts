import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { ListenResponse } from "../../local/firestore/wire/messages.ts";
import { type Method, methods } from "../../local/firestore/wire/protocol.ts";
import { table } from "../../scripts/table.ts";
import { listenOfficially, now, STREAMS_OF_A_CONNECTION } from "./crowd.ts";
import { connect, PROJECT, percentile, rounded, startProgram } from "./program.ts";

/**
 * How long after a commit was asked for it has been seen by those who listen, a hundred to a connection:
 * - by the official client, all of them in the process that also writes. That one process works off a snapshot for each of them, one after
 *   the other, which is most of the time that a thousand take;
 * - by the official client in processes of their own, as listeners mostly are in reality, on the same machine;
 * - by bare gRPC streams in the process that writes, which shows what of it is the server's.
 */
const COMMITS = 50;
const PROCESSES = 2;
const DATABASE = `projects/${PROJECT}/databases/(default)`;

/** Starts listeners to a document, who tell when they have heard; returns the way to end them. */
type Listen = (path: string, crowd: number, heard: (at: number) => void) => Promise<() => Promise<unknown>>;

const server = await startProgram("firestore/main.ts");
const rows: (string | number)[][] = [];
for (const crowd of [1, 100, 1_000]) rows.push(await measure("official client, writer's process", officially, crowd));
rows.push(await measure(`official client, ${PROCESSES} processes of their own`, apart, 1_000));
rows.push(await measure("bare streams, writer's process", barely, 1_000));
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
  const end = await listen(path, crowd, (at) => {
    delays.push(at - began);
    if (--waiting === 0) all();
  });
  await present;
  for (let n = 0; n <= COMMITS; n++) {
    // The first commit warms the client up.
    if (n === 1) delays = [];
    const seen = everybody();
    began = now();
    await Promise.all([writer.doc(path).set({ n }), seen]);
  }
  await end();
  await writer.terminate();
  return [crowd, name, ...[0.5, 0.95, 1].map((share) => rounded(percentile(delays, share)))];
}

async function officially(path: string, crowd: number, heard: (at: number) => void): Promise<() => Promise<void>> {
  return listenOfficially(server.port, path, crowd, () => heard(now()));
}

async function apart(path: string, crowd: number, heard: (at: number) => void): Promise<() => Promise<unknown>> {
  const program = fileURLToPath(new URL("listener.ts", import.meta.url));
  const children = Array.from({ length: PROCESSES }, () =>
    fork(program, [String(server.port), path, String(crowd / PROCESSES)]).on("message", (times: number[]) => {
      for (const at of times) heard(at);
    }),
  );
  for (const child of children) child.once("exit", (code) => code && process.exit(1));
  return async () => {
    const ends = children.map((child) => once(child, "exit"));
    for (const child of children) child.disconnect();
    await Promise.all(ends);
  };
}

async function barely(path: string, crowd: number, heard: (at: number) => void): Promise<() => Promise<unknown>> {
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
      if (isClosing(bytes)) heard(now());
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
