import { describe, expect, test } from "vitest";
import { RulesPath } from "../value.ts";
import { map, refusal, testCase, testFunctions, testMethods } from "./cases.ts";
import { callMethod } from "./methods.ts";
import { binary, index, property } from "./operators.ts";

const users = new RulesPath(["users", "ada"]);
const pattern = new RulesPath(["path", "$(foo)", "$(bar)"]);

describe("paths", () => {
  testFunctions([
    ["path", ["users/ada"], users],
    ["path", ["/users/ada"], users],
    ["path", ["users"], new RulesPath(["users"])],
    ["path", ["users//ada"], refusal("Invalid path: [users//ada].")],
    ["path", [""], refusal("Invalid path")],
    ["path", [users], refusal("Received: path(path). Expected: path(string).")],
    ["path", [null], refusal("Received: path(null)")],
    ["string", [users], "/users/ada"],
  ]);

  testCase("path[0]", () => index(users, 0n), "users");
  testCase("path[1]", () => index(users, 1n), "ada");
  testCase("path[2]", () => index(users, 2n), refusal("Index out of bound error. Index: [2] , size: [2]."));
  testCase("path[-1]", () => index(users, -1n), refusal("Index out of bound error. Index: [-1] , size: [2]."));
  testCase("path['ada']", () => index(users, "ada"), refusal("Property ada is undefined on object."));

  test("are equal when their segments are", () => {
    expect(binary("==", users, new RulesPath(["users", "ada"]))).toBe(true);
    expect(binary("==", users, new RulesPath(["users", "bob"]))).toBe(false);
    expect(binary("==", users, new RulesPath(["users/ada"]))).toBe(false);
    expect(binary("==", users, "/users/ada")).toBe(false);
    expect(binary("in", users, [new RulesPath(["users", "ada"])])).toBe(true);
  });

  test("take values for their wildcards, and know them by name afterwards", () => {
    const bound = callMethod(pattern, "bind", [map({ foo: "something", bar: "another" })]);
    expect(binary("==", bound, new RulesPath(["path", "something", "another"]))).toBe(true);
    expect(index(bound, "foo")).toBe("something");
    expect(property(bound, "bar")).toBe("another");
    const braced = callMethod(new RulesPath(["users", "{uid}"]), "bind", [map({ uid: "ada" })]);
    expect(binary("==", braced, users)).toBe(true);
  });

  test("take values one after the other", () => {
    const half = callMethod(pattern, "bind", [map({ foo: "a" })]);
    expect((half as RulesPath).segments).toEqual(["path", "a", "$(bar)"]);
    const whole = callMethod(half, "bind", [map({ bar: "b", baz: "c" })]);
    expect((whole as RulesPath).segments).toEqual(["path", "a", "b"]);
    expect(property(whole, "foo")).toBe("a");
    expect(() => property(whole, "baz")).toThrow("Property baz is undefined on object.");
  });

  testMethods([
    [pattern, "bind", [map({ foo: 1n })], refusal("[foo] must be a string")],
    [pattern, "bind", [null], refusal("Received: path.bind(null). Expected: path.bind(map).")],
    [pattern, "bind", [], refusal("Incorrect number of arguments")],
    [pattern, "size", [], refusal("Function not found error: Name: [size].")],
  ]);
});
