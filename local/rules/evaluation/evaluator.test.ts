import { describe, expect, test } from "vitest";
import { document, judge, map, ROOT, request, USERS } from "../harness.ts";
import { parseRules, type RulesRequest } from "../rules.ts";
import { RulesTimestamp } from "../value.ts";

/** An expression that fails. */
const ERROR = "resource.data.missing";

describe("what operators group first", () => {
  test.each([
    "1 + 2 * 3 == 7",
    "(1 + 2) * 3 == 9",
    "2 * 3 % 4 == 2",
    "10 - 3 - 2 == 5",
    "8 / 4 / 2 == 1",
    "-2 + 3 == 1",
    "- -2 == 2",
    "!false && true",
    "!(false && true)",
    "1 < 2 == true",
    "true == 1 < 2",
    "1 + 1 in [2]",
    "1 in [1] == true",
    "1 is int == true",
    "1 + 1 is int",
    "true || false && false",
    "!((true || false) && false)",
    "false ? false : true",
    "true ? true : false ? false : false",
    "(false ? true : false ? false : true)",
    "false || true ? true : false",
    "-resource.data.age == 0 - 36",
    "!resource.data.tags[0].matches('b')",
    "[1, 2][0] + 1 == 2",
    "{'a': {'b': 1}}.a.b == 1",
    "{'a': {'b': 1}}['a']['b'] == 1",
    "[[1, 2], [3]][0][1] == 2",
    "[1, 2, 3][0:2] == [1, 2]",
  ])("%s", (condition) => {
    expect(judge(condition)).toMatchObject({ allowed: true });
  });
});

describe("an error makes a condition false, unless the other side decides alone", () => {
  test.each([
    ["true", true],
    ["false", false],
    [`${ERROR} == 1`, false],
    [`!(${ERROR} == 1)`, false],
    [`true || ${ERROR}`, true],
    [`${ERROR} || true`, true],
    [`${ERROR} || false`, false],
    [`false || ${ERROR}`, false],
    [`!(false && ${ERROR})`, true],
    [`!(${ERROR} && false)`, true],
    [`!(${ERROR} && true)`, false],
    [`${ERROR} && true`, false],
    [`true && ${ERROR}`, false],
    [`(${ERROR} || false) || true`, true],
    [`(${ERROR} && true) || true`, true],
    [`!((${ERROR} || false) && false)`, true],
    [`${ERROR} ? true : true`, false],
    [`true ? true : ${ERROR}`, true],
    [`false ? ${ERROR} : true`, true],
    [`[${ERROR}] == []`, false],
    [`{'a': ${ERROR}} == {}`, false],
    ["1 || true", true],
    ["!(1 && false)", true],
    ["1 && true", false],
    ["true && 1", false],
    ["false || 'yes'", false],
    ["1 ? true : true", false],
    ["1", false],
    ["'true'", false],
    ["null", false],
    ["!1", false],
    ["-'a' == 'a'", false],
    ["1 / 0 == 1", false],
    ["'a' < 1", false],
    ["unheard == 1", false],
    ["unheard()", false],
    ["{1: 2} == {}", false],
  ])("%s is %s", (condition, allowed) => {
    expect(judge(condition).allowed).toBe(allowed);
  });
});

