import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANN, type Data, read, refusalOf, write } from "./harness.ts";

const DATA: Data = {
  text: "Foo bar",
  empty: "",
  number: 5,
  zero: 0,
  yes: true,
  no: false,
  map: { a: 1, b: { c: "deep" } },
  ranked: { ".value": "x", ".priority": 7 },
  group: { ".priority": "p", member: true },
};

/** What a `.read` at the root says, asked by Ann at the time 1000. */
const ask = (expression: string, data: Data = DATA, auth: typeof ANN | null = ANN) =>
  read({ ".read": expression }, data, "/", { auth, now: 1_000 }).allowed;

describe("an expression holds", () => {
  test.each([
    // how operators bind
    "!(false && false) || false",
    "false && false || true",
    "true || false && false",
    "true == 1 < 2",
    "1 < 2 == 2 < 3",
    "1 + 2 * 3 == 7",
    "(1 + 2) * 3 == 9",
    "10 - 4 - 3 == 3",
    "8 / 4 / 2 == 1",
    "7 % 4 * 2 == 6",
    "-1 + 2 == 1",
    "- -1 == 1",
    "true || false ? true : false",
    "false ? true : false ? false : true",
    "!false && true",
    // numbers and strings
    "0.1 + 0.2 > 0.3 && 1e3 == 1000 && .5 == 0.5 && 0x10 == 16",
    "1 / 0 + '' == 'NaN'",
    "!(1 / 0 > 2) && !(1 / 0 < 2)",
    "1 + 'a' == '1a' && 'a' + 1 == 'a1'",
    "'a' < 'b' && 'B' < 'a' && 'a' <= 'a'",
    "'it\\'s' == \"it's\" && '\\u0061\\x62' == 'ab'",
    "1 != '1' && 0 != false && '' != null && null == null",
    "1 === 1.0 && 'a' !== 'b'",
    // methods of strings
    "'foobar'.contains('ob') && !'foobar'.contains('x')",
    "'foobar'.beginsWith('foo') && !'foobar'.beginsWith('bar')",
    "'foobar'.endsWith('bar') && !'foobar'.endsWith('foo')",
    "'a.b.c'.replace('.', ',') == 'a,b,c'",
    "'a/g'.replace('/a/g', 'z') == 'a/g'",
    "'a$b'.replace('b', '$&') == 'a$$&'",
    "'ab'.replace('', '-') == '-a-b-'",
    "'Foo'.toLowerCase() == 'foo' && 'Foo'.toUpperCase() == 'FOO'",
    "'foo'.length == 3 && ''.length == 0",
    "'foo'.matches(/^F/i) && !'foo'.matches(/^F/)",
    // data
    "data.child('text').val() == 'Foo bar'",
    "data.child('empty').exists() && data.child('empty').val().length == 0",
    "data.child('zero').exists() && data.child('no').exists()",
    "!data.child('nothing').exists() && data.child('nothing').val() == null",
    "data.child('map/b/c').val() == 'deep'",
    "data.child('/map//b/').child('c').exists()",
    "data.child('map').val() != null && data.child('map').val() != 'x'",
    "data.child('map').child('b').parent().child('a').val() == 1",
    "data.hasChild('map/b') && !data.hasChild('map/x')",
    "data.hasChildren() && data.child('map').hasChildren(['a', 'b'])",
    "!data.child('map').hasChildren(['a', 'x']) && data.hasChildren(['map/b/c'])",
    "!data.child('text').hasChildren() && data.child('text').hasChildren([])",
    "data.child('text').isString() && !data.child('number').isString()",
    "data.child('number').isNumber() && !data.child('map').isNumber()",
    "data.child('yes').isBoolean() && !data.child('nothing').isBoolean()",
    "data.child('ranked').getPriority() == 7 && data.child('ranked').val() == 'x'",
    "data.child('group').getPriority() == 'p' && data.child('text').getPriority() == null",
    "data.child('a/../map').exists() == false && data.child('./map').exists() == false",
    "data.child('bob@example.com').val() != true && data.hasChild('a#b') == false",
    "root.child('number').val() + 1 == 6",
    "data.child('number').val() > data.child('zero').val()",
    // who asks, and when
    "auth.uid == 'ann' && auth != null",
    "auth['uid'] == 'ann' && auth.token['admin'] == true",
    "auth.provider == 'password' && auth.provider == auth.token.firebase.sign_in_provider",
    "auth.token.level >= 3 && auth.token.org.tier == 'gold'",
    "auth.token.roles[0] == 'editor' && auth.token.roles[1 + 1] == null",
    "auth.token.missing == null && auth.token.missing.deeper == null && auth.uid.first == null",
    "auth.token.toString == null && auth.token.constructor == null && auth.token.__proto__ == null",
    "now == 1000 && now - 1 < now",
    // what is not reached cannot fail
    "true || data.child('text').val() > 1",
    "!(false && data.child('text').val() > 1)",
    "true ? true : data.child('text').val() > 1",
    "data.child('number').isString() ? data.child('number').val().length > 1 : true",
  ])("%s", (expression) => {
    expect(ask(expression)).toBe(true);
  });

  test.each(["auth == null", "auth.uid == null && auth.token.admin == null", "auth.uid != 'eve'"])(
    "without anyone signed in: %s",
    (expression) => {
      expect(ask(expression, DATA, null)).toBe(true);
    },
  );
});

