import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isDocumentId } from "../platform/ids.ts";
import { isPicture } from "./contract.ts";
import { isCountry } from "./countries.ts";
import { candidates, cleaned, folded, isHandle, isRefused } from "./handle.ts";

/** Characters from all over, with many that make trouble. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."aAzZéÉßẞσςΣİıÄä①２Ａａｱア한글漢字ิ้́̈ﬁǅ. _-0９"), minLength: 1, maxLength: 24 }),
  fc.string({ unit: "grapheme", maxLength: 30 }),
);
const handle = text.filter(isHandle);

describe("a handle", () => {
  test.each([
    "Ada",
    "Ada Lovelace",
    "ada_99",
    "Ærøskøbing",
    "Ｗｉｄｅ",
    "Ольга-1",
    "Ελένη",
    "漢字の名前",
    "สวัสดี",
    "नमस्ते",
    "x".repeat(24),
  ])("may be %s", (name) => {
    expect(isHandle(name)).toBe(true);
  });

  test.each([
    ["too short", "Al"],
    ["too long", "x".repeat(25)],
    ["much too long", " ".repeat(1_000).concat("Ada")],
    ["too long once it is decomposed", "ﷺ".repeat(2)],
    ["nothing but space", "     "],
    ["a sign", "Ada!"],
    ["a path", "a/b"],
    ["an address", "ada@example.com"],
    ["a line break", "Ada\nLovelace"],
    ["two spaces", "Ada  Lovelace"],
    ["a dot at the end", "Ada."],
    ["an underline first", "__ada__"],
    ["characters that cannot be seen", "Ad\u200ba"],
    ["letters that cannot be seen", "Ad\u3164a"],
    ["a text that runs the other way", "Ada\u202e"],
    ["marks piled up", `Ada${"\u0323\u0316\u0317\u0318".repeat(2)}`],
    ["scripts that look alike", "\u0410da"],
  ])("must not have %s", (_what, name) => {
    expect(isHandle(name)).toBe(false);
  });

  test.each(["admin", "Admin", "ＡＤＭＩＮ", "A.d.m-i n", "admin_1", "SUPPORT 24", "Pot of Gold", "null"])(
    "must not be taken for the house, as %s",
    (name) => {
      expect(isRefused(name)).toBe(true);
    },
  );

  test("may have a name of the house inside of it", () => {
    expect(["Adminton", "Modest", "Helper", "Steam"].filter(isRefused)).toEqual([]);
  });

  test.each([
    ["ADA", "ada"],
    ["Ａｄａ", "ada"],
    ["Straße", "STRASSE"],
    ["ΟΔΥΣΣΕΥΣ", "οδυσσευς"],
    ["e\u0301mile", "Émile"],
    ["ﬁnn", "FINN"],
    ["ｶﾞｷ", "ガキ"],
  ])("is the same as %s, in the case, width and composition of %s", (a, b) => {
    expect(folded(a)).toBe(folded(b));
  });

  test("is the same in whatever case and form it is written, and its fold is an id that stays as it is", () => {
    fc.assert(
      fc.property(handle, (name) => {
        const id = folded(name);
        for (const same of [name.toUpperCase(), name.toLowerCase(), name.normalize("NFD"), cleaned(name), id]) {
          expect(folded(same)).toBe(id);
        }
        expect(isDocumentId(id)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is made of any name, and of none, all of them different and none refused", () => {
    fc.assert(
      fc.property(fc.option(text, { nil: undefined }), fc.uuid(), (name, uid) => {
        const made = candidates(uid, name);
        for (const one of made) expect([one, isHandle(one), isRefused(one)]).toEqual([one, true, false]);
        expect(new Set(made.map(folded)).size).toBe(made.length);
        expect(candidates(uid, name)).toEqual(made);
      }),
      { numRuns: 2_000 },
    );
    expect(candidates("ada", " Ada   Lovelace (she) ")[0]).toBe("Ada Lovelace she");
    expect(candidates("ada", "Admin")[0]).toMatch(/^Player-\d{4}$/);
    expect(candidates("ada", undefined)[0]).not.toBe(candidates("bo", undefined)[0]);
  });
});

test("a picture lies on the web, encrypted, and its address gives nothing away", () => {
  expect(isPicture("https://example.com/ada.png?size=2")).toBe(true);
  for (const url of [
    "http://example.com/ada.png",
    "javascript:alert(1)",
    "data:image/png;base64,AA",
    "https://",
    "ada.png",
    "https://ada:secret@example.com/",
    `https://example.com/${"x".repeat(2_048)}`,
  ]) {
    expect([url, isPicture(url)]).toEqual([url, false]);
  }
});

test("a country is one of the 249 that have a code, in capitals", () => {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const codes = letters.flatMap((a) => letters.map((b) => `${a}${b}`)).filter(isCountry);
  expect(codes).toHaveLength(249);
  expect(["DE", "UY", "TW", "AX"].every(isCountry)).toBe(true);
  expect(["de", "XX", "UK", "EU", "ZZ", "", "DEU"].some(isCountry)).toBe(false);
});
