import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GeoPoint, identical, Reference, Timestamp, type Value, vector } from "../model/value.ts";
import { anyFields, anyPath } from "./arbitrary.ts";
import { readEntity } from "./entity-reader.ts";
import { writeEntity } from "./entity-writer.ts";

const DOCUMENTS = "projects/p/databases/(default)/documents";

/** Bytes as they are written down here: pairs of digits, and text in quotes. */
function bytes(text: string): Buffer {
  const parts = [...text.matchAll(/"([^"]*)"|([0-9a-f]{2})/g)];
  return Buffer.concat(
    parts.map(([, plain, hex]) => Buffer.from(plain ?? hex ?? "", plain === undefined ? "hex" : "utf8")),
  );
}

/** What `users/ada` of the project `p` begins and ends with. */
const KEY = '6a 17 6a 05 "dev~p" 72 0e 0b 12 05 "users" 22 03 "ada" 0c';
const GROUP = '82 01 0e 0b 12 05 "users" 22 03 "ada" 0c';

function written(fields: Record<string, Value>): string {
  return Buffer.from(writeEntity(`${DOCUMENTS}/users/ada`, new Map(Object.entries(fields)))).toString("hex");
}

function read(properties: string): Record<string, Value> {
  return Object.fromEntries(readEntity(bytes(`${KEY} ${properties} ${GROUP}`)).fields);
}

describe("a document", () => {
  test.each<[name: string, fields: Record<string, Value>, properties: string]>([
    ["nothing", {}, ""],
    ["null", { a: null }, '7a 07 1a 01 "a" 20 00 2a 00'],
    ["true", { a: true }, '7a 09 1a 01 "a" 20 00 2a 02 10 01'],
    ["an integer", { a: -1n }, '7a 12 1a 01 "a" 20 00 2a 0b 08 ff ff ff ff ff ff ff ff ff 01'],
    ["a double", { a: -0 }, '7a 10 1a 01 "a" 20 00 2a 09 21 00 00 00 00 00 00 00 80'],
    ["a string", { a: "é" }, '7a 0b 1a 01 "a" 20 00 2a 04 1a 02 "é"'],
    ["bytes", { a: Buffer.from([0, 255]) }, '7a 0d 08 0e 1a 01 "a" 20 00 2a 04 1a 02 00 ff'],
    ["a time", { at: new Timestamp(1, 0) }, '7a 0e 08 07 1a 02 "at" 20 00 2a 04 08 c0 84 3d'],
    [
      "a place",
      { a: new GeoPoint(1, -1) },
      '7a 1d 08 09 1a 01 "a" 20 00 2a 14 2b 31 00 00 00 00 00 00 f0 3f 39 00 00 00 00 00 00 f0 bf 2c',
    ],
    [
      "a reference",
      { a: new Reference(`${DOCUMENTS}/users/__id7__`) },
      '7a 1c 1a 01 "a" 20 00 2a 15 63 6a 05 "dev~p" 73 7a 05 "users" 80 01 07 74 64',
    ],
    ["an array", { a: [1n, null] }, '7a 09 1a 01 "a" 20 01 2a 02 08 01 7a 07 1a 01 "a" 20 01 2a 00'],
    [
      "a vector",
      { a: vector([1, -3]) },
      '7a 12 08 1f 1a 01 "a" 20 01 2a 09 21 00 00 00 00 00 00 f0 3f 7a 12 08 1f 1a 01 "a" 20 01 2a 09 21 00 00 00 00 00 00 08 c0',
    ],
    ["an empty array", { a: [] }, '72 09 08 18 1a 01 "a" 20 00 2a 00'],
    [
      "a map",
      { a: new Map([["b", true]]) },
      '7a 1f 08 13 1a 01 "a" 20 00 2a 16 1a 14 6a 04 6a 00 72 00 7a 09 1a 01 "b" 20 00 2a 02 10 01 82 01 00',
    ],
    ["an empty map", { a: new Map() }, '7a 14 08 13 1a 01 "a" 20 00 2a 0b 1a 09 6a 04 6a 00 72 00 82 01 00'],
  ])("with %s is what Google's emulator writes", (_, fields, properties) => {
    expect(written(fields)).toBe(bytes(`${KEY} ${properties} ${GROUP}`).toString("hex"));
    expect(identical(new Map(Object.entries(read(properties))), new Map(Object.entries(fields)))).toBe(true);
  });

  test("comes back with all that it can hold, from whichever database it is", () => {
    fc.assert(
      fc.property(anyPath, anyFields, fc.constantFrom("(default)", "games"), (path, fields, database) => {
        const name = `projects/p/databases/${database}/documents/${path}`;
        const entity = readEntity(Buffer.from(writeEntity(name, fields)));
        expect([entity.path, entity.database]).toEqual([path, database]);
        expect(identical(entity.fields, fields)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test.each(["__id-1__", "__id007__", "__id-0__", "__id9223372036854775808__", "__id__"])("keeps its id %s", (id) => {
    expect(readEntity(Buffer.from(writeEntity(`${DOCUMENTS}/a/${id}`, new Map()))).path).toBe(`a/${id}`);
  });

  test("of production is read as well", () => {
    const key = '6a 1d 6a 0a "s~ex.com:p" 72 0f 0b 12 05 "users" 18 81 80 80 80 04 0c';
    expect(readEntity(bytes(key)).path).toBe("users/__id1073741825__");
    expect(read('7a 0c 08 0f 1a 01 "a" 20 00 2a 03 1a 01 "x"')).toEqual({ a: "x" });
    expect(read('7a 0c 08 10 1a 01 "a" 20 00 2a 03 1a 01 ff')).toEqual({ a: Uint8Array.of(255) });
  });
});

describe("an entity that no document can be is refused:", () => {
  const deep = () => {
    let fields: Value = new Map();
    for (let depth = 0; depth < 150; depth++) fields = new Map([["a", fields]]);
    return Buffer.from(writeEntity(`${DOCUMENTS}/users/ada`, fields as Map<string, Value>));
  };
  test.each<[complaint: string, entity: () => Buffer]>([
    ["the entity has no key", () => bytes(GROUP)],
    ["a key has a namespace", () => bytes('6a 08 6a 01 "p" a2 01 02 "ns"')],
    ['"a/b" has a slash', () => bytes('6a 0c 6a 01 "p" 72 07 0b 12 03 "a/b" 0c')],
    ["a value of type 8", () => bytes(`${KEY} 7a 0d 1a 01 "a" 20 00 2a 06 43 4a 02 "me" 44`)],
    ["invalid wire type 6", () => bytes(`${KEY} 7a 08 1a 01 "a" 20 00 2e 00 00`)],
    ["a length is too large", () => bytes(`${KEY} 7a ff ff ff 0f 1a 01 "a"`)],
    ["a field is longer than what it lies in", () => bytes(`${KEY} 7a 03 1a 02 "ab"`)],
    ["encoded data was not valid", () => bytes(`${KEY} 7a 0b 1a 01 "a" 20 00 2a 04 1a 02 c3 28`)],
    ["Timestamp seconds", () => bytes(`${KEY} 7a 13 08 07 1a 01 "a" 20 00 2a 0a 08 ff ff ff ff ff ff ff ff 7f`)],
    ["maps are nested more than 100 levels deep", deep],
  ])("%s", (complaint, entity) => {
    expect(() => readEntity(entity())).toThrow(complaint);
  });

  test("whatever else it may be, without harm", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (rest) => {
        try {
          readEntity(Buffer.concat([bytes(KEY), rest]));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
