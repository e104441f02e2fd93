import { expect, test } from "vitest";
import { document, request, rulesWith } from "../harness.ts";
import { parseRules } from "../rules.ts";

/** Reports are told apart by the source that they are about. */
function sourcesOf(source: string, fileName?: string) {
  const characters = [...source];
  const ruleset = parseRules(source);
  const report = () => {
    const texts = new Map<string, unknown>();
    const open = [...ruleset.coverage(fileName).report];
    for (let next = open.shift(); next; next = open.shift()) {
      const { currentOffset, endOffset } = next.sourcePosition;
      texts.set(characters.slice(currentOffset, endOffset + 1).join(""), next.values);
      open.push(...(next.children ?? []));
    }
    return texts;
  };
  return { ruleset, report };
}

const CONDITION = "request.auth.uid == 'ada' && resource.data.open";

test("every expression but constants is reported, before anything was asked without values", () => {
  const { report } = sourcesOf(rulesWith(CONDITION));
  expect(report()).toEqual(
    new Map(
      [
        CONDITION,
        "request.auth.uid == 'ada'",
        "resource.data.open",
        "request.auth.uid",
        "resource.data",
        "request.auth",
        "resource",
        "request",
      ].map((text) => [text, undefined]),
    ),
  );
});

test("values are counted, and errors with their message", () => {
  const { ruleset, report } = sourcesOf(rulesWith(CONDITION));
  ruleset.evaluate(request({ resource: document({ open: true }) }));
  ruleset.evaluate(request({ resource: document({ open: true }) }));
  ruleset.evaluate(request({ resource: document({}) }));
  ruleset.evaluate(request({ auth: null }));
  expect(report().get("resource.data.open")).toEqual([
    { value: { boolValue: true }, count: 2 },
    { value: { undefined: { causeMessage: "Property open is undefined on object." } }, count: 2 },
  ]);
  expect(report().get("request.auth.uid")).toEqual([
    { value: { stringValue: "ada" }, count: 3 },
    { value: { undefined: { causeMessage: "Null value error." } }, count: 1 },
  ]);
  expect(report().get(CONDITION)).toMatchObject([{ count: 2 }, { count: 1 }, { count: 1 }]);
});

test("what a decided condition did not need is not counted", () => {
  const { ruleset, report } = sourcesOf(rulesWith("id == 'bo' && resource.data.open"));
  ruleset.evaluate(request());
  expect(report().get("id == 'bo'")).toEqual([{ value: { boolValue: false }, count: 1 }]);
  expect(report().get("resource.data.open")).toBeUndefined();
});

test("functions are reported where they stand, with all calls", () => {
  const { ruleset, report } = sourcesOf(rulesWith("f(1) && f(2)", "function f(x) { let y = x + 1; return y > 0; }"));
  ruleset.evaluate(request());
  expect(report().get("x + 1")).toEqual([
    { value: { intValue: "2" }, count: 1 },
    { value: { intValue: "3" }, count: 1 },
  ]);
  expect(report().get("y > 0")).toEqual([{ value: { boolValue: true }, count: 2 }]);
});

test("positions count characters, lines and columns from 1", () => {
  const ruleset = parseRules("// 👩‍🚀\r\nfunction f() { return '👩‍🚀' + request.method; }");
  const [report] = ruleset.coverage().report;
  expect(report?.sourcePosition).toEqual({ line: 2, column: 23, currentOffset: 30, endOffset: 51 });
});

test("the report holds the source under the name of its file", () => {
  const source = rulesWith("true");
  expect(parseRules(source).coverage()).toEqual({
    rules: { files: [{ name: "security.rules", content: source }] },
    report: [],
  });
  expect(parseRules(source).coverage("firestore.rules").rules.files[0]?.name).toBe("firestore.rules");
});

test("of an expression that is never twice the same only the first 100 values are kept", () => {
  const { ruleset, report } = sourcesOf(rulesWith("resource.data.n > 0"));
  for (let n = 0; n < 150; n++) ruleset.evaluate(request({ resource: document({ n: BigInt(n) }) }));
  expect(report().get("resource.data.n")).toHaveLength(100);
});

test("the page shows the whole source, and of each expression its values", () => {
  const { ruleset } = sourcesOf(rulesWith("id == '<b>' || resource.data.open"));
  ruleset.evaluate(request({ resource: document({ open: true }) }));
  const page = ruleset.coverageHtml("my.rules");
  expect(page).toContain("<title>Coverage of my.rules</title>");
  expect(page).toContain('<span class="hit" title="true ×1">');
  expect(page).toContain("&#39;&lt;b&gt;&#39;");
  expect(page).not.toContain("<b>");
  const text = page.slice(page.indexOf("<pre>") + 5, page.indexOf("</pre>")).replaceAll(/<[^>]*>/g, "");
  expect(text.replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">")).toBe(
    rulesWith("id == '<b>' || resource.data.open"),
  );
});
