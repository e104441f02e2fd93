import { config } from "../../platform/config.ts";
import { Failure } from "../../platform/failure.ts";

const LOCAL: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** Stripe puts the session's id in its place; braces do not survive in the path of a URL. */
const SESSION = "{CHECKOUT_SESSION_ID}";
const ENCODED_SESSION = /%7BCHECKOUT_SESSION_ID%7D/gi;

/**
 * An address that people may be sent back to, as the URL standard writes it, so that Stripe and browsers see in it what was checked here.
 * Refuses `return-url-not-allowed`: only what APP_URLS names, and what is below, else anybody could have our links lead anywhere.
 */
export function returnUrl(field: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url &&
    isSecure(url) &&
    url.username === "" &&
    url.password === "" &&
    allowed().some((one) => isBelow(url, one))
  ) {
    return url.href.replaceAll(ENCODED_SESSION, SESSION);
  }
  throw new Failure("invalid-argument", "People may not be sent back to this address.", {
    reason: "return-url-not-allowed",
    field,
  });
}

function allowed(): URL[] {
  const texts = config.appUrls.value().split(",");
  return texts.flatMap((text) => (URL.canParse(text.trim()) ? [new URL(text.trim())] : []));
}

function isSecure({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && LOCAL.has(hostname));
}

function isBelow(url: URL, base: URL): boolean {
  const folder = base.pathname.endsWith("/") ? base.pathname : `${base.pathname}/`;
  return url.origin === base.origin && (url.pathname === base.pathname || url.pathname.startsWith(folder));
}
