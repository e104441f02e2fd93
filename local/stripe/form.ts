import { invalid } from "./errors.ts";

/**
 * The encoding of Stripe's requests: a form whose names say by brackets where a value belongs, `items[0][price]=price_1`.
 * https://docs.stripe.com/api/metadata shows it; lists come with numbers or with empty brackets.
 */

/** Values are texts or further fields. A list is fields named 0, 1, 2…: what is one, only its parameter knows. */
export interface Fields {
  [name: string]: string | Fields;
}

const MAX_PAIRS = 2_000;
const MAX_DEPTH = 8;

/** Reads a form. Throws StripeError for names that contradict each other, go too deep or are too many. */
export function decodeForm(text: string): Fields {
  const fields = newFields();
  let pairs = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    if (++pairs > MAX_PAIRS) throw invalid(`At most ${MAX_PAIRS} parameters can be sent.`, { early: true });
    place(fields, pathOf(name), value);
  }
  return fields;
}

/** Writes fields so that {@link decodeForm} reads the same. */
export function encodeForm(fields: Fields): string {
  const form = new URLSearchParams();
  append(form, fields, "", 0);
  return form.toString();
}

function append(form: URLSearchParams, fields: Fields, prefix: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError(`Fields go at most ${MAX_DEPTH} deep.`);
  for (const [name, value] of Object.entries(fields)) {
    const full = prefix === "" ? name : `${prefix}[${name}]`;
    if (typeof value === "string") form.append(full, value);
    else append(form, value, full, depth + 1);
  }
}

function pathOf(name: string): string[] {
  const open = name.indexOf("[");
  const path =
    open <= 0
      ? [name]
      : [name.slice(0, open), ...Array.from(name.slice(open).matchAll(/\[([^[\]]*)\]/g), ([, part = ""]) => part)];
  const isWhole =
    open <= 0 ||
    name.slice(open) ===
      path
        .slice(1)
        .map((part) => `[${part}]`)
        .join("");
  if (!isWhole || path.length > MAX_DEPTH || path.includes("__proto__")) {
    throw invalid(`Invalid parameter name: ${name.slice(0, 200)}`, {
      code: "parameter_unknown",
      param: name.slice(0, 200),
      early: true,
    });
  }
  return path;
}

function place(fields: Fields, path: readonly string[], value: string): void {
  let at = fields;
  for (const [depth, part] of path.entries()) {
    const name = part === "" && depth > 0 ? String(Object.keys(at).length) : part;
    if (depth === path.length - 1) {
      if (typeof at[name] === "object") throw clash(path);
      at[name] = value;
      return;
    }
    const next = at[name] ?? newFields();
    // An empty text stands for an empty list or object, which more fields then fill.
    if (typeof next === "string" && next !== "") throw clash(path);
    at = at[name] = typeof next === "string" ? newFields() : next;
  }
}

function clash(path: readonly string[]): Error {
  return invalid(`Invalid parameter: ${path[0]} is both a value and an object.`, { param: path[0] ?? "", early: true });
}

/** Without a prototype, so that no name means anything. */
function newFields(): Fields {
  return Object.create(null) as Fields;
}
