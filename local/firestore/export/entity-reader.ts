import type { Reader } from "protobufjs";
import protobuf from "protobufjs/light.js";
import {
  type Fields,
  GeoPoint,
  isMap,
  Reference,
  type Timestamp,
  type Value,
  vector,
  vectorOf,
} from "../model/value.ts";
import { checkedTimestamp, readInt64 } from "../wire/codec.ts";
import {
  DEFAULT_DATABASE,
  type ElementTags,
  EntityTag,
  KeyElement,
  KeyTag,
  Meaning,
  PropertyTag,
  ReferenceElement,
  ValueTag,
} from "./entity.ts";
import { readGroup, readMessage, readText, toText } from "./message.ts";

/** Maps in maps: a document has at most 20. */
const MAX_DEPTH = 100;
const MAX_KNOWN_NAMES = 10_000;
const MICROS = 1_000_000n;

/** A document as it was exported. */
export interface Entity {
  /** The id of the database that it is from. */
  readonly database: string;
  /** `users/ada` */
  readonly path: string;
  readonly fields: Fields;
}

/** Reads an entity. Throws on whatever no document can be. */
export function readEntity(bytes: Buffer): Entity {
  const reader = protobuf.Reader.create(bytes);
  const fields = new Map<string, Value>();
  let key: Key | undefined;
  readMessage(reader, bytes.length, (tag) => {
    if (tag === EntityTag.KEY) key = readKey(reader, reader.uint32());
    else if (isProperty(tag)) readProperty(reader, fields, 0);
    else return false;
    return true;
  });
  if (!key) throw new Error("the entity has no key");
  return { database: key.database, path: key.segments.join("/"), fields };
}

interface Key {
  app: string;
  database: string;
  readonly segments: string[];
}

function readKey(reader: Reader, length: number): Key {
  const key: Key = { app: "", database: DEFAULT_DATABASE, segments: [] };
  readMessage(reader, length, (tag) => {
    if (tag !== KeyTag.PATH) return readOfKey(reader, tag, key);
    readMessage(reader, reader.uint32(), (element) => readElement(reader, element, KeyElement, key.segments));
    return true;
  });
  return key;
}

/** What keys and references have in common. */
function readOfKey(reader: Reader, tag: number, key: Key): boolean {
  if (tag === KeyTag.APP) key.app = readText(reader);
  else if (tag === KeyTag.DATABASE) key.database = readText(reader) || DEFAULT_DATABASE;
  else if (tag === KeyTag.NAMESPACE) throw new Error("a key has a namespace, which Firestore does not know");
  else return false;
  return true;
}

function readElement(reader: Reader, tag: number, tags: ElementTags, segments: string[]): boolean {
  if (tag !== tags.BEGIN) return false;
  let kind = "";
  let id: string | undefined;
  readGroup(reader, tags.END, (part) => {
    if (part === tags.KIND) kind = segment(reader);
    else if (part === tags.NAME) id = segment(reader);
    else if (part === tags.ID) id = `__id${readInt64(reader)}__`;
    else return false;
    return true;
  });
  segments.push(kind, ...(id === undefined ? [] : [id]));
  return true;
}

function segment(reader: Reader): string {
  const text = readText(reader);
  if (text.includes("/")) throw new Error(`"${text}" has a slash and is no part of a path`);
  return text;
}

function isProperty(tag: number): boolean {
  return tag === EntityTag.PROPERTY || tag === EntityTag.RAW_PROPERTY;
}

/** Reads a property into the fields: a value of its own, or one more element of an array. */
function readProperty(reader: Reader, fields: Map<string, Value>, depth: number): void {
  let name = "";
  let meaning: number = Meaning.NONE;
  let isMultiple = false;
  let value: Content = null;
  readMessage(reader, reader.uint32(), (tag) => {
    if (tag === PropertyTag.NAME) name = known(readText(reader));
    else if (tag === PropertyTag.MEANING) meaning = reader.int32();
    else if (tag === PropertyTag.IS_MULTIPLE) isMultiple = reader.bool();
    else if (tag === PropertyTag.VALUE) value = readContent(reader, reader.uint32());
    else return false;
    return true;
  });
  const read = toValue(value, meaning, depth);
  if (!isMultiple || meaning === Meaning.EMPTY_ARRAY) fields.set(name, read);
  else addElement(fields, name, { element: read, isOfVector: meaning === Meaning.VECTOR });
}

