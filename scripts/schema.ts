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
  const known = Object.entries(before.properties ?? {});
  const place = (name: string) => (at ? `${at}.${name}` : name);
  const isNew = (name: string) => !before.properties?.[name];
  return [
    ...known.flatMap(([name, schema]) => {
      const now = after.properties?.[name];
      return now ? breakages(schema, now, side, place(name)) : [`${place(name)}: is gone`];
    }),
    ...known.flatMap(([name]) => presence(name, before, after, side).map((line) => `${place(name)}: ${line}`)),
    ...(side === "sends"
      ? (after.required ?? []).filter(isNew).map((name) => `${place(name)}: is new and required`)
      : []),
  ];
}

/** What is sent may not become required; what is got may not become optional. */
function presence(name: string, before: JsonSchema, after: JsonSchema, side: Side): string[] {
  if (!after.properties?.[name]) return [];
  const [was, is] = [before, after].map(({ required }) => required?.includes(name) ?? false);
  if (side === "gets") return was && !is ? ["may now be absent"] : [];
  return !was && is ? ["is now required"] : [];
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
