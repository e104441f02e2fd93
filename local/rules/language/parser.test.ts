import { describe, expect, test } from "vitest";
import { rulesWith } from "../harness.ts";
import { parseRules, RulesSyntaxError } from "../rules.ts";

/** Issues as `line:column description`. */
function issuesOf(source: string): string[] {
  try {
    parseRules(source);
    return [];
  } catch (error) {
    if (!(error instanceof RulesSyntaxError)) throw error;
    return error.issues.map(({ line, column, description }) => `${line}:${column} ${description}`);
  }
}

/** The issues of a condition, of which the first line stands at line 6, from column 29 on. */
function conditionIssues(condition: string, functions = ""): string[] {
  return issuesOf(rulesWith(condition, functions));
}

describe("a ruleset", () => {
  test.each([
    ["nothing at all", ""],
    ["only comments", "// none\n/* none */"],
    ["a version without a service", "rules_version = '2';"],
    ["version 1", "rules_version = '1'; service cloud.firestore {}"],
    ["double quotes around the version", 'rules_version = "2"; service cloud.firestore {}'],
    ["no version", "service cloud.firestore {}"],
    ["Cloud Storage", "service firebase.storage { match /b/{bucket}/o { match /{all=**} { allow read; } } }"],
    ["both services", "service cloud.firestore {} service firebase.storage {}"],
    ["a function of the file", "function f() { return true; } service cloud.firestore {}"],
    ["a function of the service", "service cloud.firestore { function f() { return true; } }"],
    [
      "a function behind its use",
      "service cloud.firestore { match /a { allow get: if f(); } function f() { return true; } }",
    ],
    ["every method", "service cloud.firestore { match /a { allow get, list, create, update, delete, read, write; } }"],
    ["a rule without condition", "service cloud.firestore { match /a { allow read; } }"],
    ["a match without rules", "service cloud.firestore { match /a/{b} {} }"],
    [
      "matches inside each other",
      "service cloud.firestore { match /a/{b} { match /c/{d} { match /e/{f} { allow get; } } } }",
    ],
    ["segments with signs", "service cloud.firestore { match /a-b/c_d/(default)/x.y/~z { allow get; } }"],
    ["segments of any language", "service cloud.firestore { match /größe/名前 { allow get; } }"],
    ["a wildcard with one star", "service cloud.firestore { match /a/{b=*} { allow get; } }"],
    ["spaces in a wildcard", "service cloud.firestore { match /a/{ b = ** } { allow get; } }"],
    ["comments anywhere", "service /* a */ cloud.firestore { // b\n match /a /* c */ { allow /* d */ get; } }"],
    ["no semicolon before a brace", "service cloud.firestore { match /a { allow get: if true } }"],
    [
      "no semicolon between rules",
      "service cloud.firestore { match /a { allow get: if true\n allow list: if false\n } }",
    ],
    ["a shadowed function", "function f() { return true; } service cloud.firestore { function f() { return false; } }"],
  ])("can be %s", (_, source) => {
    expect(issuesOf(source)).toEqual([]);
  });

  test.each([
    ["1 == 1"],
    ["1.5 > .5 && 1e3 > 1.5e-3 && 0x1f == 31"],
    ["'a' + \"b\" == 'ab'"],
    ["'it\\'s' == \"it's\""],
    ["'\\n\\t\\\\\\x41\\u0041\\101' != ''"],
    ["b'\\x00\\xff'.size() == 2"],
    ["[1, 2, [3]] == []"],
    ["[1, 2,].size() == 2".replace(",]", "]")],
    ["{'a': 1, \"b\": [2]}.a == 1"],
    ["{} == {}"],
    ["/a/b == /a/$('b')"],
    ["/databases/(default)/documents/users/$(id + 'x') != null"],
    ["exists(/databases/$(database)/documents/users/$(request.auth.uid))"],
    ["true ? false : true ? true : false"],
    ["!!true && - -1 == 1"],
    ["request.auth.token['admin'] == true"],
    ["resource.data.tags[0:1] == ['a']"],
    ["'a' in ['a'] && 1 is int"],
    ["(((true)))"],
    ["request.resource.data.keys().hasOnly(['a', 'b'])"],
    ["math.abs(-1) == 1"],
    ["resource.data.match == 1 || resource.data.if == 2 || resource.data.allow == 3"],
    ["4 / 2 == 2 && 4/ 2 == 2"],
    ["true // behind\n && /* between */ true"],
  ])("can have the condition %s", (condition) => {
    expect(conditionIssues(condition)).toEqual([]);
  });
});

