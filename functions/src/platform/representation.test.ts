import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { Representation } from "./representation.ts";

const large = new Representation(Buffer.from(JSON.stringify({ rows: Array.from({ length: 300 }, (_, i) => ({ i })) })));

test.each([
  ["gzip, deflate, br", "br"],
  ["gzip", "gzip"],
  ["br;q=0.5, gzip;q=0.9", "gzip"],
  ["br;q=0, gzip", "gzip"],
  ["*", "br"],
  ["*;q=0", "identity"],
  ["GZIP ; q=0.1", "gzip"],
  ["br;q=nonsense", "identity"],
  ["deflate", "identity"],
  [undefined, "identity"],
])("of what is accepted by %j the best is %s", (accepted, encoding) => {
  expect(large.encodingFor(accepted)).toBe(encoding);
});

test("every encoding is of the same body, and smaller", async () => {
  const [brotli, zipped] = [await large.encoded("br"), await large.encoded("gzip")];
  expect(brotliDecompressSync(brotli)).toEqual(large.json);
  expect(gunzipSync(zipped)).toEqual(large.json);
  expect(Math.max(brotli.length, zipped.length)).toBeLessThan(large.json.length / 2);
  expect(await large.encoded("br")).toBe(brotli);
});

test("what fits into a packet is not compressed", () => {
  expect(new Representation(Buffer.from("{}")).encodingFor("br")).toBe("identity");
});

test("is known by its tag, weak or not, in a list or by a star, and by no other", () => {
  const strong = large.etag.replace("W/", "");
  for (const known of [large.etag, strong, `"a", ${large.etag}`, "*"]) expect(large.isKnown(known)).toBe(true);
  for (const known of [undefined, "", '"a"', new Representation(Buffer.from("{}")).etag])
    expect(large.isKnown(known)).toBe(false);
});
