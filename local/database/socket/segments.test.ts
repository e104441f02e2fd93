import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../model/limits.ts";
import { type Segment, SegmentReader, segmentsOf } from "./segments.ts";

/** The pieces of messages as the SDK cuts them, of so many characters each. */
function cut(messages: readonly string[], length: number): Segment[] {
  const pieces: Segment[] = [];
  for (const message of messages) {
    const text = Buffer.from(message).toString("base64url");
    const padded = text.padEnd(Math.ceil(text.length / 4) * 4, ".");
    const parts = padded.match(new RegExp(`.{1,${length}}`, "g")) ?? [];
    for (const part of parts) pieces.push({ number: pieces.length, total: parts.length, text: part });
  }
  return pieces;
}

test("messages come out whole and in their order, however their pieces are cut, overtake each other or come twice", () => {
  const message = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
  const run = fc.record({
    messages: fc.array(message, { minLength: 1, maxLength: 8 }),
    length: fc.integer({ min: 1, max: 40 }),
    order: fc.infiniteStream(fc.nat()),
  });
  fc.assert(
    fc.property(run, ({ messages, length, order }) => {
      const pieces = cut(messages, length);
      const shuffled = pieces
        .map((piece) => ({ piece, place: order.next().value % pieces.length }))
        .sort((a, b) => a.place - b.place)
        .flatMap(({ piece, place }) => (place % 3 === 0 ? [piece, piece] : [piece]));
      const reader = new SegmentReader();
      expect(shuffled.flatMap((piece) => reader.read(piece))).toEqual(messages);
    }),
  );
});

test("no more than a message of 16 MB is collected", () => {
  const reader = new SegmentReader();
  const text = "a".repeat(LIMITS.messageBytes / 2);
  const read = (number: number) => reader.read({ number, total: 9, text });
  read(0);
  read(1);
  expect(() => read(2)).toThrow("Write too large");
});

test("pieces are found in an address by their numbers", () => {
  const address = "id=1&pw=2&ser=3&seg0=7&ts0=2&d0=YW&seg1=8&ts1=2&d1=Jj&d3=xx";
  expect(segmentsOf(new URLSearchParams(address))).toEqual([
    { number: 7, total: 2, text: "YW" },
    { number: 8, total: 2, text: "Jj" },
  ]);
  expect(() => segmentsOf(new URLSearchParams("seg0=-1&ts0=1&d0=e30."))).toThrow("Invalid segment number");
  expect(() => segmentsOf(new URLSearchParams("seg0=1&d0=e30."))).toThrow("Invalid segment number");
});
