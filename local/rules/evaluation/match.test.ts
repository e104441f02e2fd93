import { describe, expect, test } from "vitest";
import { ROOT, request, USERS } from "../harness.ts";
import { parseRules } from "../rules.ts";

/** Whether `match {path} { allow get: if {condition}; }` allows the get of a document. */
function matches(version: 1 | 2, pattern: string, document: string, condition = "true"): boolean {
  const source = `rules_version = '${version}';
service cloud.firestore { match /databases/{database}/documents { match ${pattern} { allow get: if ${condition}; } } }`;
  return parseRules(source).evaluate(request({ path: [...ROOT, ...document.split("/")] })).allowed;
}

describe.each([1, 2] as const)("in version %i", (version) => {
  test.each([
    ["/users/ada", "users/ada", true],
    ["/users/ada", "users/bo", false],
    ["/users/ada", "users/ada/posts/1", false],
    ["/users/{id}", "users/ada", true],
    ["/users/{id}", "teams/ada", false],
    ["/users/{id}", "users/ada/posts/1", false],
    ["/users/{id}/posts/{post}", "users/ada/posts/1", true],
    ["/users/{id}/posts/{post}", "users/ada", false],
    ["/{collection}/{id}", "users/ada", true],
    ["/{collection}/{id}", "users/ada/posts/1", false],
    ["/users/{id=*}", "users/ada", true],
    ["/{all=**}", "users/ada", true],
    ["/{all=**}", "users/ada/posts/1", true],
    ["/users/{all=**}", "users/ada", true],
    ["/users/{all=**}", "users/ada/posts/1", true],
    ["/users/{all=**}", "teams/1", false],
    ["/users/{id}/{all=**}", "users/ada/posts/1", true],
    ["/users/{id}/{all=**}", "users/ada", version === 2],
    ["/users/ada/{all=**}", "users/ada", version === 2],
  ])("%s for %s: %s", (pattern, document, expected) => {
    expect(matches(version, pattern, document)).toBe(expected);
  });

  test.each([
    ["/users/{id}", "users/ada", "id == 'ada'"],
    ["/{collection}/{id}", "users/ada", "collection == 'users' && id == 'ada'"],
    ["/{all=**}", "users/ada/posts/1", "all == /users/ada/posts/1"],
    ["/{all=**}", "users/ada", "all is path && all[1] == 'ada'"],
    ["/users/{all=**}", "users/ada/posts/1", "all == /ada/posts/1"],
    ["/users/{all=**}", "users/ada", "get(/databases/$(database)/documents/users/$(all)) == null"],
  ])("the wildcards of %s stand for parts of %s: %s", (pattern, document, condition) => {
    expect(matches(version, pattern, document, condition)).toBe(true);
    expect(matches(version, pattern, document, `!(${condition})`)).toBe(false);
  });
});

describe("in version 2 a recursive wildcard may stand anywhere", () => {
  test.each([
    ["/{path=**}/posts/{post}", "posts/1", true],
    ["/{path=**}/posts/{post}", "users/ada/posts/1", true],
    ["/{path=**}/posts/{post}", "users/ada/posts/1/likes/2", false],
    ["/{path=**}/posts/{post}", "posts/1/posts/2", true],
    ["/users/{path=**}/posts/{post}", "users/posts/1", true],
    ["/users/{path=**}/posts/{post}", "users/ada/posts/1", true],
    ["/users/{path=**}/posts/{post}", "teams/ada/posts/1", false],
  ])("%s for %s: %s", (pattern, document, expected) => {
    expect(matches(2, pattern, document)).toBe(expected);
  });

  test("and may stand for nothing", () => {
    expect(matches(2, "/{path=**}/posts/{post}", "posts/1", "path == path('') || post == '1'")).toBe(true);
  });

  test("and in several blocks inside each other, without taking forever", () => {
    const blocks = "match /{aN=**} { match /x { ";
    const source = `rules_version = '2'; service cloud.firestore { ${[0, 1, 2, 3, 4].map((n) => blocks.replace("N", String(n))).join("")}
      allow get; ${"}".repeat(10)} }`;
    const rules = parseRules(source);
    const path = (length: number, last: string) => [...Array.from({ length }, () => "x"), last];
    expect(rules.evaluate(request({ path: path(150, "x") })).allowed).toBe(true);
    expect(rules.evaluate(request({ path: path(150, "y") })).allowed).toBe(false);
  });
});

describe("wildcards of one name in blocks inside each other", () => {
  test("stand for the inner one inside", () => {
    const rules = parseRules(`rules_version = '2'; service cloud.firestore { match /databases/{id}/documents {
      function outer() { return id; }
      match /users/{id} { allow get: if id == 'ada' && outer() == '(default)'; } } }`);
    expect(rules.evaluate(request({ path: [...USERS, "ada"] })).allowed).toBe(true);
  });
});
