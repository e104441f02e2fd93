import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern, PatternError } from "./pattern.ts";

const found = (body: string, text: string, ignoreCase = false) => compilePattern(body, ignoreCase).matches(text);

describe("regular expressions of rules", () => {
  test.each([
    ["foo", "a food", true],
    ["foo", "fo", false],
    ["^foo", "food", true],
    ["^foo", "a food", false],
    ["foo$", "a foo", true],
    ["foo$", "food", false],
    ["^foo$", "foo\n", false],
    ["^$", "", true],
    ["^$", "a", false],
    ["^a|bc$", "xbc", false],
    ["a|bc", "xbc", true],
    ["^(a|bc)$", "bc", true],
    ["^(ab)*$", "abab", true],
    ["^(ab)*$", "aba", false],
    ["^a?$", "", true],
    ["^a+$", "", false],
    ["^a{2}$", "aa", true],
    ["^a{2}$", "aaa", false],
    ["^a{2,}$", "aaaa", true],
    ["^a{1,2}$", "aaa", false],
    ["^........$", "Firebase", true],
    ["^.$", "\n", true],
    ["^[a-c]+$", "abc", true],
    ["^[a-c]+$", "abd", false],
    ["^[^0-9]$", "5", false],
    ["^[^0-9]$", "x", true],
    ["^[-.\\w]+$", "a-b.c_1", true],
    ["^[a-]$", "-", true],
    ["^[\\]]$", "]", true],
    ["^[+*?.()|{}^$]$", "$", true],
    ["^\\d\\D\\s\\S\\w\\W$", "1a b_!", true],
    ["^\\{foo}$", "{foo}", true],
    ["^\\n$", "n", true],
    ["^\\n$", "\n", false],
    ["^\\/\\\\$", "/\\", true],
    ["*a", "*a", true],
    ["^(?:a)$", "?:a", true],
    ["^é[à-ü]$", "éè", true],
    ["^[🦊]$", "🦊", true],
    ["^(19|20)[0-9][0-9][-\\/. ](0[1-9]|1[012])[-\\/. ](0[1-9]|[12][0-9]|3[01])$", "1999-12-31", true],
    ["^(19|20)[0-9][0-9][-\\/. ](0[1-9]|1[012])[-\\/. ](0[1-9]|[12][0-9]|3[01])$", "1999-13-31", false],
  ])("/%s/ in %j: %s", (body, text, expected) => {
    expect(found(body, text)).toBe(expected);
  });

  test("pay no heed to case only when told so", () => {
    expect(found("^[A-Z]+@X$", "ann@x")).toBe(false);
    expect(found("^[A-Z]+@X$", "ann@x", true)).toBe(true);
  });

  test.each([
    "(^foo$|bar)",
    "^(foo|)$",
    "foo|",
    "a^b",
    "a$b",
    "(a",
    "a)",
    "[a",
    "[]",
    "[z-a]",
    "a{1001}",
    "a\\",
    "^*",
    "a|*",
  ])("/%s/ is refused", (body) => {
    expect(() => compilePattern(body, false)).toThrow(PatternError);
  });

  test("are found in time that a hostile text cannot stretch", () => {
    const started = performance.now();
    expect(found("^(a+)+$", `${"a".repeat(50_000)}b`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test("without anything special mean themselves", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), (text) => {
        const body = [...text].map((character) => (/^\w$/.test(character) ? character : `\\${character}`)).join("");
        expect(found(`^${body}$`, text)).toBe(true);
        expect(found(`^[${body}]+$`, text)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test("of any text compile or are refused", () => {
    const special = fc.string({ unit: fc.constantFrom(..."ab-^$|()[]{}*+?.\\,01dwS"), maxLength: 15 });
    fc.assert(
      fc.property(special, fc.string({ maxLength: 10 }), (body, text) => {
        try {
          expect(typeof found(body, text)).toBe("boolean");
        } catch (error) {
          expect(error).toBeInstanceOf(PatternError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
