import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LatLng, RulesDuration, RulesPath, RulesTimestamp, type RulesValue } from "../value.ts";
import { bytes, map, refusal, set, testCase, testOperators } from "./cases.ts";
import { LIMITS } from "./limits.ts";
import { callMethod } from "./methods.ts";
import { MAX_INT, MIN_INT } from "./numbers.ts";
import { type BinaryOperator, binary, index, isType, property, range, unary } from "./operators.ts";

const INFINITY = Number.POSITIVE_INFINITY;
const NAN = Number.NaN;
const DATA = map({ name: "ada", gone: null });
const LETTERS = ["a", "b", "c", "d"];

describe("arithmetic", () => {
  testOperators([
    [1n, "+", 2n, 3n],
    [3n, "+", 1.5, 4.5],
    [1.5, "+", 1n, 2.5],
    [1n, "-", 2n, -1n],
    [2.5, "-", 1n, 1.5],
    [3n, "*", -4n, -12n],
    [2n, "*", 1.5, 3],
    [10n, "/", 4n, 2n],
    [-7n, "/", 2n, -3n],
    [7n, "/", -2n, -3n],
    [10, "/", 4, 2.5],
    [10n, "/", 4, 2.5],
    [10n, "%", 3n, 1n],
    [-7n, "%", 2n, -1n],
    [7n, "%", -2n, 1n],
    [7.5, "%", 2n, 1.5],
    [1, "/", 0, INFINITY],
    [-1, "/", 0n, -INFINITY],
    [0, "/", 0, NAN],
    [1n, "%", 0, NAN],
    [10n, "/", 0n, refusal("Division by zero.")],
    [10n, "%", 0n, refusal("Division by zero.")],
    [MAX_INT, "+", 1n, refusal("Integer overflow.")],
    [MIN_INT, "-", 1n, refusal("Integer overflow.")],
    [MAX_INT, "*", 2n, refusal("Integer overflow.")],
    [MIN_INT, "/", -1n, refusal("Integer overflow.")],
    [MIN_INT, "%", -1n, 0n],
    [MAX_INT, "+", 1, 2 ** 63],
    ["username", "+", "@domain.com", "username@domain.com"],
    ["", "+", "", ""],
    ["a", "+", 1n, refusal("Unsupported operation error. Received: string + int.")],
    [1n, "+", "a", refusal("Received: int + string.")],
    [[1n], "+", [2n], refusal("Received: list + list.")],
    [map({}), "+", map({}), refusal("Received: map + map.")],
    [bytes(1), "+", bytes(2), refusal("Received: bytes + bytes.")],
    ["a", "+", null, refusal("Received: string + null.")],
    [true, "+", true, refusal("Received: bool + bool.")],
    ["a", "-", "a", refusal("Received: string - string.")],
    ["a", "*", 2n, refusal("Received: string * int.")],
    [set("a"), "-", set("a"), refusal("Received: set - set.")],
  ]);

  testCase("-5", () => unary("-", 5n), -5n);
  testCase("-(-2.5)", () => unary("-", -2.5), 2.5);
  testCase("-0.0", () => unary("-", 0), -0);
  testCase("minus the smallest int", () => unary("-", MIN_INT), refusal("Integer overflow."));
  testCase("-'a'", () => unary("-", "a"), refusal("Received: -string."));
  testCase("!true", () => unary("!", true), false);
  testCase("!false", () => unary("!", false), true);
  testCase("!null", () => unary("!", null), refusal("Received: !null."));
  testCase("!1", () => unary("!", 1n), refusal("Received: !int."));

  test("of ints is exact and stays within 64 bits", () => {
    const int = fc.bigInt({ min: MIN_INT, max: MAX_INT });
    fc.assert(
      fc.property(int, int, (a, b) => {
        for (const [operator, exact] of [
          ["+", a + b],
          ["-", a - b],
          ["*", a * b],
        ] as const) {
          const calculate = () => binary(operator, a, b);
          if (exact >= MIN_INT && exact <= MAX_INT) expect(calculate()).toBe(exact);
          else expect(calculate).toThrow("Integer overflow.");
        }
        fc.pre(b !== 0n && !(a === MIN_INT && b === -1n));
        const [quotient, rest] = [binary("/", a, b) as bigint, binary("%", a, b) as bigint];
        expect(quotient * b + rest).toBe(a);
      }),
    );
  });

  test("refuses a string that is too long", () => {
    const half = "a".repeat(LIMITS.text / 2);
    expect(binary("+", half, half)).toHaveLength(LIMITS.text);
    expect(() => binary("+", half, `${half}a`)).toThrow("The string is too long.");
  });
});

