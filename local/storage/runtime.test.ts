import { describe, expect, test } from "vitest";
import { load, map, NULL, REQUEST, rulesWith, text, verify } from "./harness.ts";
import type { Answer, Question } from "./message.ts";
import { StorageRulesRuntime } from "./runtime.ts";

/** What is said to lines as the CLI writes them. */

function runtimeWith(rules: string): { say(message: object): Answer | Question } {
  const runtime = new StorageRulesRuntime();
  const say = (message: object) => runtime.answer(JSON.stringify(message));
  say(load(0, rules));
  return { say };
}

/** What a condition says of a request. */
function permits(condition: string, { request = {}, resource = NULL }: { request?: object; resource?: object } = {}) {
  const variables = { resource, request: map({ ...REQUEST, ...request }) };
  const answer = runtimeWith(rulesWith(condition)).say(verify(1, { variables }));
  expect(answer).toMatchObject({ id: 1, status: "ok", errors: [] });
  return answer;
}

describe("a ruleset", () => {
  test("is loaded with its version, and with warnings that say where", () => {
    const runtime = new StorageRulesRuntime();
    const rules = "service firebase.storage {\n  function never() { return true; }\n}";
    const warning = {
      description_: "Unused function: never.",
      sourcePosition_: { fileName_: "storage.rules", line_: 2, column_: 3 },
    };
    expect(runtime.answer(JSON.stringify(load(7, rules)))).toEqual({
      id: 7,
      status: "ok",
      errors: [],
      warnings: [JSON.stringify(warning)],
      result: { rulesVersion: 1 },
    });
  });

  test("that is none has all its errors, and is not there to be asked", () => {
    const runtime = new StorageRulesRuntime();
    const say = (message: object) => runtime.answer(JSON.stringify(message));
    const { errors, result } = say(load(1, "rules_version = '2';\nservice firebase.storage {{\n")) as Answer;
    expect(result).toBeUndefined();
    expect(JSON.parse(errors[0] ?? "")).toMatchObject({ sourcePosition_: { fileName_: "storage.rules", line_: 2 } });
    expect(say(verify(2))).toMatchObject({ id: 2, status: "ok", errors: ["There is no ruleset 0."] });
  });

  test("is warned of when it calls what only Firestore's rules have", () => {
    const { say } = runtimeWith("");
    const warningsOf = (condition: string) => (say(load(1, rulesWith(condition))) as Answer).warnings.join();
    const path = "(/databases/(default)/documents/a/b)";
    expect(warningsOf(`exists${path}`)).toContain("Invalid function name: exists.");
    expect(warningsOf(`firestore.getAfter${path} != null`)).toContain("Invalid function name: firestore.getAfter.");
    expect(warningsOf(`firestore.exists${path} && firestore.get${path} != null`)).toBe("");
  });

  test("is one of several that are loaded", () => {
    const { say } = runtimeWith(rulesWith("true"));
    say(load(1, rulesWith("false"), "1"));
    expect(say(verify(2))).toMatchObject({ result: { permit: true } });
    expect(say(verify(3, { rulesetName: "1" }))).toMatchObject({ result: { permit: false } });
  });
});

