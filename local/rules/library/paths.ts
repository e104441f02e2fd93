import { RulesError, type RulesMap, RulesPath } from "../value.ts";
import { method, type Operations } from "./signature.ts";

/** Paths of resources. Source: https://firebase.google.com/docs/reference/rules/rules.Path */

/** Segments that wait for `bind`: as in a path of the rules, and as in a path made from a string. */
const WILDCARD = /^(?:\$\((\w+)\)|\{(\w+)\})$/;

export const PATH_METHODS: Operations<RulesPath> = new Map([["bind", method(["map"], bind)]]);

/** `path("a/b")`, with or without a slash in front. @throws RulesError if there is nothing between two slashes */
export function parsePath(text: string): RulesPath {
  const segments = text.replace(/^\//, "").split("/");
  if (segments.includes("")) throw new RulesError(`Invalid path: [${text}].`);
  return new RulesPath(segments);
}

export function formatPath(path: RulesPath): string {
  return `/${path.segments.join("/")}`;
}

/** Puts values in the place of wildcards. Those that the map does not name go on waiting. */
function bind(path: RulesPath, values: RulesMap): RulesPath {
  const bindings = new Map(path.bindings);
  const segments = path.segments.flatMap((segment) => {
    const [, raw, braced] = WILDCARD.exec(segment) ?? [];
    const name = raw ?? braced;
    const value = name === undefined ? undefined : values.get(name);
    if (name === undefined || value === undefined) return [segment];
    if (typeof value !== "string") throw new RulesError(`Unexpected argument: [${name}] must be a string.`);
    bindings.set(name, value);
    return parsePath(value).segments;
  });
  return new RulesPath(segments, bindings);
}
