import { millisSince } from "../inspect/millis.ts";
import { RequestError } from "./model/failure.ts";
import type { Path } from "./model/path.ts";
import { formatPath } from "./model/path.ts";
import type { Caller } from "./security.ts";
import type { Namespace } from "./store/namespace.ts";

/** Writing down what is asked of a database, for people to look at. */

const MAX_RULE_LENGTH = 4_000;

export interface Operation {
  readonly via: "WebSocket" | "REST";
  readonly method: string;
  readonly subject: string;
  readonly caller: Caller;
  /** By `performance.now()`. */
  readonly began: number;
}

/** @param failure what ended it, if it did not go well */
export function writeDown(namespace: Namespace, operation: Operation, failure?: unknown): void {
  const { requests } = namespace;
  const { via, method, subject, caller, began } = operation;
  requests.keep({
    id: requests.nextId(),
    at: Date.now(),
    service: "database",
    via,
    method,
    database: namespace.name,
    subject,
    by: caller.admin ? "server" : caller.auth ? "user" : "nobody",
    user: caller.admin ? undefined : caller.auth?.uid,
    status: failure === undefined ? "ok" : failure instanceof RequestError ? failure.status : "internal",
    isDenied: failure instanceof RequestError && failure.why !== undefined,
    millis: millisSince(began),
    rule: failure instanceof RequestError ? ruleIn(failure.why) : undefined,
  });
}

/** A place and what is asked of it, without values: `/rooms by price limit 20`. */
export function subjectOf(path: Path | string, query?: { readonly i?: unknown; readonly l?: unknown } | null): string {
  const place = typeof path === "string" ? `/${path.replace(/^\/+/, "")}` : formatPath(path);
  const order = typeof query?.i === "string" ? ` by ${query.i}` : "";
  const limit = typeof query?.l === "number" ? ` limit ${query.l}` : "";
  return place + order + limit;
}

/** An explanation begins with a line that has all claims of the token, and they are nobody's business. */
function ruleIn(why: string | undefined): string | undefined {
  return why?.slice(why.indexOf("\n") + 1, MAX_RULE_LENGTH);
}
