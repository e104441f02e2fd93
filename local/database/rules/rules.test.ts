import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { QueryVariables } from "./contract.ts";
import { ANN, type Data, read, rulesOf, segments, write } from "./harness.ts";

const ann = { auth: ANN };

describe("reading", () => {
  test.each([
    ["what no rule is about", {}, "/", false],
    ["what is allowed at its place", { a: { ".read": true } }, "/a", true],
    ["what is allowed above", { a: { ".read": "auth != null" } }, "/a/b/c", true],
    ["what is allowed above and denied below", { ".read": true, a: { ".read": false } }, "/a", true],
    ["what is denied above and allowed below", { ".read": false, a: { ".read": true } }, "/a/b", true],
    ["what is only allowed below", { a: { b: { ".read": true } } }, "/a", false],
    ["what is beside the allowed", { a: { ".read": true } }, "/b", false],
    ["what may only be written", { a: { ".write": true } }, "/a", false],
    ["one's own", { users: { $uid: { ".read": "$uid === auth.uid" } } }, "/users/ann/name", true],
    ["another's", { users: { $uid: { ".read": "$uid === auth.uid" } } }, "/users/bob/name", false],
    ["all users, if each may read their own", { users: { $uid: { ".read": "$uid === auth.uid" } } }, "/users", false],
    ["a key with its own rules beside a wildcard", { a: { ".read": false }, $k: { ".read": true } }, "/a", false],
    ["a key with its own rules behind a wildcard", { $k: { ".read": true }, a: { ".read": false } }, "/a", false],
    ["a key without its own rules", { a: { ".read": false }, $k: { ".read": true } }, "/b", true],
    ["below a key with its own rules, which has none there", { a: {}, $k: { b: { ".read": true } } }, "/a/b", false],
    ["with variables from above", { $a: { x: { $b: { ".read": "$a == 'p' && $b == 'q'" } } } }, "/p/x/q", true],
    ["where the rule above fails", { ".read": "data.val() > 1", a: { ".read": true } }, "/a", true],
    ["with data of the place of the rule", { a: { ".read": "data.child('open').val() == true" } }, "/a/b", true],
    ["with data of elsewhere", { b: { ".read": "root.child('a/open').val() == true" } }, "/b", true],
    ["deeper than any data", { a: { $x: { ".read": "!data.exists()" } } }, "/a/x/y/z", true],
  ] as const)("%s", (_, rules, path, allowed) => {
    expect(read(rules, { a: { open: true } }, path, ann).allowed).toBe(allowed);
  });

  test.each([
    ["query.orderByChild == 'owner' && query.equalTo == auth.uid", { orderByChild: "owner", equalTo: "ann" }, true],
    ["query.orderByChild == 'owner' && query.equalTo == auth.uid", { orderByChild: "owner", equalTo: "bob" }, false],
    ["query.orderByChild == 'owner' && query.equalTo == auth.uid", undefined, false],
    ["query.limitToFirst <= 2", { limitToFirst: 2 }, true],
    ["query.limitToFirst <= 2", { limitToFirst: 3 }, false],
    ["query.limitToFirst <= 2", undefined, false],
    ["query.limitToLast <= 2", { limitToLast: 1 }, true],
    ["query.limitToLast <= 2", { limitToFirst: 1 }, false],
    ["query.orderByKey", { orderByKey: true }, true],
    ["query.orderByKey == false && query.orderByValue == false && query.orderByPriority == false", undefined, true],
    ["query.orderByValue", { orderByValue: true }, true],
    ["query.orderByPriority", { orderByPriority: true }, true],
    ["query.startAt == 'b' && query.endAt == 'm'", { orderByKey: true, startAt: "b", endAt: "m" }, true],
    ["query.startAt == 'b' && query.endAt == 'm'", { orderByKey: true, startAt: "b" }, false],
    ["query.equalTo == false", { orderByValue: true, equalTo: false }, true],
    ["query.orderByChild == null && query.equalTo == null && query.limitToLast == null", undefined, true],
  ] as [string, QueryVariables | undefined, boolean][])("if %s, given the query %j: %s", (rule, query, allowed) => {
    const rules = { list: { ".read": rule } };
    expect(read(rules, null, "/list", query ? { ...ann, query } : ann).allowed).toBe(allowed);
  });
});

