import type { Reader, Writer } from "protobufjs";
import protobuf from "protobufjs/light.js";
import { type Fields, isMap } from "../model/value.ts";
import type { Commit } from "../store/database.ts";
import type { Version } from "../store/document.ts";
import { valueCodec } from "../wire/codec.ts";

/**
 * Records of Firestore's log and snapshots, in protocol buffers: a database, a time, and the states of documents in it. Fields of documents
 * have the wire's own form. Times are microseconds since the epoch.
 *
 *     Record   { string database = 1; double time = 2; bool clears = 3; repeated State states = 4 }
 *     State    { string path = 1; double create_time = 2; double update_time = 3; uint32 bytes = 4; Value fields = 5 (none: deleted) }
 */

/** A document as it was after a commit; `fields` null: deleted. */
export interface DocumentState extends Omit<Version, "previous"> {
  readonly path: string;
}

export interface Record {
  readonly database: string;
  readonly time: number;
  /** Whether the database was emptied. */
  readonly clears: boolean;
  readonly states: readonly DocumentState[];
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

export function commitRecord({ database, time, changes, isClearing = false }: Commit): Uint8Array {
  const states = isClearing ? [] : changes.map(({ path, after }) => stateOf(path, after, time));
  return writeRecord({ database, time, clears: isClearing, states });
}

export function stateOf(path: string, version: Version | undefined, time: number): DocumentState {
  if (!version) return { path, fields: null, createTime: 0, updateTime: time, bytes: 0 };
  const { fields, createTime, updateTime, bytes } = version;
  return { path, fields, createTime, updateTime, bytes };
}

export function writeRecord({ database, time, clears, states }: Record): Uint8Array {
  const out = protobuf.Writer.create();
  out.uint32(tag(1, BYTES)).string(database).uint32(tag(2, FIXED64)).double(time);
  if (clears) out.uint32(tag(3, VARINT)).bool(true);
  for (const state of states) {
    out.uint32(tag(4, BYTES)).fork();
    writeState(out, state);
    out.ldelim();
  }
  return out.finish();
}

function writeState(out: Writer, { path, fields, createTime, updateTime, bytes }: DocumentState): void {
  out.uint32(tag(1, BYTES)).string(path).uint32(tag(2, FIXED64)).double(createTime);
  out.uint32(tag(3, FIXED64)).double(updateTime).uint32(tag(4, VARINT)).uint32(bytes);
  if (fields) valueCodec.encode(fields, out.uint32(tag(5, BYTES)).fork()).ldelim();
}

export function readRecord(bytes: Uint8Array): Record {
  const reader = protobuf.Reader.create(bytes);
  const states: DocumentState[] = [];
  let [database, time, clears] = ["", 0, false];
  while (reader.pos < reader.len) {
    const id = reader.uint32() >>> 3;
    if (id === 1) database = reader.string();
    else if (id === 2) time = reader.double();
    else if (id === 3) clears = reader.bool();
    else if (id === 4) states.push(readState(reader, reader.uint32()));
    else throw unknown(id);
  }
  return { database, time, clears, states };
}

function readState(reader: Reader, length: number): DocumentState {
  const end = reader.pos + length;
  let [path, createTime, updateTime, bytes] = ["", 0, 0, 0];
  let fields: Fields | null = null;
  while (reader.pos < end) {
    const id = reader.uint32() >>> 3;
    if (id === 1) path = reader.string();
    else if (id === 2) createTime = reader.double();
    else if (id === 3) updateTime = reader.double();
    else if (id === 4) bytes = reader.uint32();
    else if (id === 5) fields = readFields(reader);
    else throw unknown(id);
  }
  return { path, fields, createTime, updateTime, bytes };
}

function readFields(reader: Reader): Fields {
  const value = valueCodec.decode(reader, reader.uint32());
  if (!isMap(value)) throw new Error("the fields of a document are no map");
  return value;
}

function unknown(id: number): Error {
  return new Error(`it has a field ${id} that is not known`);
}

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}
