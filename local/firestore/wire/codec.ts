import type { Reader, Writer } from "protobufjs";
import protobuf from "protobufjs/light.js";
import { type Fields, GeoPoint, isArray, Reference, Timestamp, type Value } from "../model/value.ts";
import { invalidArgument } from "./status.ts";

/**
 * Protocol-buffer codecs between the wire and the store's own form of values.
 * Field numbers: `google/firestore/v1/document.proto`, `google/protobuf/timestamp.proto`, `google/type/latlng.proto`.
 */
export interface MessageCodec<T> {
  encode(value: T, writer?: Writer): Writer;
  decode(source: Reader | Uint8Array, length?: number, group?: number, depth?: number): T;
}

/** A document as it travels; `fields` is empty, never absent. */
export interface WireDocument {
  readonly name: string;
  readonly fields: Fields;
  readonly createTime?: Timestamp;
  readonly updateTime?: Timestamp;
}

const WireType = {
  VARINT: 0,
  FIXED64: 1,
  BYTES: 2,
} as const;

const ValueField = {
  BOOLEAN: 1,
  INTEGER: 2,
  DOUBLE: 3,
  REFERENCE: 5,
  MAP: 6,
  GEO_POINT: 8,
  ARRAY: 9,
  TIMESTAMP: 10,
  NULL: 11,
  STRING: 17,
  BYTES: 18,
} as const;

const MAX_DEPTH = 100;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

const Tag = {
  NULL: tag(ValueField.NULL, WireType.VARINT),
  BOOLEAN: tag(ValueField.BOOLEAN, WireType.VARINT),
  INTEGER: tag(ValueField.INTEGER, WireType.VARINT),
  DOUBLE: tag(ValueField.DOUBLE, WireType.FIXED64),
  TIMESTAMP: tag(ValueField.TIMESTAMP, WireType.BYTES),
  STRING: tag(ValueField.STRING, WireType.BYTES),
  BYTES: tag(ValueField.BYTES, WireType.BYTES),
  REFERENCE: tag(ValueField.REFERENCE, WireType.BYTES),
  GEO_POINT: tag(ValueField.GEO_POINT, WireType.BYTES),
  ARRAY: tag(ValueField.ARRAY, WireType.BYTES),
  MAP: tag(ValueField.MAP, WireType.BYTES),
  FIRST_MESSAGE: tag(1, WireType.BYTES),
  SECOND_MESSAGE: tag(2, WireType.BYTES),
  FIRST_DOUBLE: tag(1, WireType.FIXED64),
  SECOND_DOUBLE: tag(2, WireType.FIXED64),
  FIRST_VARINT: tag(1, WireType.VARINT),
  SECOND_VARINT: tag(2, WireType.VARINT),
} as const;

/** Calls `field` for each field of the message that starts here, and skips those it does not take. */
function readFields(reader: Reader, length: number | undefined, field: (id: number) => boolean): void {
  const end = length === undefined ? reader.len : reader.pos + length;
  if (end > reader.len) throw new RangeError("index out of range");
  while (reader.pos < end) {
    const header = reader.uint32();
    if (!field(header >>> 3)) reader.skipType(header & 7);
  }
  if (reader.pos !== end) throw new RangeError("index out of range");
}

function readerOf(source: Reader | Uint8Array): Reader {
  return source instanceof Uint8Array ? protobuf.Reader.create(source) : source;
}

function writerOf(writer: Writer | undefined): Writer {
  return writer ?? protobuf.Writer.create();
}

export function readInt64(reader: Reader): bigint {
  const long = reader.int64() as protobuf.Long;
  return BigInt.asIntN(64, (BigInt(long.high) << 32n) | BigInt(long.low >>> 0));
}

export function writeInt64(writer: Writer, value: bigint): void {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  writer.int64({ low, high, unsigned: false } as protobuf.Long);
}

export const timestampCodec: MessageCodec<Timestamp> = {
  encode(value, writer) {
    const out = writerOf(writer);
    if (value.seconds !== 0) out.uint32(Tag.FIRST_VARINT).int64(value.seconds);
    if (value.nanos !== 0) out.uint32(Tag.SECOND_VARINT).int32(value.nanos);
    return out;
  },
  decode(source, length) {
    const reader = readerOf(source);
    let seconds = 0;
    let nanos = 0;
    readFields(reader, length, (id) => {
      if (id === 1) seconds = Number(reader.int64());
      else if (id === 2) nanos = reader.int32();
      else return false;
      return true;
    });
    return checkedTimestamp(seconds, nanos);
  },
};

const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;

/** A timestamp of the years 1 to 9999, cut to the microsecond as the service keeps it. */
export function checkedTimestamp(seconds: number, nanos: number): Timestamp {
  if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS)) {
    throw invalidArgument(`Timestamp seconds ${seconds} are out of range: years 1 to 9999 are allowed.`);
  }
  if (!(nanos >= 0 && nanos <= 999_999_999)) throw invalidArgument(`Timestamp nanos ${nanos} are out of range.`);
  return new Timestamp(seconds, nanos - (nanos % 1000));
}

export const latLngCodec: MessageCodec<GeoPoint> = {
  encode(value, writer) {
    return writerOf(writer)
      .uint32(Tag.FIRST_DOUBLE)
      .double(value.latitude)
      .uint32(Tag.SECOND_DOUBLE)
      .double(value.longitude);
  },
  decode(source, length) {
    const reader = readerOf(source);
    let latitude = 0;
    let longitude = 0;
    readFields(reader, length, (id) => {
      if (id === 1) latitude = reader.double();
      else if (id === 2) longitude = reader.double();
      else return false;
      return true;
    });
    return new GeoPoint(latitude, longitude);
  },
};