describe("writing", () => {
  const profile = {
    ".write": true,
    ".validate": "newData.hasChildren(['name', 'age'])",
    name: { ".validate": "newData.isString() && newData.parent().hasChild('age')" },
    age: { ".validate": "newData.isNumber()" },
    $other: { ".validate": false },
  };
  const rooms = {
    $room: {
      ".write": "auth != null",
      title: { ".validate": "newData.isString()" },
      count: { ".validate": "newData.val() == data.val() + 1" },
      tag: { ".validate": "newData.isNumber()" },
    },
  };
  const stored = { r1: { title: "old", count: 1, tag: "not a number" }, r2: { tag: "bad" } };

  test.each<[string, object, Data, Record<string, Data>, boolean]>([
    // who may
    ["what no rule is about", {}, null, { a: 1 }, false],
    ["what is allowed at its place", { a: { ".write": true } }, null, { a: 1 }, true],
    ["what is allowed above", { ".write": "auth.uid == 'ann'", a: { ".write": false } }, null, { "a/b": 1 }, true],
    ["what is only allowed below", { a: { b: { ".write": true } } }, null, { a: { b: 1 } }, false],
    ["what may only be read", { ".read": true }, null, { a: 1 }, false],
    ["where the rule above fails", { ".write": "data.val() > 1", a: { ".write": true } }, null, { a: 1 }, true],
    ["what is not there yet", { a: { ".write": "!data.exists()" } }, null, { a: 1 }, true],
    ["what is there already", { a: { ".write": "!data.exists()" } }, { a: 1 }, { a: 2 }, false],
    ["but not away", { a: { ".write": "newData.exists()" } }, { a: 1 }, { a: null }, false],
    ["with data beside it", { a: { ".write": "newData.parent().child('b').val() == 1" } }, { b: 1 }, { a: 2 }, true],
    ["with the root as it was", { a: { ".write": "!root.child('a').exists()" } }, null, { a: 1 }, true],
    [
      "seeing all of the place of the rule",
      { p: { ".write": "newData.child('x').val() == 1" } },
      { p: { x: 1 } },
      { "p/y": 2 },
      true,
    ],
    // what is valid
    ["a valid profile", { p: profile }, null, { p: { name: "Ann", age: 36 } }, true],
    ["a profile without its name", { p: profile }, null, { p: { age: 36 } }, false],
    ["a profile with a name that is a number", { p: profile }, null, { p: { name: 1, age: 36 } }, false],
    ["a profile with something else", { p: profile }, null, { p: { name: "Ann", age: 36, x: 1 } }, false],
    ["a part of a valid profile", { p: profile }, { p: { name: "Ann", age: 36 } }, { "p/age": 37 }, true],
    ["an invalid part of a profile", { p: profile }, { p: { name: "Ann", age: 36 } }, { "p/age": "37" }, false],
    ["a part of a profile that is invalid without more", { p: profile }, null, { "p/age": 37 }, false],
    [
      "below what is valid",
      { p: { ".write": true, ".validate": "newData.hasChild('x')" } },
      { p: { x: 1 } },
      { "p/a/b": 1 },
      true,
    ],
    [
      "below what becomes invalid",
      { p: { ".write": true, ".validate": "newData.hasChild('x')" } },
      null,
      { "p/a/b": 1 },
      false,
    ],
    [
      "what may be and is invalid far below",
      { ".write": true, a: { $b: { c: { ".validate": false } } } },
      null,
      { "": { a: { x: { c: 1 } } } },
      false,
    ],
    [
      "what is invalid but not written",
      { ".write": true, a: { $b: { c: { ".validate": false } } } },
      null,
      { "": { a: { x: { d: 1 } } } },
      true,
    ],
    [
      "a key with its own rules, in spite of the wildcard",
      { ".write": true, a: {}, $k: { ".validate": false } },
      null,
      { a: 1 },
      true,
    ],
    [
      "a key without its own rules",
      { ".write": true, a: {}, $k: { ".validate": false } },
      null,
      { "": { b: 1 } },
      false,
    ],
    [
      "an invalid value that would fail",
      { a: { ".write": true, ".validate": "newData.val().length > 2" } },
      null,
      { a: 5 },
      false,
    ],
    [
      "a priority that is asked for",
      { a: { ".write": true, ".validate": "newData.getPriority() == 7" } },
      null,
      { a: { ".value": "w", ".priority": 7 } },
      true,
    ],
    // beside what is written nothing is validated
    ["a title beside what is invalid", rooms, stored, { "r1/title": "new" }, true],
    ["two titles beside what is invalid", rooms, stored, { "r1/title": "a", "r2/title": "b" }, true],
    ["a room with what was invalid before", rooms, stored, { r1: { title: "new", tag: "not a number" } }, false],
    ["a room with a count that did not grow", rooms, stored, { r1: { title: "new", count: 1 } }, false],
    ["the count one higher", rooms, stored, { "r1/count": 2 }, true],
    ["the count two higher", rooms, stored, { "r1/count": 3 }, false],
    // deletions
    ["away what is validated", { p: profile }, { p: { name: "Ann", age: 36 } }, { p: null }, true],
    ["away by an empty map", { p: profile }, { p: { name: "Ann", age: 36 } }, { p: {} }, true],
    ["away what the place above needs", { p: profile }, { p: { name: "Ann", age: 36 } }, { "p/age": null }, false],
    [
      "away the last of what the place above needs",
      { p: { ".write": true, ".validate": "newData.hasChild('x')" } },
      { p: { x: 1 } },
      { "p/x": null },
      true,
    ],
    ["away the title that nothing needs", rooms, stored, { "r1/title": null }, true],
    // several at once
    ["two places, both allowed", { $k: { ".write": true } }, null, { a: 1, b: 2 }, true],
    ["two places, one allowed", { a: { ".write": true } }, null, { a: 1, b: 2 }, false],
    [
      "two places, one invalid",
      { $k: { ".write": true, ".validate": "newData.isNumber()" } },
      null,
      { a: 1, b: "x" },
      false,
    ],
    ["what is valid only with the other", { p: profile }, null, { "p/name": "Ann", "p/age": 36 }, true],
    [
      "an entry with its index, each seeing the other",
      {
        entries: { $id: { ".write": "newData.parent().parent().child('index/' + $id).exists()" } },
        index: { $id: { ".write": "newData.parent().parent().child('entries/' + $id).exists()" } },
      },
      null,
      { "entries/e": 1, "index/e": true },
      true,
    ],
    [
      "an entry without its index",
      { entries: { $id: { ".write": "newData.parent().parent().child('index/' + $id).exists()" } } },
      null,
      { "entries/e": 1 },
      false,
    ],
    ["nothing at all", {}, null, {}, true],
  ])("%s", (_, rules, before, changes, allowed) => {
    expect(write(rules, before, changes, ann).allowed).toBe(allowed);
  });
});