function addElement(
  fields: Map<string, Value>,
  name: string,
  { element, isOfVector }: { element: Value; isOfVector: boolean },
): void {
  const before = fields.get(name);
  const elements = isOfVector && isMap(before) ? vectorOf(before) : before;
  if (Array.isArray(elements)) elements.push(element);
  else fields.set(name, isOfVector ? vector([element]) : [element]);
}

/** What a value holds before its meaning is known: strings as they are. */
type Content = null | bigint | boolean | number | Uint8Array | GeoPoint | Reference;

function readContent(reader: Reader, length: number): Content {
  let content: Content = null;
  readMessage(reader, length, (tag) => {
    content = readOneContent(reader, tag);
    return true;
  });
  return content;
}

function readOneContent(reader: Reader, tag: number): Content {
  switch (tag) {
    case ValueTag.INTEGER:
      return readInt64(reader);
    case ValueTag.BOOLEAN:
      return reader.bool();
    case ValueTag.STRING:
      return reader.bytes();
    case ValueTag.DOUBLE:
      return reader.double();
    case ValueTag.POINT:
      return readPoint(reader);
    case ValueTag.REFERENCE:
      return readReference(reader);
    default:
      throw new Error(`a value of type ${tag >>> 3}, which Firestore does not know`);
  }
}

function readPoint(reader: Reader): GeoPoint {
  let latitude = 0;
  let longitude = 0;
  readGroup(reader, ValueTag.POINT_END, (tag) => {
    if (tag === ValueTag.LATITUDE) latitude = reader.double();
    else if (tag === ValueTag.LONGITUDE) longitude = reader.double();
    else return false;
    return true;
  });
  return new GeoPoint(latitude, longitude);
}

/** A reference stays what it is, also when documents are imported into another project: as in production, which does not follow it either. */
function readReference(reader: Reader): Reference {
  const key: Key = { app: "", database: DEFAULT_DATABASE, segments: [] };
  readGroup(
    reader,
    ValueTag.REFERENCE_END,
    (tag) => readElement(reader, tag, ReferenceElement, key.segments) || readOfKey(reader, tag, key),
  );
  // Behind what says where the app runs: `dev~` in the emulator, other letters in production.
  const project = key.app.replace(/^[a-z]+~/, "");
  return new Reference(`projects/${project}/databases/${key.database}/documents/${key.segments.join("/")}`);
}

function toValue(content: Content, meaning: number, depth: number): Value {
  if (content === null) return meaning === Meaning.EMPTY_ARRAY ? [] : null;
  if (typeof content === "bigint") return meaning === Meaning.TIMESTAMP ? timestamp(content) : content;
  if (!(content instanceof Uint8Array)) return content;
  if (meaning === Meaning.MAP) return readMap(content, depth + 1);
  const isBytes = meaning === Meaning.BYTES || meaning === Meaning.SHORT_BYTES;
  return isBytes ? Uint8Array.from(content) : toText(content);
}

function timestamp(micros: bigint): Timestamp {
  const nanos = (((micros % MICROS) + MICROS) % MICROS) * 1_000n;
  return checkedTimestamp(Number((micros - nanos / 1_000n) / MICROS), Number(nanos));
}

function readMap(bytes: Uint8Array, depth: number): Fields {
  if (depth > MAX_DEPTH) throw new Error(`maps are nested more than ${MAX_DEPTH} levels deep`);
  const reader = protobuf.Reader.create(bytes);
  const fields = new Map<string, Value>();
  readMessage(reader, bytes.length, (tag) => {
    if (!isProperty(tag)) return false;
    readProperty(reader, fields, depth);
    return true;
  });
  return fields;
}

const names = new Map<string, string>();

/** The same string for the same name: documents would each keep their own. */
function known(name: string): string {
  const first = names.get(name);
  if (first !== undefined) return first;
  if (names.size < MAX_KNOWN_NAMES) names.set(name, name);
  return name;
}
