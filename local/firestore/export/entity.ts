import { tag, WireType } from "./message.ts";

/**
 * Documents as exports hold them: messages `EntityProto` of the package `storage_onestore_v3`, in which Datastore keeps entities. A
 * collection is the kind of its documents. An array is a property for each element, a map an entity without a key in the bytes of a string.
 * Source: https://github.com/GoogleCloudPlatform/appengine-java-standard/blob/main/protobuf/api/entity_bytes.proto
 */

const { VARINT, FIXED64, BYTES, GROUP, GROUP_END } = WireType;

export const EntityTag = {
  KEY: tag(13, BYTES),
  /** With an index; Firestore puts the empty arrays here. */
  PROPERTY: tag(14, BYTES),
  RAW_PROPERTY: tag(15, BYTES),
  /** The first element of the path. */
  ENTITY_GROUP: tag(16, BYTES),
} as const;

export const KeyTag = {
  APP: tag(13, BYTES),
  PATH: tag(14, BYTES),
  NAMESPACE: tag(20, BYTES),
  DATABASE: tag(23, BYTES),
} as const;

/** The parts of an element of a path, in a key and in a value that refers to one. */
export interface ElementTags {
  readonly BEGIN: number;
  readonly KIND: number;
  readonly ID: number;
  readonly NAME: number;
  readonly END: number;
}

export const KeyElement: ElementTags = {
  BEGIN: tag(1, GROUP),
  KIND: tag(2, BYTES),
  ID: tag(3, VARINT),
  NAME: tag(4, BYTES),
  END: tag(1, GROUP_END),
};

export const ReferenceElement: ElementTags = {
  BEGIN: tag(14, GROUP),
  KIND: tag(15, BYTES),
  ID: tag(16, VARINT),
  NAME: tag(17, BYTES),
  END: tag(14, GROUP_END),
};

export const PropertyTag = {
  MEANING: tag(1, VARINT),
  NAME: tag(3, BYTES),
  IS_MULTIPLE: tag(4, VARINT),
  VALUE: tag(5, BYTES),
} as const;

/** A value without any of these is null. */
export const ValueTag = {
  INTEGER: tag(1, VARINT),
  BOOLEAN: tag(2, VARINT),
  STRING: tag(3, BYTES),
  DOUBLE: tag(4, FIXED64),
  POINT: tag(5, GROUP),
  LATITUDE: tag(6, FIXED64),
  LONGITUDE: tag(7, FIXED64),
  POINT_END: tag(5, GROUP_END),
  REFERENCE: tag(12, GROUP),
  REFERENCE_END: tag(12, GROUP_END),
} as const;

/** What a value means beyond its type. */
export const Meaning = {
  NONE: 0,
  /** Of an integer: microseconds since the epoch. */
  TIMESTAMP: 7,
  POINT: 9,
  /** Of a string: bytes. */
  BYTES: 14,
  SHORT_BYTES: 16,
  /** Of a string: an entity. */
  MAP: 19,
  /** Of null: no element at all. */
  EMPTY_ARRAY: 24,
  /** Of elements of an array: they are a vector's. */
  VECTOR: 31,
} as const;

/** The name of the database that an export need not name. */
export const DEFAULT_DATABASE = "(default)";

/** An id that is a number in keys: `__id7__`. */
export const NUMERIC_ID = /^__id(-?\d+)__$/;
