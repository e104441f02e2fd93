import { describe, expect, test } from "vitest";
import { judge, request } from "../harness.ts";
import { parseRules } from "../rules.ts";

describe("what a request may evaluate", () => {
  const all = (count: number): string =>
    count === 1 ? "true" : `(${all(count >> 1)} && ${all(count - (count >> 1))})`;

  test("is 1,000 expressions, of which a logical operator with both sides is two", () => {
    expect(judge(all(334))).toMatchObject({ allowed: true });
    expect(judge(all(335))).toMatchObject({
      allowed: false,
      explanation: expect.stringContaining("maximum of 1000 expressions"),
    });
  });

  test("is counted over all rules of the request", () => {
    const rules = parseRules(`service cloud.firestore { match /databases/{d}/documents/users/{id} {
      allow get: if !${all(200)};
      allow get: if !${all(200)};
      allow get: if true;
    } }`);
    expect(rules.evaluate(request())).toMatchObject({ allowed: false });
  });

  test("is not made up for by another side", () => {
    expect(judge(`${all(335)} || true`)).toMatchObject({ allowed: false });
    expect(judge(`true || ${all(335)}`)).toMatchObject({ allowed: true });
  });

  test("does not exhaust the stack, however deep it goes", () => {
    const functions = (depth: number) =>
      Array.from(
        { length: 20 },
        (_, i) => `function f${i}(x) { return ${"!".repeat(depth)}${i < 19 ? `f${i + 1}(x)` : "x"}; }`,
      );
    expect(judge("f0(true)", {}, functions(30).join("\n"))).toMatchObject({ allowed: true });
    expect(judge("f0(true)", {}, functions(46).join("\n"))).toMatchObject({
      allowed: false,
      explanation: "Expression is too complex to evaluate safely. for 'get' @ L25",
    });
    expect(judge(`request.auth${".a".repeat(490)}`)).toMatchObject({ allowed: false });
  });
});

test("a rule without a condition does not allow what comes to it with nothing left", () => {
  const all = (count: number): string =>
    count === 1 ? "true" : `(${all(count >> 1)} && ${all(count - (count >> 1))})`;
  const rules = parseRules(`service cloud.firestore { match /databases/{d}/documents/users/{id} {
    allow get: if ${all(335)};
    allow get;
  } }`);
  expect(rules.evaluate(request())).toMatchObject({ allowed: false });
});

/** Measured in production: https://github.com/davideast/pyric (test/rules/linter/LINTER_SPEC.md) */
test.each([
  ["id == 'x'", 3],
  ["resource.data.age == 1", 5],
  ["id in ['x', 'y']", 5],
  ["resource.data.keys().size() > 0", 6],
  ["id[0:1] == 'x'", 6],
  ["!(id == 'y')", 4],
  ["id is string", 3],
  ["(id == 'x' ? true : false)", 8],
  ["(id == 'ada' ? true : false)", 6],
  ["resource.data.profile == {'k': 1}", 7],
  ["g(id)", 5],
  ["l(id)", 7],
  ["get(/databases/$(database)/documents/cfg/c).data.on == true", 11],
])("%s counts as %i expressions", (condition, cost) => {
  const functions = "function g(x) { return x == 'x'; } function l(x) { let v = x; return v == 'x'; }";
  const spare = 1_000 - cost - 3;
  const fits = (numbers: number) => {
    const list = Array.from({ length: numbers }, () => "1").join(", ");
    const verdict = judge(`[${list}] == [${condition}]`, {}, functions);
    return !verdict.explanation.includes("maximum of 1000 expressions");
  };
  expect(fits(spare)).toBe(true);
  expect(fits(spare + 1)).toBe(false);
});
