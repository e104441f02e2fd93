import { Requests } from "../../inspect/requests.ts";
import { Keeper } from "../durability/kept.ts";
import { indexNotDefined, invalidData, permissionDenied, RequestError } from "../model/failure.ts";
import { nodeFromJson, priorityFromJson } from "../model/json.ts";
import { Node } from "../model/node.ts";
import { checkPath, formatPath, isWithin, type Path, PRIORITY, splitPath } from "../model/path.ts";
import type { Query } from "../query/query.ts";
import type { Verdict } from "../rules/contract.ts";
import { type Caller, OPEN, type Security } from "../security.ts";
import { Usage } from "../usage.ts";
import type { Change, Commit } from "./commit.ts";
import { Subscribers } from "./subscribers.ts";
import { Views } from "./views.ts";

/** A write: places and the JSON to put there. All are written or none. */
export interface Write {
  /** Where the request was addressed to: the place whose hash is compared. */
  readonly path: Path;
  readonly puts: readonly Put[];
  /** The hash that the place must have, or the write is refused as stale. */
  readonly hash?: string | undefined;
  /** Whether functions hear nothing of it. */
  readonly silent?: boolean;
}

/** `path` may end in `.priority`. */
export interface Put {
  readonly path: Path;
  readonly json: unknown;
}

/**
 * So soon after a write those are asked again who listen where it changed nothing but may have lost the right to. Whoever is about to
 * be told something is asked at once.
 */
const RECHECK_MILLIS = 100;

interface Options {
  readonly name: string;
  readonly now: () => number;
  readonly onCommit: (namespace: Namespace, commit: Commit) => void;
  readonly keeper?: Keeper;
  /** Where it is written down what is asked of it. */
  readonly requests?: Requests;
}

/** One database: a tree, its rules, and those who follow it. All synchronous: a write has reached every subscriber when it returns. */
export class Namespace {
  readonly name: string;
  readonly usage = new Usage();
  readonly requests: Requests;
  readonly subscribers = new Subscribers();
  readonly views = new Views();
  readonly keeper: Keeper;
  readonly #now: () => number;
  readonly #onCommit: (namespace: Namespace, commit: Commit) => void;
  #root = Node.EMPTY;
  #security: Security = OPEN;
  #recheckPlanned = false;

  constructor({ name, now, onCommit, keeper = new Keeper(), requests = new Requests() }: Options) {
    this.name = name;
    this.keeper = keeper;
    this.requests = requests;
    this.#now = now;
    this.#onCommit = onCommit;
  }

  get root(): Node {
    return this.#root;
  }

  /** Puts a tree there as another process had it, before there is anybody to notice. */
  set root(root: Node) {
    this.#root = root;
  }

  get security(): Security {
    return this.#security;
  }

  /** Puts other rules into force; who may no longer read what it follows is told so. */
  set security(security: Security) {
    this.#security = security;
    this.#recheck();
  }

  /** Whether a caller may read a place, or what a query selects of it. */
  mayRead(path: Path, query: Query | undefined, caller: Caller): boolean {
    return this.#judgeRead(path, query, caller).allowed;
  }

