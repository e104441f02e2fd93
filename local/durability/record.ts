import { crc32 } from "node:zlib";

/**
 * Records as they lie in a file: a mark, the length and a checksum (four bytes each, big-endian), then the bytes. The checksum is also
 * over where the record lies and in which file, so that bytes of one that are the content of another are never taken for a record.
 */

/** What a record takes besides its own bytes. */
export const OVERHEAD = 12;
const MARK = Buffer.from([0xf1, 0x0e, 0xba, 0x5e]);
const LENGTH_AT = 4;
const CHECKSUM_AT = 8;

/** What tells records of one file from those of all others. */
export type Salt = Buffer;
export const SALT_BYTES = 8;

/** Writes records one behind the other. @param offset in the file, where the first of them will lie */
export function writeRecords(records: readonly Uint8Array[], salt: Salt, offset: number): Buffer {
  const bytes = Buffer.allocUnsafe(records.reduce((sum, record) => sum + OVERHEAD + record.length, 0));
  let at = 0;
  for (const record of records) {
    MARK.copy(bytes, at);
    bytes.writeUInt32BE(record.length, at + LENGTH_AT);
    bytes.writeUInt32BE(checksumOf(record, salt, offset + at), at + CHECKSUM_AT);
    bytes.set(record, at + OVERHEAD);
    at += OVERHEAD + record.length;
  }
  return bytes;
}

/** Bytes that the record whose beginning this is takes in all, or undefined where none begins. */
export function extentOf(beginning: Buffer): number | undefined {
  if (beginning.length < OVERHEAD || beginning.compare(MARK, 0, MARK.length, 0, MARK.length) !== 0) return undefined;
  return OVERHEAD + beginning.readUInt32BE(LENGTH_AT);
}

/** The record that lies at an offset of the file, with nothing behind it in `bytes`; undefined if it is not as it was written. */
export function readRecord(bytes: Buffer, salt: Salt, offset: number): Buffer | undefined {
  if (extentOf(bytes) !== bytes.length) return undefined;
  const record = bytes.subarray(OVERHEAD);
  return bytes.readUInt32BE(CHECKSUM_AT) === checksumOf(record, salt, offset) ? record : undefined;
}

/** The offset of the first whole record in a piece of a file, wherever it begins; undefined if there is none. */
export function findRecord(bytes: Buffer, salt: Salt, offset: number): number | undefined {
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
    const extent = extentOf(bytes.subarray(at));
    if (extent === undefined || at + extent > bytes.length) continue;
    if (readRecord(bytes.subarray(at, at + extent), salt, offset + at)) return offset + at;
  }
  return undefined;
}

const place = Buffer.alloc(SALT_BYTES + 12);

function checksumOf(record: Uint8Array, salt: Salt, offset: number): number {
  salt.copy(place);
  place.writeBigUInt64BE(BigInt(offset), SALT_BYTES);
  place.writeUInt32BE(record.length, SALT_BYTES + 8);
  return crc32(record, crc32(place));
}
