import type { ServerResponse } from "node:http";
import { type Form, toText } from "../model/json.ts";
import { checkPath, formatPath, type Path } from "../model/path.ts";
import type { Query } from "../query/query.ts";
import { whenExpired } from "../security.ts";
import type { Commit } from "../store/commit.ts";
import type { Subscriber } from "../store/subscribers.ts";
import type { Update, View } from "../store/view.ts";
import { parseRestQuery } from "./query.ts";
import type { Asked } from "./rest.ts";

const KEEP_ALIVE_MILLIS = 30_000;
/** Bytes that may wait for a client that does not read them, beside the first state of what it follows. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/**
 * Follows a place as an event stream: `put`, `patch`, `keep-alive`, `cancel` when reading is no longer allowed, and
 * `auth_revoked` when the token has run out.
 * Source: https://firebase.google.com/docs/reference/rest/database#section-streaming
 */
export function stream(asked: Asked, response: ServerResponse): void {
  const query = parseRestQuery(asked.parameters);
  const path = checkPath(asked.path);
  asked.database.checkRead(path, query, asked.caller);
  asked.database.checkIndex(path, query);
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  new Stream(asked, path, query, response).start();
}

class Stream implements Subscriber {
  readonly path: Path;
  readonly #asked: Asked;
  readonly #query: Query | undefined;
  readonly #response: ServerResponse;
  readonly #view: View;
  readonly #form: Form;
  #allowed = MAX_WAITING_BYTES;
  #stopped = false;

  constructor(asked: Asked, path: Path, query: Query | undefined, response: ServerResponse) {
    this.#asked = asked;
    this.path = path;
    this.#query = query;
    this.#response = response;
    this.#view = asked.database.views.take(asked.database.root, path, query);
    this.#form = asked.parameters.get("format") === "export" ? "export" : "value";
  }

  start(): void {
    const { database } = this.#asked;
    database.usage.connected();
    database.subscribers.add(this);
    const keepAlive = setInterval(() => this.#send("keep-alive", "null"), KEEP_ALIVE_MILLIS);
    const forgetExpiry = whenExpired(this.#asked.caller, () => this.#end("auth_revoked", '"Auth token is expired."'));
    this.#response.once("close", () => {
      clearInterval(keepAlive);
      forgetExpiry();
      this.#stopped = true;
      database.subscribers.remove(this);
      database.views.release(this.#view);
      database.usage.disconnected();
    });
    this.#update({ kind: "put", path: [], node: this.#view.node });
    this.#allowed += this.#response.writableLength;
  }

  onCommit(commit: Commit): void {
    const update = this.#view.update(commit);
    if (!update || this.#stopped) return;
    if (this.#asked.database.security.readsData) this.recheck();
    if (!this.#stopped) this.#update(update);
  }

  recheck(): void {
    const { database, caller } = this.#asked;
    if (this.#stopped || database.mayRead(this.path, this.#query, caller)) return;
    this.#end("cancel", "null");
  }

  #end(event: string, text: string): void {
    this.#send(event, text);
    this.#stopped = true;
    this.#asked.database.keeper.whenSettled(() => this.#response.end());
  }

  #update(update: Update): void {
    if (update.kind === "put") {
      this.#send("put", eventText(formatPath(update.path), toText(update.node, this.#form)));
      return;
    }
    const entries = update.entries.map(
      ([path, node]) => `${JSON.stringify(path.join("/"))}:${toText(node, this.#form)}`,
    );
    this.#send("patch", eventText("/", `{${entries.join(",")}}`));
  }

  #send(event: string, text: string): void {
    if (this.#response.writableLength > this.#allowed) {
      this.#stopped = true;
      this.#response.destroy();
      return;
    }
    const bytes = Buffer.from(`event: ${event}\ndata: ${text}\n\n`);
    this.#asked.database.usage.sent(bytes.length);
    this.#asked.database.keeper.whenSettled(
      () => this.#response.write(bytes),
      () => this.#response.destroy(),
    );
  }
}

function eventText(path: string, data: string): string {
  return `{"path":${JSON.stringify(path)},"data":${data}}`;
}
