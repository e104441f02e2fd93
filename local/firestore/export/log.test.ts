import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import { BLOCK_BYTES, FragmentType, HEADER_BYTES, MAX_RECORD_BYTES } from "./log.ts";
import { readLog } from "./log-reader.ts";
import { LogWriter } from "./log-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "log-test-"));
const path = join(folder, "log");
afterAll(() => rmSync(folder, { recursive: true }));

function write(records: readonly Uint8Array[]): Buffer {
  const log = new LogWriter(path);
  for (const record of records) log.append(record);
  const { length } = log;
  log.close();
  const bytes = readFileSync(path);
  expect(bytes.length).toBe(length);
  return bytes;
}

function read(bytes?: Buffer): Buffer[] {
  if (bytes) writeFileSync(path, bytes);
  return [...readLog(path)].map((record) => Buffer.from(record.bytes));
}

test("the checksum is CRC-32C", () => {
  // RFC 3720, appendix B.4, and the check value that catalogues of checksums give.
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
});

describe("a log", () => {
  test("begins as every export of Google's emulator does", () => {
    expect(write([Buffer.from("3")]).toString("hex")).toBe("b86d444e01000133");
  });

  test("gives back the records that were written to it, of any length", () => {
    const length = fc.oneof(
      fc.nat(20),
      fc.integer({ min: -10, max: 10 }).map((near) => BLOCK_BYTES + near),
      fc.nat(70_000),
    );
    fc.assert(
      fc.property(fc.array(length, { maxLength: 5 }), (lengths) => {
        const records = lengths.map((bytes, i) => Buffer.alloc(bytes, i + 1));
        write(records);
        expect(read()).toEqual(records);
      }),
      { numRuns: 25 },
    );
  });

  test.each([0, 1, 2, 3, 4, 5, 6])("leaves the last %i bytes of a block empty, too few for a header", (rest) => {
    const records = [Buffer.alloc(BLOCK_BYTES - HEADER_BYTES - rest, 1), Buffer.from("next")];
    const bytes = write(records);
    expect(read()).toEqual(records);
    expect(bytes.subarray(BLOCK_BYTES - rest, BLOCK_BYTES)).toEqual(Buffer.alloc(rest));
    expect(bytes.length).toBe(BLOCK_BYTES + HEADER_BYTES + 4);
  });

  test("begins a record in the last seven bytes of a block, with nothing of it", () => {
    const records = [Buffer.alloc(BLOCK_BYTES - 2 * HEADER_BYTES, 1), Buffer.from("next")];
    const bytes = write(records);
    expect(read()).toEqual(records);
    expect(bytes.readUInt16LE(BLOCK_BYTES - 3)).toBe(0);
    expect([bytes[BLOCK_BYTES - 1], bytes[BLOCK_BYTES + 6]]).toEqual([FragmentType.FIRST, FragmentType.LAST]);
  });

  test("may end with what is left of a block, as in production", () => {
    const bytes = write([Buffer.from("one")]);
    expect(read(Buffer.concat([bytes, Buffer.alloc(BLOCK_BYTES - bytes.length)]))).toEqual([Buffer.from("one")]);
    expect(read(Buffer.alloc(0))).toEqual([]);
  });
});

describe("a damaged log", () => {
  const records = [Buffer.from("one"), Buffer.alloc(2 * BLOCK_BYTES, 2), Buffer.from("three")];
  const changed = (change: (bytes: Buffer) => Buffer | undefined) => {
    const bytes = write(records);
    return () => read(change(bytes) ?? bytes);
  };

  test("is refused whichever byte is changed", () => {
    const bytes = write(records);
    for (const at of [0, 3, 4, 5, 6, 7, 10, 11, 15, 17, 18, BLOCK_BYTES, BLOCK_BYTES + 500, bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      expect(() => read(damaged), `byte ${at}`).toThrow(/log, byte \d+: /);
    }
  });

  test("is refused wherever it is cut off in a record", () => {
    const bytes = write(records);
    for (const length of [1, 6, 8, 9, 12, 20, BLOCK_BYTES, BLOCK_BYTES + 3, 2 * BLOCK_BYTES, bytes.length - 1]) {
      expect(() => read(bytes.subarray(0, length)), `${length} bytes`).toThrow(/log, byte \d+: /);
    }
  });

  test("names the place", () => {
    expect(changed((bytes) => void bytes.writeUInt8(9, 12))).toThrow(`${path}, byte 10: the checksum is not that of`);
    expect(changed((bytes) => bytes.subarray(0, 100))).toThrow(`${path}, byte 10: the file ends in the middle of`);
    expect(changed((bytes) => bytes.subarray(0, BLOCK_BYTES))).toThrow(
      `${path}, byte 10: the file ends in the middle of`,
    );
  });

  test("is refused when its parts are in another order", () => {
    const bytes = write(records);
    const [first, second] = [bytes.subarray(0, BLOCK_BYTES), bytes.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)];
    expect(() => read(Buffer.concat([second, first]))).toThrow(
      "byte 0: this part of a record does not follow the last",
    );
    expect(() => read(Buffer.concat([first, first]))).toThrow(`byte ${BLOCK_BYTES}: this part of a record`);
  });

  test("is refused when a record is larger than any document", () => {
    expect(() => write([Buffer.alloc(MAX_RECORD_BYTES + 1)])).toThrow(`more than ${MAX_RECORD_BYTES} bytes`);
  });
});
