import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../model/limits.ts";
import { FrameReader, toFrames } from "./frames.ts";

test("a message comes out of its frames as it went in, and every frame is valid UTF-8", () => {
  const message = fc
    .tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 3_000 }))
    .map(([text, times]) => `{"x":"${text.replaceAll('"', "")}${"🦊é".repeat(times * 4)}"}`);
  fc.assert(
    fc.property(message, (text) => {
      const reader = new FrameReader();
      const frames = toFrames(text);
      const sent = frames.map((frame) => Buffer.from(frame, "utf8").toString("utf8"));
      expect(sent).toEqual(frames);
      const read = sent.map((frame) => reader.read(frame));
      expect(read.at(-1)).toBe(text);
      expect(read.slice(0, -1).every((complete) => complete === undefined)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("a keep-alive says nothing", () => {
  const reader = new FrameReader();
  expect(reader.read("0")).toBeUndefined();
  expect(reader.read('{"a":1}')).toBe('{"a":1}');
});

test("no more than 16 MB are collected", () => {
  const reader = new FrameReader();
  const piece = "x".repeat(LIMITS.messageBytes / 2);
  reader.read("3");
  reader.read(piece);
  reader.read(piece);
  expect(() => reader.read("x")).toThrow("Write too large");
});

test("a single frame of more than 16 MB in UTF-8 is refused", () => {
  const reader = new FrameReader();
  expect(() => reader.read(`"${"é".repeat(LIMITS.messageBytes / 2)}"`)).toThrow("Write too large");
});
