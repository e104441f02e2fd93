import * as fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { bytes, refusal, testMethods } from "./cases.ts";
import { LIMITS } from "./limits.ts";
import { callMethod } from "./methods.ts";

/** A group of a replacement by its name. */
const named = (group: string) => `$\{${group}}`;

describe("strings", () => {
  testMethods([
    ["ABC", "lower", [], "abc"],
    ["ABC123", "lower", [], "abc123"],
    ["ÄÖ", "lower", [], "äö"],
    ["abc", "upper", [], "ABC"],
    ["straße", "upper", [], "STRASSE"],
    ["  a b  ", "trim", [], "a b"],
    ["\t\n", "trim", [], ""],
    ["a", "size", [], 1n],
    ["abc", "size", [], 3n],
    ["", "size", [], 0n],
    ["é", "size", [], 1n],
    ["😀", "size", [], 2n],
    ["abc", "toUtf8", [], bytes(97, 98, 99)],
    ["é", "toUtf8", [], bytes(0xc3, 0xa9)],
    ["€", "toUtf8", [], bytes(0xe2, 0x82, 0xac)],
    ["", "toUtf8", [], bytes()],
  ]);

  testMethods([
    ["a", "lower", ["b"], refusal("Incorrect number of arguments. Received: 1. Expected: string.lower().")],
    ["a", "lowre", [], refusal("Function not found error: Name: [lowre].")],
    ["a", "constructor", [], refusal("Function not found error: Name: [constructor].")],
    ["a", "hasAny", [["a"]], refusal("Function not found error: Name: [hasAny].")],
    ["a", "concat", ["b"], refusal("Function not found error: Name: [concat].")],
    [10n, "lower", [], refusal("Function not found error: Name: [lower].")],
    [true, "size", [], refusal("Function not found error: Name: [size].")],
    [null, "size", [], refusal("Null value error.")],
  ]);
});

describe("matches", () => {
  testMethods([
    ["user@domain.com", "matches", [".*@domain[.]com"], true],
    ["banana", "matches", [".*@domain[.]com"], false],
    ["hello world", "matches", ["world"], false],
    ["hello world", "matches", [".*world"], true],
    ["abc123", "matches", ["[a-z]+[0-9]+"], true],
    ["abc123!", "matches", ["[a-z]+[0-9]+"], false],
    ["1alice@acme.com", "matches", ["[a-z]+@acme\\.com"], false],
    ["ab", "matches", ["a|ab"], true],
    ["", "matches", [""], true],
    ["a", "matches", [""], false],
    ["a\n", "matches", ["a"], false],
    ["a\nb", "matches", ["a.b"], false],
    ["a\nb", "matches", ["(?s)a.b"], true],
    ["ABC", "matches", ["(?i)abc"], true],
    ["🦊", "matches", ["."], true],
    ["日本", "matches", ["\\p{Han}+"], true],
    ["abc", "matches", ["^abc$"], true],
    ["a", "matches", ["("], refusal("Invalid regular expression")],
    ["aa", "matches", ["(a)\\1"], refusal("Invalid regular expression")],
    ["ab", "matches", ["a(?=b)"], refusal("Invalid regular expression")],
    ["a", "matches", ["a{1001}"], refusal("Invalid regular expression")],
    ["a", "matches", [1n], refusal("Received: string.matches(int). Expected: string.matches(string).")],
    ["a", "matches", [null], refusal("Received: string.matches(null)")],
    ["a", "matches", [], refusal("Incorrect number of arguments. Received: 0.")],
  ]);

  test("takes a time linear in the text, whatever the expression", () => {
    const text = "a".repeat(100_000);
    expect(callMethod(text, "matches", ["(a*)*b"])).toBe(false);
    expect(callMethod(text, "matches", ["(a|aa)+"])).toBe(true);
  });

  test("refuses an expression that is too long, or too large for the text", () => {
    expect(() => callMethod("a", "matches", ["a".repeat(LIMITS.pattern + 1)])).toThrow("too long");
    expect(() => callMethod("a".repeat(1_000_000), "matches", ["a{500}b"])).toThrow("too large for a text");
  });

  test("goes on working when more expressions were used than are kept", () => {
    for (let i = 0; i <= LIMITS.patterns; i++) expect(callMethod(`${i}`, "matches", [`x|${i}`])).toBe(true);
    expect(callMethod("x", "matches", ["x|0"])).toBe(true);
  });
});

