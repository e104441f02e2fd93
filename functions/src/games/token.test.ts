import * as fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { setClock } from "../platform/clock.ts";
import { verifyToken } from "./index.ts";
import { type Claims, readToken, signToken } from "./token.ts";

const NOW = 1_790_000_000_000;
const key = (name: string) => `${name}:${Buffer.alloc(32, name).toString("base64")}`;
const CLAIMS: Claims = {
  user: "ada",
  board: "arcade",
  session: "5fAz",
  startedAt: NOW - 1_000,
  expiresAt: NOW + 1_000,
};
const ADA = { user: "ada", board: "arcade" };

process.env.GAME_KEYS = key("one");
let restoreClock = setClock(NOW);
afterEach(() => {
  process.env.GAME_KEYS = key("one");
  restoreClock();
  restoreClock = setClock(NOW);
});

const refusal = (token: string, bearer = ADA) => {
  try {
    verifyToken(token, bearer);
    return undefined;
  } catch (error) {
    return (error as { reason?: string }).reason;
  }
};

describe("a token", () => {
  test("says which session it is of, and when that began and ends", () => {
    expect(verifyToken(signToken(CLAIMS), ADA)).toEqual({
      session: "5fAz",
      startedAt: NOW - 1_000,
      expiresAt: NOW + 1_000,
    });
  });

  test("goes into a URL as it is, for whatever user", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 128 }), (user) => {
        const token = signToken({ ...CLAIMS, user });
        expect(encodeURIComponent(token)).toBe(token);
        expect(readToken(token, { user, board: "arcade" })).toEqual({ ...CLAIMS, user });
      }),
    );
  });

  test("of which any character was changed, left out or added is refused", () => {
    const token = signToken(CLAIMS);
    const anywhere = fc.nat(token.length - 1);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=:+/ \n\u00e9";
    fc.assert(
      fc.property(anywhere, fc.constantFrom(...letters), fc.constantFrom(0, 1), (at, letter, replaced) => {
        fc.pre(replaced === 0 || token[at] !== letter);
        expect(refusal(token.slice(0, at) + letter + token.slice(at + replaced))).toBe("token-invalid");
        expect(refusal(token.slice(0, at) + token.slice(at + 1))).toBe("token-invalid");
      }),
      { numRuns: 2_000 },
    );
    for (const more of ["", " ", "A", "\n", ".A"]) expect(refusal(`${token}${more}`) === undefined).toBe(more === "");
  });

  test("is not made up without the key, nor put together from two", () => {
    const token = signToken(CLAIMS);
    const [, claims, name, mac] = token.split(".");
    process.env.GAME_KEYS = key("two");
    const forged = signToken({ ...CLAIMS, expiresAt: NOW + 1_000_000 });
    const [, others, otherName, otherMac] = forged.split(".");
    process.env.GAME_KEYS = key("one");
    expect(refusal(token)).toBeUndefined();
    for (const parts of [
      [1, others, otherName, otherMac],
      [1, others, name, otherMac],
      [1, others, name, mac],
      [2, claims, name, mac],
      [1, claims, "none", mac],
    ]) {
      expect(refusal(parts.join("."))).toBe("token-invalid");
    }
    for (const nonsense of ["", ".", "...", "1...", "A".repeat(1_000_000)])
      expect(refusal(nonsense)).toBe("token-invalid");
  });

  test.each([
    ["another user", { ...ADA, user: "bo" }],
    ["another board", { ...ADA, board: "puzzles" }],
  ])("is refused as foreign for %s", (_, bearer) => {
    expect(refusal(signToken(CLAIMS), bearer)).toBe("token-foreign");
  });

  test("of a session without a board is for none", () => {
    const token = signToken({ ...CLAIMS, board: undefined });
    for (const board of ["arcade", "", "null"]) expect(refusal(token, { user: "ada", board })).toBe("token-foreign");
  });

  test("runs out at its time, and not before", () => {
    const token = signToken(CLAIMS);
    setClock(CLAIMS.expiresAt - 1);
    expect(refusal(token)).toBeUndefined();
    setClock(CLAIMS.expiresAt);
    expect(refusal(token)).toBe("token-expired");
  });
});

describe("the keys", () => {
  test("can change: the newest signs, and what an older one has signed is good until that is taken out", () => {
    const before = signToken(CLAIMS);
    process.env.GAME_KEYS = `${key("two")},${key("one")}`;
    const after = signToken(CLAIMS);
    expect(after.split(".")[2]).toBe("two");
    expect([refusal(before), refusal(after)]).toEqual([undefined, undefined]);
    process.env.GAME_KEYS = key("two");
    expect([refusal(before), refusal(after)]).toEqual(["token-invalid", undefined]);
  });

  test.each(["", "nonsense", "one:c2hvcnQ=", "one"])("%j signs nothing, and the error quotes none of it", (text) => {
    process.env.GAME_KEYS = text;
    expect(() => signToken(CLAIMS)).toThrow("GAME_KEYS is not name:key,… with base64 keys of at least 32 bytes");
    expect(() => verifyToken("1.AAAA.one.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ADA)).toThrow("GAME_KEYS");
  });
});
