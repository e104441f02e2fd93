import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { DataError, damaged } from "./failure.ts";
import { SALT_BYTES, type Salt } from "./record.ts";

/** Of the form of all files. Whoever changes it gives it another number. */
const FORMAT = 1;
/** A header is one line of text, so that `head -1` says what a file is. It is not longer than this. */
export const MAX_HEADER_BYTES = 100;
const LINE = /^(firebase-local (\w+) (log|snapshot) (\d+) ([0-9a-f]{16})) ([0-9a-f]{8})\n/;

export type Kind = "log" | "snapshot";

/** What the first line of a file says. */
export interface Header {
  readonly salt: Salt;
  readonly bytes: number;
}

/** @param server whose data it is, a word */
export function makeHeader(server: string, kind: Kind): { readonly line: Buffer; readonly salt: Salt } {
  const salt = randomBytes(SALT_BYTES);
  const text = `firebase-local ${server} ${kind} ${FORMAT} ${salt.toString("hex")}`;
  return { line: Buffer.from(`${text} ${checksumOf(text)}\n`), salt };
}

/** Reads the first line of a file. Throws a {@link DataError} for what is damaged, of another format or of another server. */
export function readHeader(beginning: Buffer, file: string, { server, kind }: { server: string; kind: Kind }): Header {
  const match = LINE.exec(beginning.toString("latin1"));
  if (!match) throw damaged(file, 0, "it does not begin as such files do");
  const [line, text, whose, found, format, salt, checksum] = match as unknown as [string, ...string[]];
  if (checksumOf(text as string) !== checksum) throw damaged(file, 0, "its first line is not as it was written");
  if (Number(format) !== FORMAT) {
    throw new DataError(`${file} is in format ${format}; this program reads format ${FORMAT}.`);
  }
  if (whose !== server) throw new DataError(`${file} holds data of ${whose}, not of ${server}.`);
  if (found !== kind) throw damaged(file, 0, `it says that it is a ${found}`);
  return { salt: Buffer.from(salt as string, "hex"), bytes: line.length };
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
