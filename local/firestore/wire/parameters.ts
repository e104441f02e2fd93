import protobuf from "protobufjs/light.js";
import { fieldNamed } from "./field-names.ts";
import { badRequest } from "./json-scalars.ts";
import { invalidArgument, StatusError } from "./status.ts";

/** What a query string says: parts of the request, and what every Google API takes besides. */
export interface Parameters {
  /** Parts of the request, as JSON. */
  readonly request: Record<string, unknown>;
  /** `fields`, which parts of the answer are wanted. */
  readonly fields: string | undefined;
  /** Stands in for an Authorization header. */
  readonly accessToken: string | undefined;
  readonly isPretty: boolean;
}

/** Source: https://cloud.google.com/apis/docs/system-parameters */
const SYSTEM = new Set([
  "$.xgafv",
  "access_token",
  "alt",
  "callback",
  "fields",
  "key",
  "oauth_token",
  "prettyPrint",
  "quotaUser",
  "upload_protocol",
  "uploadType",
]);

/** Reads a query string for a request of a type. Throws INVALID_ARGUMENT for a name that it does not have. */
export function readParameters(query: string, type: protobuf.Type): Parameters {
  const all = new URLSearchParams(query);
  const request: Record<string, unknown> = {};
  for (const name of new Set(all.keys())) {
    if (!isSystem(name)) setAt(request, type, name, all.getAll(name));
  }
  const system = (name: string) => all.get(`$${name}`) ?? all.get(name) ?? undefined;
  checkFormat(system("alt"));
  return {
    request,
    fields: system("fields"),
    accessToken: all.get("access_token") ?? all.get("oauth_token") ?? undefined,
    isPretty: system("prettyPrint") !== "false",
  };
}

/** Puts values at a place in a request, given as in a query string or a template: `mask.field_paths`. */
export function setAt(
  json: Record<string, unknown>,
  type: protobuf.Type,
  place: string,
  values: readonly string[],
): void {
  let [into, of] = [json, type];
  const path = place.split(".");
  const last = path.pop() ?? "";
  for (const part of path) {
    const field = fieldNamed(of, part);
    if (!(field?.resolvedType instanceof protobuf.Type)) throw unknown(place);
    [into, of] = [messageAt(into, field, place), field.resolvedType];
  }
  const field = fieldNamed(of, last);
  if (!field) throw unknown(place);
  into[field.name] = field.repeated ? values : values[0];
}

/** The message in a field, made if it is not there. */
function messageAt(json: Record<string, unknown>, field: protobuf.Field, place: string): Record<string, unknown> {
  json[field.name] ??= {};
  const message = json[field.name];
  // It may have been given as a whole, too.
  if (field.repeated || field.map || typeof message !== "object") throw unknown(place);
  return message as Record<string, unknown>;
}

function isSystem(name: string): boolean {
  return SYSTEM.has(name) || (name.startsWith("$") && SYSTEM.has(name.slice(1)));
}

function checkFormat(alt: string | undefined): void {
  const [format] = (alt ?? "json").split(";");
  if (format === "json") return;
  if (format === "proto") throw new StatusError("UNIMPLEMENTED", "Answers are JSON: alt=proto is not supported.");
  throw invalidArgument(`Invalid value for alt: "${format}".`);
}

function unknown(name: string): StatusError {
  const reason = `Cannot bind query parameter. Field '${name}' could not be found in request message.`;
  return badRequest("", `Invalid JSON payload received. Unknown name "${name}": ${reason}`);
}
