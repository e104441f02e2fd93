import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes, refusal, testFunctions, testMethods } from "./cases.ts";
import { callFunction } from "./functions.ts";
import { callMethod } from "./methods.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

describe("bytes", () => {
  testMethods([
    [bytes(0xff, 0xff), "size", [], 2n],
    [bytes(), "size", [], 0n],
    [bytes(0xfb, 0xef, 0xbe), "toBase64", [], "----"],
    [bytes(0xff, 0xff, 0xff), "toBase64", [], "____"],
    [bytes(104, 105), "toBase64", [], "aGk="],
    [bytes(0xff), "toBase64", [], "_w=="],
    [bytes(), "toBase64", [], ""],
    [bytes(0x2a), "toHexString", [], "2A"],
    [bytes(0x2a, 0x2a), "toHexString", [], "2A2A"],
    [bytes(0xe2, 0x82, 0xac), "toHexString", [], "E282AC"],
    [bytes(0), "toHexString", [], "00"],
    [bytes(), "toHexString", [], ""],
    [bytes(1), "toHexString", [1n], refusal("Incorrect number of arguments")],
    [bytes(1), "length", [], refusal("Function not found error: Name: [length].")],
  ]);

  test("come back from base64 and hexadecimal as they were", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (content) => {
        const base64 = callMethod(content, "toBase64", []) as string;
        expect(base64).toMatch(/^[A-Za-z0-9_-]*={0,2}$/);
        expect(Uint8Array.from(Buffer.from(base64, "base64url"))).toEqual(content);
        expect(hex(callMethod(content, "toHexString", []) as string)).toEqual(content);
      }),
    );
  });
});

describe("hashes", () => {
  testFunctions([
    ["hashing.md5", [""], hex("d41d8cd98f00b204e9800998ecf8427e")],
    ["hashing.md5", ["abc"], hex("900150983cd24fb0d6963f7d28e17f72")],
    ["hashing.sha256", ["abc"], hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")],
    ["hashing.sha256", ["alice"], hex("2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90")],
    ["hashing.sha256", [bytes(97, 98, 99)], hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")],
    ["hashing.crc32", ["123456789"], hex("2639f4cb")],
    ["hashing.crc32", ["abc"], hex("c2412435")],
    ["hashing.crc32", [""], hex("00000000")],
    ["hashing.crc32c", ["123456789"], hex("839206e3")],
    ["hashing.crc32c", ["abc"], hex("b73f4b36")],
    ["hashing.crc32c", [bytes(97, 98, 99)], hex("b73f4b36")],
    ["hashing.md5", [10n], refusal("Received: hashing.md5(int). Expected: hashing.md5(string|bytes).")],
    ["hashing.md5", [null], refusal("Received: hashing.md5(null)")],
    ["hashing.sha1", ["abc"], refusal("Function not found error: Name: [hashing.sha1].")],
  ]);

  test("of a string are those of its UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const utf8 = callMethod(text, "toUtf8", []);
        for (const name of ["crc32", "crc32c", "md5", "sha256"]) {
          expect(callFunction("hashing", name, [text])).toEqual(callFunction("hashing", name, [utf8]));
        }
        const expected = createHash("sha256").update(Buffer.from(text, "utf8")).digest();
        expect(callFunction("hashing", "sha256", [text])).toEqual(Uint8Array.from(expected));
      }),
    );
  });
});
