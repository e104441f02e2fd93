import { isDuplex, isServed } from "../rpc/handlers.ts";
import { type HttpBinding, type Method, methods } from "./protocol.ts";
import { invalidArgument, StatusError } from "./status.ts";

/** Which method a verb and a path are for, by the bindings that the published protocol declares. */
interface Route {
  readonly method: Method;
  readonly binding: HttpBinding;
  readonly pattern: RegExp;
  readonly variables: readonly string[];
}

/** A method as it was asked for, with what the path says of the request. */
export interface Match {
  readonly method: Method;
  readonly binding: HttpBinding;
  /** By their place in the request: `document.name`. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Custom verbs (`:commit`) before plain paths. */
const routes: readonly Route[] = [...methods.values()]
  .flatMap((method) => method.http.map((binding) => ({ method, binding, ...compile(binding.template) })))
  .sort((a, b) => Number(/:\w+$/.test(b.binding.template)) - Number(/:\w+$/.test(a.binding.template)));

const DATABASE = "databases/[^/:]+";
/**
 * The API of databases, indexes and backups, which is no emulator's.
 * Source: https://firestore.googleapis.com/$discovery/rest?version=v1
 */
const ADMIN = new RegExp(
  `^/v1/projects/[^/]+/(?:${[
    "databases(?::clone|:restore)?",
    `${DATABASE}(?::exportDocuments|:importDocuments|:bulkDeleteDocuments)?`,
    `${DATABASE}/collectionGroups/[^/]+/(?:indexes|fields)(?:/[^/]+)?`,
    `${DATABASE}/operations(?:/[^/:]+(?::cancel)?)?`,
    `${DATABASE}/backupSchedules(?:/[^/]+)?`,
    `${DATABASE}/userCreds(?:/[^/:]+(?::enable|:disable|:resetPassword)?)?`,
    "locations(?:/[^/]+(?:/backups(?:/[^/]+)?)?)?",
  ].join("|")})$`,
);

/**
 * Finds the method that is asked for. Throws NOT_FOUND where there is none, UNIMPLEMENTED for one of Firestore's that is not served here.
 * @param path without the query string, as it was sent
 */
export function matchRoute(verb: string, path: string): Match {
  // A request for the headers alone is answered like the one for everything.
  const wanted = verb === "HEAD" ? "GET" : verb;
  for (const { method, binding, pattern, variables } of routes) {
    if (binding.verb !== wanted) continue;
    const found = pattern.exec(path);
    if (!found) continue;
    const values = Object.fromEntries(variables.map((name, i) => [name, decode(found[i + 1] ?? "")]));
    if (!fits(method.name, values)) continue;
    if (!isServed(method.name)) throw notServed(method.name);
    return { method, binding, variables: values };
  }
  if (ADMIN.test(path)) {
    throw new StatusError("UNIMPLEMENTED", `The API that administers databases is not served: ${verb} ${path}`);
  }
  throw new StatusError("NOT_FOUND", `Method not found: ${verb} ${path}`);
}

/** Documents and collections share a URL; an even number of segments behind `documents/` names a document. */
function fits(method: string, { name, parent }: Record<string, string>): boolean {
  const resource = method === "GetDocument" ? name : method === "ListDocuments" ? parent : undefined;
  if (resource === undefined) return true;
  return (resource.split("/documents/")[1] ?? "").split("/").filter(Boolean).length % 2 === 0;
}

function notServed(method: string): StatusError {
  const why = isDuplex(method) ? "is a stream in both directions, for gRPC and WebChannel only" : "is not supported";
  return new StatusError("UNIMPLEMENTED", `The method ${method} ${why}.`);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidArgument(`"${part}" is not correctly percent-encoded.`);
  }
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
  // Google's emulator answers to the name of the version before, too, whose methods are the same.
  return { pattern: new RegExp(`^${source.replace(/^\/v1\//, "/v1(?:beta1)?/")}$`), variables };
}