describe("order", () => {
  testOperators([
    [1n, "<", 2n, true],
    [2n, "<", 2n, false],
    [2n, "<=", 2, true],
    [3n, ">", 2.5, true],
    [2.5, ">=", 3n, false],
    [NAN, "<", 1n, false],
    [NAN, ">=", 1n, false],
    [MAX_INT, "<", INFINITY, true],
    ["a", "<", "b", true],
    ["B", "<", "a", true],
    ["a", "<", "a", false],
    ["", "<", "a", true],
    ["a", ">=", "aa", false],
    ["10", "<", "9", true],
    ["ｚ", "<", "😀", true],
    [1n, "<", "a", refusal("Unsupported operation error. Received: int < string.")],
    ["a", ">=", 2n, refusal("Received: string >= int.")],
    [false, "<", true, refusal("Received: bool < bool.")],
    [["a"], "<", ["z"], refusal("Received: list < list.")],
    [map({}), ">", map({}), refusal("Received: map > map.")],
    [3n, "<", null, refusal("Received: int < null.")],
    [null, ">=", null, refusal("Received: null >= null.")],
    [new LatLng(0, 0), "<", new LatLng(1, 1), refusal("Received: latlng < latlng.")],
  ]);
});

describe("index", () => {
  testCase("['a', 'b', 'c', 'd'][0]", () => index(LETTERS, 0n), "a");
  testCase("['a', 'b', 'c', 'd'][3]", () => index(LETTERS, 3n), "d");
  testCase(
    "['a', 'b', 'c', 'd'][4]",
    () => index(LETTERS, 4n),
    refusal("Index out of bound error. Index: [4] , size: [4]."),
  );
  testCase("['a', 'b', 'c', 'd'][-1]", () => index(LETTERS, -1n), refusal("Index: [-1] , size: [4]."));
  testCase(
    "['a', 'b', 'c', 'd'][1.0]",
    () => index(LETTERS, 1),
    refusal("Received: list[float]. Expected: list[int]."),
  );
  testCase("['a', 'b', 'c', 'd']['length']", () => index(LETTERS, "length"), refusal("Received: list[string]."));
  testCase("[null][0]", () => index([null], 0n), null);
  testCase("'aéc'[1]", () => index("aéc", 1n), "é");
  testCase("'a🦊c'[3]", () => index("a🦊c", 3n), "c");
  testCase("'a🦊c'[4]", () => index("a🦊c", 4n), refusal("Index: [4] , size: [4]."));
  testCase("data['name']", () => index(DATA, "name"), "ada");
  testCase("data['gone']", () => index(DATA, "gone"), null);
  testCase("data['typo']", () => index(DATA, "typo"), refusal("Property typo is undefined on object."));
  testCase("data[1]", () => index(DATA, 1n), refusal("Received: map[int]. Expected: map[string]."));
  testCase("null[0]", () => index(null, 0n), refusal("Null value error."));
  testCase("5[0]", () => index(5n, 0n), refusal("Function not found error: Name: [[]]."));
  testCase("set[0]", () => index(set("a"), 0n), refusal("Function not found error: Name: [[]]."));
});

