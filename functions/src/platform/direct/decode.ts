import { Timestamp } from "firebase-admin/firestore";
import { ForwardsReader } from "./forwards.ts";
import {
  ARRAY,
  DOCUMENT,
  ENTRY,
  MAP,
  READ_RESPONSE,
  STATUS,
  TIMESTAMP,
  VALUE,
  WRITE_RESULT,
  WRITES_RESPONSE,
} from "./tags.ts";

/** A document as it is stored. */
export interface Found {
  readonly fields: Record<string, unknown>;
  /** When it was last written. */
  readonly updateTime: Timestamp;
}

/** Of what an answer tells that nobody here writes, as references: the client knows what it is. */
class NotDecoded extends Error {
  override readonly name = "NotDecoded";
}

/** What became of a write that was for itself: when its document was last written, or gRPC's code of why it was not. */
export type Outcome =
  | { readonly isWritten: true; readonly updateTime: Timestamp | undefined }
  | { readonly isWritten: false; readonly code: number };

const INTERNAL = 13;

/**
 * When each of the documents of a commit was last written, in the order of the writes, out of a CommitResponse. One that was as it was
 * written has no time of its own.
 */
export function decodeCommit(bytes: Buffer): (Timestamp | undefined)[] {
  const from = new ForwardsReader(bytes);
  const times: (Timestamp | undefined)[] = [];
  while (from.isBefore(from.end)) {
    const tag = from.varint();
    if (tag === WRITES_RESPONSE.result) times.push(readResult(from));
    else from.skip(tag);
  }
  return times;
}

/** What became of each of so many writes, in their order, out of a BatchWriteResponse. */
export function decodeOutcomes(bytes: Buffer, count: number): Outcome[] {
  const times = decodeCommit(bytes);
  const from = new ForwardsReader(bytes);
  const codes: number[] = [];
  while (from.isBefore(from.end)) {
    const tag = from.varint();
    if (tag === WRITES_RESPONSE.status) codes.push(readStatus(from));
    else from.skip(tag);
  }
  return Array.from({ length: count }, (_, i) => {
    const code = codes[i] ?? INTERNAL;
    return code === 0 ? { isWritten: true, updateTime: times[i] } : { isWritten: false, code };
  });
}

/** Out of a BatchGetDocumentsResponse: a document and its name, or the name of one that is not there, or neither. */
export function decodeRead(bytes: Buffer): { name?: string; found?: Found } {
  const from = new ForwardsReader(bytes);
  let read: { name?: string; found?: Found } = {};
  while (from.isBefore(from.end)) {
    const tag = from.varint();
    if (tag === READ_RESPONSE.found) read = readDocument(from);
    else if (tag === READ_RESPONSE.missing) read = { name: from.text() };
    else from.skip(tag);
  }
  return read;
}

function readResult(from: ForwardsReader): Timestamp | undefined {
  let time: Timestamp | undefined;
  for (const end = from.messageEnd(); from.isBefore(end); ) {
    const tag = from.varint();
    if (tag === WRITE_RESULT.updateTime) time = readTimestamp(from);
    else from.skip(tag);
  }
  return time;
}

function readStatus(from: ForwardsReader): number {
  let code = 0;
  for (const end = from.messageEnd(); from.isBefore(end); ) {
    const tag = from.varint();
    if (tag === STATUS.code) code = from.varint();
    else from.skip(tag);
  }
  return code;
}

function readDocument(from: ForwardsReader): { name: string; found: Found } {
  let name = "";
  const fields: Record<string, unknown> = {};
  let updateTime = new Timestamp(0, 0);
  for (const end = from.messageEnd(); from.isBefore(end); ) {
    const tag = from.varint();
    if (tag === DOCUMENT.name) name = from.text();
    else if (tag === DOCUMENT.fields) readEntry(from, fields);
    else if (tag === DOCUMENT.updateTime) updateTime = readTimestamp(from);
    else from.skip(tag);
  }
  return { name, found: { fields, updateTime } };
}

/** One field of a document or of a map. */
function readEntry(from: ForwardsReader, into: Record<string, unknown>): void {
  let [name, value]: [string, unknown] = ["", undefined];
  for (const end = from.messageEnd(); from.isBefore(end); ) {
    const tag = from.varint();
    if (tag === ENTRY.key) name = from.text();
    else if (tag === ENTRY.value) value = readValue(from);
    else from.skip(tag);
  }
  // What Firestore keeps to itself, as the names of types that it has no values for.
  if (name.startsWith("__")) throw new NotDecoded(`the field ${name}`);
  into[name] = value;
}

function readValue(from: ForwardsReader): unknown {
  let value: unknown;
  for (const end = from.messageEnd(); from.isBefore(end); ) value = readOneOf(from, from.varint());
  return value;
}

function readOneOf(from: ForwardsReader, tag: number): unknown {
  switch (tag) {
    case VALUE.text:
      return from.text();
    case VALUE.integer:
      return from.int64();
    case VALUE.map:
      return readMap(from);
    case VALUE.timestamp:
      return readTimestamp(from);
    case VALUE.boolean:
      return from.varint() === 1;
    case VALUE.array:
      return readArray(from);
    case VALUE.double:
      return from.double();
    case VALUE.none:
      from.varint();
      return null;
    default:
      throw new NotDecoded(`a value under the tag ${tag}`);
  }
}

function readMap(from: ForwardsReader): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const end = from.messageEnd(); from.isBefore(end); ) {
    const tag = from.varint();
    if (tag === MAP.fields) readEntry(from, fields);
    else from.skip(tag);
  }
  return fields;
}

function readArray(from: ForwardsReader): unknown[] {
  const values: unknown[] = [];
  for (const end = from.messageEnd(); from.isBefore(end); ) {
    const tag = from.varint();
    if (tag === ARRAY.values) values.push(readValue(from));
    else from.skip(tag);
  }
  return values;
}

function readTimestamp(from: ForwardsReader): Timestamp {
  let [seconds, nanos] = [0, 0];
  for (const end = from.messageEnd(); from.isBefore(end); ) {
    const tag = from.varint();
    if (tag === TIMESTAMP.seconds) seconds = from.int64();
    else if (tag === TIMESTAMP.nanos) nanos = from.varint();
    else from.skip(tag);
  }
  return new Timestamp(seconds, nanos);
}