describe("what is not a ruleset is refused where it is wrong", () => {
  test.each([
    ["an unknown version", "rules_version = '3';", ["1:17 Invalid rules version '3'. Expected '1' or '2'."]],
    ["a number as version", "rules_version = 2;", ["1:17 Invalid rules version 2. Expected '1' or '2'."]],
    ["a word outside", "hello", ["1:1 Unexpected 'hello'. Expected 'service' or 'function'."]],
    [
      "a service that does not end",
      "service cloud.firestore {",
      ["1:26 Unexpected end of file. Expected 'match' or 'function', or '}'."],
    ],
    ["a brace too many", "service cloud.firestore {} }", ["1:28 Unexpected '}'. Expected 'service' or 'function'."]],
    [
      "an allow outside of a match",
      "service cloud.firestore { allow read; }",
      ["1:27 Unexpected 'allow'. Expected 'match' or 'function'."],
    ],
    ["a path without match", "service cloud.firestore { /a/b { } }", ["1:27 Missing 'match' keyword before path."]],
    ["a match without path", "service cloud.firestore { match a { } }", ["1:33 Unexpected 'a'. Expected '/'."]],
    [
      "an empty segment",
      "service cloud.firestore { match /a//b { } }",
      ["1:36 Unexpected '/'. Expected a segment of a path, as name or {name}."],
    ],
    [
      "text beside a wildcard",
      "service cloud.firestore { match /{a}.jpg { } }",
      ["1:37 Unexpected '.'. Expected '{'."],
    ],
    [
      "an unknown method",
      "service cloud.firestore { match /a { allow look; } }",
      ["1:44 Invalid method 'look'. Expected read, write, get, list, create, update, delete."],
    ],
    [
      "no method",
      "service cloud.firestore { match /a { allow: if true; } }",
      ["1:43 Unexpected ':'. Expected a method, as read or create."],
    ],
    [
      "a condition without if",
      "service cloud.firestore { match /a { allow read: true; } }",
      ["1:50 Unexpected 'true'. Expected 'if'."],
    ],
    [
      "a function without return",
      "function f() { } service cloud.firestore {}",
      ["1:16 Function f has no return statement."],
    ],
    ["a let behind the return", "function f() { return 1; let a = 2; }", ["1:26 Unexpected 'let'. Expected '}'."]],
    [
      "a let in a match",
      "service cloud.firestore { match /a { let b = 1; } }",
      ["1:38 Unexpected 'let'. Expected 'allow', 'match' or 'function'."],
    ],
    ["a comment that does not end", "service cloud.firestore {} /* a", ["1:28 Comment is not closed."]],
    ["a sign of no language", "service cloud.firestore {} §", ["1:28 Unexpected '§'."]],
  ])("%s", (_, source, issues) => {
    expect(issuesOf(source)).toEqual(issues);
  });

  test.each([
    ["nothing", "", ["6:29 Unexpected ';'. Expected an expression."]],
    ["an operator without an operand", "1 +", ["6:32 Unexpected ';'. Expected an expression."]],
    ["a parenthesis that stays open", "(1 == 1", ["6:36 Unexpected ';'. Expected ')'."]],
    ["a list that stays open", "[1, 2", ["6:34 Unexpected ';'. Expected ','."]],
    ["a single equals sign", "a = 1", ["6:31 Unexpected '='. Expected ';'."]],
    ["a single ampersand", "true & false", ["6:34 Unexpected '&'.", "6:36 Unexpected 'false'. Expected ';'."]],
    ["a triple equals sign", "1 === 1", ["6:33 Unexpected '='. Expected an expression."]],
    ["a string that stays open", "'abc", ["6:29 String is not closed."]],
    ["an unknown escape", "'\\/' == '/'", ["6:29 Invalid escape sequence '\\/'."]],
    ["a slash that does not divide", "4/2 == 2", ["6:30 Missing 'match' keyword before path."]],
    ["a number too large", "9223372036854775808 > 0", ["6:29 Integer 9223372036854775808 is out of range."]],
    ["an empty segment of a path", "/a/ == /a", ["6:33 Unexpected '=='. Expected a segment of a path."]],
    ["a ternary without else", "true ? false", ["6:41 Unexpected ';'. Expected ':'."]],
    ["a keyword as a variable", "let == 1", ["6:29 Unexpected 'let'. Expected an expression."]],
    ["is without a type", "1 is 2", ["6:34 Unexpected '2'. Expected the name of a type."]],
    ["a dot without a field", "request.", ["6:37 Unexpected ';'. Expected the name of a field or method."]],
    ["a map without a value", "{'a'} == {}", ["6:33 Unexpected '}'. Expected ':'."]],
  ])("a condition that is %s", (_, condition, issues) => {
    expect(conditionIssues(condition)).toEqual(issues);
  });

  test("and everything else that is wrong is found as well", () => {
    const source = `service cloud.firestore {
  match /a {
    allow look: if true;
    allow read: if 1 +;
    function f() { let a = ; return a }
    allow get: if true;
  }
  path /b {}
}`;
    expect(issuesOf(source)).toEqual([
      "3:11 Invalid method 'look'. Expected read, write, get, list, create, update, delete.",
      "4:23 Unexpected ';'. Expected an expression.",
      "5:28 Unexpected ';'. Expected an expression.",
      "8:3 Unexpected 'path'. Expected 'match' or 'function'.",
    ]);
  });

  test("columns count characters, not units of UTF-16", () => {
    expect(conditionIssues("'👩‍🚀' +")).toEqual(["6:36 Unexpected ';'. Expected an expression."]);
  });
});

