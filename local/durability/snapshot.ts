import { setImmediate as nextTurn } from "node:timers/promises";
import { damaged } from "./failure.ts";
import { pathOf, Writer } from "./files.ts";
import { Reader } from "./reader.ts";

/** A snapshot is written in slices, between which the server serves: so many bytes, or so many milliseconds of making them, at most. */
const SLICE_BYTES = 256 * 1024;
const SLICE_MILLIS = 4;
/** Bytes after which the disk catches up, so that the log does not have to wait for all of them at the end. */
const SYNC_BYTES = 8 * 1024 * 1024;
/** The last record: what ends without it ends too early. */
const END = new Uint8Array();

export interface Place {
  readonly directory: string;
  /** A word: whose data it is. */
  readonly server: string;
  readonly number: number;
}

/**
 * Writes the records of a state, none of them empty, while the server goes on. The file is in its place, whole and on disk, when it
 * resolves, and not at all if it rejects.
 * @param isUnwanted asked between slices: whether it has become useless
 * @returns its size in bytes
 */
export async function writeSnapshot(
  { directory, server, number }: Place,
  records: Iterator<Uint8Array>,
  isUnwanted: () => boolean,
): Promise<number> {
  const writer = await Writer.begin(pathOf(directory, "snapshot", number), server, "snapshot");
  try {
    let synced = 0;
    if (isUnwanted()) throw new Error("it is not wanted any more");
    for (let slice = nextSlice(records); slice.length > 0; slice = nextSlice(records)) {
      await writer.append(slice);
      if (writer.size - synced >= SYNC_BYTES) {
        synced = writer.size;
        await writer.sync();
      }
      await nextTurn();
      if (isUnwanted()) throw new Error("it is not wanted any more");
    }
    await writer.append([END]);
    await writer.finish();
    await writer.close();
    return writer.size;
  } catch (error) {
    await writer.abandon();
    throw error;
  } finally {
    records.return?.();
  }
}

/** Reads a snapshot back. Throws a DataError if it is not whole: it was when it got its name. Returns its size in bytes. */
export function readSnapshot({ directory, server, number }: Place, restore: (record: Buffer) => void): number {
  const reader = new Reader(pathOf(directory, "snapshot", number), { server, kind: "snapshot" });
  try {
    if (!reader.takeAll(restore)) throw damaged(reader.path, reader.at, "the record there is not whole");
    if (!reader.isAtEnd) throw damaged(reader.path, reader.at, "it goes on behind its end");
    return reader.size;
  } finally {
    reader.close();
  }
}

function nextSlice(records: Iterator<Uint8Array>): Uint8Array[] {
  const slice: Uint8Array[] = [];
  const began = performance.now();
  let bytes = 0;
  while (bytes < SLICE_BYTES && performance.now() - began < SLICE_MILLIS) {
    const { value, done } = records.next();
    if (done) break;
    slice.push(value);
    bytes += value.length;
  }
  return slice;
}