describe("an expression that its values do not allow is false, whatever is around it", () => {
  test.each([
    "data.child('nothing').val() > 1",
    "1 >= data.child('nothing').val()",
    "data.child('text').val() > 1",
    "data.child('yes').val() < 1",
    "data.child('map').val() < 1",
    "data.child('nothing').val() + 1 == 1",
    "data.child('yes').val() + 'a' == 'truea'",
    "data.child('map').val() + 'a' == 'a'",
    "data.child('text').val() - 1 == 0",
    "data.child('nothing').val() * 2 == 0",
    "data.child('nothing').val() / 2 == 0",
    "data.child('nothing').val() % 2 == 0",
    "-data.child('text').val() == 1",
    "data.child('number').val().length == 1",
    "data.child('nothing').val().length == 0",
    "data.child('map').val().length == 2",
    "data.child('number').val().toUpperCase() == 'X'",
    "data.child('nothing').val().contains('a')",
    "data.child('text').val().contains(data.child('number').val())",
    "data.child('text').val().contains(data.child('nothing').val())",
    "data.child('text').val().replace('F', data.child('number').val()) == 'x'",
    "data.child('number').val().matches(/5/)",
    "data.child(data.child('number').val()).exists()",
    "data.hasChild(data.child('nothing').val())",
    "data.hasChildren([data.child('nothing').val()])",
    "data.parent().exists()",
    "root.parent().exists()",
    "auth.token.missing.contains('a')",
    "auth.token.roles.contains('editor')",
    "auth.token[true] == null",
    "auth.token.level > 'a'",
  ])("%s", (failing) => {
    expect(ask(failing)).toBe(false);
    expect(ask(`!(${failing})`)).toBe(false);
    expect(ask(`${failing} || true`)).toBe(false);
    expect(ask(`(${failing}) ? true : true`)).toBe(false);
    expect(ask(`true || ${failing}`)).toBe(true);
  });

  test("as is a path that starts with who is not signed in", () => {
    expect(ask("!root.child('banned/' + auth.uid).exists()", DATA, null)).toBe(false);
  });

  test("as is a string that grows without end", () => {
    const doubled = Array.from({ length: 8 }).reduce((text) => `${text}.replace('a', 'aaaaaaaaaa')`, "'a'");
    expect(ask(`${doubled}.length > 0`)).toBe(false);
  });
});

describe("evaluation", () => {
  /** Of parts whose types fit, so that nearly all are taken, over values that often do not. */
  const { rule } = fc.letrec<Record<"rule" | "scalar" | "text" | "place", string>>((tie) => ({
    rule: fc.oneof(
      { depthSize: "medium" },
      fc.constantFrom("true", "data.exists()", "newData.hasChildren(['a', $id])", "query.orderByKey", "auth != null"),
      pieces`(${tie("scalar")} ${fc.constantFrom("==", "!=", "<", ">=")} ${tie("scalar")})`,
      pieces`(${tie("rule")} ${fc.constantFrom("&&", "||")} ${tie("rule")})`,
      pieces`(${tie("rule")} ? ${tie("rule")} : ${tie("rule")})`,
      pieces`!${tie("rule")}`,
      pieces`${tie("place")}.${fc.constantFrom("exists()", "isString()", "hasChild($id)", "hasChildren()")}`,
      pieces`${tie("text")}.${fc.constantFrom("contains", "beginsWith")}(${tie("text")})`,
      pieces`${tie("text")}.matches(${fc.constantFrom("/a+/", "/^(a|aa)*$/i", "/[^n]/")})`,
    ),
    scalar: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("0", "1.5", "now", "auth.token.level", "query.equalTo", "data.getPriority()"),
      tie("text"),
      pieces`(${tie("text")} + ${tie("scalar")})`,
      pieces`(${fc.constantFrom("now", "data.val()", "2")} ${fc.constantFrom("+", "-", "*", "/", "%")} auth.token.level)`,
      pieces`(${tie("rule")} ? ${tie("text")} : ${tie("scalar")})`,
    ),
    text: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("'a'", "''", "$id", "auth.uid", "auth.token.roles[0]", "auth.token.none"),
      pieces`${tie("place")}.val()`,
      pieces`${tie("text")}.toUpperCase()`,
      pieces`${tie("text")}.replace(${tie("text")}, ${tie("text")})`,
    ),
    place: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("data", "newData", "root"),
      pieces`${tie("place")}.parent()`,
      pieces`${tie("place")}.child(${tie("text")})`,
    ),
  }));

  /** A template of arbitrary parts. */
  function pieces(texts: TemplateStringsArray, ...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
    return fc.tuple(...parts).map((values) => texts.map((text, i) => `${text}${values[i] ?? ""}`).join(""));
  }

  test("of whatever the service would take always ends with a verdict", () => {
    const counts = { taken: 0, allowed: 0, denied: 0 };
    fc.assert(
      fc.property(rule, fc.boolean(), (expression, signedIn) => {
        const rules = { $id: { ".write": expression } };
        if (refusalOf(JSON.stringify({ rules })) !== undefined) return;
        counts.taken++;
        const { allowed, explanation } = write(rules, DATA, { "map/a": "a" }, { auth: signedIn ? ANN : null });
        counts[allowed ? "allowed" : "denied"]++;
        expect(explanation).toContain("/map");
      }),
      { numRuns: 2_000 },
    );
    expect(counts.taken).toBeGreaterThan(1_000);
    expect(Math.min(counts.allowed, counts.denied)).toBeGreaterThan(100);
  });

  test("ends with a refusal for a request that asks for too much of it", () => {
    const rules = { ".write": true, $key: { ".validate": `newData.val().matches(/^(a|b|ab)*$/)` } };
    const changes = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`k${i}`, "ab".repeat(500_000)]));
    const verdict = write(rules, null, changes);
    expect(verdict.allowed).toBe(false);
    expect(verdict.explanation).toContain("steps of evaluation");
  }, 60_000);
});
