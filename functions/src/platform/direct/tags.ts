/**
 * What stands before a field of a message: its number times 8, and the way it is written: 0 a varint, 1 eight bytes, 2 with a length.
 * Source: https://github.com/googleapis/googleapis/tree/master/google/firestore/v1, firestore.proto, write.proto, document.proto, common.proto
 */

/** CommitRequest and BatchWriteRequest alike. */
export const WRITES_REQUEST = { database: 10, writes: 18 };
/** CommitResponse, and BatchWriteResponse, which alone has a status for each. */
export const WRITES_RESPONSE = { result: 10, status: 18 };
export const WRITE_RESULT = { updateTime: 10 };
export const STATUS = { code: 8 };
export const READ_REQUEST = { database: 10, documents: 18 };
export const READ_RESPONSE = { found: 10, missing: 18 };
export const WRITE = { update: 10, mask: 26, condition: 34 };
export const DOCUMENT = { name: 10, fields: 18, updateTime: 34 };
export const MASK = { path: 10 };
export const CONDITION = { exists: 8, updateTime: 18 };
export const ENTRY = { key: 10, value: 18 };
export const TIMESTAMP = { seconds: 8, nanos: 16 };
export const VALUE = { boolean: 8, integer: 16, double: 25, map: 50, array: 74, timestamp: 82, none: 88, text: 138 };
export const MAP = { fields: 10 };
export const ARRAY = { values: 10 };
