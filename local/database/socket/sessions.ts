import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Keeper } from "../durability/kept.ts";
import { RequestError } from "../model/failure.ts";
import { LIMITS } from "../model/limits.ts";
import { namespaceOf, urlOf } from "../rest/request.ts";
import type { Namespace } from "../store/namespace.ts";
import { Connection } from "./connection.ts";
import { HeldTransport } from "./held-transport.ts";
import { LongPoll, sendScript } from "./long-poll.ts";
import type { Transport } from "./transport.ts";
import { WebSocketTransport } from "./web-socket.ts";

const MAX_POLLING = 10_000;
const CALLBACK = /^\w{0,32}$/;

/** Is put into pages that poll: when it goes, so does the client. */
const FAREWELL_PAGE = `<!doctype html>
<title>Realtime Database</title>
<script>
addEventListener("pagehide", () => navigator.sendBeacon(location.href.replace("dframe=t", "disconn=t")));
</script>
`;

interface Served {
  readonly database: (name: string) => Namespace;
  readonly now: () => number;
  readonly report: (message: string) => void;
  readonly keeper: Keeper;
}

/** Takes clients in, over WebSocket and long polls. One that says which session it had before has left that one, noticed or not. */
export class Sessions {
  readonly #served: Served;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: LIMITS.messageBytes,
  });
  readonly #connections = new Map<string, Connection>();
  readonly #polling = new Map<string, LongPoll>();

  constructor(served: Served) {
    this.#served = served;
  }

  /** Serves a request to become a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    let url: URL;
    let namespace: Namespace;
    try {
      url = urlOf(request);
      namespace = this.#served.database(namespaceOf(request, url));
    } catch {
      return void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    }
    if (url.pathname !== "/.ws") return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      const transport = this.#heldBack(new WebSocketTransport(client));
      const session = url.searchParams.get("s");
      if (session === null) this.#connect(transport, namespace, request, url);
      else this.#join(transport, namespace, session, request);
    });
  }

  /** Serves what is asked for at `/.lp`: a new session, a poll, a page that says when it goes, and that it has gone. */
  poll(request: IncomingMessage, response: ServerResponse): void {
    const url = urlOf(request);
    const parameters = url.searchParams;
    if (parameters.get("start") === "t") return this.#startPolling(request, response, url);
    if (parameters.get("dframe") === "t") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      return void response.end(FAREWELL_PAGE);
    }
    const polling = this.#polling.get(parameters.get("id") ?? "");
    // What the first answer has defined in the page is still there, whichever server gave it.
    if (polling?.password !== parameters.get("pw")) return void sendScript(response, "pLPCommand('close');\n");
    if (parameters.get("disconn") !== "t") return polling?.poll(parameters, response);
    polling?.destroy();
    response.writeHead(204).end();
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.close();
    this.#sockets.close();
  }

  #heldBack(transport: Transport): Transport {
    const { keeper } = this.#served;
    return keeper.isKeeping ? new HeldTransport(transport, keeper) : transport;
  }

  #startPolling(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const namespace = this.#served.database(namespaceOf(request, url));
    const callback = url.searchParams.get("cb") ?? "";
    if (!CALLBACK.test(callback)) throw new RequestError("invalid_callback", "Invalid callback");
    if (this.#polling.size >= MAX_POLLING) throw new RequestError("too_many_connections", "Too many connections", 429);
    const polling = new LongPoll(response, callback, () => this.#polling.delete(polling.id));
    this.#polling.set(polling.id, polling);
    this.#connect(this.#heldBack(polling), namespace, request, url);
  }

  #connect(transport: Transport, namespace: Namespace, request: IncomingMessage, url: URL): void {
    const { now, report } = this.#served;
    this.#connections.get(url.searchParams.get("ls") ?? "")?.close();
    const connection: Connection = new Connection(transport, {
      namespace,
      host: request.headers.host ?? "localhost",
      now,
      report,
      onClosed: ({ session }) => this.#connections.delete(session),
    });
    this.#connections.set(connection.session, connection);
  }

  /** Of a session that is not there any more the client is told to begin anew. */
  #join(transport: Transport, namespace: Namespace, session: string, request: IncomingMessage): void {
    const connection = this.#connections.get(session);
    if (connection?.namespace === namespace) return connection.join(transport);
    transport.open({ onMessage: () => undefined, onInvalid: () => undefined, onClosed: () => undefined });
    transport.send(JSON.stringify({ t: "c", d: { t: "r", d: request.headers.host ?? "localhost" } }));
    transport.finish();
  }
}
