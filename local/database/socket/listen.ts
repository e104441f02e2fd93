import { toText } from "../model/json.ts";
import { type Path, ROOT } from "../model/path.ts";
import type { Query, WireQuery } from "../query/query.ts";
import type { Caller } from "../security.ts";
import type { Commit } from "../store/commit.ts";
import type { Namespace } from "../store/namespace.ts";
import type { Subscriber } from "../store/subscribers.ts";
import type { Update, View } from "../store/view.ts";

/** What a client listens to, as it asked for it. */
export interface ListenRequest {
  readonly path: Path;
  readonly query: Query | undefined;
  /** The query as it came: the client knows the listen by it. */
  readonly wireQuery: WireQuery | undefined;
  /** The number by which the client knows a query; without a query there is none. */
  readonly tag: number | undefined;
}

interface Ends {
  readonly caller: () => Caller;
  readonly push: (message: string) => void;
  readonly revoked: (listen: Listen) => void;
}

/** Beginnings of the messages that tell of updates: the same for all who look through a view, but for their tags. */
const beginnings = new WeakMap<Update, string>();

/** One listen of one client: tells it what it sees and every change of it. */
export class Listen implements Subscriber {
  readonly path: Path;
  readonly request: ListenRequest;
  readonly #namespace: Namespace;
  readonly #ends: Ends;
  readonly #view: View;
  #stopped = false;

  constructor(namespace: Namespace, request: ListenRequest, ends: Ends) {
    this.#namespace = namespace;
    this.request = request;
    this.path = request.path;
    this.#ends = ends;
    this.#view = namespace.views.take(namespace.root, request.path, request.query);
  }

  /**
   * Sends what the client does not know yet. Of a query without an index that is at first all that stands at its place: the client
   * selects from it.
   *
   * @param hash of what the client knows
   */
  start(hash: unknown): void {
    const { path, query } = this.request;
    const node = this.#namespace.isIndexed(path, query) ? this.#view.node : this.#namespace.root.at(path);
    const known = hash === "" ? node.isEmpty : typeof hash === "string" && this.#view.node.hash() === hash;
    if (!known) this.#push({ kind: "put", path: ROOT, node });
    this.#namespace.subscribers.add(this);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#namespace.subscribers.remove(this);
    this.#namespace.views.release(this.#view);
  }

  onCommit(commit: Commit): void {
    const update = this.#view.update(commit);
    if (!update || this.#stopped) return;
    if (this.#namespace.security.readsData) this.recheck();
    if (!this.#stopped) this.#push(update);
  }

  recheck(): void {
    if (this.#stopped || this.#namespace.mayRead(this.path, this.request.query, this.#ends.caller())) return;
    this.stop();
    this.#ends.revoked(this);
  }

  #push(update: Update): void {
    const beginning = beginnings.get(update) ?? beginningOf(this.path, update);
    beginnings.set(update, beginning);
    const { tag } = this.request;
    this.#ends.push(`${beginning}${tag === undefined ? "" : `,"t":${tag}`}}}}`);
  }
}

function beginningOf(path: Path, update: Update): string {
  if (update.kind === "put") return beginning("d", [...path, ...update.path], toText(update.node, "export"));
  const entries = update.entries.map(([place, node]) => `${JSON.stringify(place.join("/"))}:${toText(node, "export")}`);
  return beginning("m", path, `{${entries.join(",")}}`);
}

function beginning(action: "d" | "m", path: Path, text: string): string {
  return `{"t":"d","d":{"a":"${action}","b":{"p":${JSON.stringify(path.join("/"))},"d":${text}`;
}
