import { describe } from "vitest";
import { refusal, testFunctions } from "./cases.ts";
import { MAX_INT, MIN_INT } from "./numbers.ts";

const NAN = Number.NaN;
const INFINITY = Number.POSITIVE_INFINITY;

describe("math", () => {
  testFunctions([
    ["math.abs", [-1n], 1n],
    ["math.abs", [1n], 1n],
    ["math.abs", [-2.5], 2.5],
    ["math.abs", [-1], 1],
    ["math.abs", [MIN_INT], MIN_INT],
    ["math.abs", ["a"], refusal("Received: math.abs(string). Expected: math.abs(int|float).")],
    ["math.abs", [null], refusal("Received: math.abs(null)")],
    ["math.abs", [1n, 2n], refusal("Incorrect number of arguments. Received: 2. Expected: math.abs(int|float).")],
    ["math.ceil", [2], 2],
    ["math.ceil", [2.1], 3],
    ["math.ceil", [2.7], 3],
    ["math.ceil", [-1.5], -1],
    ["math.ceil", [1n], 1],
    ["math.floor", [1.9], 1],
    ["math.floor", [2], 2],
    ["math.floor", [2.7], 2],
    ["math.floor", [-0.5], -1],
    ["math.floor", [1n], 1],
    ["math.floor", [true], refusal("Received: math.floor(bool)")],
    ["math.round", [1.9], 2n],
    ["math.round", [2.4], 2n],
    ["math.round", [2.5], 3n],
    ["math.round", [-2.5], -2n],
    ["math.round", [-0.5], 0n],
    ["math.round", [1n], 1n],
    ["math.round", [MAX_INT], MAX_INT],
    ["math.round", [NAN], 0n],
    ["math.round", [INFINITY], MAX_INT],
    ["math.round", [-1e300], MIN_INT],
    ["math.sqrt", [4n], 2],
    ["math.sqrt", [2.25], 1.5],
    ["math.sqrt", [-1n], NAN],
    ["math.sqrt", [], refusal("Incorrect number of arguments. Received: 0.")],
    ["math.pow", [2n, 2n], 4],
    ["math.pow", [1.5, 2n], 2.25],
    ["math.pow", [4n, 0.5], 2],
    ["math.pow", [2n, -1n], 0.5],
    ["math.pow", [0n, -1n], INFINITY],
    ["math.pow", [2n, "a"], refusal("Received: math.pow(int, string)")],
    ["math.isNaN", [NAN], true],
    ["math.isNaN", [100n], false],
    ["math.isNaN", [INFINITY], false],
    ["math.isNaN", ["a"], refusal("Received: math.isNaN(string)")],
    ["math.isInfinite", [-INFINITY], true],
    ["math.isInfinite", [100n], false],
    ["math.isInfinite", [NAN], false],
    ["math.log", [1n], refusal("Function not found error: Name: [math.log].")],
  ]);
});
