import type { Access, Lookups } from "../access/access.ts";
import type { Firestore, OpenDatabase } from "../firestore.ts";
import type { FieldPath } from "../model/path.ts";
import type { Call } from "../record/call.ts";
import { type ListenRequest, type ListenResponse, type Target, TargetChangeType } from "../wire/messages.ts";
import { Code, invalidArgument, StatusError, toStatus } from "../wire/status.ts";
import type { Moment, Seen } from "./moment.ts";
import { resumeTime } from "./resume.ts";
import { keyOf, subjectOf } from "./subject.ts";
import { LiveTarget } from "./target.ts";
import { type Delta, differences, membersAt, type Subject } from "./view.ts";

const MAX_TARGETS = 1_000;
const HEARTBEAT_MILLIS = 30_000;

/** The sending half of a stream of messages. */
export interface Outgoing<Message> {
  /** Sends messages in one piece. Undefined: the stream takes more at once; else resolves when it does, rejects if that takes too long. */
  send(messages: readonly Message[]): Promise<void> | undefined;
  /** Calls back soon, together with other streams of the same connection. */
  soon(act: () => void): void;
}

/** A document as one message tells of it: to which targets it belongs now, and to which no more. */
interface Told {
  readonly path: string;
  readonly target: LiveTarget;
  readonly targetIds: number[];
  readonly removedTargetIds: number[];
}

/**
 * One client's `Listen` stream: any number of targets, each told what it has and then what changes. Whatever has happened up to one
 * moment is sent together and closed with that moment's read time, so that all targets show one state.
 */
export class ListenStream {
  readonly #firestore: Firestore;
  readonly #out: Outgoing<ListenResponse>;
  readonly #access: Access;
  readonly #targets = new Map<number, LiveTarget>();
  readonly #heartbeat: NodeJS.Timeout;
  #open: OpenDatabase | undefined;
  #notices: ListenResponse[] = [];
  readonly #failed = Promise.withResolvers<never>();
  #isFlushing = false;
  #hasNews = false;
  #isClosed = false;
  #leave: () => void = () => undefined;
  readonly #flush = () => this.#sendNews();

