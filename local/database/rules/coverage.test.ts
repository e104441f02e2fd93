import { expect, test } from "vitest";
import type { ExpressionReport, TreeReport } from "./coverage.ts";
import { rulesOf } from "./harness.ts";
import { parseDatabaseRules } from "./rules.ts";

const NOTHING = { leaf: null, priority: null, child: () => NOTHING, keys: () => [] };
const ask = { auth: null, now: 0, root: NOTHING };

test("each expression is reported with its place in the file, before anything was asked without values", () => {
  const source = '{\n"rules": {\n  ".read": "auth != null",\n  "users": { ".write": true, ".indexOn": "n" }\n}\n}';
  expect(parseDatabaseRules(source).coverage.report()).toEqual({
    rules: source,
    report: {
      ".read": {
        text: "auth != null",
        "location-start": "2:12",
        "location-end": "2:23",
        values: [],
        children: [
          { text: "auth", "location-start": "2:12", "location-end": "2:15", values: [] },
          { text: "null", "location-start": "2:20", "location-end": "2:23", values: [] },
        ],
      },
      users: { ".write": { text: "true", "location-start": "3:23", "location-end": "3:26", values: [] } },
    },
  });
});

test("the places of all expressions lead to their texts", () => {
  const source = `{ "rules": { // 🦊
    ".read": "auth != null && (auth.uid == 'é🦊' || !data.child('a/' + auth.uid).exists())",
    "a": { ".validate": "
      newData.hasChildren(['x', 'y']) &&
      newData.child('n').val() * -2 < (now > 5 ? 1 : root.child('m').val()) && auth.token['k'].matches(/^a\\\\w/)
    " } } }`;
  const lines = source.split("\n");
  const offset = (place: string) => {
    const [line = 0, column = 0] = place.split(":").map(Number);
    return lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, 0) + column;
  };
  const texts: string[] = [];
  const check = (report: ExpressionReport) => {
    const text = source.slice(offset(report["location-start"]), offset(report["location-end"]) + 1);
    expect(text.replaceAll("\\\\", "\\")).toBe(report.text);
    texts.push(report.text);
    report.children?.forEach(check);
  };
  const { report } = parseDatabaseRules(source).coverage.report();
  check(report[".read"] as ExpressionReport);
  check((report.a as TreeReport)[".validate"] as ExpressionReport);
  expect(texts).toHaveLength(46);
});

test("values are counted, objects by a hash of what is in them", () => {
  const rules = rulesOf({ $uid: { ".read": "auth.uid === $uid && auth.token.admin === true" } });
  const ada = { uid: "ada", token: {} };
  for (const path of [["ada"], ["ada"], ["bo"]]) rules.mayRead({ ...ask, path, auth: ada });
  expect(rules.coverage.report().report.$uid).toMatchObject({
    ".read": {
      values: [{ value: false, count: 3 }],
      children: [
        {
          values: [
            { value: true, count: 2 },
            { value: false, count: 1 },
          ],
          children: [
            {
              text: "auth.uid",
              values: [{ value: "ada", count: 3 }],
              children: [{ text: "auth", values: [{ value: expect.stringMatching(/^hash@[0-9a-f]{8}$/), count: 3 }] }],
            },
            { text: "$uid" },
          ],
        },
        { values: [{ value: false, count: 2 }] },
      ],
    },
  });
});

test("a rule that cannot be evaluated is false, and says why", () => {
  const rules = rulesOf({ ".read": "data.val() > 5" });
  rules.mayRead({ ...ask, path: [] });
  expect(rules.coverage.report().report[".read"]).toMatchObject({
    values: [{ value: false, error: "Invalid > expression: left operand must be a number or string.", count: 1 }],
    children: [
      { text: "data.val()", values: [{ value: null, count: 1 }], children: [{ text: "data" }] },
      { text: "5", values: [{ value: 5, count: 1 }] },
    ],
  });
});

test("a write counts its .write and each .validate below it", () => {
  const rules = rulesOf({ ".write": true, $n: { ".validate": "newData.isNumber()" } });
  const one = { ...NOTHING, leaf: 1 };
  const newRoot = { ...NOTHING, leaf: undefined, child: () => one, keys: () => ["a", "b"] };
  rules.mayWrite({ ...ask, paths: [[]], newRoot });
  expect(rules.coverage.report().report).toMatchObject({
    ".write": { values: [{ value: true, count: 1 }] },
    $n: { ".validate": { text: "newData.isNumber()", values: [{ value: true, count: 2 }] } },
  });
});

test("of an expression that is never twice the same the first 100 values are kept, and the rest is counted", () => {
  const rules = rulesOf({ ".read": "now > 0" });
  for (let now = 1; now <= 150; now++) rules.mayRead({ ...ask, path: [], now });
  expect(rules.coverage.report().report[".read"]).toMatchObject({
    children: [{ text: "now", values: { length: 100 }, others: 50 }, { text: "0" }],
  });
});

test("the page shows the whole file, escapes and comments included", () => {
  const source =
    '{ // <b>\n"rules": { ".read": "auth.uid == \\"a\\\\u0062\\" || data.val() == \'x\'", ".write": false } }';
  const rules = parseDatabaseRules(source);
  rules.mayRead({ ...ask, path: [], auth: { uid: "ab", token: {} } });
  const page = rules.coverage.html("my-database");
  expect(page).toContain("<title>Coverage of my-database</title>");
  expect(page).toContain('<span class="hit" title="true ×1">');
  expect(page).toContain('<span class="missed" title="never evaluated">false</span>');
  const text = page.slice(page.indexOf("<pre>") + 5, page.indexOf("</pre>")).replaceAll(/<[^>]*>/g, "");
  const entities: Record<string, string> = { "&quot;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">" };
  expect(text.replaceAll(/&[^;]+;/g, (entity) => entities[entity] ?? entity)).toBe(source);
});
