import { deflateSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../model/limits.ts";
import { FrameReader, framed, messageIn } from "./frame.ts";

const messages = fc.array(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)));

describe("frames", () => {
  test("are found however their bytes are cut", () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat({ max: 1_000 })), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(framed));
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const reader = new FrameReader();
        const found = places.slice(1).flatMap((place, i) => reader.take(bytes.subarray(places[i], place)));
        expect(found.map((frame) => messageIn(frame, undefined))).toEqual(sent);
      }),
    );
  });

  test("that would be too long are refused before they are there", () => {
    const prefix = framed(Buffer.alloc(0));
    prefix.writeUInt32BE(5 * LIMITS.requestBytes, 1);
    expect(() => new FrameReader().take(prefix)).toThrow(/longer than/);
  });
});

describe("a compressed message", () => {
  const compressed = (bytes: Buffer) => {
    const frame = framed(bytes);
    frame[0] = 1;
    return frame;
  };
  const text = Buffer.from("again ".repeat(100));

  test("is expanded", () => {
    expect(messageIn(compressed(gzipSync(text)), "gzip")).toEqual(text);
    expect(messageIn(compressed(deflateSync(text)), "deflate")).toEqual(text);
  });

  test("is refused if it cannot be, or fills the memory", () => {
    const bomb = gzipSync(Buffer.alloc(5 * LIMITS.requestBytes));
    expect(() => messageIn(compressed(bomb), "gzip")).toThrow(
      expect.objectContaining({ status: "RESOURCE_EXHAUSTED" }),
    );
    expect(() => messageIn(compressed(text), "gzip")).toThrow(expect.objectContaining({ status: "INVALID_ARGUMENT" }));
    for (const encoding of ["snappy", undefined]) {
      expect(() => messageIn(compressed(text), encoding)).toThrow(expect.objectContaining({ status: "UNIMPLEMENTED" }));
    }
  });
});
