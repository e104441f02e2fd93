import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Usage } from "../usage.ts";

/** An answer to a request; `text` is JSON unless the headers say something else. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The function that a script is to call with the text, for pages that load answers as scripts. */
  readonly callback?: string;
}

/** Answers without a body. */
const BARE: ReadonlySet<number> = new Set([204, 304]);

/** Sends an answer, printed as `print` wishes, and counts it. */
export function send(response: ServerResponse, answer: Answer, print: string | null, usage?: Usage): void {
  const status = print === "silent" && answer.status === 200 ? 204 : answer.status;
  const bytes = Buffer.from(BARE.has(status) ? "" : textOf(answer, print));
  usage?.sent(bytes.length);
  const type = answer.callback === undefined ? "application/json" : "application/javascript";
  response.writeHead(status, {
    "cache-control": "no-cache",
    ...(BARE.has(status) ? {} : { "content-type": `${type}; charset=utf-8`, "content-length": bytes.length }),
    ...answer.headers,
  });
  response.end(bytes);
}

function textOf({ text, callback }: Answer, print: string | null): string {
  const printed = print === "pretty" ? JSON.stringify(JSON.parse(text), undefined, 2) : text;
  return callback === undefined ? printed : `${callback}(${printed});`;
}

export function errorAnswer(status: number, message: string): Answer {
  return { status, text: JSON.stringify({ error: message }) };
}

const ALLOWED_HEADERS = "authorization, content-type, if-match, if-none-match, x-firebase-etag, x-http-method-override";

/** Lets pages of any origin in, with any headers, as the emulators do. */
export function allowOrigins(response: ServerResponse, headers: IncomingHttpHeaders): void {
  response.setHeader("access-control-allow-origin", headers.origin ?? "*");
  response.setHeader("access-control-allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS");
  response.setHeader("access-control-allow-headers", headers["access-control-request-headers"] ?? ALLOWED_HEADERS);
  response.setHeader("access-control-expose-headers", "etag");
}
