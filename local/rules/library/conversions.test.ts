import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LatLng, RulesDuration } from "../value.ts";
import { bytes, map, refusal, testFunctions } from "./cases.ts";
import { callFunction, GLOBAL_FUNCTIONS, NAMESPACES } from "./functions.ts";
import { MAX_INT, MIN_INT } from "./numbers.ts";

const NAN = Number.NaN;
const INFINITY = Number.POSITIVE_INFINITY;

describe("int()", () => {
  testFunctions([
    ["int", ["2"], 2n],
    ["int", ["-3"], -3n],
    ["int", ["+3"], 3n],
    ["int", ["007"], 7n],
    ["int", ["-0"], 0n],
    ["int", ["9223372036854775807"], MAX_INT],
    ["int", ["-9223372036854775808"], MIN_INT],
    ["int", [2], 2n],
    ["int", [2.9], 2n],
    ["int", [-2.9], -2n],
    ["int", [-0], 0n],
    ["int", [1e20], MAX_INT],
    ["int", [-1e20], MIN_INT],
    ["int", [INFINITY], MAX_INT],
    ["int", [NAN], 0n],
    ["int", [5n], 5n],
    ["int", ["9223372036854775808"], refusal("Type conversion error.")],
    ["int", ["1.5"], refusal("Type conversion error. Argument: [1.5], From type: [string], To type: [int].")],
    ["int", ["1e3"], refusal("Type conversion error.")],
    ["int", ["0x10"], refusal("Type conversion error.")],
    ["int", [" 12"], refusal("Type conversion error.")],
    ["int", ["12 "], refusal("Type conversion error.")],
    ["int", [""], refusal("Type conversion error.")],
    ["int", ["1".repeat(5_000)], refusal("Type conversion error.")],
    ["int", [true], refusal("Received: int(bool). Expected: int(int|float|string).")],
    ["int", [null], refusal("Received: int(null)")],
    ["int", ["1", 2n], refusal("Incorrect number of arguments. Received: 2.")],
  ]);
});

describe("float()", () => {
  testFunctions([
    ["float", ["2.2"], 2.2],
    ["float", [2n], 2],
    ["float", [2.5], 2.5],
    ["float", ["1e3"], 1000],
    ["float", [".5"], 0.5],
    ["float", ["5."], 5],
    ["float", ["-1.5E-2"], -0.015],
    ["float", ["1.5f"], 1.5],
    ["float", ["1.5D"], 1.5],
    ["float", ["0x1p3"], 8],
    ["float", ["-0x.8p1"], -1],
    ["float", [" 2.5\n"], 2.5],
    ["float", ["-0"], -0],
    ["float", ["NaN"], NAN],
    ["float", ["+Infinity"], INFINITY],
    ["float", ["-Infinity"], -INFINITY],
    ["float", ["1e400"], INFINITY],
    ["float", ["abc"], refusal("Type conversion error. Argument: [abc], From type: [string], To type: [float].")],
    ["float", ["inf"], refusal("Type conversion error.")],
    ["float", ["nan"], refusal("Type conversion error.")],
    ["float", ["1.2.3"], refusal("Type conversion error.")],
    ["float", ["1_000"], refusal("Type conversion error.")],
    ["float", ["0xp1"], refusal("Type conversion error.")],
    ["float", ["."], refusal("Type conversion error.")],
    ["float", [""], refusal("Type conversion error.")],
    ["float", [true], refusal("Received: float(bool)")],
  ]);
});

describe("string()", () => {
  testFunctions([
    ["string", [true], "true"],
    ["string", [false], "false"],
    ["string", [1n], "1"],
    ["string", [-5n], "-5"],
    ["string", [null], "null"],
    ["string", ["s"], "s"],
    ["string", [2], "2.0"],
    ["string", [1.5], "1.5"],
    ["string", [0.1 + 0.2], "0.30000000000000004"],
    ["string", [0], "0.0"],
    ["string", [-0], "-0.0"],
    ["string", [1e6], "1000000.0"],
    ["string", [9_999_999], "9999999.0"],
    ["string", [1e7], "1.0E7"],
    ["string", [123_456_789], "1.23456789E8"],
    ["string", [-1.5e10], "-1.5E10"],
    ["string", [1e-3], "0.001"],
    ["string", [1e-4], "1.0E-4"],
    ["string", [1e21], "1.0E21"],
    ["string", [1.7976931348623157e308], "1.7976931348623157E308"],
    ["string", [2.2250738585072014e-308], "2.2250738585072014E-308"],
    ["string", [5e-324], "4.9E-324"],
    ["string", [1e-323], "9.9E-324"],
    ["string", [2e-323], "2.0E-323"],
    ["string", [NAN], "NaN"],
    ["string", [-INFINITY], "-Infinity"],
    ["string", [[1n, 2n]], refusal("Received: string(list).")],
    ["string", [map({ a: 1n })], refusal("Received: string(map).")],
    ["string", [bytes(97)], refusal("Received: string(bytes).")],
    ["string", [new RulesDuration(1)], refusal("Received: string(duration).")],
    ["string", [new LatLng(1, 2)], refusal("Received: string(latlng).")],
    ["string", [], refusal("Incorrect number of arguments. Received: 0.")],
  ]);

  test("gives numbers that int() and float() read again", () => {
    fc.assert(
      fc.property(fc.double(), fc.bigInt({ min: MIN_INT, max: MAX_INT }), (float, int) => {
        expect(callFunction(undefined, "float", [callFunction(undefined, "string", [float])])).toBe(float);
        expect(callFunction(undefined, "int", [callFunction(undefined, "string", [int])])).toBe(int);
      }),
    );
  });
});

describe("bool()", () => {
  testFunctions([
    ["bool", ["true"], true],
    ["bool", ["false"], false],
    ["bool", [true], true],
    ["bool", ["TRUE"], refusal("Type conversion error. Argument: [TRUE], From type: [string], To type: [bool].")],
    ["bool", ["1"], refusal("Type conversion error.")],
    ["bool", [1n], refusal("Received: bool(int). Expected: bool(bool|string).")],
    ["bool", [null], refusal("Received: bool(null)")],
  ]);
});

describe("functions", () => {
  testFunctions([
    ["foo", [1n], refusal("Function not found error: Name: [foo].")],
    ["toString", [], refusal("Function not found error: Name: [toString].")],
    ["nowhere.abs", [1n], refusal("Function not found error: Name: [nowhere.abs].")],
  ]);

  test("are in the namespaces of the reference, or in none", () => {
    expect([...NAMESPACES].sort()).toEqual(["duration", "hashing", "latlng", "math", "timestamp"]);
    expect([...GLOBAL_FUNCTIONS].sort()).toEqual(["bool", "float", "int", "path", "string"]);
  });
});
