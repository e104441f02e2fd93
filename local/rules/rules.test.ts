import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { document, map, ROOT, request, rulesWith, USERS } from "./harness.ts";
import { parseRules, type Ruleset, type RulesRequest, RulesSyntaxError } from "./rules.ts";

/** About everything that the language has. */
const EVERYTHING = `rules_version = '2';

// Of everything something.
service cloud.firestore {
  match /databases/{database}/documents {
    function signedIn() { return request.auth != null; }
    function owns(document, name) {
      let owner = document.data[name]; /* by its name */
      let uid = request.auth.uid;
      return signedIn() && owner == uid;
    }
    match /users/{id} {
      allow get: if owns(resource, 'owner') || id in ["ada", 'bo'][0:1];
      allow list: if request.query.limit <= 10 && resource.data.open == true;
      allow create, update: if request.resource.data.keys().hasOnly(['a', "b\\n"])
        && request.resource.data.a is int && (request.resource.data.a + 1) * -2.5e0 % 3 != 4 / 2;
      match /posts/{post=**} { allow write: if exists(/databases/$(database)/documents/users/$(id)); }
    }
    match /{path=**}/logs/{log} { allow read: if !(signedIn()) ? false : {'a': [1, {}]}.a.size() > math.abs(-1); }
  }
}
`;

/** The ruleset of a source, or undefined if it is refused as it should be: with positions inside of the source. */
function parsed(source: string): Ruleset | undefined {
  try {
    return parseRules(source);
  } catch (error) {
    if (!(error instanceof RulesSyntaxError)) throw error;
    expect(error.issues.length).toBeGreaterThan(0);
    const lines = source.split("\n").map((line) => [...line].length);
    for (const { line, column, description } of error.issues) {
      expect(lines[line - 1], `line ${line} of ${lines.length}: ${description}`).toBeDefined();
      expect(column).toBeGreaterThanOrEqual(1);
      expect(column).toBeLessThanOrEqual((lines[line - 1] ?? 0) + 1);
      expect(description).not.toBe("");
    }
    return undefined;
  }
}

const REQUESTS: readonly Partial<RulesRequest>[] = [
  {},
  { auth: null },
  { resource: null },
  {
    method: "list",
    path: USERS,
    resource: null,
    query: { limit: 1n, disjunctions: [[{ field: ["open"], operator: "==", value: true }]] },
  },
  { method: "list", path: ROOT, resource: null, query: { disjunctions: [], collectionGroup: "logs" } },
  { method: "create", resource: null, requestResource: document({ a: 1n }) },
  { method: "delete", requestResource: null, path: [...USERS, "ada", "posts", "1", "likes", "2"] },
  { service: "firebase.storage", path: ["b", "x", "o", "y"] },
];

/** Asks all that there is to ask; nothing of it may throw. */
function askAll(ruleset: Ruleset): void {
  for (const changes of REQUESTS) {
    const verdict = ruleset.evaluate(request({ requestExtras: map({ host: "here" }), ...changes }));
    expect(verdict.explanation).not.toBe("");
    expect(verdict.reads).toBeLessThanOrEqual(10);
  }
  expect(ruleset.coverage().rules.files).toHaveLength(1);
  expect(ruleset.coverageHtml()).toContain("</html>");
}

describe("whatever the source, it is a ruleset that can be asked, or refused with positions inside of it", () => {
  test("this one is a ruleset", () => {
    const ruleset = parsed(EVERYTHING);
    expect(ruleset?.warnings).toEqual([]);
    if (ruleset) askAll(ruleset);
  });

  test("any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (source) => void parsed(source)),
      { numRuns: 500 },
    );
  });

  test("any text as a condition", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (condition) => {
        const ruleset = parsed(rulesWith(condition));
        if (ruleset) askAll(ruleset);
      }),
      { numRuns: 500 },
    );
  });

  test("any part of a ruleset", () => {
    for (let end = 0; end < EVERYTHING.length; end += 7) parsed(EVERYTHING.slice(0, end));
    for (let start = 0; start < EVERYTHING.length; start += 7) parsed(EVERYTHING.slice(start));
  });

  test("a ruleset with any mistakes", () => {
    const place = fc.nat(EVERYTHING.length);
    const text = fc.oneof(
      fc.constantFrom("", "{", "}", "(", ")", "'", '"', "/", "//", "/*", ";", "return", "match", "let x = 1;", "👩‍🚀"),
      fc.string({ maxLength: 3 }),
    );
    const mistakes = fc.array(fc.tuple(place, fc.nat(5), text), { minLength: 1, maxLength: 3 });
    let refused = 0;
    fc.assert(
      fc.property(mistakes, (changes) => {
        let source = EVERYTHING;
        for (const [at, length, replacement] of changes)
          source = source.slice(0, at) + replacement + source.slice(at + length);
        const ruleset = parsed(source);
        if (ruleset) askAll(ruleset);
        else refused++;
      }),
      { numRuns: 1_500 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  test("any soup of tokens", () => {
    const token = fc.constantFrom(
      ..."rules_version = '2' ; service cloud . firestore { } match allow read write get list if function let return true false null ( ) [ ] , : ? ! - + * / % == != < <= && || in is a b f request resource 1 2.5 'x' $ { /a /{b} /{c=**} /$( // /* */".split(
        " ",
      ),
      "\n",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => void parsed(tokens.join(" "))),
      { numRuns: 1_500 },
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 15 }), (tokens) => {
        const ruleset = parsed(rulesWith(tokens.join(" ")));
        if (ruleset) askAll(ruleset);
      }),
      { numRuns: 1_500 },
    );
  });

  test.each([
    ["parentheses", "(", ")"],
    ["lists", "[", "]"],
    ["maps", "{'a': ", "}"],
    ["calls", "f(", ")"],
    ["ternaries", "true ? ", " : false"],
    ["ternaries on the right", "true ? true : ", ""],
    ["negations", "!", ""],
    ["members", "", ".a"],
    ["indexes", "", "[0]"],
    ["sums", "1 + ", ""],
    ["segments of a path", "", " == /a/a/a"],
    ["embedded paths", "/a/$(", ")"],
  ])("more %s than any stack could hold", (_, before, after) => {
    const source = rulesWith(`${before.repeat(10_000)}true${after.repeat(10_000)}`);
    expect(parsed(source)).toBeUndefined();
  });

  test.each([
    ["match blocks", "match /a { ", "}"],
    ["functions", "function f() { return ", "}"],
    ["braces", "{", "}"],
  ])("more %s than any stack could hold, as statements", (_, before, after) => {
    expect(parsed(`service cloud.firestore { ${before.repeat(10_000)}${after.repeat(10_000)} }`)).toBeUndefined();
  });

  test("chains of thousands of functions", () => {
    const chain = Array.from({ length: 6_000 }, (_, i) => `function f${i}() { return f${i + 1}(); }`);
    expect(parsed([...chain, "function f6000() { return 1; }"].join("\n"))).toBeUndefined();
    expect(parsed([...chain, "function f6000() { return f0(); }"].join("\n"))).toBeUndefined();
  });
});

