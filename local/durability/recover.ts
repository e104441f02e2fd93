import { DataError, damaged } from "./failure.ts";
import { contentsOf, pathOf, removeBefore, removeUnfinished, Writer } from "./files.ts";
import { Reader } from "./reader.ts";
import { readSnapshot } from "./snapshot.ts";

export interface Recovering {
  readonly directory: string;
  readonly server: string;
  readonly restore: (record: Uint8Array) => void;
  readonly report: (message: string) => void;
}

/** Where a log goes on. */
export interface Recovered {
  /** Of the last log, which `writer` is at the end of. */
  readonly number: number;
  readonly writer: Writer;
  /** Of the snapshot, 0 without one. */
  readonly snapshotBytes: number;
  /** Of the logs that follow it. */
  readonly logBytes: number;
}

/**
 * Brings a directory's state back: the latest snapshot, then the logs behind it. What a killed process has left half written at the end
 * is cut off, with a report; what is damaged otherwise, missing or of another format is refused by a {@link DataError}.
 */
export async function recover(recovering: Recovering): Promise<Recovered> {
  const { directory, server } = recovering;
  await removeUnfinished(directory);
  const { logs, snapshots } = await contentsOf(directory);
  const base = snapshots.at(-1);
  const first = base ?? 1;
  const last = logs.at(-1);
  if (last === undefined && base === undefined) return await begin(directory, server);
  checkComplete(recovering, first, logs);
  const snapshotBytes = base === undefined ? 0 : readSnapshot({ directory, server, number: base }, recovering.restore);
  const read: Read[] = [];
  for (let number = first; number <= Math.max(first, last ?? 0); number++) read.push(readLog(recovering, number));
  checkEnd(read);
  const writers: Writer[] = [];
  for (const log of read) if (log.torn > 0 || log === read.at(-1)) writers.push(await resume(log, recovering.report));
  for (const writer of writers.slice(0, -1)) await writer.close();
  // A process may have been killed between making a snapshot and removing what is in it.
  await removeBefore(directory, first);
  return {
    number: first + read.length - 1,
    writer: writers.at(-1) as Writer,
    snapshotBytes,
    logBytes: read.reduce((sum, { size }) => sum + size, 0),
  };
}

/** What is not whole may stand only where nothing was written behind it, in whichever log. */
function checkEnd(read: readonly Read[]): void {
  const torn = read.findIndex((log) => log.torn > 0);
  const behind = torn < 0 ? undefined : read.slice(torn + 1).find(({ start, size }) => size > start);
  const { path, size } = read[torn] ?? { path: "", size: 0 };
  if (behind) throw damaged(path, size, `the record there is not whole, and others lie behind it in ${behind.path}`);
}

async function resume({ path, salt, size, torn }: Read, report: (message: string) => void): Promise<Writer> {
  if (torn > 0) report(`${path}: a write was cut short; its ${torn} bytes, from byte ${size} on, are cut off`);
  return await Writer.resume(path, { salt, size });
}

async function begin(directory: string, server: string): Promise<Recovered> {
  const writer = await Writer.create(pathOf(directory, "log", 1), server, "log");
  return { number: 1, writer, snapshotBytes: 0, logBytes: writer.size };
}

/** A snapshot's log is there before it is, and logs go only when a later snapshot has come. */
function checkComplete({ directory }: Recovering, first: number, logs: readonly number[]): void {
  const last = Math.max(first, logs.at(-1) ?? 0);
  for (let number = first; number <= last; number++) {
    if (!logs.includes(number)) {
      throw new DataError(
        `${pathOf(directory, "log", number)} is missing, without which its data cannot be brought back.`,
      );
    }
  }
}

/** A log that was read: up to `size` it is whole. */
interface Read {
  readonly path: string;
  readonly salt: Buffer;
  readonly start: number;
  readonly size: number;
  readonly torn: number;
}

function readLog(recovering: Recovering, number: number): Read {
  const { directory, server, restore } = recovering;
  const reader = new Reader(pathOf(directory, "log", number), { server, kind: "log" });
  try {
    reader.takeAll(restore);
    if (!reader.isAtEnd) reader.refuseGap();
    const { path, at, size, header } = reader;
    return { path, salt: header.salt, start: header.bytes, size: at, torn: size - at };
  } finally {
    reader.close();
  }
}