describe("replace", () => {
  testMethods([
    ["banana", "replace", ["a", "o"], "bonono"],
    ["banana", "replace", ["ana", "ee"], "beena"],
    ["foo@test.com", "replace", [".", "-"], "------------"],
    ["a1b22", "replace", ["[0-9]+", "#"], "a#b#"],
    ["abc", "replace", ["x", "y"], "abc"],
    ["", "replace", ["a", "b"], ""],
    ["", "replace", ["", "b"], "b"],
    ["abc", "replace", ["", "-"], "-a-b-c-"],
    ["a🦊", "replace", ["", "-"], "-a-🦊-"],
    ["ab", "replace", ["(a)", "$1$1"], "aab"],
    ["ada lovelace", "replace", ["(\\w+) (\\w+)", "$2, $1"], "lovelace, ada"],
    ["ab", "replace", ["a", "$0$0"], "aab"],
    ["ab", "replace", ["(a)", "$12"], "a2b"],
    ["ab", "replace", ["(?P<first>a)", `${named("first")}-`], "a-b"],
    ["b", "replace", ["(a)?b", "[$1]"], "[]"],
    ["ab", "replace", ["a", "\\$"], "$b"],
    ["ab", "replace", ["a", "\\\\"], "\\b"],
    ["ab", "replace", ["a", "\n"], "\nb"],
    ["ab", "replace", ["(a)", "$2"], refusal("There is no group 2")],
    ["ab", "replace", ["a", "$&"], refusal("Illegal group reference")],
    ["ab", "replace", ["a", "x\\"], refusal("Illegal group reference")],
    ["ab", "replace", ["a", named("nobody")], refusal("There is no group nobody")],
    ["abc", "replace", ["(", "x"], refusal("Invalid regular expression")],
    ["a", "replace", ["a"], refusal("Incorrect number of arguments")],
    ["a", "replace", ["a", null], refusal("Received: string.replace(string, null)")],
  ]);

  test("refuses a result that is too long", () => {
    expect(() => callMethod("a".repeat(10_000), "replace", ["a", "b".repeat(1_000)])).toThrow(
      "The string is too long.",
    );
  });

  test("gives up on an expression that takes too long to find again and again", () => {
    expect(() => callMethod("a".repeat(20_000), "replace", ["a.*b|a", ""])).toThrow("takes too long");
  });
});

describe("split", () => {
  testMethods([
    ["a/b/c", "split", ["/"], ["a", "b", "c"]],
    ["a1b22c", "split", ["[0-9]+"], ["a", "b", "c"]],
    ["a.b", "split", ["[.]"], ["a", "b"]],
    ["/a", "split", ["/"], ["", "a"]],
    ["a//b", "split", ["/"], ["a", "", "b"]],
    ["a/b//", "split", ["/"], ["a", "b"]],
    ["abc", "split", ["/"], ["abc"]],
    ["abc", "split", [""], ["a", "b", "c"]],
    ["", "split", ["/"], [""]],
    ["//", "split", ["/"], []],
    ["a", "split", [["/"]], refusal("Received: string.split(list)")],
    ["a", "split", ["["], refusal("Invalid regular expression")],
  ]);

  test("is what the engine of regular expressions makes of it", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "🦊") });
    const expression = fc.constantFrom("/", "", "a*", "[ab]?", "//|b", "a|", "🦊");
    fc.assert(
      fc.property(text, expression, (whole, separator) => {
        expect(callMethod(whole, "split", [separator])).toEqual(RE2JS.compile(separator).split(whole));
      }),
    );
  });
});
