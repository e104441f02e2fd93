import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as fc from "fast-check";
import protobuf from "protobufjs/light.js";
import { describe, expect, test } from "vitest";
import { GeoPoint, identical, Reference, Timestamp, type Value } from "../model/value.ts";
import { valueCodec } from "./codec.ts";
import { fromJson, toJson } from "./json.ts";
import { methods } from "./protocol.ts";

const protos = join(
  createRequire(import.meta.url).resolve("@google-cloud/firestore/package.json"),
  "../build/protos/v1.json",
);
/** The generated codec, which ours must agree with byte for byte. */
const Generated = protobuf.Root.fromJSON(JSON.parse(readFileSync(protos, "utf8"))).lookupType(
  "google.firestore.v1.Value",
);

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Value>(null, true, false, -0, Number.NaN, Number.POSITIVE_INFINITY),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double(),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array(),
    fc
      .integer({ min: -62_135_596_800, max: 253_402_300_799 })
      .chain((seconds) => fc.integer({ min: 0, max: 999_999 }).map((micros) => new Timestamp(seconds, micros * 1000))),
    fc.webPath().map((path) => new Reference(`projects/p/databases/d/documents${path}`)),
    fc
      .tuple(fc.double({ min: -90, max: 90, noNaN: true }), fc.double({ min: -180, max: 180, noNaN: true }))
      .map(([latitude, longitude]) => new GeoPoint(latitude, longitude)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .dictionary(fc.string({ maxLength: 4 }), tie("value"), { maxKeys: 4 })
      .map((fields) => new Map(Object.entries(fields))),
  ),
})).value;

describe("a value", () => {
  test("comes back from protocol buffers as it was, to the last bit", () => {
    fc.assert(
      fc.property(value, (original) => {
        expect(identical(valueCodec.decode(valueCodec.encode(original).finish()), original)).toBe(true);
      }),
    );
  });

  test("has the bytes that the generated codec gives it", () => {
    fc.assert(
      fc.property(value, (original) => {
        const bytes = valueCodec.encode(original).finish();
        const again = Generated.encode(Generated.decode(bytes)).finish();
        expect(identical(valueCodec.decode(again), original)).toBe(true);
        expect(again.length).toBe(bytes.length);
      }),
    );
  });

  test("comes back from JSON as it was", () => {
    const type = methods.get("Commit")?.request.root.lookupType("google.firestore.v1.Value") as protobuf.Type;
    fc.assert(
      fc.property(value, (original) => {
        const text = JSON.stringify(toJson(type, original));
        expect(identical(fromJson(type, JSON.parse(text)) as Value, original), text).toBe(true);
      }),
    );
  });

  test("nested too deeply is refused instead of overflowing the stack", () => {
    let nested: Value = null;
    for (let i = 0; i < 200; i++) nested = [nested];
    expect(() => valueCodec.decode(valueCodec.encode(nested).finish())).toThrow(/100 levels/);
  });

  test("cut short is refused at every length", () => {
    const bytes = valueCodec.encode(new Map<string, Value>([["a", ["text", 1n, new Timestamp(1, 0)]]])).finish();
    for (let length = 1; length < bytes.length; length++)
      expect(() => valueCodec.decode(bytes.subarray(0, length))).toThrow();
  });
});
