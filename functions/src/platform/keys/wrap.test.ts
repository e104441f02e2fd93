import { generateKeySync } from "node:crypto";
import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { currentKek, unwrapKey, wrapKey } from "./wrap.ts";

const key = (fill: string) => Buffer.alloc(32, fill).toString("base64");
const configure = (keys: string, kms = "") => {
  vi.stubEnv("SEALING_KEYS", keys);
  vi.stubEnv("SEALING_KMS_KEY", kms);
};
afterEach(() => vi.unstubAllEnvs());

const dataKey = generateKeySync("aes", { length: 256 });

describe("of several keys of the house", () => {
  test("the first wraps, and all unwrap", async () => {
    configure(`2025-01:${key("old")}`);
    const old = await wrapKey("ada", dataKey);
    configure(`2026-11:${key("new")}, 2025-01:${key("old")}`);
    const fresh = await wrapKey("ada", dataKey);
    expect([old.kek, fresh.kek, await currentKek()]).toEqual(["2025-01", "2026-11", "2026-11"]);
    for (const wrapped of [old, fresh]) expect((await unwrapKey("ada", wrapped)).equals(dataKey)).toBe(true);
  });

  test("one that was retired too soon is named", async () => {
    configure(`2025-01:${key("old")}`);
    const old = await wrapKey("ada", dataKey);
    configure(`2026-11:${key("new")}`);
    await expect(unwrapKey("ada", old)).rejects.toThrow(
      'keys/ada is wrapped by "2025-01", which is not among SEALING_KEYS',
    );
  });

  test("each opens what it wrapped, for whom it was wrapped, and nothing else", async () => {
    configure(`one:${key("1")},two:${key("2")}`);
    const wrapped = await wrapKey("ada", dataKey);
    await expect(unwrapKey("ada", { ...wrapped, kek: "two" })).rejects.toMatchObject({ name: "Unsealable" });
    await expect(unwrapKey("bo", wrapped)).rejects.toMatchObject({ name: "Unsealable" });
    await fc.assert(
      fc.asyncProperty(fc.nat(59), fc.nat(7), async (at, bit) => {
        const bytes = Buffer.from(wrapped.wrapped, "base64url");
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const changed = { ...wrapped, wrapped: bytes.toString("base64url") };
        await expect(unwrapKey("ada", changed)).rejects.toMatchObject({ name: "Unsealable" });
      }),
    );
    for (const text of ["", "A", wrapped.wrapped.slice(0, 30), `${wrapped.wrapped}AAAA`]) {
      await expect(unwrapKey("ada", { ...wrapped, wrapped: text })).rejects.toMatchObject({ name: "Unsealable" });
    }
  });

  test("may be written in either alphabet of base64, padded or not", async () => {
    const standard = Buffer.alloc(32, 0xfb).toString("base64");
    const url = Buffer.alloc(32, 0xfb).toString("base64url");
    expect(standard).toMatch(/[+/].*=$/);
    configure(`one:${standard}`);
    const wrapped = await wrapKey("ada", dataKey);
    configure(`one:${url}`);
    expect((await unwrapKey("ada", wrapped)).equals(dataKey)).toBe(true);
  });
});

describe("keys of the house that are not as they should be", () => {
  const short = Buffer.alloc(16, "short").toString("base64");
  const other = Buffer.alloc(32, "other").toString("base64url");
  test.each([
    ["", "SEALING_KEYS is not set"],
    [short, "key 1 of 1 must be a version"],
    [`${key("one")}:2026-11`, "key 1 of 1 must be a version"],
    [`${other}:2026-11`, "key 1 of 1 must have a key of 32 bytes in base64"],
    [`one:${key("one")},two:${short}`, "key 2 of 2 must have a key of 32 bytes in base64"],
    [`one:${key("one")},`, "key 2 of 2 must be a version"],
    [`one/two:${key("one")}`, "key 1 of 1 must be a version"],
    [`one:${key("one")},one:${key("two")}`, "the keys must each have a version of their own"],
    [Array.from({ length: 21 }, (_, i) => `v${i}:${key("one")}`).join(","), "the keys must be 20 at most"],
  ])("say what is wrong, without a word of what they are", async (text, message) => {
    configure(text);
    const error = await wrapKey("ada", dataKey).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    const { message: told, stack = "" } = error as Error;
    expect(told).toContain(message);
    for (const secret of [short, other, key("one"), key("two")]) expect(`${told}${stack}`).not.toContain(secret);
    expect(error).not.toHaveProperty("cause");
  });

  test("are no matter until something is wrapped, and not remembered", async () => {
    configure("nonsense");
    await expect(currentKek()).rejects.toThrow("SEALING_KEYS");
    configure(`one:${key("one")}`);
    expect(await currentKek()).toBe("one");
  });
});

test.each(["sealing", "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1", "projects/p"])(
  "the name of a key of Cloud KMS cannot be %s",
  async (name) => {
    configure(`one:${key("one")}`, name);
    await expect(wrapKey("ada", dataKey)).rejects.toThrow("SEALING_KMS_KEY must be the name of a key");
  },
);
