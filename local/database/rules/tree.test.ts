import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refusalOf } from "./harness.ts";

describe("a rules file", () => {
  test.each([
    ["plain JSON", '{"rules":{".read":true}}'],
    ["comments of both kinds", '// first\n{ /* a\nb */ "rules": { // here\n".read": true } } // last'],
    ["a comma behind the last entry", '{"rules":{".read":true,"a":{".write":false,},},}'],
    ["a comma behind the last index", '{"rules":{".indexOn":["a","b",]}}'],
    ["a string over several lines", '{"rules":{".read":"true\r\n\t&& true"}}'],
    ["escapes", '{"rules":{"a\\u00e9\\/\\n":{}}}'.replace("\\/", "")],
    ["no rules at all", '{"rules":{}}'],
    ["an index in a string", '{"rules":{"a":{".indexOn":".value"}}}'],
    ["rules 32 levels deep", `{"rules":${'{"a":'.repeat(32)}{".read":true}${"}".repeat(32)}}`],
  ])("may have %s", (_, source) => {
    expect(refusalOf(source)).toBeUndefined();
  });

  test.each([
    ["", "1:1: Parse error."],
    ["service firebase.storage {}", "1:1: Parse error."],
    ["// bolt\n\npath / {}", "3:1: Parse error."],
    ["[]", "1:1: Parse error."],
    ["{}", "1:2: Expected 'rules' property."],
    ['{"rules":{}} x', "1:14: Parse error."],
    ['{"rules":{}', "1:12: Expected ',' or '}'."],
    ['{"rules":true}', "1:10: Expected '{'."],
    ['{1"rules":{}}', "1:2: Expected '\"'."],
    ['{"rules" {}}', "1:10: Expected ':'."],
    ['{"rules":{".read":true,,}}', "1:24: Expected '\"'."],
    ['{"rules":{,".read":true}}', "1:11: Unexpected ','."],
    ['{"rules":{".read":tru}}', "1:19: Parse error."],
    ['{"rules":{".read":"true}}', "1:19: Unterminated string."],
    ['{"rules":{".read":"true\\x"}}', "1:24: Invalid escape: '\\x'"],
    ['{"rules":{\n".read":"true \\\n&& true"}}', "2:15: Invalid escape: '\\\n'"],
    ['{"rules":{".read":1}}', "1:19: Invalid rule expression.  Expected 'true', 'false', or an expression string."],
    ['{"rules":{".write":{}}}', "1:20: Invalid rule expression.  Expected 'true', 'false', or an expression string."],
    ['{"rules":{".read":null}}', "1:19: Invalid rule expression.  Expected 'true', 'false', or an expression string."],
    ['{"rules":{".indexOn":5}}', "1:22: Invalid indexOn expression. Must be either a string or an array of strings"],
    [
      '{"rules":{".indexOn":["a",5]}}',
      "1:27: Invalid indexOn expression. Must be either a string or an array of strings",
    ],
    ['{"rules":{"a":"true"}}', "1:15: Expected '{'."],
    ['{"rules":{".valdiate":"true"}}', "1:23: Expected '{'."],
    ['{"rules":{".valdiate":{}}}', '1:11: String can\'t contain ".", "#", "$", "/", "[", or "]"'],
    ['{"rules":{"a#b":{}}}', '1:11: String can\'t contain ".", "#", "$", "/", "[", or "]"'],
    ['{"rules":{"a/b":{}}}', '1:11: String can\'t contain ".", "#", "$", "/", "[", or "]"'],
    ['{"rules":{"$x":{},"$y":{}}}', "1:19: Cannot have multiple default rules ('$x' and '$y')."],
    ['{"rules":{".read":""}}', "1:20: Unexpected end of expression."],
    ['{\n  "rules": {\n    ".read": "tr",\n    ".write": "auth != null"\n  }\n}', "3:15: Unknown variable 'tr'."],
    [`{"rules":${'{"a":'.repeat(33)}{}${"}".repeat(33)}}`, "1:175: Rules are deeper than 32 levels."],
    [`{"rules":${'{"a":'.repeat(50)}`, "1:185: Nested deeper than 36 levels."],
    [`{"rules":{}}${" ".repeat(300_000)}`, "1:1: Rules are larger than 262144 bytes."],
  ])("is refused: %j", (source, message) => {
    expect(refusalOf(source)).toBe(message);
  });

  test("names the place of an error within a string with escapes and lines", () => {
    expect(refusalOf('{"rules":{\n  ".read": "\\"a\\" == \'\\u0061\'\n    && foo == 1"}}')).toBe(
      "3:8: Unknown variable 'foo'.",
    );
  });

  test("of any text is taken or refused with a place in it", () => {
    const word = fc.constantFrom(
      ..."{}[],:\"'",
      '"rules"',
      '".read"',
      '".write"',
      '".validate"',
      '".indexOn"',
      '"$a"',
      '"b"',
      "true",
      "1",
      "// c\n",
      "/*",
      '"auth != null"',
      '"$a == data.val()"',
      "\n",
    );
    const words = fc.array(word, { maxLength: 25 }).map((parts) => parts.join(""));
    const shaped = words.map((text) => `{"rules":{${text}}}`);
    fc.assert(
      fc.property(fc.oneof(words, shaped, fc.string(), fc.json()), (source) => {
        const refusal = refusalOf(source);
        if (refusal === undefined) return;
        const [, line, column] = /^(\d+):(\d+): ./.exec(refusal)?.map(Number) ?? [];
        const text = source.split("\n")[Number(line) - 1];
        expect(text).toBeDefined();
        expect(Number(column)).toBeLessThanOrEqual((text ?? "").length + 1);
      }),
      { numRuns: 2_000 },
    );
  });
});
