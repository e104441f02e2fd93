/** The simulator's own pages: plain forms that work without JavaScript. */

export interface Page {
  readonly status: number;
  readonly body?: string;
  readonly location?: string;
}

export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** `body` is HTML. */
export function pageOf(title: string, body: string, status = 200): Page {
  return {
    status,
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 3rem auto; padding: 0 1rem; }
label { display: block; margin: 1rem 0; }
input { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .4rem; }
button { font: inherit; padding: .4rem 1rem; margin: .25rem .5rem .25rem 0; }
.error { color: #a00; }
</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${body}
</main>
</body>
</html>
`,
  };
}

/** Sends the browser on with a GET. Anything but a web address is shown instead of followed. */
export function seeOther(url: string | null | undefined, title: string): Page {
  if (typeof url === "string" && /^https?:\/\//.test(url)) return { status: 303, location: url };
  return pageOf(title, "<p>You can close this page.</p>");
}
