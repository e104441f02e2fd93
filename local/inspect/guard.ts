import { isIP } from "node:net";

/** Who may look inside: programs and pages of this machine, but no page of elsewhere that a browser here has open. */

/**
 * Whether a request is addressed to an IP address or to localhost. A page whose own name was made to lead here (DNS rebinding) comes
 * with that name.
 */
export function isOwnHost(host: string | undefined): boolean {
  const name = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(host ?? "");
  const plain = name?.[1] ?? name?.[2] ?? "";
  return plain === "localhost" || plain.endsWith(".localhost") || isIP(plain) !== 0;
}

/** Whether what wants to change something is the page itself, or no page. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin === undefined || origin === `http://${host}`;
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};
