import { expect, test } from "vitest";
import { document, judge, judgeQuery, request } from "../harness.ts";
import { parseRules, type RulesRequest } from "../rules.ts";

test.each([
  [
    "resource.data.name == request.auth.token.email",
    {},
    `false for 'get' @ L6\nL6: resource.data.name == request.auth.token.email, where resource.data.name is "Ada" and request.auth.token.email is "ada@example.com"`,
  ],
  [
    "request.auth.uid == id && resource.data.age > 40",
    {},
    "false for 'get' @ L6\nL6: resource.data.age > 40, where resource.data.age is 36",
  ],
  [
    "resource.data.age > 40 && request.auth.uid == id",
    {},
    "false for 'get' @ L6\nL6: resource.data.age > 40, where resource.data.age is 36",
  ],
  [
    "resource.data.missing == 1 && resource.data.age > 40",
    {},
    "false for 'get' @ L6\nL6: resource.data.age > 40, where resource.data.age is 36",
  ],
  [
    "resource.data.age < 1 || id == 'bo'",
    {},
    `false for 'get' @ L6\nL6: resource.data.age < 1, where resource.data.age is 36, nor id == 'bo', where id is "ada"`,
  ],
  [
    "request.auth.uid == 'ada'",
    { auth: null },
    "Null value error. for 'get' @ L6\nL6: request.auth.uid, where request.auth is null",
  ],
  [
    "resource.data.owner == 'ada'",
    { resource: document({ a: 1n }) },
    `Property owner is undefined on object. for 'get' @ L6\nL6: resource.data.owner, where resource.data is {"a": 1}`,
  ],
  ["!('name' in resource.data.profile.keys()) && false", {}, "false for 'get' @ L6"],
  [
    "!(resource.data.age == 36)",
    {},
    "false for 'get' @ L6\nL6: !(resource.data.age == 36), where resource.data.age is 36",
  ],
  [
    "resource.data.age > 1 ? resource.data.name == 'Bo' : true",
    {},
    `false for 'get' @ L6\nL6: resource.data.name == 'Bo', where resource.data.name is "Ada"`,
  ],
  [
    "resource.data.tags.hasAll(['c'])",
    {},
    `false for 'get' @ L6\nL6: resource.data.tags.hasAll(['c']), where resource.data.tags is ["a", "b"]`,
  ],
  ["false", {}, "false for 'get' @ L6"],
  [
    "resource.data.name",
    {},
    `Type error: the condition is not a boolean. for 'get' @ L6\nL6: resource.data.name, where resource.data.name is "Ada"`,
  ],
] satisfies [string, Partial<RulesRequest>, string][])(
  "the denial by %s says what was wrong",
  (condition, changes, explanation) => {
    expect(judge(condition, changes)).toEqual({ allowed: false, reads: 0, explanation });
  },
);

test.each([
  [
    "isOwner('bo')",
    "function isOwner(owner) { return owner == request.auth.uid; }",
    `false for 'get' @ L6\nL6: owner == request.auth.uid, where owner is "bo" and request.auth.uid is "ada"`,
  ],
  [
    "f(resource.data.none)",
    "function f(x) { return x == 1; }",
    "Property none is undefined on object. for 'get' @ L6\nL6: resource.data.none",
  ],
  [
    "f()",
    "function f() { let x = resource.data.none; return x == 1; }",
    "Property none is undefined on object. for 'get' @ L6\nL6: resource.data.none",
  ],
])("the denial by %s is explained inside of the function", (condition, functions, explanation) => {
  expect(judge(condition, {}, functions).explanation).toContain(explanation);
});

test("a query is told what it does not settle", () => {
  expect(judgeQuery("resource.data.owner == request.auth.uid", [[]]).explanation).toBe(
    "Property owner is undefined on object. for 'list' @ L6\nL6: resource.data.owner, which the query does not settle",
  );
  expect(judgeQuery("resource.data.age >= 18", [[{ field: ["age"], operator: ">", value: 16n }]]).explanation).toBe(
    "evaluation error at L6:29 for 'list' @ L6\nL6: resource.data.age >= 18, which the query does not settle",
  );
});

test("every rule that was tried is explained, at the line of its condition", () => {
  const rules = parseRules(`service cloud.firestore {
  match /databases/{d}/documents/users/{id} {
    allow get: if id == 'bo';
    allow list: if true;
    allow read:
      if id == 'eve';
  }
}`);
  expect(rules.evaluate(request()).explanation).toBe(
    `false for 'get' @ L3, false for 'get' @ L6\nL3: id == 'bo', where id is "ada"\nL6: id == 'eve', where id is "ada"`,
  );
  expect(rules.evaluate(request({ method: "delete" })).explanation).toBe("No matching allow statements");
});

test("what is allowed says by which rule", () => {
  expect(judge("id == 'ada'").explanation).toBe("true for 'get' @ L6");
});

test("long sources and values are cut", () => {
  const { explanation } = judge(`resource.data.name == '${"x".repeat(500)}'`, {
    resource: document({ name: "y".repeat(5_000) }),
  });
  expect(explanation.length).toBeLessThan(400);
});
