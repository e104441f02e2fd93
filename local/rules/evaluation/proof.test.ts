import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { document, judge, judgeQuery, map } from "../harness.ts";
import { binary, equalValues } from "../library/operators.ts";
import type { Constraint } from "../rules.ts";
import { RulesError, type RulesMap, type RulesValue } from "../value.ts";

describe("whatever query is allowed, each document that it finds could be read by itself", () => {
  const scalar = fc.constantFrom<RulesValue>(null, true, false, 0n, 1n, 2n, 1.5, Number.NaN, "a", "b", "");
  const list = fc.array(fc.constantFrom<RulesValue>(1n, 2n, "a", "b", null), { minLength: 1, maxLength: 3 });
  const value = fc.oneof(scalar, list);
  const field = fc.constantFrom("x", "y");
  const constraint: fc.Arbitrary<Constraint> = fc
    .oneof(
      fc.record({ field, operator: fc.constantFrom("==" as const, "!=" as const), value }),
      fc.record({
        field,
        operator: fc.constantFrom("<" as const, "<=" as const, ">" as const, ">=" as const),
        value: scalar,
      }),
      fc.record({ field, operator: fc.constant("array-contains" as const), value: scalar }),
      fc.record({
        field,
        operator: fc.constantFrom("in" as const, "not-in" as const, "array-contains-any" as const),
        value: list,
      }),
    )
    .map(({ field: name, operator, value: wanted }) => ({ field: [name], operator, value: wanted }));
  const stored = fc.dictionary(field, value, { maxKeys: 2 });

  const literal = fc.constantFrom("null", "true", "false", "0", "1", "2", "1.5", "'a'", "'b'", "['a', 1]", "[2, null]");
  const operand = fc.oneof(
    literal,
    field.map((name) => `resource.data.${name}`),
    field.map((name) => `resource.data.get('${name}', null)`),
  );
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc
        .tuple(operand, fc.constantFrom("==", "!=", "<", "<=", ">", ">=", "in"), operand)
        .map((parts) => parts.join(" ")),
      fc
        .tuple(operand, fc.constantFrom("number", "string", "list", "bool", "null", "map"))
        .map((parts) => parts.join(" is ")),
      fc
        .tuple(operand, fc.constantFrom("hasAny", "hasAll", "hasOnly"), operand)
        .map(([a, method, b]) => `${a}.${method}(${b})`),
      field.map((name) => `'${name}' in resource.data`),
      field.map((name) => `resource.data.keys().hasAll(['${name}'])`),
      fc
        .tuple(tie("condition"), fc.constantFrom("&&", "||"), tie("condition"))
        .map(([a, operator, b]) => `(${a}) ${operator} (${b})`),
      tie("condition").map((inner) => `!(${inner})`),
      fc.tuple(tie("condition"), tie("condition"), tie("condition")).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
    ),
  }));

  test("by random conditions, constraints and documents", () => {
    let decided = 0;
    fc.assert(
      fc.property(
        condition,
        fc.array(constraint, { maxLength: 2 }),
        fc.array(stored, { minLength: 20, maxLength: 40 }),
        (text, constraints, documents) => {
          if (!judgeQuery(text, [constraints]).allowed) return;
          for (const fields of documents.filter((fields) => constraints.every((one) => finds(map(fields), one)))) {
            decided++;
            expect(judge(text, { resource: document(fields) }), JSON.stringify(constraints, show)).toMatchObject({
              allowed: true,
            });
          }
        },
      ),
      { numRuns: 6_000 },
    );
    expect(decided).toBeGreaterThan(1_000);
  });
});

function show(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** Whether Firestore finds a document by a constraint. Source: https://firebase.google.com/docs/firestore/query-data/queries */
function finds(fields: RulesMap, { field: [name = ""], operator, value }: Constraint): boolean {
  const actual = fields.get(name);
  if (actual === undefined) return false;
  const options = Array.isArray(value) ? (value as readonly RulesValue[]) : [];
  const items = Array.isArray(actual) ? (actual as readonly RulesValue[]) : [];
  switch (operator) {
    case "==":
      return same(actual, value);
    case "!=":
      return actual !== null && !same(actual, value);
    case "in":
      return options.some((option) => same(actual, option));
    case "not-in":
      return actual !== null && !options.some((option) => same(actual, option));
    case "array-contains":
      return items.some((item) => same(item, value));
    case "array-contains-any":
      return items.some((item) => options.some((option) => same(item, option)));
    default:
      return inOrder(operator, actual, value);
  }
}

/** Firestore finds NaN by NaN. */
function same(a: RulesValue, b: RulesValue): boolean {
  return equalValues(a, b) || (Number.isNaN(a) && Number.isNaN(b));
}

function inOrder(operator: "<" | "<=" | ">" | ">=", a: RulesValue, b: RulesValue): boolean {
  if (typeof a === "boolean" && typeof b === "boolean") return inOrder(operator, BigInt(a), BigInt(b));
  if (a === null && b === null) return operator === "<=" || operator === ">=";
  try {
    return binary(operator, a, b) === true;
  } catch (error) {
    if (error instanceof RulesError) return false;
    throw error;
  }
}
