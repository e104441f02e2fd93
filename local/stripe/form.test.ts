import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeForm, encodeForm, type Fields } from "./form.ts";

const plain = (fields: Fields): unknown => JSON.parse(JSON.stringify(fields));

describe("the form encoding", () => {
  test("reads objects, lists with numbers and lists without", () => {
    expect(plain(decodeForm("a[b]=1&items[0][price]=p&items[1][price]=q&expand[]=x&expand[]=y&text=a%26b+c"))).toEqual({
      a: { b: "1" },
      items: { 0: { price: "p" }, 1: { price: "q" } },
      expand: { 0: "x", 1: "y" },
      text: "a&b c",
    });
  });

  test("reads back whatever it writes", () => {
    const name = fc.stringMatching(/^[a-z_]{1,8}$/);
    const { fields } = fc.letrec<{ fields: Fields; value: string | Fields }>((tie) => ({
      fields: fc.dictionary(name, tie("value"), { minKeys: 1, maxKeys: 4 }),
      value: fc.oneof({ maxDepth: 4 }, fc.string({ unit: "grapheme" }), tie("fields")),
    }));
    fc.assert(
      fc.property(fields, (given) => {
        expect(plain(decodeForm(encodeForm(given)))).toEqual(plain(given));
      }),
    );
  });

  test.each([
    ["a[b", "Invalid parameter name"],
    ["a[b]c=1", "Invalid parameter name"],
    ["a=1&a[b]=2", "both a value and an object"],
    ["a[b]=2&a=1", "both a value and an object"],
    ["__proto__[x]=1", "Invalid parameter name"],
    [`a${"[b]".repeat(8)}=1`, "Invalid parameter name"],
    [Array.from({ length: 2_001 }, (_, i) => `a${i}=1`).join("&"), "At most 2000"],
  ])("refuses %.40s", (text, message) => {
    expect(() => decodeForm(text)).toThrow(message);
  });
});