export const valueCodec: MessageCodec<Value> = {
  encode(value, writer) {
    const out = writerOf(writer);
    writeValue(out, value);
    return out;
  },
  decode(source, length) {
    return readValue(readerOf(source), length, 0);
  },
};

export const documentCodec: MessageCodec<WireDocument> = {
  encode(document, writer) {
    const out = writerOf(writer);
    if (document.name !== "") out.uint32(Tag.FIRST_MESSAGE).string(document.name);
    writeMapEntries(out, Tag.SECOND_MESSAGE, document.fields);
    if (document.createTime)
      timestampCodec.encode(document.createTime, out.uint32(tag(3, WireType.BYTES)).fork()).ldelim();
    if (document.updateTime)
      timestampCodec.encode(document.updateTime, out.uint32(tag(4, WireType.BYTES)).fork()).ldelim();
    return out;
  },
  decode(source, length) {
    const reader = readerOf(source);
    let name = "";
    const fields = new Map<string, Value>();
    readFields(reader, length, (id) => {
      if (id === 1) name = reader.string();
      else if (id === 2) readMapEntry(reader, fields, 0);
      else return false;
      return true;
    });
    return { name, fields };
  },
};

function writeValue(out: Writer, value: Value): void {
  if (value === null) return void out.uint32(Tag.NULL).uint32(0);
  switch (typeof value) {
    case "string":
      return void out.uint32(Tag.STRING).string(value);
    case "bigint":
      return writeInt64(out.uint32(Tag.INTEGER), value);
    case "number":
      return void out.uint32(Tag.DOUBLE).double(value);
    case "boolean":
      return void out.uint32(Tag.BOOLEAN).bool(value);
    default:
      return writeObject(out, value);
  }
}

function writeObject(out: Writer, value: Exclude<Value, null | boolean | bigint | number | string>): void {
  if (value instanceof Map) {
    out.uint32(Tag.MAP).fork();
    writeMapEntries(out, Tag.FIRST_MESSAGE, value);
    out.ldelim();
  } else if (isArray(value)) {
    out.uint32(Tag.ARRAY).fork();
    for (const item of value) {
      out.uint32(Tag.FIRST_MESSAGE).fork();
      writeValue(out, item);
      out.ldelim();
    }
    out.ldelim();
  } else if (value instanceof Timestamp) {
    timestampCodec.encode(value, out.uint32(Tag.TIMESTAMP).fork()).ldelim();
  } else if (value instanceof Uint8Array) {
    out.uint32(Tag.BYTES).bytes(value);
  } else if (value instanceof Reference) {
    out.uint32(Tag.REFERENCE).string(value.name);
  } else if (value instanceof GeoPoint) {
    latLngCodec.encode(value, out.uint32(Tag.GEO_POINT).fork()).ldelim();
  }
}

function writeMapEntries(out: Writer, header: number, fields: Fields): void {
  for (const [name, value] of fields) {
    out.uint32(header).fork().uint32(Tag.FIRST_MESSAGE).string(name).uint32(Tag.SECOND_MESSAGE).fork();
    writeValue(out, value);
    out.ldelim().ldelim();
  }
}

function readValue(reader: Reader, length: number | undefined, depth: number): Value {
  if (depth > MAX_DEPTH) throw invalidArgument(`A value is nested more than ${MAX_DEPTH} levels deep.`);
  let value: Value | undefined;
  readFields(reader, length, (id) => {
    switch (id) {
      case ValueField.NULL:
        reader.int32();
        value = null;
        return true;
      case ValueField.BOOLEAN:
        value = reader.bool();
        return true;
      case ValueField.INTEGER:
        value = readInt64(reader);
        return true;
      case ValueField.DOUBLE:
        value = reader.double();
        return true;
      case ValueField.TIMESTAMP:
        value = timestampCodec.decode(reader, reader.uint32());
        return true;
      case ValueField.STRING:
        value = reader.string();
        return true;
      case ValueField.BYTES:
        value = Uint8Array.from(reader.bytes());
        return true;
      case ValueField.REFERENCE:
        value = new Reference(reader.string());
        return true;
      case ValueField.GEO_POINT:
        value = latLngCodec.decode(reader, reader.uint32());
        return true;
      case ValueField.ARRAY:
        value = readArray(reader, reader.uint32(), depth + 1);
        return true;
      case ValueField.MAP:
        value = readMap(reader, reader.uint32(), depth + 1);
        return true;
      default:
        return false;
    }
  });
  if (value === undefined) throw invalidArgument("A value has no type that this edition of Firestore knows.");
  return value;
}

function readArray(reader: Reader, length: number, depth: number): Value[] {
  const items: Value[] = [];
  readFields(reader, length, (id) => {
    if (id !== 1) return false;
    items.push(readValue(reader, reader.uint32(), depth));
    return true;
  });
  return items;
}

function readMap(reader: Reader, length: number, depth: number): Fields {
  const fields = new Map<string, Value>();
  readFields(reader, length, (id) => {
    if (id !== 1) return false;
    readMapEntry(reader, fields, depth);
    return true;
  });
  return fields;
}

function readMapEntry(reader: Reader, fields: Map<string, Value>, depth: number): void {
  let name = "";
  let value: Value | undefined;
  readFields(reader, reader.uint32(), (id) => {
    if (id === 1) name = reader.string();
    else if (id === 2) value = readValue(reader, reader.uint32(), depth);
    else return false;
    return true;
  });
  if (value === undefined) throw invalidArgument(`Field "${name}" has no value.`);
  fields.set(name, value);
}