  constructor(firestore: Firestore, out: Outgoing<ListenResponse>, access: Access) {
    this.#firestore = firestore;
    this.#out = out;
    this.#access = access;
    // Whoever has ended the stream does not wait for it.
    this.#failed.promise.catch(() => undefined);
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MILLIS).unref();
  }

  /** Rejects when the stream cannot go on. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Takes a request. What is wrong with one target ends that target; what is thrown ends the stream. */
  receive({ database, addTarget, removeTarget }: ListenRequest): void {
    this.#open ??= this.#enter(database);
    if (database !== "" && database !== this.#open.database.name) {
      throw invalidArgument("A stream can listen to one database only.");
    }
    if (addTarget) this.#add(this.#open, addTarget);
    else if (removeTarget) this.#remove(removeTarget);
    this.#wake();
  }

  /** Judges every target again, after the rules have changed. */
  judgeAgain(): void {
    for (const target of this.#targets.values()) this.#judge(target);
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#leave();
    clearInterval(this.#heartbeat);
    for (const target of this.#targets.values()) target.release();
    this.#targets.clear();
  }

  #enter(name: string): OpenDatabase {
    const open = this.#firestore.open(name);
    if (this.#access.caller.kind === "app") {
      this.#leave = open.database.subscribe(({ changes }) => {
        for (const target of this.#targets.values()) {
          if (changes.some(({ path }) => target.lookups.has(path))) this.#judge(target);
        }
        if (this.#notices.length > 0) this.#wake();
      });
    }
    return open;
  }

  #add(open: OpenDatabase, wanted: Target): void {
    const id = wanted.targetId || this.#freeId();
    const call = this.#access.call.another("Listen", wanted);
    try {
      if (this.#targets.has(id)) throw invalidArgument(`Target id ${id} is in use.`);
      if (this.#targets.size >= MAX_TARGETS) {
        throw new StatusError("RESOURCE_EXHAUSTED", `A stream can have at most ${MAX_TARGETS} targets.`);
      }
      const subject = subjectOf(open.database.name, wanted);
      const lookups = this.#permit(open, subject, call);
      if ("query" in subject) this.#firestore.indexes.check(subject.query);
      this.#start(open, id, { wanted, subject, lookups, call });
      call.end();
      call.goOn("Snapshot");
    } catch (error) {
      const status = toStatus(error);
      call.fail(status);
      this.#notices.push(removed(id, { code: status.code, message: status.message }));
    }
  }

  #start(
    open: OpenDatabase,
    id: number,
    { wanted, subject, lookups, call }: { wanted: Target; subject: Subject; lookups: Lookups; call: Call },
  ): void {
    const { database, views } = open;
    const from = resumeTime(database, wanted);
    const target = new LiveTarget(id, subject, {
      once: wanted.once ?? false,
      call,
      watch: (one) =>
        views.watch(keyOf(wanted), subject, (deltas) => {
          one.note(deltas);
          one.hasChanged = true;
          this.#wake();
        }),
    });
    target.lookups = lookups;
    this.#targets.set(id, target);
    this.#notices.push(change(TargetChangeType.ADD, [id]));
    if (from === "lost") this.#notices.push(change(TargetChangeType.RESET, [id]));
    const had = typeof from === "number" ? membersAt(database, subject, from) : new Map();
    const deltas = differences(had, target.members);
    target.note(deltas);
    if (from === undefined) target.note(missing(subject, target));
    const expected = wanted.expectedCount?.value;
    if (typeof from === "number" && expected !== undefined && expected !== had.size)
      target.recount = target.members.size;
    bill(target, deltas.length, from === undefined);
  }

  #remove(id: number): void {
    const target = this.#targets.get(id);
    target?.release();
    this.#targets.delete(id);
    this.#notices.push(removed(id));
    this.#hasNews = true;
  }

  /** Returns the documents that the permission rests on. */
  #permit(open: OpenDatabase, subject: Subject, call: Call): Lookups {
    const lookups: Lookups = new Set();
    const access = this.#access.during(call);
    if ("paths" in subject) access.get(open, subject.paths, { lookups });
    else access.list(open, subject.query, { lookups });
    return lookups;
  }

  #judge(target: LiveTarget): void {
    try {
      target.lookups = this.#permit(this.#open as OpenDatabase, target.subject, target.call);
      target.hasChanged = false;
    } catch (error) {
      target.release();
      this.#targets.delete(target.id);
      const status = toStatus(error);
      target.call.fail(status);
      this.#notices.push(removed(target.id, { code: status.code, message: status.message }));
    }
  }

  #freeId(): number {
    let id = 1;
    while (this.#targets.has(id)) id++;
    return id;
  }

  /** Sends soon: not while a commit is being made, and once for all that happens until then. */
  #wake(): void {
    this.#hasNews = true;
    if (this.#isFlushing || this.#isClosed) return;
    this.#isFlushing = true;
    this.#out.soon(this.#flush);
  }

  #sendNews(): void {
    try {
      while (this.#hasNews && !this.#isClosed) {
        const full = this.#out.send(this.#collect());
        if (!full) continue;
        full.then(this.#flush, (error) => this.#fail(error));
        return;
      }
      this.#isFlushing = false;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Most likely the client has stopped reading. It will come back with a resume token. */
  #fail(error: unknown): void {
    this.close();
    this.#failed.reject(error);
  }

  /** Everything there is to say at this moment, in one go. */
  #collect(): ListenResponse[] {
    this.#hasNews = false;
    if (!this.#open) return this.#takeNotices();
    for (const target of this.#targets.values()) {
      if (target.hasChanged && "paths" in target.subject) this.#judge(target);
    }
    const moment = this.#open.views.moment();
    const documents = this.#documents(moment);
    const fresh = [...this.#targets.values()].filter(({ current }) => !current);
    const messages = this.#takeNotices();
    if (documents.length + fresh.length === 0) return messages;
    for (const message of documents) messages.push(message);
    if (fresh.length > 0) messages.push(...completed(fresh, moment.seen));
    messages.push(moment.closing);
    for (const target of fresh) {
      target.current = true;
      if (target.once) this.#remove(target.id);
    }
    return messages;
  }

  #takeNotices(): ListenResponse[] {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  #documents(moment: Moment): ListenResponse[] {
    const told = new Map<string, Told>();
    for (const target of this.#targets.values()) {
      if (!target.isBehind) continue;
      const deltas = target.takeDeltas();
      for (const delta of deltas) {
        const key = projectionOf(target) ? `${target.id} ${delta.path}` : delta.path;
        const one = told.get(key) ?? { path: delta.path, target, targetIds: [], removedTargetIds: [] };
        told.set(key, one);
        (delta.after ? one.targetIds : one.removedTargetIds).push(target.id);
      }
      if (target.current) this.#billSnapshot(target, deltas);
    }
    const hidesLeft = this.#access.caller.kind === "app";
    return [...told.values()].map(({ path, target, targetIds, removedTargetIds }) =>
      moment.document(path, targetIds, { removedTargetIds, projection: projectionOf(target), hidesLeft }),
    );
  }

  #billSnapshot({ call }: LiveTarget, deltas: readonly Delta[]): void {
    call.lookedUp(deltas.filter((delta) => this.#isBilled(delta)).length);
    if (call.isBilled) call.end();
    call.goOn("Snapshot");
  }

  /** Everything but what is gone for good, and what is only told again. */
  #isBilled({ path, before, after }: Delta): boolean {
    return before !== after && this.#open?.database.get(path) !== undefined;
  }

  /** Lets the client know that it has seen everything up to now. */
  #beat(): void {
    const targets = [...this.#targets.values()];
    if (!this.#open || this.#isFlushing || targets.length === 0) return;
    this.#notices.push(this.#open.views.moment(true).closing);
    this.#wake();
  }
}

function bill({ subject, call }: LiveTarget, documents: number, isFirst: boolean): void {
  if ("paths" in subject) call.lookedUp(isFirst ? subject.paths.length : documents);
  else if (isFirst || documents > 0) call.queried(documents);
}

/** The documents that a client asks for by name and that are not there: it is to hear that, too. */
function missing(subject: Subject, { members }: LiveTarget): Delta[] {
  if ("query" in subject) return [];
  const absent = subject.paths.filter((path) => !members.has(path));
  return absent.map((path) => ({ path, before: undefined, after: undefined }));
}

function projectionOf({ subject }: LiveTarget): readonly FieldPath[] | undefined {
  return "query" in subject ? subject.query.projection : undefined;
}

/** Tells that targets have been told all of what they have. */
function completed(targets: readonly LiveTarget[], seen: Seen): ListenResponse[] {
  const counts = targets.flatMap(({ id, recount }) =>
    recount === undefined ? [] : [{ filter: { targetId: id, count: recount } }],
  );
  return [
    ...counts,
    change(
      TargetChangeType.CURRENT,
      targets.map(({ id }) => id),
      seen,
    ),
  ];
}

function change(
  targetChangeType: (typeof TargetChangeType)[keyof typeof TargetChangeType],
  targetIds: readonly number[],
  seen: Partial<Seen> = {},
): ListenResponse {
  return { targetChange: { targetChangeType, targetIds, ...seen } };
}

function removed(id: number, cause?: { readonly code: number; readonly message: string }): ListenResponse {
  const isCause = cause !== undefined && cause.code !== Code.OK;
  return {
    targetChange: { targetChangeType: TargetChangeType.REMOVE, targetIds: [id], ...(isCause ? { cause } : {}) },
  };
}
