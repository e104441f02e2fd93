/** An expression of a source, and the values it had. Offsets are in UTF-16 units, `end` behind the last; children lie within. */
export interface Mark {
  readonly start: number;
  readonly end: number;
  readonly values: ReadonlyArray<{ readonly text: string; readonly count: number }>;
  /** In the order of the text. */
  readonly children: readonly Mark[];
}

interface Subject {
  readonly name: string;
  readonly source: string;
  /** In the order of the text. */
  readonly marks: readonly Mark[];
}

/** A page of a source of rules in which each expression says, when pointed at, what values it had how often. */
export function coveragePage({ name, source, marks }: Subject): string {
  return page(name, marked(source, { start: 0, end: source.length, values: [], children: marks }));
}

function marked(source: string, { start, end, children }: Mark): string {
  const parts: string[] = [];
  let at = start;
  for (const child of children) {
    const title = child.values.map(({ text, count }) => `${text} ×${count}`).join(", ");
    const kind = title === "" ? "missed" : "hit";
    parts.push(
      escapeHtml(source.slice(at, child.start)),
      `<span class="${kind}" title="${escapeHtml(title || "never evaluated")}">${marked(source, child)}</span>`,
    );
    at = child.end;
  }
  parts.push(escapeHtml(source.slice(at, end)));
  return parts.join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Coverage of ${escapeHtml(title)}</title>
<style>
body { font: 14px/1.5 ui-monospace, monospace; margin: 2em; }
.hit { background: #e2f5e2; }
.missed { background: #fbe3e3; }
span:hover { outline: 1px solid #888; }
</style>
</head>
<body>
<h1>Coverage of ${escapeHtml(title)}</h1>
<p>Point at an expression to see which values it had how often. Red ones were never evaluated.</p>
<pre>${body}</pre>
</body>
</html>
`;
}
