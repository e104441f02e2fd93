import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError } from "./failure.ts";
import { pathOf, removeBefore, syncDirectory, Writer } from "./files.ts";
import { lock } from "./lock.ts";
import { type Recovered, recover } from "./recover.ts";
import { writeSnapshot } from "./snapshot.ts";

/** The log is rolled when it has this many bytes and no fewer than the last snapshot: so a snapshot costs at most what the log has. */
const ROLL_BYTES = 32 * 1024 * 1024;
/** More is not taken in while so much waits for the disk. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;

/** The state of a server, as a directory keeps it: records whose bytes only the server understands. None is empty. */
export interface State {
  /** Takes a record back in, of a snapshot or of the log. It is good until this returns. */
  restore(record: Uint8Array): void;
  /** The state as it is when this is called, record by record; it goes on changing while they are asked for. May throw to give up. */
  snapshot(): Iterator<Uint8Array>;
}

/** Where a server keeps its data. */
export interface Keeping {
  readonly directory: string;
  /** Bytes of log from which on a snapshot takes its place. */
  readonly rollBytes?: number;
}

export interface DataOptions extends Keeping {
  /** A word: another server's data is refused. */
  readonly server: string;
  readonly state: State;
  /** Told of what an operator should know. */
  readonly report: (message: string) => void;
}

/** Told when what was written is on disk, or, with an error, that it will not be. */
export type Settled = (error?: DataError) => void;

/** Commits that go to disk together. */
interface Group {
  readonly records: Uint8Array[];
  readonly waiting: Settled[];
  bytes: number;
}

/**
 * A server's state on disk: what it appends is in a log, group by group, and now and then the log is replaced by a snapshot. Opened by
 * {@link openData}.
 */
export class Data {
  readonly #options: DataOptions;
  readonly #unlock: () => void;
  #writer: Writer;
  #number: number;
  /** Of the logs that a snapshot would replace. */
  #logBytes: number;
  #rollAt: number;
  #gathering = emptyGroup();
  #underWay: Group | undefined;
  #running: Promise<void> | undefined;
  #snapshot: Promise<void> | undefined;
  #failure: DataError | undefined;
  #isClosing = false;

  constructor(options: DataOptions, { writer, number, logBytes, snapshotBytes }: Recovered, unlock: () => void) {
    this.#options = options;
    this.#unlock = unlock;
    this.#writer = writer;
    this.#number = number;
    this.#logBytes = logBytes;
    this.#rollAt = this.#rollAfter(snapshotBytes);
  }

  /** Why nothing can be taken in now; undefined as long as all is well. */
  get refusal(): string | undefined {
    if (this.#failure) return this.#failure.message;
    return this.#gathering.bytes > MAX_WAITING_BYTES ? "Too much waits to be written to disk." : undefined;
  }

  /** Takes in what was just changed; call it in the same step. Nothing follows from it once the disk has failed. */
  append(record: Uint8Array): void {
    if (this.#failure) return;
    this.#gathering.records.push(record);
    this.#gathering.bytes += record.length;
    this.#running ??= this.#run();
  }

  /** Calls back when all that was appended so far is on disk: at once if it is, otherwise in the order of the calls. */
  whenSettled(act: Settled): void {
    const group = this.#gathering.records.length > 0 ? this.#gathering : this.#underWay;
    if (group) group.waiting.push(act);
    else act(this.#failure);
  }

  /** Resolves when all that was appended so far is on disk; undefined if it is. Rejects with a {@link DataError} if it never will be. */
  settled(): Promise<void> | undefined {
    if (this.#gathering.records.length === 0 && !this.#underWay && !this.#failure) return undefined;
    return new Promise((resolve, reject) => this.whenSettled((error) => (error ? reject(error) : resolve())));
  }

  /** Writes what is left, and lets go of the directory. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#running;
    await this.#snapshot;
    await this.#writer.close().catch(() => undefined);
    this.#unlock();
  }

  async #run(): Promise<void> {
    // What the rest of this turn appends shares the first write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#gathering.records.length > 0) {
      const next = this.#isDue() ? await this.#nextLog() : undefined;
      const group = this.#gathering;
      this.#gathering = emptyGroup();
      this.#underWay = group;
      const writer = this.#writer;
      // What is in memory now is what the log has with this group.
      const records = next && this.#options.state.snapshot();
      if (next) this.#goOnWith(next);
      await this.#write(writer, group);
      if (!records) continue;
      await writer.close().catch(() => undefined);
      this.#snapshot = this.#makeSnapshot(records);
    }
    this.#running = undefined;
  }

  async #write(writer: Writer, group: Group): Promise<void> {
    const before = writer.size;
    try {
      if (!this.#failure) await this.#writeSynced(writer, group, before);
    } catch (error) {
      this.#fail(error as Error);
      await writer.takeBack(before);
    }
    this.#underWay = undefined;
    for (const settled of group.waiting) settled(this.#failure);
  }

  async #writeSynced(writer: Writer, group: Group, before: number): Promise<void> {
    await writer.append(group.records);
    await writer.sync();
    // Of the log before this one there is a snapshot soon.
    if (writer === this.#writer) this.#logBytes += writer.size - before;
  }

  /** From a write that has failed on it is not known what is on disk, so nothing more is written. */
  #fail({ message }: Error): void {
    this.#failure = new DataError(
      `The data can no longer be kept in ${this.#options.directory} (${message}). Nothing is taken in until the server is started again.`,
    );
    this.#options.report(this.#failure.message);
  }

  #isDue(): boolean {
    return this.#logBytes >= this.#rollAt && !this.#snapshot && !this.#failure;
  }

  #rollAfter(snapshotBytes: number): number {
    return Math.max(this.#options.rollBytes ?? ROLL_BYTES, snapshotBytes);
  }

  async #nextLog(): Promise<Writer | undefined> {
    const { directory, server } = this.#options;
    try {
      return await Writer.create(pathOf(directory, "log", this.#number + 1), server, "log");
    } catch (error) {
      this.#postpone(error as Error);
      return undefined;
    }
  }

  #goOnWith(next: Writer): void {
    this.#writer = next;
    this.#number++;
    this.#logBytes = next.size;
  }

  async #makeSnapshot(records: Iterator<Uint8Array>): Promise<void> {
    const { directory, server } = this.#options;
    const place = { directory, server, number: this.#number };
    const isUnwanted = () => this.#failure !== undefined || this.#isClosing;
    try {
      this.#rollAt = this.#rollAfter(await writeSnapshot(place, records, isUnwanted));
      await removeBefore(directory, place.number);
    } catch (error) {
      if (!isUnwanted()) this.#postpone(error as Error);
    } finally {
      this.#snapshot = undefined;
    }
  }

  /** Without a snapshot nothing is lost: the logs stay until there is one. */
  #postpone({ message }: Error): void {
    this.#rollAt = this.#logBytes + this.#rollAfter(0);
    this.#options.report(`${this.#options.directory}: no snapshot was made, it is tried again later: ${message}`);
  }
}

/**
 * Opens a directory, made if it is not there, for this process alone, and brings back what it keeps. Throws a {@link DataError} if it is
 * in use, damaged, or of another format or server.
 */
export async function openData(options: DataOptions): Promise<Data> {
  const { directory, server, state, report } = options;
  const made = await mkdir(directory, { recursive: true });
  if (made !== undefined) await syncDirectory(dirname(made));
  const unlock = lock(directory);
  try {
    const recovered = await recover({ directory, server, restore: (record) => state.restore(record), report });
    return new Data(options, recovered, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function emptyGroup(): Group {
  return { records: [], waiting: [], bytes: 0 };
}