describe("range", () => {
  testCase("'abcdef'[1:4]", () => range("abcdef", 1n, 4n), "bcd");
  testCase("'mystring'[0:3]", () => range("mystring", 0n, 3n), "mys");
  testCase("'a🦊c'[1:4]", () => range("a🦊c", 1n, 4n), "🦊c");
  testCase("'hello'[1:1]", () => range("hello", 1n, 1n), "");
  testCase("'hello'[4:4]", () => range("hello", 4n, 4n), "");
  testCase("'hello'[0:0]", () => range("hello", 0n, 0n), refusal("Index out of bound error. Index: [-1] , size: [5]."));
  testCase("'hello'[5:5]", () => range("hello", 5n, 5n), refusal("Index: [5] , size: [5]."));
  testCase(
    "'hello'[2:1]",
    () => range("hello", 2n, 1n),
    refusal("Illegal range error. From index: [2] , To index: [1]."),
  );
  testCase("'hello'[0:99]", () => range("hello", 0n, 99n), refusal("Index: [98] , size: [5]."));
  testCase("''[0:0]", () => range("", 0n, 0n), refusal("Index: [0] , size: [0]."));
  testCase("['a', 'b', 'c', 'd'][1:3]", () => range(LETTERS, 1n, 3n), ["b", "c"]);
  testCase("['a', 'b', 'c', 'd'][0:4]", () => range(LETTERS, 0n, 4n), LETTERS);
  testCase("['a', 'b', 'c', 'd'][3:3]", () => range(LETTERS, 3n, 3n), []);
  testCase("['a', 'b', 'c', 'd'][4:4]", () => range(LETTERS, 4n, 4n), refusal("Index: [4] , size: [4]."));
  testCase(
    "['a', 'b', 'c', 'd'][3:1]",
    () => range(LETTERS, 3n, 1n),
    refusal("Illegal range error. From index: [3] , To index: [1]."),
  );
  testCase("['a', 'b', 'c', 'd'][-1:2]", () => range(LETTERS, -1n, 2n), refusal("Index: [-1]"));
  testCase("['a', 'b', 'c', 'd'][0:'1']", () => range(LETTERS, 0n, "1"), refusal("Received: list[int:string]."));
  testCase("data[0:1]", () => range(DATA, 0n, 1n), refusal("Function not found error: Name: [[:]]."));
  testCase("null[0:1]", () => range(null, 0n, 1n), refusal("Null value error."));
});

describe("property", () => {
  testCase("data.name", () => property(DATA, "name"), "ada");
  testCase("data.gone", () => property(DATA, "gone"), null);
  testCase("data.typo", () => property(DATA, "typo"), refusal("Property typo is undefined on object."));
  testCase(
    "data.constructor",
    () => property(DATA, "constructor"),
    refusal("Property constructor is undefined on object."),
  );
  testCase("null.name", () => property(null, "name"), refusal("Null value error."));
  testCase("['a'].size", () => property(["a"], "size"), refusal("Type error. Received: [list] Expected: [map,path]."));
  testCase("'abc'.length", () => property("abc", "length"), refusal("Type error. Received: [string]"));
});

describe("is", () => {
  const VALUES: readonly (readonly [RulesValue, string])[] = [
    [null, "null"],
    [true, "bool"],
    [1n, "int"],
    [1, "float"],
    ["a", "string"],
    [bytes(1), "bytes"],
    [new RulesTimestamp(0), "timestamp"],
    [new RulesDuration(0), "duration"],
    [new LatLng(0, 0), "latlng"],
    [new RulesPath(["a"]), "path"],
    [set("a"), "set"],
    [callMethod(DATA, "diff", [DATA]), "map_diff"],
    [["a"], "list"],
    [DATA, "map"],
  ];

  test.each(VALUES)("knows %o as %s, and as nothing else", (value, type) => {
    for (const [, other] of VALUES) expect(isType(value, other)).toBe(other === type);
    expect(isType(value, "number")).toBe(type === "int" || type === "float");
  });

  test("refuses a type that does not exist", () => {
    expect(() => isType("a", "String")).toThrow("Unknown type: [String].");
    expect(() => isType("a", "constructor")).toThrow("Unknown type: [constructor].");
  });
});

test("every operator that the language has is known", () => {
  const operators: readonly BinaryOperator[] = ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"];
  expect(operators.map((operator) => binary(operator, 7n, 2n))).toEqual([
    ...[false, true, false, false, true, true],
    ...[9n, 5n, 14n, 3n, 1n],
  ]);
});
