import type { IncomingMessage, ServerResponse } from "node:http";
import type { Keeping } from "../durability/data.ts";
import { isControl, serveControl } from "./control/control.ts";
import { Triggers } from "./control/triggers.ts";
import { TimeToLive } from "./control/ttl.ts";
import { keep, whenSettled } from "./durability/kept.ts";
import { importExport } from "./export/import.ts";
import { Firestore, type FirestoreOptions } from "./firestore.ts";
import type { IndexesFile } from "./indexes/file.ts";
import { WebChannels } from "./webchannel/webchannel.ts";
import { createGrpcServer } from "./wire/grpc.ts";
import { allowOrigins, answerPreflight } from "./wire/origins.ts";
import { listen } from "./wire/port.ts";
import { serveRest } from "./wire/rest.ts";

const STALLED_MILLIS = 60_000;

export interface ServerOptions extends FirestoreOptions {
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** `host:port` of the functions emulator, to which document events go. */
  readonly functionsHost?: string | undefined;
  /** A listener that reads nothing for so many milliseconds is let go; a minute unless said otherwise. */
  readonly stalledMillis?: number;
  /** Security rules, by project id, or by a database's name (`projects/p/databases/d`) for one with rules of its own. */
  readonly rules?: Readonly<Record<string, string>>;
  /**
   * Each database's firestore.indexes.json, by its name, or by project id for a default one: queries that need another index are refused,
   * and its TTL policies kept.
   */
  readonly indexes?: Readonly<Record<string, IndexesFile>>;
  /** An export to begin with: its `.overall_export_metadata`, and the project that takes it in. Functions do not hear of its documents. */
  readonly seed?: { readonly project: string; readonly file: string };
  /** Where the data is kept; without that it is in memory only. */
  readonly data?: Keeping | undefined;
  /** Told of what an operator should know. */
  readonly report?: (message: string) => void;
}

export interface FirestoreServer {
  readonly host: string;
  readonly port: number;
  readonly firestore: Firestore;
  close(): Promise<void>;
}

/** Starts a Firestore server: gRPC, REST, WebChannel and the emulator's control surface on one port. */
export async function startFirestore(options: ServerOptions = {}): Promise<FirestoreServer> {
  const { host = "127.0.0.1", port = 0, report = console.error } = options;
  const firestore = new Firestore(options);
  const timeToLive = new TimeToLive(firestore, report);
  const triggers = new Triggers(options.functionsHost, report);
  for (const [scope, source] of Object.entries(options.rules ?? {})) firestore.rules.put(scope, source);
  for (const [scope, file] of Object.entries(options.indexes ?? {})) {
    timeToLive.put(scope, file);
    firestore.indexes.put(scope, file);
  }
  if (options.data) await keep(firestore, options.data, report);
  if (options.seed) importExport(firestore, options.seed.project, options.seed.file);
  await firestore.data?.settled();
  firestore.subscribe((commit) => whenSettled(firestore.data, () => triggers.onCommit(commit)));

  const onError = (error: unknown, method: string) =>
    report(`${method}: ${error instanceof Error ? error.stack : error}`);
  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? "/").split("?", 1)[0] as string;
    try {
      allowOrigins(response, request.headers);
      if (request.method === "OPTIONS") answerPreflight(response, request.headers);
      else if (webChannels.serves(path)) await webChannels.serve(request, response);
      else if (isControl(path)) await serveControl({ firestore, triggers, timeToLive }, request, response);
      else await serveRest(firestore, request, response, onError);
    } catch (error) {
      onError(error, path);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  };
  const streaming = { onError, stalledMillis: options.stalledMillis ?? STALLED_MILLIS };
  const webChannels = new WebChannels(firestore, streaming);
  const grpc = createGrpcServer(firestore, streaming);
  const listening = await listen({ host, port, grpc, http: onRequest }).catch(async (error: unknown) => {
    await firestore.data?.close();
    throw error;
  });
  return {
    host,
    port: listening.port,
    firestore,
    close: async () => {
      triggers.close();
      timeToLive.close();
      webChannels.close();
      firestore.close();
      await listening.close();
      await firestore.data?.close();
    },
  };
}
