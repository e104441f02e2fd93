import { randomUUID } from "node:crypto";
import * as z from "zod";
import { callerOf, overridden } from "../auth.ts";
import { RequestError } from "../model/failure.ts";
import { toText } from "../model/json.ts";
import { checkPath, parsePath, parseWritePath } from "../model/path.ts";
import { parseWireQuery, select, WireQuery } from "../query/query.ts";
import { type Operation, subjectOf, writeDown } from "../record.ts";
import { ANYBODY, type Caller, whenExpired } from "../security.ts";
import { type Namespace, type Put, toPuts } from "../store/namespace.ts";
import { Line, type Request } from "./line.ts";
import { Listen } from "./listen.ts";
import { OnDisconnect } from "./on-disconnect.ts";
import type { Transport } from "./transport.ts";

const MAX_LISTENS = 10_000;
const PROTOCOL_VERSION = "5";

const AtPath = z.object({ p: z.string(), d: z.unknown().optional(), h: z.string().optional() });
const Listening = z.object({
  p: z.string(),
  q: WireQuery.nullish().transform((query) => query ?? undefined),
  t: z.number().optional(),
  h: z.unknown().optional(),
});
const Credential = z.object({ cred: z.string(), authvar: z.unknown().optional(), noauth: z.boolean().optional() });

/** What a request is answered with when it went well: JSON text. */
type Answer = string;
const NOTHING = '""';

interface ConnectionOptions {
  readonly namespace: Namespace;
  /** What the client should connect to from now on, `host:port`. */
  readonly host: string;
  readonly now: () => number;
  readonly report: (message: string) => void;
  readonly onClosed: (connection: Connection) => void;
}

/**
 * One client: its requests in the order in which they come, each answered after what it caused was pushed.
 * Source of the protocol: PersistentConnection of the Firebase JavaScript SDK.
 */
export class Connection {
  readonly session = randomUUID();
  readonly #options: ConnectionOptions;
  readonly #line: Line;
  readonly #listens = new Map<string, Listen>();
  readonly #onDisconnect = new OnDisconnect();
  #caller: Caller = ANYBODY;
  #forgetExpiry: () => void = () => undefined;
  #closed = false;

