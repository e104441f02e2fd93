import type { State } from "../../durability/data.ts";
import { clearDatabase, type Firestore } from "../firestore.ts";
import type { Commit } from "../store/database.ts";
import type { StoredDocument } from "../store/document.ts";
import { type DocumentState, readRecord, stateOf, writeRecord } from "./records.ts";

/** Documents of one record of a snapshot. */
const PAGE = 100;

/** All databases of a server, as they are kept on disk. */
export function stateOfFirestore(firestore: Firestore): State {
  return {
    restore: (record) => restore(firestore, record),
    snapshot: () => new Snapshot(firestore),
  };
}

function restore(firestore: Firestore, bytes: Uint8Array): void {
  const { database: name, time, clears, states } = readRecord(bytes);
  const open = firestore.open(name);
  if (clears) clearDatabase(open);
  for (const { path, ...version } of states) open.database.restore(path, version);
  firestore.clock.passed(time);
}

/**
 * Every document as it is when this is made, page by page. Of one that changes before its page has come, the state before is put aside by the
 * commit; so nothing needs to stand still, and no state is kept twice but those.
 */
class Snapshot implements Iterator<Uint8Array> {
  readonly #firestore: Firestore;
  /** Later than all that belongs to it. */
  readonly #time: number;
  /** Of databases whose pages are not all written. */
  readonly #names: string[];
  readonly #stop: () => void;
  #behind: StoredDocument | undefined;
  #aside: { readonly database: string; readonly state: DocumentState }[] = [];
  #hasCleared = false;

  constructor(firestore: Firestore) {
    this.#firestore = firestore;
    this.#time = firestore.clock.tick();
    this.#names = firestore.names();
    this.#stop = firestore.subscribe((commit) => this.#onCommit(commit));
  }

  next(): IteratorResult<Uint8Array> {
    if (this.#hasCleared) throw new Error("a database was cleared meanwhile");
    const record = this.#nextAside() ?? this.#nextPage();
    if (record) return { done: false, value: record };
    this.#stop();
    return { done: true, value: undefined };
  }

  return(): IteratorResult<Uint8Array> {
    this.#stop();
    return { done: true, value: undefined };
  }

  #onCommit({ database, changes, isClearing }: Commit): void {
    if (isClearing) {
      this.#hasCleared = true;
      this.#aside = [];
      return;
    }
    for (const { path, before } of changes) {
      if (before && before.updateTime < this.#time) {
        this.#aside.push({ database, state: stateOf(path, before, before.updateTime) });
      }
    }
  }

  #nextAside(): Uint8Array | undefined {
    const [first] = this.#aside;
    if (!first) return undefined;
    const { database } = first;
    const length = this.#aside.slice(0, PAGE).findIndex((other) => other.database !== database);
    const taken = this.#aside.splice(0, length < 0 ? PAGE : length);
    return this.#write(
      database,
      taken.map(({ state }) => state),
    );
  }

  #nextPage(): Uint8Array | undefined {
    for (let name = this.#names[0]; name !== undefined; name = this.#names[0]) {
      const page = this.#firestore.open(name).database.page(this.#behind, PAGE);
      this.#behind = page.at(-1);
      if (page.length > 0) {
        const old = page.filter(({ current }) => current.fields !== null && current.updateTime < this.#time);
        return this.#write(
          name,
          old.map(({ path, current }) => stateOf(path, current, current.updateTime)),
        );
      }
      this.#names.shift();
    }
    return undefined;
  }

  #write(database: string, states: readonly DocumentState[]): Uint8Array {
    return writeRecord({ database, time: this.#time, clears: false, states });
  }
}
