import { crc32c } from "./crc32c.ts";

/**
 * The files that exports are made of: LevelDB's log format. Blocks of 32 KB hold fragments, each with the checksum of its type and its bytes,
 * their length and the type; what is left of a block without room for a header is zero.
 * Source: https://github.com/google/leveldb/blob/main/doc/log_format.md
 */
export const BLOCK_BYTES = 32_768;
export const HEADER_BYTES = 7;
/** What is behind these bytes of a header, its type included, is covered by the checksum. */
export const UNCHECKED_BYTES = 6;
/** Of one record. A document has at most 1 MB, but its entity repeats the name of an array for each element. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** What part of a record a fragment is. */
export const FragmentType = { FULL: 1, FIRST: 2, MIDDLE: 3, LAST: 4 } as const;

const MASK_DELTA = 0xa282ead8;

/** The checksum as it is stored: turned by 15 bits and moved, since a checksum of what holds checksums says little. */
export function maskedChecksum(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