describe("limits of the language", () => {
  const numbered = (count: number, text: (i: number) => string) => Array.from({ length: count }, (_, i) => text(i));

  test.each([
    [
      "10 variables of a function",
      (n: number) => `function f() { ${numbered(n, (i) => `let v${i} = 1;`).join(" ")} return true; }`,
      10,
    ],
    ["7 parameters", (n: number) => `function f(${numbered(n, (i) => `p${i}`)}) { return true; }`, 7],
    [
      "20 functions that call each other",
      (n: number) =>
        numbered(n, (i) => `function f${i}() { return ${i < n - 1 ? `f${i + 1}()` : "true"}; }`).join("\n"),
      20,
    ],
    [
      "10 match blocks inside each other",
      (n: number) => `service cloud.firestore { ${"match /a { ".repeat(n)} ${"}".repeat(n)} }`,
      10,
    ],
    ["100 segments of a path", (n: number) => `service cloud.firestore { match ${"/a".repeat(n)} { } }`, 100],
    [
      "20 wildcards",
      (n: number) => `service cloud.firestore { match ${numbered(n, (i) => `/{a${i}}`).join("")} { } }`,
      20,
    ],
    [
      "98 comparisons in a chain",
      (n: number) => `function f() { return ${numbered(n, () => "1 == 1").join(" && ")}; }`,
      98,
    ],
    ["98 parentheses", (n: number) => `function f() { return ${"(".repeat(n)}true${")".repeat(n)}; }`, 98],
    [
      "97 lists inside each other",
      (n: number) => `function f() { return ${"[".repeat(n)}1${"]".repeat(n)} == 1; }`,
      97,
    ],
    [
      "49 terms nested to the right",
      (n: number) => `function f() { return ${"1 == 1 && (".repeat(n - 1)}1 == 1${")".repeat(n - 1)}; }`,
      49,
    ],
  ])("allow %s, but not one more", (_, source, limit) => {
    expect(issuesOf(source(limit))).toEqual([]);
    expect(issuesOf(source(limit + 1))).toHaveLength(1);
  });

  test("allow 256 KB of source", () => {
    const source = `// ${"x".repeat(256 * 1024 - 3)}`;
    expect(issuesOf(source)).toEqual([]);
    expect(issuesOf(`${source}x`)).toEqual(["1:1 The source of the rules is larger than 256 KB."]);
  });

  test.each([
    ["itself", "function f() { return f(); }", ["1:1 Function f calls itself: recursion is not allowed."]],
    [
      "itself through another",
      "function f() { return g(); }\nfunction g() { return f(); }",
      [
        "1:1 Function f calls itself: recursion is not allowed.",
        "2:1 Function g calls itself: recursion is not allowed.",
      ],
    ],
  ])("do not let a function call %s", (_, source, issues) => {
    expect(issuesOf(source)).toEqual(issues);
  });
});

