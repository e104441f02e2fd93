import type { Query } from "../query/query.ts";
import { matcherOf, runQuery } from "../query/run.ts";
import type { Change, Database } from "../store/database.ts";
import type { LiveVersion } from "../store/document.ts";

/** What a target shows of a document, before and after a commit; undefined: it does not show it. */
export interface Delta {
  readonly path: string;
  readonly before: LiveVersion | undefined;
  readonly after: LiveVersion | undefined;
}

/** Whatever a target listens to. */
export type Subject = { readonly query: Query } | { readonly paths: readonly string[] };

/** The documents that a subject has now, kept up to date by commits; shared by all targets that listen to the same. */
export class View {
  readonly subject: Subject;
  readonly #database: Database;
  readonly #members = new Map<string, LiveVersion>();
  readonly #matches: (path: string, version: LiveVersion | undefined) => boolean;

  constructor(database: Database, subject: Subject) {
    this.#database = database;
    this.subject = subject;
    this.#matches = matcherFor(subject);
    for (const [path, version] of membersAt(database, subject)) this.#members.set(path, version);
  }

  get members(): ReadonlyMap<string, LiveVersion> {
    return this.#members;
  }

  /** Takes a commit in. Answers with what it changed in the view; a document that was written and is the same is among it. */
  apply(changes: readonly Change[], unchanged: readonly string[]): Delta[] {
    const relevant = changes.filter(
      ({ path, before, after }) => this.#matches(path, before) || this.#matches(path, after),
    );
    const touched = unchanged.flatMap((path): Delta[] => {
      const member = this.#members.get(path);
      return member ? [{ path, before: member, after: member }] : [];
    });
    if (relevant.length === 0) return touched;
    return [...touched, ...(isCut(this.subject) ? this.#runAgain() : relevant.map((change) => this.#take(change)))];
  }

  #take({ path, after }: Change): Delta {
    const delta: Delta = {
      path,
      before: this.#members.get(path),
      after: this.#matches(path, after) ? after : undefined,
    };
    this.#put(delta);
    return delta;
  }

  /** Where a limit or an offset cuts the result, what comes in or goes out moves others over the edge. */
  #runAgain(): Delta[] {
    const deltas = differences(this.#members, membersAt(this.#database, this.subject));
    for (const delta of deltas) this.#put(delta);
    return deltas;
  }

  #put({ path, after }: Delta): void {
    if (after) this.#members.set(path, after);
    else this.#members.delete(path);
  }
}

/** What a subject has, now or had at a time in the past (microseconds). */
export function membersAt(database: Database, subject: Subject, at?: number): Map<string, LiveVersion> {
  if ("query" in subject) {
    const { documents } = runQuery(database, subject.query, at);
    return new Map(documents.map(({ path, version }) => [path, version]));
  }
  const members = new Map<string, LiveVersion>();
  for (const path of subject.paths) {
    const version = database.get(path, at);
    if (version) members.set(path, version);
  }
  return members;
}

/** What leads from one set of documents to another. */
export function differences(from: ReadonlyMap<string, LiveVersion>, to: ReadonlyMap<string, LiveVersion>): Delta[] {
  const deltas: Delta[] = [];
  for (const [path, before] of from) {
    const after = to.get(path);
    if (after?.updateTime !== before.updateTime) deltas.push({ path, before, after });
  }
  for (const [path, after] of to) if (!from.has(path)) deltas.push({ path, before: undefined, after });
  return deltas;
}

function matcherFor(subject: Subject): (path: string, version: LiveVersion | undefined) => boolean {
  if ("query" in subject) return matcherOf(subject.query);
  const paths = new Set(subject.paths);
  return (path, version) => version !== undefined && paths.has(path);
}

function isCut(subject: Subject): boolean {
  return "query" in subject && (subject.query.limit !== undefined || subject.query.offset > 0);
}
