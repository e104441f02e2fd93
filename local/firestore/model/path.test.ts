import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { documentPath, formatFieldPath, parseFieldPath, parseName } from "./path.ts";

const database = "projects/p/databases/(default)";

describe("field paths", () => {
  test("come back from text as they were, whatever the names", () => {
    const segment = fc.string({ unit: "binary", minLength: 1 });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (path) => {
        expect(parseFieldPath(formatFieldPath(path))).toEqual(path);
      }),
    );
  });

  test.each(["", ".", "a.", ".a", "a..b", "a b", "1a", "`a", "`a`b", "a-b", "``"])("%j is none", (text) => {
    expect(() => parseFieldPath(text)).toThrow(/Invalid property path/);
  });
});

describe("names", () => {
  test("are taken apart into the database and the path", () => {
    expect(parseName(`${database}/documents/a/b`)).toEqual({ database, path: "a/b" });
    expect(parseName(`${database}/documents`)).toEqual({ database, path: "" });
  });

  test.each(["", "a/b", database, "projects//databases/d/documents/a", "projects/p/databases/d/document/a"])(
    "%j is none",
    (name) => {
      expect(() => parseName(name)).toThrow(/invalid/);
    },
  );

  test.each([
    ["a collection", "a"],
    ["an empty id", "a//b/c"],
    ["a dot", "a/."],
    ["two dots", "../b"],
    ["a reserved id", "a/__b__"],
    ["an id of more than 1,500 bytes", `a/${"é".repeat(751)}`],
    ["nothing", ""],
  ])("of a document cannot be %s", (_, path) => {
    expect(() => documentPath(`${database}/documents/${path}`, database)).toThrow();
  });

  test("of another database are refused", () => {
    expect(() => documentPath("projects/p/databases/other/documents/a/b", database)).toThrow(/not in database/);
  });
});