describe("names", () => {
  test.each([
    [
      "two functions of one name",
      "function f() { return 1; } function f() { return 2; }",
      ["1:28 Function f is already defined."],
    ],
    ["two parameters of one name", "function f(a, a) { return 1; }", ["1:1 Variable a is already defined."]],
    [
      "a variable named like a parameter",
      "function f(a) { let a = 1; return a; }",
      ["1:17 Variable a is already defined."],
    ],
    [
      "two wildcards of one name in a path",
      "service cloud.firestore { match /{a}/{a} {} }",
      ["1:27 Variable a is already defined."],
    ],
    [
      "two recursive wildcards in a path",
      "rules_version = '2'; service cloud.firestore { match /{a=**}/b/{c=**} {} }",
      ["1:48 A match can have at most one recursive wildcard."],
    ],
    [
      "a recursive wildcard in the middle, in version 1",
      "service cloud.firestore { match /{a=**}/b {} }",
      ["1:27 With rules_version = '1' a recursive wildcard must come last in a path."],
    ],
    [
      "too few arguments",
      "function f(a) { return a; } function g() { return f(); }",
      ["1:51 Function f takes 1 argument(s), but is given 0."],
    ],
    [
      "too many arguments",
      "function f() { return 1; } function g() { return f(1); }",
      ["1:50 Function f takes 0 argument(s), but is given 1."],
    ],
  ])("of %s are refused", (_, source, issues) => {
    expect(issuesOf(source)).toEqual(issues);
  });

  const warningsOf = (condition: string, functions = "") =>
    parseRules(rulesWith(condition, functions)).warnings.map(({ line, description }) => `${line} ${description}`);

  test.each([
    ["nobody knows", "unheard == 1", "", ["6 Invalid variable name: unheard."]],
    ["no function has", "unheard()", "", ["6 Invalid function name: unheard."]],
    ["a function that is not called has", "true", "function f() { return true; }", ["4 Unused function: f."]],
    [
      "only a function inside another block has",
      "f(id)",
      "function f(x) { return id == x; }",
      ["4 Invalid variable name: id."],
    ],
  ])("that %s are warned of, as production does", (_, condition, functions, warnings) => {
    expect(warningsOf(condition, functions)).toEqual(warnings);
  });

  test.each([
    ["wildcards of the blocks around", "id == database", ""],
    ["parameters and variables", "f(1)", "function f(a) { let b = a; let c = b; return c == a; }"],
    ["functions of the language", "int('1') == 1 && debug(true) && exists(/a/b) && math.pi() == 1", ""],
    ["the namespace of lookups", "firestore.exists(/a/b)", ""],
  ])("are known of %s", (_, condition, functions) => {
    expect(warningsOf(condition, functions)).toEqual([]);
  });
});