describe("what a condition sees", () => {
  test.each([
    "request.method == 'get'",
    "request.path == /databases/(default)/documents/users/ada",
    "request.path[3] == 'users'",
    "request.time == timestamp.value(1700000000000)",
    "request.auth.uid == 'ada'",
    "request.auth.token.admin",
    "request['auth'].uid == id",
    "request.auth != null",
    "id == 'ada'",
    "database == '(default)'",
    "resource.data.name == 'Ada'",
    "resource['data']['name'] == 'Ada'",
    "resource.id == id",
    "resource.__name__ == /databases/$(database)/documents/users/$(id)",
    "resource['__name__'][4] == id",
    "resource.data.profile.city == 'London'",
    "resource.data.nothing == null",
    "resource != null",
    "'name' in resource.data",
    "!('missing' in resource.data)",
    "resource.data.get('missing', 1) == 1",
    "/users/$(id)/posts == /users/ada/posts",
    "/$(/users/ada)/posts == /users/ada/posts",
    "!('resource' in request)",
    "!('query' in request)",
    "math.abs(-1) == 1",
    "int('1') == 1",
    "debug(true)",
  ])("%s", (condition) => {
    expect(judge(condition)).toMatchObject({ allowed: true });
  });

  test.each([
    ["null where nobody is signed in", "request.auth == null", { auth: null }],
    ["null where there is no document", "resource == null", { resource: null }],
    [
      "the document as it will be",
      "request.resource.data.age == resource.data.age + 1",
      { method: "update", requestResource: document({ age: 37n }) },
    ],
    ["no document as it will be for a delete", "request.resource == null", { method: "delete", requestResource: null }],
    ["further members of the request", "request.host == 'here'", { requestExtras: map({ host: "here" }) }],
    [
      "the limit of a query",
      "request.query.limit == 5",
      { method: "list", path: USERS, query: { limit: 5n, disjunctions: [] } },
    ],
    [
      "the offset of a query",
      "request.query.offset == 2",
      { method: "list", path: USERS, query: { offset: 2n, disjunctions: [] } },
    ],
    [
      "the order of a query",
      "request.query.orderBy == {'age': 'DESC'}",
      { method: "list", path: USERS, query: { orderBy: [{ field: "age", descending: true }], disjunctions: [] } },
    ],
    [
      "no limit where a query has none",
      "!('limit' in request.query)",
      { method: "list", path: USERS, query: { disjunctions: [] } },
    ],
  ] satisfies [string, string, Partial<RulesRequest>][])("is %s", (_, condition, changes) => {
    expect(judge(condition, changes)).toMatchObject({ allowed: true });
  });

  test.each([
    ["request.auth.uid == 'ada'", { auth: null }, "Null value error. for 'get' @ L6"],
    ["resource.data.name == 'Ada'", { resource: null }, "Null value error. for 'get' @ L6"],
    ["resource.data.missing == 1", {}, "Property missing is undefined on object. for 'get' @ L6"],
    ["request.resource.data.a == 1", {}, "Property resource is undefined on object. for 'get' @ L6"],
    ["/users/$(request.auth.token.none) == /a", {}, "Property none is undefined on object. for 'get' @ L6"],
    ["/users/$(null) == /a", {}, "Null value error. for 'get' @ L6"],
    ["unheard == 1", {}, "Variable not found error: Name: [unheard]. for 'get' @ L6"],
  ] satisfies [string, Partial<RulesRequest>, string][])(
    "fails in %s as in Google's emulator",
    (condition, changes, message) => {
      expect(judge(condition, changes)).toMatchObject({
        allowed: false,
        explanation: expect.stringContaining(message),
      });
    },
  );

  test("in version 1 the fields that a write changes", () => {
    const rules = parseRules(
      "service cloud.firestore { match /databases/{d}/documents/users/{id} { allow update: if request.writeFields.toSet() == ['a', 'c'].toSet(); } }",
    );
    const update = request({
      method: "update",
      resource: document({ a: 1n, b: 2n }),
      requestResource: document({ a: 2n, b: 2n, c: 3n }),
    });
    expect(rules.evaluate(update)).toMatchObject({ allowed: true });
  });

  test("and what it hands to debug() is shown", () => {
    const shown: string[] = [];
    judge("debug(resource.data.name) == 'Ada' && debug(1 + 1) == 2", { debug: (text) => shown.push(text) });
    expect(shown).toEqual(['"Ada"', "2"]);
  });
});

describe("functions", () => {
  test.each([
    ["take arguments", "f(1, 2)", "function f(a, b) { return a < b; }"],
    ["have variables that see those before", "f(1) == 3", "function f(a) { let b = a + 1; let c = b + 1; return c; }"],
    ["see request and resource", "f()", "function f() { return request.auth.uid == resource.id; }"],
    ["see the wildcards of their own block", "f()", "function f() { return database == '(default)'; }"],
    ["call others", "f(1)", "function f(a) { return g(a + 1); } function g(a) { return a == 2; }"],
    ["may have names of functions of the language", "int(1)", "function int(x) { return true; }"],
    ["may have parameters named like what all see", "f(1)", "function f(request) { return request == 1; }"],
    [
      "may have parameters named like a namespace",
      "f({'a': 1})",
      "function f(math) { return math.keys().size() == 1; }",
    ],
    ["do not care for arguments they do not use", `f(${ERROR})`, "function f(a) { return true; }"],
    ["do not care for variables they do not use", "f()", `function f() { let a = ${ERROR}; return true; }`],
    [
      "do not care for errors that another side makes up for",
      `f(${ERROR})`,
      "function f(a) { return a == 1 || true; }",
    ],
  ])("%s", (_, condition, functions) => {
    expect(judge(condition, {}, functions)).toMatchObject({ allowed: true });
  });

  test.each([
    ["the wildcards of their caller", "f()", "function f() { return id == 'ada'; }"],
    ["the variables of their caller", "f()", "function f() { let a = 1; return g(); } function g() { return a == 1; }"],
    ["variables that come behind", "f()", "function f() { let a = b; let b = 1; return a == 1; }"],
  ])("do not see %s", (_, condition, functions) => {
    expect(judge(condition, {}, functions)).toMatchObject({ allowed: false });
  });

  test("of an inner block hide those of an outer one", () => {
    const rules = parseRules(`rules_version = '2';
      function f() { return 'file'; }
      service cloud.firestore {
        function g() { return f(); }
        match /databases/{d}/documents {
          function f() { return 'match'; }
          match /users/{id} { allow get: if f() == 'match' && g() == 'file'; }
        }
      }`);
    expect(rules.evaluate(request())).toMatchObject({ allowed: true });
  });
});

