import type { IncomingMessage } from "node:http";
import * as z from "zod";
import { RequestFilter, type Requests } from "../../inspect/requests.ts";
import type { Clock } from "../clock.ts";
import { invalidData, permissionDenied, RequestError } from "../model/failure.ts";
import type { Node } from "../model/node.ts";
import { checkPath, splitPath } from "../model/path.ts";
import { type Answer, errorAnswer } from "../rest/answer.ts";
import { callerOfRequest, namespaceOf, parseJson, readBody, urlOf } from "../rest/request.ts";
import { readJson, toPlain } from "../rules/json.ts";
import { readRules } from "../security.ts";
import type { Namespace } from "../store/namespace.ts";
import type { Triggers } from "./triggers.ts";

/** What the CLI, rules-unit-testing and operators ask of an emulator, below `/.settings` and `/.inspect`. */

export interface Controlled {
  readonly database: (name: string) => Namespace;
  readonly names: () => readonly string[];
  readonly triggers: Triggers;
  readonly clock: Clock;
  readonly requests: Requests;
}

const ClockState = z.object({ offset: z.number(), frozenAt: z.number().nonnegative().optional() });

export function isControl(path: string): boolean {
  return path.startsWith("/.settings/") || path.startsWith("/.inspect/");
}

interface Call {
  readonly controlled: Controlled;
  readonly name: string;
  readonly database: Namespace;
  readonly parameters: URLSearchParams;
  readonly body: string;
}

const ROUTES: Readonly<Record<string, (call: Call) => Answer | Promise<Answer>>> = {
  "GET /.settings/rules.json": ({ database, parameters }) => {
    const { source } = database.security;
    return parameters.get("format") === "strict" ? ok(toPlain(readJson(source))) : { status: 200, text: source };
  },
  "PUT /.settings/rules.json": putRules,
  "GET /.settings/functionTriggers.json": ({ controlled, name }) => ok({ triggers: controlled.triggers.of(name) }),
  "POST /.settings/functionTriggers.json": ({ controlled, name, body }) => {
    controlled.triggers.register(name, parseJson(body));
    return { status: 200, text: body };
  },
  "PUT /.settings/functionTriggers.json": ({ controlled, name, body }) => {
    controlled.triggers.replace(name, parseJson(body));
    return { status: 200, text: body };
  },
  "GET /.inspect/coverage.json": async ({ database }) => ok((await database.security.coverage()).report()),
  "GET /.inspect/coverage": async ({ database, name }) => ({
    status: 200,
    text: (await database.security.coverage()).html(name),
    headers: { "content-type": "text/html; charset=utf-8" },
  }),
  "GET /.inspect/databases.json": ({ controlled }) => ok(controlled.names().map((name) => ({ name }))),
  "GET /.inspect/usage.json": ({ database, parameters }) => {
    const mark = parameters.get("since");
    const reading = mark === null ? database.usage.total : database.usage.since(mark);
    return reading ? ok(reading) : errorAnswer(404, `There is no mark ${mark}.`);
  },
  "GET /.inspect/requests.json": ({ controlled, parameters }) =>
    ok({ requests: controlled.requests.list(RequestFilter.parse(Object.fromEntries(parameters))) }),
  "GET /.inspect/tree.json": ({ database, parameters }) => ok(treeAt(database.root, parameters)),
  "PUT /.inspect/clock.json": ({ controlled, body }) => {
    controlled.clock.set(ClockState.parse(parseJson(body)));
    return ok({ status: "ok" });
  },
  "POST /.inspect/usage.json:mark": ({ database }) => ok({ mark: database.usage.mark() }),
};

/** Serves one request; all but what is below `/.inspect` are the owner's. Throws a {@link RequestError} for what is refused. */
export async function serveControl(controlled: Controlled, message: IncomingMessage): Promise<Answer> {
  const url = urlOf(message);
  const route = ROUTES[`${message.method} ${url.pathname}`];
  if (!route) throw new RequestError("not_found", `${message.method} ${url.pathname} is not there`, 404);
  const isOpenToAll = url.pathname.startsWith("/.inspect/");
  if (!isOpenToAll && !callerOfRequest(message, url.searchParams).admin) throw permissionDenied();
  const name = namespaceOf(message, url);
  const body = await readBody(message);
  try {
    return await route({ controlled, name, database: controlled.database(name), parameters: url.searchParams, body });
  } catch (error) {
    if (error instanceof z.ZodError) throw invalidData(z.prettifyError(error));
    throw error;
  }
}

/** So many children are shown at once. */
const MAX_CHILDREN = 100;
const MAX_SHOWN_LENGTH = 1_000;

/** What lies directly below a place, from a key on if `after` names one: values as they are, of trees how many children they have. */
function treeAt(root: Node, parameters: URLSearchParams): object {
  const node = root.at(checkPath(splitPath(parameters.get("path") ?? "")));
  if (node.leaf !== undefined) return { value: shown(node.leaf) };
  const after = parameters.get("after") ?? undefined;
  const children: object[] = [];
  for (const [key, child] of node.entries(after)) {
    if (key === after) continue;
    if (children.length === MAX_CHILDREN) return { children, hasMore: true };
    children.push(child.leaf === undefined ? { key, size: child.size } : { key, value: shown(child.leaf) });
  }
  return { children };
}

function shown(leaf: Node["leaf"]): Node["leaf"] {
  return typeof leaf === "string" && leaf.length > MAX_SHOWN_LENGTH ? `${leaf.slice(0, MAX_SHOWN_LENGTH)}…` : leaf;
}

async function putRules({ database, body }: Call): Promise<Answer> {
  let security: Namespace["security"];
  try {
    security = await readRules(body);
  } catch (error) {
    return errorAnswer(400, (error as Error).message);
  }
  database.security = security;
  return ok({ status: "ok" });
}

function ok(body: unknown): Answer {
  return { status: 200, text: JSON.stringify(body) };
}
