import { describe, expect, test } from "vitest";
import { refusalOf } from "./harness.ts";

const refusal = (kind: string, expression: string) =>
  refusalOf(JSON.stringify({ rules: { $id: { [kind]: expression } } }))?.replace(/^\d+:\d+: /, "");

describe("a rule is taken", () => {
  test.each([
    "true",
    "auth != null",
    "auth.uid === $id",
    "$id.beginsWith('a') && $id.length > 3",
    "auth.anything.goes == 1",
    "auth.token['org']['tier'] == 'gold'",
    "auth.token[$id] == true",
    "auth.token.roles[0] == 'editor'",
    "data['exists']()",
    "data.child(auth.uid).exists()",
    "data.child($id + '/a').val() > now - 1000",
    "data.hasChildren()",
    "data.hasChildren([])",
    "data.hasChildren(['a', $id, auth.uid])",
    "data.val().length > 0 && data.val().contains('a')",
    "data.val() + 1 > 2",
    "auth.uid + 1 > 'x'",
    "data.getPriority() == null",
    "query.orderByChild == 'owner' && query.equalTo == auth.uid",
    "query.limitToFirst <= 10 && query.orderByKey",
    "(auth != null ? 'a' : 'b') == 'a'",
    "(auth != null ? 'a' : 1) == 'a'",
    "(auth != null ? data.val() : 1) > 0",
    "auth == null ? true : data.exists()",
    "'a'.replace('a', 'b').toUpperCase() == 'B'",
    "auth.token.name.matches(/^a[/]b$/i)",
    "-data.val() < 0 && 7 % 4 * 2 == 6",
    "!(1 == 2) // or so",
  ])(".read: %s", (expression) => {
    expect(refusal(".read", expression)).toBeUndefined();
  });

  test.each(["newData.exists()", "newData.parent().child('a').val() == data.val()", "query.limitToFirst == null"])(
    ".write and .validate: %s",
    (expression) => {
      expect(refusal(".write", expression)).toBeUndefined();
      expect(refusal(".validate", expression)).toBeUndefined();
    },
  );
});