describe("rules see", () => {
  test.each([
    ["request.time == timestamp.value(1785585600250)", {}],
    ["request.auth == null && request.resource == null && resource == null", {}],
    [
      "request.auth.uid == 'ada' && request.auth.token.level == 3",
      { auth: map({ uid: text("ada"), token: map({ level: { int_value: 3 } }) }) },
    ],
    [
      "request.resource.size is int && request.resource.size < 5 * 1024",
      { resource: map({ size: { int_value: 12 } }) },
    ],
    ["request.resource.score is float", { resource: map({ score: { float_value: 1.5 } }) }],
    ["request.resource.metadata == {'a': 'b'}", { resource: map({ metadata: map({ a: text("b") }) }) }],
    [
      "request.resource.tags == ['a', true]",
      { resource: map({ tags: { list_value: { values: [text("a"), { bool_value: true }] } } }) },
    ],
    [
      "request.resource.tags == ['a'].toSet()",
      { resource: map({ tags: { set_value: { values: [text("a"), text("a")] } } }) },
    ],
    [
      "request.path == path('b/B/o/files/a') && request.path[4] == 'a'",
      { path: { path_value: { segments: ["b", "B", "o", "files", "a"].map((simple) => ({ simple })) } } },
    ],
    ["request.method == 'get' && name == 'a' && bucket == 'B'", {}],
    ["!('query' in request)", {}],
  ])("%s", (condition, request) => {
    expect(permits(condition, { request })).toMatchObject({ result: { permit: true } });
  });

  test("the file as it is", () => {
    const resource = map({ md5Hash: text("x=="), timeCreated: { timestamp_value: "2026-08-01T11:59:59.999Z" } });
    const condition = "resource.md5Hash == 'x==' && resource.timeCreated < request.time";
    expect(permits(condition, { resource })).toMatchObject({ result: { permit: true } });
  });

  test("nothing where a member is missing: that is denied, and said why", () => {
    expect(permits("resource.size > 1")).toMatchObject({
      warnings: [expect.stringContaining("Null value error. for 'get' @ L4")],
      result: { permit: false },
    });
  });

  test("what they debug is told", () => {
    expect(permits("debug(name) == 'a'")).toMatchObject({ warnings: [`debug: "a"`], result: { permit: true } });
  });
});

describe("of methods", () => {
  const permit = (rules: string, context: object) =>
    (runtimeWith(rules).say(verify(1, context)) as { result?: { permit: boolean } }).result?.permit;
  const there = { resource: map({ size: { int_value: 1 } }), request: map({ ...REQUEST, resource: map({}) }) };

  test.each([
    ["create", "create", undefined],
    ["create", "create", there],
    ["write", "create", undefined],
    ["write", "update", there],
    ["write", "delete", { ...there, request: map(REQUEST) }],
    ["read", "get", undefined],
  ])("%s is judged as %s", (method, judged, variables) => {
    const context = { method, ...(variables && { variables }) };
    expect(permit(rulesWith("true", judged), context)).toBe(true);
    for (const other of ["get", "list", "create", "update", "delete"].filter((name) => name !== judged)) {
      expect(permit(rulesWith("true", other), context)).toBe(false);
    }
  });

  test.each([
    ["/files/{name}", "true", "/b/B/o/files", true],
    ["/files", "true", "/b/B/o/files", true],
    ["/files/{rest=**}", "true", "/b/B/o/files", true],
    ["/{rest=**}", "true", "/b/B/o", true],
    ["/{name}", "true", "/b/B/o", true],
    ["/{folder}/{name}", "folder == 'files'", "/b/B/o/files", true],
    ["/files/{name}", "name == 'a'", "/b/B/o/files", false],
    ["/files/a", "true", "/b/B/o/files", false],
    ["/files/{name}/{more}", "true", "/b/B/o/files", false],
    ["/files/{name}", "true", "/b/B/o/others", false],
  ])("list by a rule for %s if %s: %s: %s", (pattern, condition, path, allowed) => {
    const rules = `rules_version = '2';
      service firebase.storage { match /b/{b}/o { match ${pattern} { allow list: if ${condition}; } } }`;
    expect(permit(rules, { method: "list", path, delimiter: "/" })).toBe(allowed);
  });

  test("any copes with a path that has slashes beside each other", () => {
    expect(permit(rulesWith("true"), { path: "/b/B/o//files///a/" })).toBe(true);
  });
});

