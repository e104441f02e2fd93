import { type FileHandle, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Kind, makeHeader } from "./header.ts";
import { type Salt, writeRecords } from "./record.ts";

const NAME = /^(log|snapshot)-(\d{6,})$/;
const UNFINISHED = ".unfinished";

/** The files of a directory by their numbers: `snapshot-n` is the state in which `log-n` begins. */
export interface Contents {
  readonly logs: readonly number[];
  readonly snapshots: readonly number[];
}

export function pathOf(directory: string, kind: Kind, number: number): string {
  return join(directory, `${kind}-${String(number).padStart(6, "0")}`);
}

/** What there is, lowest numbers first. */
export async function contentsOf(directory: string): Promise<Contents> {
  const names = await readdir(directory);
  const numbers = (kind: Kind) =>
    names
      .flatMap((name) => {
        const [, found, number] = NAME.exec(name) ?? [];
        return found === kind ? [Number(number)] : [];
      })
      .sort((a, b) => a - b);
  return { logs: numbers("log"), snapshots: numbers("snapshot") };
}

/** Removes what a process had not finished when it was killed. */
export async function removeUnfinished(directory: string): Promise<void> {
  for (const name of await readdir(directory)) if (name.endsWith(UNFINISHED)) await rm(join(directory, name));
}

/** Removes what the snapshot of a number has taken the place of. */
export async function removeBefore(directory: string, number: number): Promise<void> {
  const { logs, snapshots } = await contentsOf(directory);
  for (const old of snapshots) if (old < number) await rm(pathOf(directory, "snapshot", old), { force: true });
  for (const old of logs) if (old < number) await rm(pathOf(directory, "log", old), { force: true });
}

/** A file of records that is written to at its end. */
export class Writer {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #salt: Salt;
  #size: number;

  constructor(path: string, handle: FileHandle, { salt, size }: { readonly salt: Salt; readonly size: number }) {
    this.path = path;
    this.#handle = handle;
    this.#salt = salt;
    this.#size = size;
  }

  /** Begins a file that is there only when {@link finish} puts it in its place. */
  static async begin(path: string, server: string, kind: Kind): Promise<Writer> {
    const handle = await open(`${path}${UNFINISHED}`, "w");
    const { line, salt } = makeHeader(server, kind);
    const writer = new Writer(path, handle, { salt, size: 0 });
    try {
      await writer.#write(line);
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    return writer;
  }

  /** Makes a file without records, in its place for good. */
  static async create(path: string, server: string, kind: Kind): Promise<Writer> {
    const writer = await Writer.begin(path, server, kind);
    try {
      await writer.finish();
      return writer;
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  /** Goes on with a file behind its last whole record; what lies behind that is cut off. */
  static async resume(path: string, at: { readonly salt: Salt; readonly size: number }): Promise<Writer> {
    const handle = await open(path, "r+");
    await handle.truncate(at.size);
    await handle.sync();
    return new Writer(path, handle, at);
  }

  /** Bytes written. */
  get size(): number {
    return this.#size;
  }

  async append(records: readonly Uint8Array[]): Promise<void> {
    await this.#write(writeRecords(records, this.#salt, this.#size));
  }

  /** Resolves when all that was written would outlast a power failure. */
  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  /** Puts a file that was begun in its place, for good. */
  async finish(): Promise<void> {
    await this.#handle.sync();
    await rename(`${this.path}${UNFINISHED}`, this.path);
    await syncDirectory(dirname(this.path));
  }

  /** Cuts off what was written last, as far as that can be done. */
  async takeBack(size: number): Promise<void> {
    await this.#handle.truncate(size).catch(() => undefined);
  }

  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(`${this.path}${UNFINISHED}`, { force: true }).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #write(bytes: Buffer): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#size + done);
      done += bytesWritten;
    }
    this.#size += bytes.length;
  }
}

/** Makes names that were given or taken away in a directory outlast a power failure. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows knows no such thing, and needs none.
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