  constructor(transport: Transport, options: ConnectionOptions) {
    this.#options = options;
    const { namespace, host, now, report } = options;
    namespace.usage.connected();
    this.#line = new Line(transport, {
      usage: namespace.usage,
      onRequest: (request) => this.#onRequest(request),
      onClosed: () => this.close(),
      report,
    });
    this.#line.control("h", { ts: now(), v: PROTOCOL_VERSION, h: host, s: this.session });
  }

  get namespace(): Namespace {
    return this.#options.namespace;
  }

  /** Takes another way in for the same client, which moves there when it likes. */
  join(transport: Transport): void {
    this.#line.join(transport);
  }

  /** Ends the connection, however it came to that, and writes what was to be written then. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetExpiry();
    this.#line.close();
    const { namespace, onClosed } = this.#options;
    namespace.usage.disconnected();
    for (const listen of this.#listens.values()) listen.stop();
    this.#listens.clear();
    for (const write of this.#onDisconnect.take()) {
      try {
        namespace.write(write, this.#caller);
      } catch (error) {
        // Rules that changed meanwhile may refuse it; there is nobody left to tell.
        if (!(error instanceof RequestError)) this.#options.report(String(error));
      }
    }
    onClosed(this);
  }

  #onRequest({ r, a, b }: Request): void {
    if (this.#closed) return;
    const operation = operationOf(a, b, this.#caller);
    const { namespace } = this.#options;
    try {
      this.#answer(r, "ok", this.#serve(a, b));
      if (operation) writeDown(namespace, operation);
    } catch (error) {
      if (operation) writeDown(namespace, operation, error);
      if (error instanceof z.ZodError) this.#answer(r, "invalid_request", '"Malformed request"');
      else if (error instanceof RequestError) this.#answer(r, error.status, JSON.stringify(error.message));
      else throw error;
    }
  }

  #serve(action: string, body: object): Answer {
    switch (action) {
      case "q":
        return this.#listen(Listening.parse(body));
      case "n":
        return this.#unlisten(Listening.parse(body));
      case "g":
        return this.#get(Listening.parse(body));
      case "p":
      case "m":
        return this.#write(action, AtPath.parse(body));
      case "o":
      case "om":
        return this.#writeOnDisconnect(action, AtPath.parse(body));
      case "oc":
        this.#onDisconnect.cancel(parseWritePath(AtPath.parse(body).p));
        return NOTHING;
      case "auth":
      case "gauth":
        return this.#authenticate(Credential.parse(body));
      case "unauth":
        this.#become(ANYBODY);
        return NOTHING;
      case "s":
      case "appcheck":
      case "unappeck":
        return NOTHING;
      default:
        throw new RequestError("invalid_request", `Unknown action ${action}`);
    }
  }

  #listen({ p, q, t, h }: z.infer<typeof Listening>): Answer {
    const { namespace } = this.#options;
    const path = parsePath(p);
    const query = parseWireQuery(q);
    namespace.checkRead(path, query, this.#caller);
    const name = nameOf(path, query && q);
    this.#listens.get(name)?.stop();
    if (this.#listens.size >= MAX_LISTENS) throw new RequestError("too_many_listens", "Too many listens");
    const request = { path, query, wireQuery: q, tag: query ? t : undefined };
    const listen = new Listen(namespace, request, {
      caller: () => this.#caller,
      push: (message) => this.#line.push(message),
      revoked: (revoked) => this.#revoked(name, revoked),
    });
    this.#listens.set(name, listen);
    this.#line.expecting(() => listen.start(h));
    return namespace.isIndexed(path, query) ? "{}" : '{"w":["no_index"]}';
  }

  #unlisten({ p, q }: z.infer<typeof Listening>): Answer {
    const name = nameOf(parsePath(p), parseWireQuery(q) && q);
    this.#listens.get(name)?.stop();
    this.#listens.delete(name);
    return NOTHING;
  }

  #revoked(name: string, { path, request }: Listen): void {
    this.#listens.delete(name);
    const query = request.query ? { q: [request.wireQuery] } : {};
    this.#send({ t: "d", d: { a: "c", b: { p: path.join("/"), ...query } } });
  }

  #get({ p, q }: z.infer<typeof Listening>): Answer {
    const { namespace } = this.#options;
    const path = parsePath(p);
    const query = parseWireQuery(q);
    namespace.checkRead(path, query, this.#caller);
    namespace.checkIndex(path, query);
    const node = namespace.root.at(path);
    return toText(query ? select(node, query) : node, "export");
  }

  #write(action: "p" | "m", { p, d, h }: z.infer<typeof AtPath>): Answer {
    const path = parseWritePath(p);
    const puts: Put[] = action === "p" ? [{ path, json: d }] : toPuts(checkPath(path), d);
    this.#options.namespace.write({ path, puts, hash: h }, this.#caller);
    return NOTHING;
  }

  /** Rules are asked now, and again when it is written. */
  #writeOnDisconnect(action: "o" | "om", { p, d }: z.infer<typeof AtPath>): Answer {
    const path = parseWritePath(p);
    const puts: Put[] = action === "o" ? [{ path, json: d }] : toPuts(checkPath(path), d);
    this.#options.namespace.checkWrite(puts, this.#caller);
    this.#onDisconnect.add(puts);
    return NOTHING;
  }

  #authenticate({ cred, authvar, noauth }: z.infer<typeof Credential>): Answer {
    const caller = overridden(callerOf(cred), noauth ? null : authvar);
    this.#become(caller);
    return JSON.stringify({ auth: caller.auth });
  }

  #become(caller: Caller): void {
    this.#caller = caller;
    this.#forgetExpiry();
    this.#forgetExpiry = whenExpired(caller, () => this.#expired());
    for (const listen of [...this.#listens.values()]) listen.recheck();
  }

  /** The client comes back with a new token, and goes on where it was. */
  #expired(): void {
    this.#send({ t: "d", d: { a: "ac", b: { s: "expired_token", d: "Auth token is expired." } } });
    this.#line.finish();
  }

  #answer(request: number, status: string, body: string): void {
    this.#line.expecting(() =>
      this.#line.push(`{"t":"d","d":{"r":${request},"b":{"s":${JSON.stringify(status)},"d":${body}}}}`),
    );
  }

  #send(message: object): void {
    this.#line.push(JSON.stringify(message));
  }
}

/** How what people look for is called where they write their apps. */
const METHODS: Readonly<Record<string, string>> = {
  q: "listen",
  g: "get",
  p: "set",
  m: "update",
  o: "onDisconnect set",
  om: "onDisconnect update",
};

/** What is written down of a request that reads or writes. */
function operationOf(action: string, body: Request["b"], caller: Caller): Operation | undefined {
  const method = METHODS[action];
  if (method === undefined || typeof body["p"] !== "string") return undefined;
  const subject = subjectOf(body["p"], body["q"] as object | undefined);
  return { via: "WebSocket", method, subject, caller, began: performance.now() };
}

/** What a listen is known by: its place and its query. */
function nameOf(path: readonly string[], query: WireQuery | undefined): string {
  return `${path.join("/")} ${JSON.stringify(query) ?? ""}`;
}