describe("whatever the rules, a request is decided within the limits", () => {
  const leaf = fc.constantFrom(
    "true",
    "false",
    "null",
    "1",
    "-2",
    "2.5",
    "'a'",
    "id",
    "database",
    "request",
    "request.auth.uid",
    "request.time",
    "request.path",
    "resource",
    "resource.data",
    "resource.data.age",
    "resource.data.tags",
    "resource.id",
    "request.query.limit",
    "request.resource.data",
    "p",
    "unheard",
    "[]",
    "{}",
    "/a/$(id)",
    "/databases/$(database)/documents/users/$(id)",
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => {
    const inner = tie("expression").map((text) => `(${text})`);
    return {
      expression: fc.oneof(
        { depthSize: "medium", withCrossShrink: true },
        leaf,
        fc
          .tuple(inner, fc.constantFrom("&&", "||", "==", "!=", "<", ">=", "+", "-", "*", "/", "%", "in"), inner)
          .map((parts) => parts.join(" ")),
        fc.tuple(fc.constantFrom("!", "-"), inner).map((parts) => parts.join("")),
        fc
          .tuple(inner, fc.constantFrom("int", "string", "list", "map", "path", "none"))
          .map((parts) => parts.join(" is ")),
        fc.tuple(inner, inner, inner).map(([a, b, c]) => `${a} ? ${b} : ${c}`),
        fc.tuple(inner, inner).map(([a, b]) => `${a}[${b}]`),
        fc.tuple(inner, inner, inner).map(([a, b, c]) => `${a}[${b}:${c}]`),
        fc
          .tuple(inner, fc.constantFrom("keys", "size", "values", "toSet", "data"))
          .map(([a, name]) => `${a}.${name}()`),
        fc
          .tuple(inner, fc.constantFrom("hasAny", "hasAll", "get", "matches", "diff", "bind"), inner)
          .map(([a, name, b]) => `${a}.${name}(${b})`),
        fc.tuple(inner, inner).map(([a, b]) => `[${a}, {'k': ${b}}]`),
        fc
          .tuple(
            fc.constantFrom("f", "g", "get", "exists", "getAfter", "debug", "int", "string", "path", "math.abs"),
            inner,
          )
          .map(([name, a]) => `${name}(${a})`),
      ),
    };
  });

  test("by random expressions and functions", () => {
    let rulesets = 0;
    fc.assert(
      fc.property(expression, expression, expression, (condition, first, second) => {
        const functions = `function f(p) { let q = g(p); return ${first.replaceAll(/\bf\(/g, "g(")}; } function g(p) { return ${second.replaceAll(/\b[fg]\(/g, "debug(")}; }`;
        const ruleset = parsed(rulesWith(condition, functions));
        if (!ruleset) return;
        rulesets++;
        askAll(ruleset);
      }),
      { numRuns: 1_000 },
    );
    expect(rulesets).toBeGreaterThan(500);
  });

  test("by functions that each call the next ten times", () => {
    const functions = Array.from({ length: 20 }, (_, i) => {
      const next = i < 19 ? `f${i + 1}()` : "true";
      return `function f${i}() { return [${Array.from({ length: 10 }, () => next)}] == []; }`;
    });
    const ruleset = parseRules(rulesWith("f0()", functions.join("\n")));
    const verdict = ruleset.evaluate(request());
    expect(verdict).toMatchObject({
      allowed: false,
      explanation: expect.stringContaining("maximum of 1000 expressions"),
    });
  });
});