describe("a document of Firestore", () => {
  const wanted = (path: string) => `firestore.get(/databases/(default)/documents/${path})`;
  const found = (id: number, fields: object) => ({ id, status: "ok", result: { name: "…", fields }, errors: [] });

  test("is asked for, and then the request answered", () => {
    const { say } = runtimeWith(rulesWith(`${wanted("users/$(name)")}.data.role == 'editor'`));
    expect(say(verify(5))).toEqual({
      id: 5,
      server_request_id: 5,
      status: "ok",
      action: "fetch_firestore_document",
      context: { path: "/databases/(default)/documents/users/a" },
      errors: [],
      warnings: [],
    });
    expect(say(found(5, { role: { stringValue: "editor" } }))).toMatchObject({ id: 5, result: { permit: true } });
    expect(say(found(5, {}))).toMatchObject({ errors: ["Nothing waits for this document."] });
  });

  test("is asked for once, and two at most are", () => {
    const { say } = runtimeWith(
      rulesWith(
        `${wanted("a/1")}.data.x + ${wanted("a/2")}.data.x + ${wanted("a/1")}.data.x + ${wanted("a/3")}.data.x > 0`,
      ),
    );
    expect(say(verify(1))).toMatchObject({ context: { path: "/databases/(default)/documents/a/1" } });
    expect(say(found(1, { x: { integerValue: "1" } }))).toMatchObject({
      context: { path: "/databases/(default)/documents/a/2" },
    });
    expect(say(found(1, { x: { integerValue: "1" } }))).toMatchObject({
      warnings: [expect.stringContaining("Maximum of 2 document access calls has been reached.")],
      result: { permit: false },
    });
  });

  test("that is not there is null, and does not exist", () => {
    const exists = "firestore.exists(/databases/(default)/documents/a/1)";
    const { say } = runtimeWith(rulesWith(`!${exists} && ${wanted("a/1")} == null`));
    say(verify(1));
    expect(say({ id: 1, status: "not_found", errors: [] })).toMatchObject({ result: { permit: true } });
  });

  test("may be asked for by several requests at the same time, and be answered in any order", () => {
    const { say } = runtimeWith(rulesWith(`${wanted("a/$(name)")}.data.open`));
    const ids = [3, 4, 5, 6];
    for (const id of ids) say(verify(id, { path: `/b/B/o/files/${id}` }));
    for (const id of ids.toReversed()) {
      const answer = say(found(id, { open: { booleanValue: id % 2 === 0 } }));
      expect(answer).toMatchObject({ id, result: { permit: id % 2 === 0 } });
    }
  });

  test("is asked for by a path that no segment breaks out of", () => {
    const { say } = runtimeWith(rulesWith(`${wanted("users/$(request.auth.uid)")} == null`));
    const variables = { resource: NULL, request: map({ ...REQUEST, auth: map({ uid: text("a/b?c#d%2F é") }) }) };
    expect(say(verify(1, { variables }))).toMatchObject({
      context: { path: "/databases/(default)/documents/users/a%2Fb%3Fc%23d%252F%20%C3%A9" },
    });
  });

  test.each([
    ["nullValue", null, "null"],
    ["booleanValue", true, "true"],
    ["integerValue", "9007199254740993", "9007199254740993"],
    ["doubleValue", 1.5, "1.5"],
    ["doubleValue", "-Infinity", "float('-Infinity')"],
    ["stringValue", "é", "'é'"],
    [
      "timestampValue",
      "2026-08-01T12:00:00.123456789Z",
      "timestamp.value(1785585600123) + duration.time(0, 0, 0, 456789)",
    ],
    ["bytesValue", "AQI=", "b'\\x01\\x02'"],
    ["referenceValue", "projects/p/databases/(default)/documents/a/b", "/databases/(default)/documents/a/b"],
    ["geoPointValue", { latitude: 1, longitude: 2 }, "latlng.value(1, 2)"],
    ["arrayValue", { values: [{ integerValue: "1" }] }, "[1]"],
    ["arrayValue", {}, "[]"],
    ["mapValue", { fields: { a: { stringValue: "b" } } }, "{'a': 'b'}"],
  ])("has the %s %j as %s", (kind, content, literal) => {
    const { say } = runtimeWith(rulesWith(`${wanted("a/1")}.data.x == ${literal} && ${wanted("a/1")}.id == '1'`));
    say(verify(1));
    expect(say(found(1, { x: { [kind]: content } }))).toMatchObject({ errors: [], result: { permit: true } });
  });
});
