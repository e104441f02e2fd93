import type * as z from "zod";
import type { Context } from "./context.ts";
import { StripeError } from "./errors.ts";
import type { Fields } from "./form.ts";
import { parseParams } from "./params.ts";

/** What the API has: a method and a path, the parameters it takes, and what it does. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  readonly parts: readonly string[];
  readonly run: (context: Context, fields: Fields, ids: readonly string[]) => object;
}

/** `path` such as `/v1/customers/:id`; what stands for parts with a colon is given to `handle` after the parameters. */
export function route<S extends z.ZodType>(
  method: Route["method"],
  path: string,
  schema: S,
  handle: (context: Context, params: z.output<S>, id: string, second: string) => object,
): Route {
  return {
    method,
    parts: path.split("/"),
    run: (context, fields, [id = "", second = ""]) => handle(context, parseParams(schema, fields), id, second),
  };
}

export interface Match {
  readonly route: Route;
  readonly ids: readonly string[];
}

export class Router {
  readonly #routes = new Map<string, Route[]>();

  constructor(routes: readonly Route[]) {
    for (const added of routes) {
      const key = `${added.method} ${added.parts.length}`;
      const list = this.#routes.get(key) ?? [];
      this.#routes.set(key, list);
      list.push(added);
    }
  }

  /** Of several routes that match, the first. Throws StripeError if there is none. */
  find(method: string, path: string): Match {
    const parts = path.split("/");
    for (const candidate of this.#routes.get(`${method} ${parts.length}`) ?? []) {
      const ids = match(candidate.parts, parts);
      if (ids !== undefined) return { route: candidate, ids };
    }
    throw new StripeError(
      404,
      "invalid_request_error",
      `Unrecognized request URL (${method}: ${path.slice(0, 200)}). The simulator has no such method.`,
      { early: true },
    );
  }
}

function match(wanted: readonly string[], parts: readonly string[]): string[] | undefined {
  const ids: string[] = [];
  for (const [i, part] of wanted.entries()) {
    const given = parts[i] ?? "";
    if (part.startsWith(":") && given !== "") ids.push(decoded(given));
    else if (part !== given) return undefined;
  }
  return ids;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
