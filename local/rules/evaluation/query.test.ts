import { describe, expect, test } from "vitest";
import { document, judge, judgeQuery, ROOT, request, USERS } from "../harness.ts";
import { type Constraint, parseRules, type RulesQuery } from "../rules.ts";
import { RulesPath, type RulesValue } from "../value.ts";

/** `where("a.b", "==", 1n)` as in the client libraries. */
function where(field: string, operator: Constraint["operator"], value: RulesValue): Constraint {
  return { field: field.split("."), operator, value };
}

const ada = where("owner", "==", "ada");

describe("a query is allowed if its constraints prove the condition", () => {
  test.each<[string, Constraint[]]>([
    ["true", []],
    ["request.auth.uid == 'ada'", []],
    ["resource != null", []],
    ["resource.data != null", []],
    ["!(resource == null)", []],
    ["resource.data is map", []],
    ["resource.id == id", []],
    ["id is string", []],
    ["resource.data.owner == request.auth.uid", [ada]],
    ["request.auth.uid == resource.data.owner", [ada]],
    ["resource.data['owner'] == 'ada'", [ada]],
    ["resource.data.get('owner', '') == 'ada'", [ada]],
    ["resource.data.get(['profile', 'city'], '') == 'Rome'", [where("profile.city", "==", "Rome")]],
    ["resource.data.owner in ['ada', 'bo']", [ada]],
    ["'owner' in resource.data", [ada]],
    ["'owner' in resource.data.keys()", [ada]],
    ["resource.data.keys().hasAll(['owner'])", [ada]],
    ["resource.data.keys().hasAny(['owner', 'x'])", [ada]],
    ["resource.data.keys().toSet().hasAll(['owner'])", [ada]],
    ["resource.data.owner.size() == 3 && resource.data.owner + '!' == 'ada!'", [ada]],
    ["resource.data.profile.city == 'Rome'", [where("profile.city", "==", "Rome")]],
    ["'city' in resource.data.profile", [where("profile.city", ">", "A")]],
    ["resource.data.age >= 18", [where("age", ">", 20n)]],
    ["resource.data.age >= 18", [where("age", ">=", 18n)]],
    ["resource.data.age > 18", [where("age", ">", 18n)]],
    ["18 <= resource.data.age", [where("age", ">=", 18.5)]],
    ["resource.data.age < 18", [where("age", "<", 18n)]],
    ["resource.data.age <= 18", [where("age", "<", 18n)]],
    ["resource.data.age > 18 && resource.data.age < 99", [where("age", ">=", 20n), where("age", "<=", 98n)]],
    ["!(resource.data.age < 18)", [where("age", ">=", 18n)]],
    ["resource.data.age != 18", [where("age", ">", 18n)]],
    ["resource.data.age != null", [where("age", ">", 18n)]],
    ["resource.data.age is number", [where("age", ">", 18n)]],
    ["!(resource.data.age is string)", [where("age", ">", 18n)]],
    ["resource.data.name is string", [where("name", ">=", "a")]],
    ["resource.data.name >= 'a'", [where("name", ">=", "b")]],
    ["resource.data.visibility in ['public']", [where("visibility", "==", "public")]],
    ["resource.data.visibility in ['public', 'shared']", [where("visibility", "in", ["public", "shared"])]],
    [
      "resource.data.visibility == 'public' || resource.data.visibility == 'shared'",
      [where("visibility", "in", ["public", "shared"])],
    ],
    ["resource.data.visibility != 'secret'", [where("visibility", "in", ["public", "shared"])]],
    ["resource.data.visibility != 'secret'", [where("visibility", "!=", "secret")]],
    ["resource.data.visibility != null", [where("visibility", "!=", "secret")]],
    ["resource.data.visibility != 'secret'", [where("visibility", "not-in", ["secret", "hidden"])]],
    ["!(resource.data.visibility in ['secret', 'hidden'])", [where("visibility", "not-in", ["secret", "hidden"])]],
    ["'x' in resource.data.tags", [where("tags", "array-contains", "x")]],
    ["request.auth.uid in resource.data.members", [where("members", "array-contains", "ada")]],
    ["resource.data.tags.hasAny(['x', 'y'])", [where("tags", "array-contains", "x")]],
    ["resource.data.tags.hasAny(['x', 'y'])", [where("tags", "array-contains-any", ["x", "y"])]],
    [
      "resource.data.tags.hasAll(['x', 'y'])",
      [where("tags", "array-contains", "x"), where("tags", "array-contains", "y")],
    ],
    ["['x', 'y'].hasAny(resource.data.tags)", [where("tags", "array-contains", "x")]],
    ["resource.data.tags is list", [where("tags", "array-contains", "x")]],
    ["resource.data.nothing == null", [where("nothing", "==", null)]],
    ["resource.data.secret == true || true", []],
    ["resource.data.a == resource.data.b", [where("a", "==", 1n), where("b", "==", 1n)]],
    ["resource.data.published ? true : false", [where("published", "==", true)]],
    ["id == 'ada'", [where("__name__", "==", new RulesPath([...USERS, "ada"]))]],
    ["resource.id == 'ada'", [where("__name__", "==", new RulesPath([...USERS, "ada"]))]],
    [
      "id in ['ada', 'bo']",
      [
        where(
          "__name__",
          "in",
          ["ada", "bo"].map((name) => new RulesPath([...USERS, name])),
        ),
      ],
    ],
    [
      "resource.__name__ == /databases/$(database)/documents/users/$(id)",
      [where("__name__", "==", new RulesPath([...USERS, "ada"]))],
    ],
    ["debug(resource.data.owner) == 'ada' && debug(id) == id", [ada]],
  ])("%s", (condition, constraints) => {
    expect(judgeQuery(condition, [constraints])).toMatchObject({ allowed: true });
  });
});

