import type { Lookups } from "../access/access.ts";
import type { Call } from "../record/call.ts";
import type { LiveVersion } from "../store/document.ts";
import type { Delta, Subject } from "./view.ts";
import type { Watched } from "./views.ts";

/**
 * One target of a stream: a view, and how what the client has of it differs from what it has now. That is no more than a place for each
 * document, however slow the client is: what changes ten times while it does not listen is sent once.
 */
export class LiveTarget {
  readonly id: number;
  readonly subject: Subject;
  readonly once: boolean;
  /** Where it is written down what the client is told of it. */
  readonly call: Call;
  /** Whether the client has been told that it has all of it. */
  current = false;
  /** Whether a document of it has changed since it was judged. */
  hasChanged = false;
  /** The documents on which rests that the client may have it. */
  lookups: Lookups = new Set();
  /** How many documents the client should count if it is not what it says it has. */
  recount: number | undefined;
  readonly #watched: Watched;
  /** By path: the state that the client has. */
  #behind = new Map<string, LiveVersion | undefined>();
  readonly #touched = new Set<string>();

  constructor(
    id: number,
    subject: Subject,
    options: { once: boolean; call: Call; watch: (target: LiveTarget) => Watched },
  ) {
    this.id = id;
    this.subject = subject;
    this.once = options.once;
    this.call = options.call;
    this.#watched = options.watch(this);
  }

  get members(): ReadonlyMap<string, LiveVersion> {
    return this.#watched.view.members;
  }

  get isBehind(): boolean {
    return this.#behind.size > 0;
  }

  /** Notes what the client does not know yet. */
  note(deltas: readonly Delta[]): void {
    for (const { path, before, after } of deltas) {
      if (!this.#behind.has(path)) this.#behind.set(path, before);
      if (before === after) this.#touched.add(path);
    }
  }

  /** What the client is to be told now; it is taken for told. */
  takeDeltas(): Delta[] {
    const deltas: Delta[] = [];
    for (const [path, before] of this.#behind) {
      const after = this.members.get(path);
      if (after?.updateTime !== before?.updateTime || this.#touched.has(path)) deltas.push({ path, before, after });
    }
    this.#behind = new Map();
    this.#touched.clear();
    return deltas;
  }

  release(): void {
    this.#watched.release();
  }
}