describe("of several rules", () => {
  const rules = parseRules(`rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents {
    match /users/{id} {
      allow get: if request.auth.uid == 'bo';
      allow get: if resource.data.public;
      allow write: if false;
      allow create;
      allow list, delete: if request.auth.uid == id;
    }
    match /{all=**} {
      allow read: if request.auth.token.email == 'ada@example.com';
    }
  }
}`);
  const by = (uid: string) => map({ uid, token: map({ email: `${uid}@example.com` }) });

  test.each([
    ["the first that holds allows", { auth: by("bo") }, true],
    ["one that fails does not keep the others from allowing", { auth: by("ada") }, true],
    ["of other blocks any may hold", { auth: by("ada"), resource: document({ public: false }) }, true],
    ["none may hold", { auth: by("eve"), resource: document({ public: false }) }, false],
    ["one without a condition holds", { method: "create", auth: null, resource: null }, true],
    ["those for other methods do not count", { method: "update", auth: by("ada") }, false],
    ["write stands for delete", { method: "delete", auth: by("ada") }, true],
    ["none is for another service", { service: "firebase.storage", auth: by("bo") }, false],
    ["none is for another path", { path: [...ROOT, "posts", "1"], auth: by("bo") }, false],
  ] satisfies [string, Partial<RulesRequest>, boolean][])("%s", (_, changes, allowed) => {
    expect(rules.evaluate(request(changes)).allowed).toBe(allowed);
  });
});

test("rules may be asked from Cloud Storage's point of view", () => {
  const rules = parseRules(
    `rules_version = '2';
service firebase.storage {
  match /b/{bucket}/o {
    match /users/{uid}/{file=**} {
      allow write: if request.auth.uid == uid && request.resource.size < 5 * 1024 * 1024 && request.resource.contentType.matches('image/.*');
      allow list: if request.auth.uid == uid && !('query' in request);
      allow get: if resource.timeCreated < request.time && file == /pets/cat.png;
    }
  }
}`.replace("/pets/cat.png", "path('pets/cat.png')"),
  );
  const path = ["b", "photos", "o", "users", "ada", "pets", "cat.png"];
  const base = request({ service: "firebase.storage", path, resource: map({ timeCreated: new RulesTimestamp(1) }) });
  const upload = (size: bigint) => ({
    ...base,
    method: "create" as const,
    requestResource: map({ size, contentType: "image/png" }),
  });
  expect(rules.evaluate(base)).toMatchObject({ allowed: true });
  expect(rules.evaluate(upload(1_000n))).toMatchObject({ allowed: true });
  expect(rules.evaluate(upload(10_000_000n))).toMatchObject({ allowed: false });
  expect(rules.evaluate({ ...base, method: "list", path: path.slice(0, 5), resource: null })).toMatchObject({
    allowed: true,
  });
  expect(rules.evaluate({ ...base, method: "list", path: ["b", "photos", "o", "users", "bo"] })).toMatchObject({
    allowed: false,
  });
});

describe("of several errors the first is told", () => {
  test.each([
    ["resource.data.a == resource.data.b", "Property a"],
    ["resource.data.a + resource.data.b == 1", "Property a"],
    ["[resource.data.a, resource.data.b] == []", "Property a"],
    ["{'a': resource.data.a, 'b': resource.data.b} == {}", "Property a"],
    ["resource.data.a in [resource.data.b]", "Property b"],
    ["resource.data.get(resource.data.a, resource.data.b) == 1", "Property a"],
    ["resource.data.a.get(resource.data.b, 1) == 1", "Property a"],
    ["resource.data.a && resource.data.b", "Property a"],
    ["second(resource.data.a, resource.data.b)", "Property b"],
  ])("of %s it is %s", (condition, message) => {
    const { explanation } = judge(condition, {}, "function second(a, b) { return b; }");
    expect(explanation).toContain(`${message} is undefined on object. for 'get' @ L6`);
  });
});
