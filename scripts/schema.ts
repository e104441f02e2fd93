/** The parts of JSON Schema that zod writes and that matter for compatibility. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

/** Whether an app sends values of the schema or gets them: what is sent may not be asked more of, what is got may not offer less. */
export type Side = "sends" | "gets";

/** What in `after` would break an app that was written against `before`, a line each; `at` names the place. */
export function breakages(before: JsonSchema, after: JsonSchema, side: Side, at = ""): string[] {
  const here = at || "itself";
  return [
    ...(String(before.type) === String(after.type)
      ? []
      : [`${here}: was ${before.type ?? "anything"}, is ${after.type ?? "anything"}`]),
    ...properties(before, after, side, at),
    ...values(before, after, side).map((line) => `${here}: ${line}`),
    ...(side === "sends" ? bounds(before, after).map((line) => `${here}: ${line}`) : []),
    ...(before.items && after.items ? breakages(before.items, after.items, side, `${at}[]`) : []),
    ...alternatives(before, after, side, here),
    ...(isSchema(before.additionalProperties) && isSchema(after.additionalProperties)
      ? breakages(before.additionalProperties, after.additionalProperties, side, `${at}.*`)
      : []),
  ];
}

function properties(before: JsonSchema, after: JsonSchema, side: Side, at: string): string[] {
  const lines: string[] = [];
  for (const [name, schema] of Object.entries(before.properties ?? {})) {
    const place = at ? `${at}.${name}` : name;
    const now = after.properties?.[name];
    if (now) lines.push(...breakages(schema, now, side, place));
    else lines.push(`${place}: is gone`);
    const was = before.required?.includes(name) ?? false;
    const is = after.required?.includes(name) ?? false;
    if (side === "gets" && was && !is && now) lines.push(`${place}: may now be absent`);
    if (side === "sends" && !was && is) lines.push(`${place}: is now required`);
  }
  for (const name of after.required ?? []) {
    if (side === "sends" && !before.properties?.[name]) lines.push(`${at ? `${at}.` : ""}${name}: is new and required`);
  }
  return lines;
}

/** An app can send values that were allowed, and knows only those that were given. */
function values({ enum: before }: JsonSchema, { enum: after }: JsonSchema, side: Side): string[] {
  if (!before || !after) return [];
  if (side === "sends")
    return before.filter((value) => !after.includes(value)).map((value) => `${value} is no longer taken`);
  return after
    .filter((value) => !before.includes(value))
    .map((value) => `${value} is given, which old apps do not know`);
}

const LOWER = ["minimum", "minLength", "minItems"] as const;
const UPPER = ["maximum", "maxLength", "maxItems"] as const;

function bounds(before: JsonSchema, after: JsonSchema): string[] {
  const tighter = [
    ...LOWER.filter((name) => (after[name] ?? Number.NEGATIVE_INFINITY) > (before[name] ?? Number.NEGATIVE_INFINITY)),
    ...UPPER.filter((name) => (after[name] ?? Number.POSITIVE_INFINITY) < (before[name] ?? Number.POSITIVE_INFINITY)),
  ];
  const lines = tighter.map((name) => `${name} was ${before[name] ?? "free"}, is ${after[name]}`);
  if (after.pattern !== undefined && after.pattern !== before.pattern) lines.push(`must now match ${after.pattern}`);
  return lines;
}

function alternatives(before: JsonSchema, after: JsonSchema, side: Side, here: string): string[] {
  if (!before.anyOf || !after.anyOf) return before.anyOf || after.anyOf ? [`${here}: has other alternatives`] : [];
  const [had, has] = side === "sends" ? [before.anyOf, after.anyOf] : [after.anyOf, before.anyOf];
  const known = new Set(has.map((schema) => JSON.stringify(schema)));
  return had.every((schema) => known.has(JSON.stringify(schema))) ? [] : [`${here}: has other alternatives`];
}

function isSchema(schema: JsonSchema | boolean | undefined): schema is JsonSchema {
  return typeof schema === "object";
}
