import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { fn, method, type Operations } from "./signature.ts";

/**
 * Sequences of bytes and their hashes.
 * Sources: https://firebase.google.com/docs/reference/rules/rules.Bytes and rules.hashing
 */

export const BYTES_METHODS: Operations<Uint8Array> = new Map([
  ["size", method([], (bytes: Uint8Array) => BigInt(bytes.length))],
  ["toBase64", method([], toBase64)],
  ["toHexString", method([], (bytes: Uint8Array) => Buffer.from(bytes).toString("hex").toUpperCase())],
]);

/** With the alphabet of URLs, and padded. */
function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

export const HASHING_FUNCTIONS: Operations<undefined> = new Map([
  ["crc32", fn(["string|bytes"], (content) => littleEndian(crc32(content)))],
  ["crc32c", fn(["string|bytes"], (content) => littleEndian(crc32c(Buffer.from(content))))],
  ["md5", fn(["string|bytes"], (content) => digest("md5", content))],
  ["sha256", fn(["string|bytes"], (content) => digest("sha256", content))],
]);

function digest(algorithm: string, content: string | Uint8Array): Uint8Array {
  return Uint8Array.from(createHash(algorithm).update(content).digest());
}

/** The service gives the checksums with their lowest byte first. */
function littleEndian(checksum: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, checksum, true);
  return bytes;
}

/** The polynomial of Castagnoli, its bits reversed. Source: RFC 3720, appendix B.4 */
const CASTAGNOLI = 0x82f63b78;

const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ CASTAGNOLI : remainder >>> 1;
  return remainder;
});

function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = (CRC32C_TABLE[(remainder ^ byte) & 0xff] ?? 0) ^ (remainder >>> 8);
  return (remainder ^ 0xffffffff) >>> 0;
}
