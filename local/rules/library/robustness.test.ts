import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  LatLng,
  RulesDuration,
  RulesError,
  type RulesMap,
  RulesPath,
  RulesTimestamp,
  type RulesValue,
} from "../value.ts";
import { set } from "./cases.ts";
import { formatValue } from "./format.ts";
import { callFunction, GLOBAL_FUNCTIONS, NAMESPACES } from "./functions.ts";
import { callMethod } from "./methods.ts";
import { MAX_INT, MIN_INT } from "./numbers.ts";
import { binary, equalValues, index, isType, property, range, unary } from "./operators.ts";

const METHODS = (
  "add addedKeys affectedKeys bind changedKeys concat date day dayOfWeek dayOfYear diff difference distance get hasAll hasAny hasOnly " +
  "hours intersection join keys latitude longitude lower matches minutes month nanos removeAll removedKeys replace seconds size split " +
  "time toBase64 toHexString toMillis toSet toString toUtf8 trim unchangedKeys union upper values year"
).split(" ");
const FUNCTIONS =
  "abs bool ceil crc32 crc32c date float floor int isInfinite isNaN md5 path pow round sha256 sqrt string time value valueOf".split(
    " ",
  );
const OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "in"] as const;

const int = fc.oneof(fc.bigInt({ min: MIN_INT, max: MAX_INT }), fc.bigInt({ min: -3n, max: 3n }));
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom("a", "$1", "(", "a*", "\\", "w", "ms", "true", "1e3", "a/b", "constructor", "__proto__"),
);
const second = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });
const nano = fc.integer({ min: 0, max: 999_999_999 });

const { value: anyValue } = fc.letrec<{ value: RulesValue; map: RulesMap }>((tie) => ({
  map: fc.dictionary(text, tie("value"), { maxKeys: 3 }).map((entries) => new Map(Object.entries(entries))),
  value: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    fc.constantFrom<RulesValue>(null, true, false, 0, -0, Number.NaN, Number.POSITIVE_INFINITY),
    int,
    fc.double(),
    text,
    fc.uint8Array({ maxLength: 4 }),
    fc.tuple(second, nano).map(([seconds, nanos]) => new RulesTimestamp(seconds, nanos)),
    fc.tuple(nano, nano, fc.constantFrom(1, -1)).map(([a, b, sign]) => new RulesDuration(a * sign, b * sign)),
    fc.tuple(fc.double(), fc.double()).map(([latitude, longitude]) => new LatLng(latitude, longitude)),
    fc
      .array(fc.oneof(text, fc.constantFrom("$(a)", "{a}")), { maxLength: 3 })
      .map((segments) => new RulesPath(segments)),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => set(...items)),
    fc.tuple(tie("map"), tie("map")).map(([left, right]) => callMethod(left, "diff", [right])),
    tie("map"),
  ),
}));

/** What an operation gives, unless it refuses with the error of the rules, which alone is allowed. */
function attempt(evaluate: () => RulesValue): RulesValue | undefined {
  try {
    return evaluate();
  } catch (error) {
    expect(error).toBeInstanceOf(RulesError);
    expect((error as RulesError).message).not.toBe("");
    return undefined;
  }
}

describe("whatever the values", () => {
  test("operators give a value or refuse", () => {
    fc.assert(
      fc.property(anyValue, anyValue, anyValue, text, (a, b, c, name) => {
        for (const operator of OPERATORS) attempt(() => binary(operator, a, b));
        attempt(() => unary("!", a));
        attempt(() => unary("-", a));
        attempt(() => index(a, b));
        attempt(() => range(a, b, c));
        attempt(() => property(a, name));
        attempt(() => isType(a, name));
        expect(formatValue(a).length).toBeLessThanOrEqual(100);
      }),
      { numRuns: 500 },
    );
  });

  test("methods and functions give a value of the rules or refuse", () => {
    const args = fc.array(anyValue, { maxLength: 3 });
    const namespace = fc.constantFrom(undefined, "nowhere", ...NAMESPACES);
    fc.assert(
      fc.property(anyValue, args, namespace, (receiver, values, place) => {
        for (const name of METHODS) {
          const result = attempt(() => callMethod(receiver, name, values));
          if (result !== undefined) expect(typeof formatValue(result)).toBe("string");
        }
        for (const name of [...FUNCTIONS, ...GLOBAL_FUNCTIONS]) attempt(() => callFunction(place, name, values));
      }),
      { numRuns: 500 },
    );
  });

  test("equality is symmetric, and comparing with it never fails", () => {
    fc.assert(
      fc.property(anyValue, anyValue, (a, b) => {
        expect(equalValues(a, b)).toBe(equalValues(b, a));
        expect(binary("!=", a, b)).toBe(!equalValues(a, b));
        expect(binary("==", set(a, b), set(b, a))).toBe(true);
        expect(binary("in", a, set(b, a))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("an element that a list is known to have is not among those left when it is removed", () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 5 }), anyValue, (list, value) => {
        const rest = callMethod(list, "removeAll", [[value]]);
        expect(binary("in", value, rest)).toBe(false);
        expect(callMethod(list, "hasAny", [[value]])).toBe(binary("in", value, list));
      }),
      { numRuns: 500 },
    );
  });
});