describe("a query is denied if a result could be one that the condition denies", () => {
  test.each<[string, Constraint[]]>([
    ["resource.data.owner == request.auth.uid", []],
    ["resource.data.owner == request.auth.uid", [where("owner", "==", "bo")]],
    ["resource.data.owner == request.auth.uid", [where("owner", ">=", "ada")]],
    ["resource.data.owner == request.auth.uid", [where("owner", "in", ["ada", "bo"])]],
    ["resource.data.owner == request.auth.uid", [where("other", "==", "ada")]],
    ["resource.data.owner == 'ada' && !('secret' in resource.data)", [ada]],
    ["!('secret' in resource.data)", []],
    ["'secret' in resource.data", []],
    ["!(resource.data.secret == true)", []],
    ["resource.data.get('secret', false) == false", []],
    ["resource.data.keys().hasOnly(['owner'])", [ada]],
    ["resource.data.size() == 1", [ada]],
    ["resource.data == {'owner': 'ada'}", [ada]],
    ["resource.data != {}", []],
    ["resource.data.age >= 18", [where("age", ">", 16n)]],
    ["resource.data.age > 18", [where("age", ">=", 18n)]],
    ["resource.data.age < 18", [where("age", ">", 16n)]],
    ["resource.data.age is int", [where("age", ">", 16n)]],
    ["resource.data.age >= 18", [where("age", "!=", 3n)]],
    ["resource.data.age >= 18", [where("age", ">", "x")]],
    ["resource.data.age + 1 > 18", [where("age", ">", 20n)]],
    ["'y' in resource.data.tags", [where("tags", "array-contains", "x")]],
    ["!('y' in resource.data.tags)", [where("tags", "array-contains", "x")]],
    ["resource.data.tags.size() == 1", [where("tags", "array-contains", "x")]],
    ["resource.data.tags.hasOnly(['x'])", [where("tags", "array-contains", "x")]],
    ["resource.data.tags.hasAll(['x', 'y'])", [where("tags", "array-contains", "x")]],
    ["resource.data.tags[0] == 'x'", [where("tags", "array-contains", "x")]],
    ["resource.data.age != null", [where("age", ">=", null)]],
    ["resource.data.a == resource.data.a", []],
    ["resource.data.a == resource.data.b", [where("a", ">", 1n), where("b", ">", 1n)]],
    ["id == 'ada'", []],
    ["id != 'ada'", []],
    ["id.size() > 0", []],
    ["resource.id == 'ada'", []],
    ["exists(/databases/$(database)/documents/users/$(id))", []],
    ["get(resource.__name__) != null", []],
    ["resource.data.published ? true : true", []],
    ["[resource.data.owner] == ['ada']", []],
    ["resource.unheard == 1", [ada]],
    ["request.resource == null", []],
  ])("%s", (condition, constraints) => {
    expect(judgeQuery(condition, [constraints])).toMatchObject({ allowed: false });
  });
});