describe("indexes", () => {
  const rules = rulesOf({
    ".indexOn": ".value",
    dinosaurs: { ".indexOn": ["height", "size/length"], $name: { ".indexOn": "weight" }, rex: {} },
  });

  test.each([
    ["/", [".value"]],
    ["/dinosaurs", ["height", "size/length"]],
    ["/dinosaurs/lambeo", ["weight"]],
    ["/dinosaurs/rex", []],
    ["/dinosaurs/lambeo/weight", []],
    ["/unknown/place", []],
  ])("of %s", (path, indexes) => {
    expect(rules.indexes(segments(path))).toEqual(indexes);
  });
});

describe("the explanation", () => {
  test("of a read names the rule that granted it", () => {
    const { explanation } = read({ a: { ".read": true } }, null, "/a/b");
    expect(explanation).toBe("Attempt to read /a/b with auth=null\nRead was allowed by the .read rule at /a.");
  });

  test("of a denied read shows the rules that were asked, and what they saw", () => {
    const rules = { ".read": false, users: { $uid: { ".read": "$uid == auth.uid && data.child('n').val() > 1" } } };
    const { explanation } = read(rules, null, "/users/ann", { auth: { uid: "ann", token: {} } });
    expect(explanation.split("\n")).toEqual([
      'Attempt to read /users/ann with auth={"uid":"ann","token":{}}',
      '\t/:.read: "false"',
      "\t\t=> false",
      "\t/users/ann:.read: \"$uid == auth.uid && data.child('n').val() > 1\"",
      '\t\t$uid = "ann"',
      '\t\tauth = {"uid":"ann","token":{},"provider":null}',
      '\t\tauth.uid = "ann"',
      "\t\tdata.child('n') = (nothing)",
      "\t\tdata.child('n').val() = null",
      "\t\t=> false: Invalid > expression: left operand must be a number or string.",
      "No .read rule allowed the operation.",
      "Read was denied.",
    ]);
  });

  test("of a denied write is about the location that was the reason", () => {
    const rules = { ".write": true, $k: { ".validate": "newData.isNumber()" } };
    const { explanation } = write(rules, null, { a: 1, b: "x", c: 2 });
    expect(explanation.split("\n")).toEqual([
      "Attempt to write /b with auth=null",
      '\t/:.write: "true"',
      "\t\t=> true",
      '\t/b:.validate: "newData.isNumber()"',
      "\t\tnewData.isNumber() = false",
      "\t\t=> false",
      "The .validate rule at /b disallowed the operation.",
      "Write was denied.",
    ]);
  });

  test("stays readable however large the data is", () => {
    const rules = { ".write": true, $k: { ".validate": "newData.val().length < 10 || newData.val() == $k" } };
    const { explanation } = write(rules, null, { a: "x".repeat(100_000) });
    expect(explanation.length).toBeLessThan(2_000);
  });
});

