import type { IncomingMessage, ServerResponse } from "node:http";
import type protobuf from "protobufjs/light.js";
import { callerOf } from "../access/caller.ts";
import type { Firestore } from "../firestore.ts";
import { LIMITS } from "../model/limits.ts";
import { isServed, serveStreaming, serveUnary } from "../rpc/handlers.ts";
import { fromJson, toJson } from "./json.ts";
import { type HttpBinding, type Method, methods } from "./protocol.ts";
import { type CodeName, invalidArgument, StatusError, toStatus } from "./status.ts";

/** HTTP status of each gRPC status. Source: google/rpc/code.proto */
export const HTTP_STATUS: Record<CodeName, number> = {
  OK: 200,
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  UNAUTHENTICATED: 401,
};

interface Route {
  readonly method: Method;
  readonly binding: HttpBinding;
  readonly pattern: RegExp;
  readonly variables: readonly string[];
}

/** The REST bindings of all methods that are served; custom verbs (`:commit`) before plain paths. */
const routes: readonly Route[] = [...methods.values()]
  .filter((method) => isServed(method.name))
  .flatMap((method) => method.http.map((binding) => ({ method, binding, ...compile(binding.template) })))
  .sort((a, b) => Number(/:\w+$/.test(b.binding.template)) - Number(/:\w+$/.test(a.binding.template)));

/** Serves `/v1/projects/…`: the same methods as over gRPC, as JSON. */
export async function serveRest(
  firestore: Firestore,
  request: IncomingMessage,
  response: ServerResponse,
  onError: (error: unknown, method: string) => void,
): Promise<void> {
  let name = "";
  let streams = false;
  try {
    const url = new URL(request.url ?? "/", "http://localhost");
    const { route, variables } = match(request.method ?? "GET", url.pathname);
    name = route.method.name;
    streams = route.method.responseStream;
    const caller = callerOf(request.headers.authorization);
    const message = await readRequest(route, variables, url.searchParams, request);
    const { method } = route;
    if (method.responseStream) {
      const answers: unknown[] = [];
      for await (const answer of serveStreaming(firestore, method.name, message, caller))
        answers.push(toJson(method.response, answer));
      send(response, 200, answers);
    } else {
      send(response, 200, toJson(method.response, await serveUnary(firestore, method.name, message, caller)));
    }
  } catch (error) {
    const { status, message } = toStatus(error);
    if (status === "INTERNAL") onError(error, name);
    const code = HTTP_STATUS[status];
    const body = { error: { code, message, status } };
    send(response, code, streams ? [body] : body);
  }
}

function match(verb: string, path: string): { route: Route; variables: Record<string, string> } {
  for (const route of routes) {
    if (route.binding.verb !== verb) continue;
    const found = route.pattern.exec(path);
    if (!found) continue;
    const values = found.slice(1).map(decode);
    const variables = Object.fromEntries(route.variables.map((name, i) => [name, values[i] as string]));
    if (fits(route.method.name, variables)) return { route, variables };
  }
  throw new StatusError("NOT_FOUND", `Method not found: ${verb} ${path}`);
}

/** Documents and collections share a URL; an even number of segments behind `documents/` names a document. */
function fits(method: string, { name, parent }: Record<string, string>): boolean {
  const resource = method === "GetDocument" ? name : method === "ListDocuments" ? parent : undefined;
  if (resource === undefined) return true;
  return (resource.split("/documents/")[1] ?? "").split("/").filter(Boolean).length % 2 === 0;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidArgument(`"${part}" is not correctly percent-encoded.`);
  }
}

/** Puts the parts of a request together: variables of the path, parameters of the query string, and the body. */
async function readRequest(
  { method, binding }: Route,
  variables: Record<string, string>,
  parameters: URLSearchParams,
  request: IncomingMessage,
): Promise<object> {
  const json: Record<string, unknown> = {};
  for (const name of new Set(parameters.keys())) {
    if (SYSTEM_PARAMETERS.has(name)) continue;
    setParameter(json, method.request, name.split("."), parameters.getAll(name));
  }
  const body = await readBody(request);
  if (binding.body === "*") Object.assign(json, body);
  else if (binding.body !== undefined) json[camel(binding.body)] = body;
  for (const [name, value] of Object.entries(variables)) setParameter(json, method.request, name.split("."), [value]);
  return fromJson(method.request, json) as object;
}

/** Parameters that every Google API takes and that say nothing about the request itself. */
const SYSTEM_PARAMETERS = new Set([
  "alt",
  "key",
  "prettyPrint",
  "quotaUser",
  "fields",
  "$alt",
  "$.xgafv",
  "access_token",
  "callback",
]);

function setParameter(
  json: Record<string, unknown>,
  type: protobuf.Type,
  path: readonly string[],
  values: readonly string[],
): void {
  const [first, ...rest] = path as [string, ...string[]];
  const name = camel(first);
  const field = type.fields[name];
  if (!field)
    throw invalidArgument(`Invalid JSON payload received. Unknown name "${first}": Cannot bind query parameter.`);
  const nested = field.resolvedType as protobuf.Type | null;
  if (rest.length > 0 && nested && "fields" in nested) {
    json[name] ??= {};
    setParameter(json[name] as Record<string, unknown>, nested, rest, values);
  } else if (field.repeated) {
    json[name] = values;
  } else {
    json[name] = field.type === "bool" ? values[0] === "true" : values[0];
  }
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LIMITS.requestBytes)
      throw invalidArgument(`Request payload size exceeds the limit: ${LIMITS.requestBytes} bytes.`);
    chunks.push(chunk);
  }
  if (length === 0) return {};
  const json = parse(Buffer.concat(chunks).toString("utf8"));
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw invalidArgument("The request's body must be a JSON object.");
  return json as Record<string, unknown>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`Invalid JSON payload received. ${(error as Error).message}`);
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body, undefined, 2));
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "content-length": bytes.length });
  response.end(bytes);
}

function camel(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Turns a template of google.api.http into a pattern: in its variables one star is a segment, two are any number of them. */
function compile(template: string): { pattern: RegExp; variables: string[] } {
  const variables: string[] = [];
  const source = template.replace(
    /\{([\w.]+)(?:=([^}]+))?\}|[.*+?^$()|[\]\\]/g,
    (part, name: string | undefined, shape: string | undefined) => {
      if (name === undefined) return `\\${part}`;
      variables.push(name);
      const inner = (shape ?? "*").replace(/\/\*\*|\*\*|\*/g, (star) =>
        star === "/**" ? "(?:/.+)?" : star === "**" ? ".*" : "[^/:]+",
      );
      return `(${inner})`;
    },
  );
  return { pattern: new RegExp(`^${source}$`), variables };
}