  checkRead(path: Path, query: Query | undefined, caller: Caller): void {
    this.keeper.check();
    check(this.#judgeRead(path, query, caller));
  }

  /** Whether the rules name an index that a query needs. Orders by key and by priority need none. */
  isIndexed(path: Path, query: Query | undefined): boolean {
    if (!query || query.index.kind === "key" || query.index.kind === "priority") return true;
    return this.#security.indexes(path).includes(query.index.name);
  }

  checkIndex(path: Path, query: Query | undefined): void {
    if (query && !this.isIndexed(path, query)) throw indexNotDefined(query.index.name, formatPath(path));
  }

  /** Throws unless the rules would let a caller write, or if what is to be written is malformed. */
  checkWrite(puts: readonly Put[], caller: Caller): void {
    const now = this.#now();
    const [newRoot] = apply(this.#root, puts, now);
    const paths = puts.map((put) => placeOf(put.path));
    check(this.#security.mayWrite({ paths, caller, root: this.#root, newRoot, now }));
  }

  /** Writes, tells subscribers, and answers with the commit. Throws a {@link RequestError} if it is stale, denied or malformed. */
  write(write: Write, caller: Caller): Commit {
    const { path, hash } = write;
    this.keeper.check();
    if (hash !== undefined && this.#root.at(path).hash() !== hash) {
      throw new RequestError("datastale", "Transaction hash does not match", 412);
    }
    const time = this.#now();
    const before = this.#root;
    const [after, changes] = apply(before, write.puts, time);
    const paths = write.puts.map((put) => placeOf(put.path));
    check(this.#security.mayWrite({ paths, caller, root: before, newRoot: after, now: time }));
    const commit: Commit = { before, after, changes, caller, time };
    if (changes.length > 0) this.#commit(commit, write.silent ?? false);
    return commit;
  }

  #judgeRead(path: Path, query: Query | undefined, caller: Caller): Verdict {
    return this.#security.mayRead({ path, query, caller, root: this.#root, now: this.#now() });
  }

  #commit(commit: Commit, silent: boolean): void {
    this.#root = commit.after;
    this.keeper.append(this.name, commit.changes);
    for (const subscriber of this.subscribers.touchedBy(commit.changes)) subscriber.onCommit(commit);
    if (!silent) this.#onCommit(this, commit);
    if (this.#security.readsData) this.#planRecheck();
  }

  /** Many writes in a row are followed by one look at who may still read. */
  #planRecheck(): void {
    if (this.#recheckPlanned) return;
    this.#recheckPlanned = true;
    setTimeout(() => {
      this.#recheckPlanned = false;
      this.#recheck();
    }, RECHECK_MILLIS).unref();
  }

  #recheck(): void {
    for (const subscriber of [...this.subscribers.all]) subscriber.recheck();
  }
}

function check({ allowed, explanation }: Verdict): void {
  if (!allowed) throw permissionDenied(explanation);
}

/** A priority is written to the place that has it. */
function placeOf(path: Path): Path {
  return path.at(-1) === PRIORITY ? path.slice(0, -1) : path;
}

function apply(root: Node, puts: readonly Put[], now: number): [Node, Change[]] {
  let after = root;
  const changes: Change[] = [];
  for (const { path, json } of puts) {
    const place = placeOf(path);
    const existing = after.at(place);
    const writing = { now, existing, depth: place.length };
    const node =
      place === path ? nodeFromJson(json, writing) : existing.withPriority(priorityFromJson(json ?? null, writing));
    if (existing.equals(node)) continue;
    after = after.with(place, node);
    changes.push({ path: place, before: existing, after: node });
  }
  return [after, changes];
}

/**
 * The puts of an update: `{"a": 1, "b/c": 2}` below a path. Throws if one place is within another.
 */
export function toPuts(path: Path, json: unknown): Put[] {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw invalidData("couldn't parse JSON object. Are you sending a JSON object with valid key names?");
  }
  const puts = Object.entries(json).map(([key, value]) => {
    const relative = splitPath(key);
    const place = [...path, ...relative];
    checkPath(placeOf(place));
    if (relative.length === 0) throw invalidData("an empty key cannot be updated.");
    return { path: place, json: value as unknown };
  });
  checkDisjoint(puts.map((put) => put.path));
  return puts;
}

function checkDisjoint(paths: readonly Path[]): void {
  const sorted = paths.map((path) => ({ path, text: `${path.join("\u0000")}\u0000` }));
  sorted.sort((a, b) => (a.text < b.text ? -1 : 1));
  for (const [i, { path }] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next && isWithin(next.path, path)) {
      throw invalidData(`${formatPath(path)} is an ancestor of ${formatPath(next.path)}.`);
    }
  }
}