describe("a rule is refused", () => {
  test.each([
    ["foo == 1", "Unknown variable 'foo'."],
    ["$other == 'a'", "Unknown variable '$other'."],
    ["newData.exists()", "newData is invalid in .read expressions."],
    ["1", "Expression must evaluate to a boolean."],
    ["'a'", "Expression must evaluate to a boolean."],
    ["null", "Expression must evaluate to a boolean."],
    ["auth", "Expression must evaluate to a boolean."],
    ["auth.token.admin", "Expression must evaluate to a boolean."],
    ["data", "Expression must evaluate to a boolean."],
    ["data.val()", "Expression must evaluate to a boolean."],
    ["data.exists", "Expression must evaluate to a boolean."],
    ["/a/", "Expression must evaluate to a boolean."],
    ["auth != null ? 1 : true", "Expression must evaluate to a boolean."],
    ["['a']", "Unexpected array literal."],
    ["['a'] == ['a']", "Unexpected array literal."],
    ["data.hasChildren([['a']])", "Unexpected array literal."],
    ["data.child(['a']).exists()", "Unexpected array literal."],
    ["data.foo == 1", "No such method/property 'foo'."],
    ["data.foo()", "No such method/property 'foo'."],
    ["data['foo']()", "No such method/property 'foo'."],
    ["data.contains('a')", "No such method/property 'contains'."],
    ["data.numChildren() > 1", "No such method/property 'numChildren'."],
    ["data.val().foo == 1", "No such method/property 'foo'."],
    ["data.val()['kind'] == 'a'", "No such method/property 'kind'."],
    ["data.val().child('a').exists()", "No such method/property 'child'."],
    ["'s'.val() == 's'", "No such method/property 'val'."],
    ["query.foo == 1", "No such method/property 'foo'."],
    ["query.exists()", "No such method/property 'exists'."],
    ["data[$id]()", "Invalid property access."],
    ["data['exi' + 'sts']()", "Invalid property access."],
    ["'abc'[0] == 'a'", "Invalid property access."],
    ["now.foo == 1", "Invalid property access: target is not an object."],
    ["true.foo == 1", "Invalid property access: target is not an object."],
    ["query.startAt.length > 1", "Invalid property access: target is not an object."],
    ["auth.uid.length() > 0", "Type error: Function call on target that is not a function."],
    ["data.val().length() > 0", "Type error: Function call on target that is not a function."],
    ["auth.exists()", "Type error: Function call on target that is not a function."],
    ["auth() == 1", "Type error: Function call on target that is not a function."],
    ["data == null", "Invalid == expression: left operand is not a number, boolean, string, null."],
    ["null === data", "Invalid == expression: right operand is not a number, boolean, string, or null."],
    ["data !== 'a'", "Invalid != expression: left operand is not a number, boolean, string, or null."],
    ["data.exists == true", "Invalid == expression: left operand is not a number, boolean, string, null."],
    ["data > 1", "Invalid > expression: left operand must be a number or string."],
    ["data.val() <= true", "Invalid <= expression: right operand must be a number or string."],
    ["1 < null", "Invalid < expression: right operand must be a number or string."],
    ["data + 'a' == 'a'", "Invalid + expression: left operand is not a number or string."],
    ["'a' + true == 'a'", "Invalid + expression: right operand is not a number or string."],
    ["'a' - 1 > 0", "Invalid - expression: left operand is not a number."],
    ["1 * 'a' > 0", "Invalid * expression: right operand is not a number."],
    ["-'a' == 1", "- only operates on numbers."],
    ["!auth.uid", "! only operates on booleans."],
    ["auth.uid && true", "Left operand of && must be boolean."],
    ["true || data.val()", "Right operand of || must be boolean."],
    ["auth ? true : false", "condition of ? must be boolean."],
    ["data.child().exists()", "child() expects 1 argument."],
    ["data.child('a', 'b').exists()", "child() expects 1 argument."],
    ["data.child(1).exists()", "child() expects a string argument."],
    ["data.hasChild(data)", "hasChild() expects a string argument."],
    ["data.child(query.equalTo).exists()", "child() expects a string argument."],
    ["data.exists(1)", "exists() expects no arguments."],
    ["auth.uid.toLowerCase('a') == 'b'", "toLowerCase() expects no arguments."],
    ["auth.uid.contains(null)", "contains() expects a string argument."],
    ["auth.uid.replace('a') == 'b'", "replace() expects two arguments."],
    ["auth.uid.replace(/a/, 'b') == 'b'", "Argument 1 of replace() must be a string."],
    ["auth.uid.replace('a', 1) == 'b'", "Argument 2 of replace() must be a string."],
    ["auth.uid.matches()", "matches() expects 1 regular expression literal argument."],
    ["auth.uid.matches('a')", "matches() expects a regular expression literal argument."],
    ["data.hasChildren('a')", "hasChildren() expects an array of child names."],
    ["data.hasChildren(data.val())", "hasChildren() expects an array of child names."],
    ["data.hasChildren(['a', 7])", "hasChildren() expects an array of strings."],
    [
      "data.hasChildren('a', 'b')",
      "hasChildren() expects only a single argument (containing an array of child names).",
    ],
  ])("as .read: %s", (expression, message) => {
    expect(refusal(".read", expression)).toBe(message);
  });

  test.each([
    ["auth.uid = 'x'", "Rule expressions may not contain assignments."],
    ["(auth.uid += 'x') == 'x'", "Rule expressions may not contain assignments."],
    ["data.exists() & true", "Rule expressions may not contain '&' operator."],
    ["2 ** 2 == 4", "Rule expressions may not contain '**' operator."],
    ["'a' in auth", "Rule expressions may not contain 'in' operator."],
    ["typeof auth == 'a'", "Rule expressions may not contain 'typeof' operator."],
    ["true; true", "Rules must be a single expression."],
    ["var foo = 8", "missing ; before statement"],
    ["true &&", "Unexpected end of expression."],
    ["(true", "Unexpected end of expression."],
    ["data.hasChildren(['a'", "Unexpected end of expression."],
    ["data.hasChild('a' 'b')", "missing ) after argument list"],
    ["(true true)", "missing ) in parenthetical"],
    ["auth['a' 'b'] == 1", "missing ] in index expression"],
    ["data.hasChildren(['a' 'b'])", "missing ] after element list"],
    ["true ? true false", "missing : in conditional expression"],
    ["auth.'a' == 1", "missing name after . operator"],
    ["true)", "syntax error"],
    ["== 1", "syntax error"],
    ["auth == {}", "illegal character"],
    ["'a", "unterminated string literal"],
    ["auth.uid.matches(/[a/)", "unterminated regular expression literal"],
    ["auth.uid.matches(/a/g)", "regular expressions do not support flags other than i"],
    ["auth.uid.matches(/(^a|b)/)", "'^' is only supported at the start of a regular expression"],
    [`${"(".repeat(400)}true${")".repeat(400)}`, "Expression is nested deeper than 300 levels."],
    [`${"!".repeat(400)}true`, "Expression is nested deeper than 300 levels."],
    [`${"true || ".repeat(400)}true`, "Expression is nested deeper than 300 levels."],
    [`true || ${" ".repeat(70_000)}true`, "Expression is longer than 65536 characters."],
  ])("for its syntax: %s", (expression, message) => {
    expect(refusal(".read", expression)).toBe(message);
  });

  test("with the first of several errors, at the place where the part begins", () => {
    const rules =
      '{\n  "rules": {\n    "a": {\n      ".validate": "newData.child(\'b\').isArray() && data.foo == 1"\n    }\n  }\n}';
    expect(refusalOf(rules)).toBe("4:21: No such method/property 'isArray'.");
  });
});
