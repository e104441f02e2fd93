import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Event, MAX_BYTES, MAX_PACKED_BYTES, pack, unpack } from "./event-log.ts";

/** Text that gzip takes a quarter off, and no more. */
const noise = (bytes: number) => randomBytes(bytes).toString("base64");

describe("a packed log", () => {
  test("is what it was, whatever the events are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.json({ maxDepth: 5 }), { minLength: 1, maxLength: 50 }), async (texts) => {
        const events = texts.map((text): unknown => JSON.parse(text));
        const { zipped } = await pack(events);
        // Minus zero is written as zero.
        expect(await unpack(zipped)).toEqual(JSON.parse(JSON.stringify(events)));
      }),
    );
  });

  test("has the same print whatever the order of keys, and another for another order of events", async () => {
    const [one, same, other] = await Promise.all([
      pack([{ a: 1, b: 2 }, 3]),
      pack([{ b: 2, a: 1 }, 3]),
      pack([3, { a: 1, b: 2 }]),
    ]);
    expect(one.print).toBe(same.print);
    expect(one.print).not.toBe(other.print);
  });

  test("is as long as it may be, and no longer: as JSON, and compressed", async () => {
    const fitting = [" ".repeat(MAX_BYTES - 4)];
    expect((await unpack((await pack(fitting)).zipped)).length).toBe(1);
    const tooLarge = { reason: "chunk-too-large", details: { field: "events" } };
    await expect(pack([" ".repeat(MAX_BYTES - 3)])).rejects.toMatchObject({
      ...tooLarge,
      details: { limit: MAX_BYTES },
    });
    await expect(pack([noise(300_000)])).rejects.toMatchObject({ ...tooLarge, details: { limit: MAX_PACKED_BYTES } });
  });

  test("counts bytes and not letters", async () => {
    await expect(pack(["€".repeat(MAX_BYTES / 2)])).rejects.toMatchObject({ reason: "chunk-too-large" });
  });

  test("that would unfold to more than was ever packed is not unfolded", async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MAX_BYTES));
    expect(bomb.length).toBeLessThan(MAX_PACKED_BYTES);
    await expect(unpack(bomb)).rejects.toMatchObject({ code: "ERR_BUFFER_TOO_LARGE" });
  });
});

describe("an event", () => {
  const nested = (depth: number) => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`) as unknown;

  test.each([
    [true, "text"],
    [true, null],
    [true, { at: 12.5, hits: [1, { by: "rock" }], done: false }],
    [true, nested(16)],
    [false, nested(17)],
    [false, nested(100_000)],
    [false, undefined],
    [false, { at: Number.NaN }],
  ])("is taken (%s): any JSON that is not too deep", (isTaken, value) => {
    expect(Event.safeParse(value).success).toBe(isTaken);
  });
});