describe("whatever the rules and the data are", () => {
  const key = fc.constantFrom("a", "b", "c");
  const path = fc.array(key, { maxLength: 4 }).map((keys) => keys.join("/"));
  const condition = fc.constantFrom(
    true,
    false,
    "auth != null",
    "data.exists()",
    "data.val() > 1",
    "$x == 'a'",
    "$y != 'b'",
  );
  const kinds = { ".read": condition, ".write": condition, ".validate": condition };
  const { rules, data } = fc.letrec<{ rules: Record<string, unknown>; data: Data }>((tie) => ({
    rules: fc.oneof(
      { depthSize: "small" },
      fc.record(kinds, { requiredKeys: [] }),
      fc.record({ ...kinds, a: tie("rules"), $x: tie("rules") }, { requiredKeys: [] }),
      fc.record({ ...kinds, b: tie("rules") }, { requiredKeys: ["b"] }),
    ) as fc.Arbitrary<Record<string, unknown>>,
    data: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom<Data>(null, 1, 5, "t", true),
      fc.dictionary(key, tie("data"), { maxKeys: 3 }),
    ),
  }));
  /** Binds both variables above everything. */
  const bound = rules.map((inner) => ({ $x: { $y: inner } }));
  const unvalidated = bound.map(
    (inner) =>
      JSON.parse(JSON.stringify(inner), (name, value) => (name === ".validate" ? true : value)) as Record<
        string,
        unknown
      >,
  );
  const signedIn = fc.constantFrom(ANN, null);

  test("what may be read may be read in all its parts", () => {
    let granted = 0;
    fc.assert(
      fc.property(bound, data, path, key, signedIn, (rule, stored, at, below, auth) => {
        if (!read(rule, stored, at, { auth }).allowed) return;
        granted++;
        expect(read(rule, stored, `${at}/${below}`, { auth }).allowed).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(granted).toBeGreaterThan(20);
  });

  test("what may be deleted may be deleted in all its parts, if nothing is validated", () => {
    let granted = 0;
    fc.assert(
      fc.property(unvalidated, data, path, key, signedIn, (rule, stored, at, below, auth) => {
        if (!write(rule, stored, { [at]: null }, { auth }).allowed) return;
        granted++;
        expect(write(rule, stored, { [`${at}/${below}`]: null }, { auth }).allowed).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(granted).toBeGreaterThan(20);
  });

  test("several places may be written at once if each may alone, as long as no rule looks at what is written", () => {
    const places = fc.uniqueArray(fc.constantFrom("a/a", "a/b", "b", "c/a/b", "c/b/a"), { minLength: 2, maxLength: 3 });
    const counts = { allowed: 0, denied: 0 };
    fc.assert(
      fc.property(unvalidated, data, places, signedIn, (rule, stored, paths, auth) => {
        const changes = Object.fromEntries(paths.map((one) => [one, 1]));
        const each = paths.every((one) => write(rule, stored, { [one]: 1 }, { auth }).allowed);
        expect(write(rule, stored, changes, { auth }).allowed).toBe(each);
        counts[each ? "allowed" : "denied"]++;
      }),
      { numRuns: 500 },
    );
    expect(Math.min(counts.allowed, counts.denied)).toBeGreaterThan(20);
  });
});
