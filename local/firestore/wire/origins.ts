import type { IncomingHttpHeaders, ServerResponse } from "node:http";

const METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS";
const ALLOWED_HEADERS =
  "authorization, content-type, google-cloud-resource-prefix, x-goog-api-client, x-firebase-gmpid";
/** What a page may read besides the body. */
const EXPOSED_HEADERS = "x-http-session-id, x-client-wire-protocol";
const PREFLIGHT_SECONDS = 3_600;

/**
 * Lets pages of any origin in, with any headers and with their cookies, which the Firebase SDK asks for; as Google's emulator does.
 * Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function allowOrigins(response: ServerResponse, headers: IncomingHttpHeaders): void {
  const { origin } = headers;
  if (origin === undefined) return;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-allow-credentials", "true");
  response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
  response.setHeader("vary", "origin");
}

/** Answers a browser that asks whether a page may. */
export function answerPreflight(response: ServerResponse, headers: IncomingHttpHeaders): void {
  response.setHeader("access-control-allow-methods", METHODS);
  response.setHeader("access-control-allow-headers", headers["access-control-request-headers"] ?? ALLOWED_HEADERS);
  response.setHeader("access-control-max-age", PREFLIGHT_SECONDS);
  if (headers["access-control-request-private-network"] === "true") {
    response.setHeader("access-control-allow-private-network", "true");
  }
  response.writeHead(200, { "content-length": 0 });
  response.end();
}