describe("of a query's alternatives", () => {
  const condition = "resource.data.owner == 'ada' || resource.data.open == true";
  const open = where("open", "==", true);

  test("each has to be allowed, be it by another rule", () => {
    expect(judgeQuery(condition, [[ada], [open]])).toMatchObject({ allowed: true });
    expect(judgeQuery(condition, [[ada], [where("open", "==", false)]])).toMatchObject({ allowed: false });
    expect(judgeQuery(condition, [[ada], []])).toMatchObject({ allowed: false });
  });

  test("none means any document", () => {
    expect(judgeQuery(condition, [])).toMatchObject({ allowed: false });
    expect(judgeQuery("true", [])).toMatchObject({ allowed: true });
  });

  test("documents that conditions look up are counted once", () => {
    const looked = "exists(/databases/$(database)/documents/admins/$(request.auth.uid))";
    const verdict = judge(looked, {
      method: "list",
      path: USERS,
      resource: null,
      document: () => document({}),
      query: { disjunctions: [[ada], [open]] },
    });
    expect(verdict).toMatchObject({ allowed: true, reads: 1 });
  });

  test("lists too long to be taken apart are judged as a whole", () => {
    const many = where(
      "owner",
      "in",
      Array.from({ length: 200 }, (_, i) => `u${i}`),
    );
    expect(judgeQuery("resource.data.owner != 'ada'", [[many]])).toMatchObject({ allowed: true });
    expect(judgeQuery("resource.data.owner >= 'u'", [[many]])).toMatchObject({ allowed: true });
    expect(judgeQuery("resource.data.owner == 'u1'", [[many]])).toMatchObject({ allowed: false });
    const any = where(
      "tags",
      "array-contains-any",
      Array.from({ length: 200 }, (_, i) => `t${i}`),
    );
    expect(judgeQuery("resource.data.tags.size() > 0", [[any]])).toMatchObject({ allowed: false });
    expect(judgeQuery("resource.data.tags is list", [[any]])).toMatchObject({ allowed: true });
  });
});

test.each<[string, Partial<RulesQuery>, boolean]>([
  ["request.query.limit <= 50", { limit: 50n }, true],
  ["request.query.limit <= 50", { limit: 51n }, false],
  ["request.query.limit <= 50", {}, false],
  ["request.query.offset == null", {}, false],
  ["!('offset' in request.query) || request.query.offset < 10", {}, true],
  ["request.query.orderBy.keys().hasOnly(['age'])", { orderBy: [{ field: "age", descending: false }] }, true],
])("what a query asks for can be limited: %s of %o", (condition, query, allowed) => {
  expect(judgeQuery(condition, [[]], query).allowed).toBe(allowed);
});

describe("rules are matched for all documents that a query can find", () => {
  const allows = (pattern: string, path: readonly string[], query: Partial<RulesQuery> = {}, version = 2) => {
    const source = `rules_version = '${version}'; service cloud.firestore { match /databases/{d}/documents { match ${pattern} { allow list; } } }`;
    return parseRules(source).evaluate(
      request({ method: "list", path, resource: null, query: { disjunctions: [[]], ...query } }),
    ).allowed;
  };

  test.each([
    ["/users/{id}", USERS, true],
    ["/{collection}/{id}", USERS, true],
    ["/{all=**}", USERS, true],
    ["/users/{all=**}", USERS, true],
    ["/users/ada", USERS, false],
    ["/users", USERS, false],
    ["/teams/{id}", USERS, false],
    ["/users/{id}/posts/{post}", USERS, false],
    ["/users/{id}/posts/{post}", [...USERS, "ada", "posts"], true],
    ["/users/{id}/{all=**}", USERS, true],
  ])("%s in %j: %s", (pattern, path, expected) => {
    expect(allows(pattern, path)).toBe(expected);
  });

  test.each([
    ["/{path=**}/posts/{post}", ROOT, true],
    ["/{all=**}", ROOT, true],
    ["/posts/{post}", ROOT, false],
    ["/users/{id}/posts/{post}", ROOT, false],
    ["/{path=**}/likes/{like}", ROOT, false],
    ["/users/{path=**}/posts/{post}", ROOT, false],
    ["/users/{path=**}/posts/{post}", [...USERS, "ada"], true],
    ["/users/{id}/{path=**}/posts/{post}", [...USERS, "ada"], true],
  ])("%s for all posts below %j: %s", (pattern, path, expected) => {
    expect(allows(pattern, path, { collectionGroup: "posts" })).toBe(expected);
  });

  test("one document is enough if the query is for one", () => {
    const pinned = [[where("__name__", "==", new RulesPath([...USERS, "ada"]))]];
    expect(allows("/users/ada", USERS, { disjunctions: pinned })).toBe(true);
    expect(allows("/users/bo", USERS, { disjunctions: pinned })).toBe(false);
  });

  test("a lookup may use what is known of the path, but not what is not", () => {
    const source = (
      condition: string,
    ) => `rules_version = '2'; service cloud.firestore { match /databases/{d}/documents {
      match /teams/{team}/members/{member} { allow list: if ${condition}; } } }`;
    const list = request({
      method: "list",
      path: [...ROOT, "teams", "red", "members"],
      document: (path) => (path.at(-1) === "red" ? document({}) : null),
    });
    expect(parseRules(source("exists(/databases/$(d)/documents/teams/$(team))")).evaluate(list)).toMatchObject({
      allowed: true,
      reads: 1,
    });
    expect(parseRules(source("exists(/databases/$(d)/documents/users/$(member))")).evaluate(list)).toMatchObject({
      allowed: false,
      reads: 0,
    });
  });
});
