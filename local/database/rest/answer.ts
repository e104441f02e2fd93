import type { ServerResponse } from "node:http";
import type { Usage } from "../usage.ts";

/** An answer to a request; `text` is JSON unless the headers say something else. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends an answer, printed as `print` wishes, and counts it. */
export function send(response: ServerResponse, answer: Answer, print: string | null, usage?: Usage): void {
  const isSilent = print === "silent" && answer.status === 200;
  const text = print === "pretty" ? JSON.stringify(JSON.parse(answer.text), undefined, 2) : answer.text;
  const bytes = Buffer.from(isSilent ? "" : text);
  usage?.sent(bytes.length);
  response.writeHead(isSilent ? 204 : answer.status, {
    "cache-control": "no-cache",
    ...(isSilent ? {} : { "content-type": "application/json; charset=utf-8", "content-length": bytes.length }),
    ...answer.headers,
  });
  response.end(bytes);
}

export function errorAnswer(status: number, message: string): Answer {
  return { status, text: JSON.stringify({ error: message }) };
}

/** Lets pages of any origin in, as the emulators do. */
export function allowOrigins(response: ServerResponse, origin: string | undefined): void {
  response.setHeader("access-control-allow-origin", origin ?? "*");
  response.setHeader("access-control-allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS");
  response.setHeader("access-control-allow-headers", "authorization, content-type, if-match, x-firebase-etag");
  response.setHeader("access-control-expose-headers", "etag");
}
