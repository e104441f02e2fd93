import { RulesPath } from "../value.ts";
import type { TargetSegment } from "./match.ts";
import type { Constraint, RulesRequest } from "./request.ts";
import { Unknown, type Value, valueFrom } from "./unknown.ts";

/** Constraints that a disjunction is taken apart into at most; beyond it, `in` is not taken apart. */
const MAX_ALTERNATIVES = 100;

/** What a request is about: the path that rules have to match, or one of several, and `resource`. */
export interface Subject {
  readonly targets: readonly (readonly TargetSegment[])[];
  readonly resource: Value;
}

/** A query is about each of its disjunctions, all other requests are about one document or file. */
export function subjectsOf(request: RulesRequest): readonly Subject[] {
  const { method, service, path, resource } = request;
  if (method !== "list") return [{ targets: [known(path)], resource }];
  if (service === "firebase.storage") return [{ targets: folder(path), resource }];
  const disjunctions = request.query?.disjunctions ?? [];
  const all = disjunctions.length === 0 ? [[]] : disjunctions;
  return all.flatMap(alternatives).map((constraints) => listed(request, constraints));
}

function known(path: readonly string[]): TargetSegment[] {
  return path.map((text) => ({ kind: "known", text }));
}

/**
 * A list of files is allowed by a rule for the folder itself, as Google's emulator has it, or for whatever file in it, as in the examples
 * of https://firebase.google.com/docs/storage/security/core-syntax#granular_operations
 */
function folder(path: readonly string[]): readonly (readonly TargetSegment[])[] {
  return [known(path), [...known(path), { kind: "one", id: new Unknown({ example: "" }) }]];
}

/** Any document that a query can find by these constraints. */
function listed({ path, query }: RulesRequest, constraints: readonly Constraint[]): Subject {
  const name = constraints.find(({ field, operator }) => isName(field) && operator === "==")?.value;
  const data = valueFrom(
    constraints.filter(({ field }) => !isName(field)),
    new Map(),
  );
  if (name instanceof RulesPath) {
    const fields = new Map<string, Value>([
      ["data", data],
      ["id", name.segments.at(-1) ?? ""],
      ["__name__", name],
    ]);
    return { targets: [known(name.segments)], resource: new Unknown({ fields }) };
  }
  const id = new Unknown({ example: "" });
  const fields = new Map<string, Value>([
    ["data", data],
    ["id", id],
    ["__name__", new Unknown({ example: new RulesPath([]) })],
  ]);
  const group: TargetSegment[] = query?.collectionGroup === undefined ? [] : [{ kind: "many" }];
  const target = [
    ...known(path),
    ...group,
    ...known(query?.collectionGroup === undefined ? [] : [query.collectionGroup]),
  ];
  return { targets: [[...target, { kind: "one", id }]], resource: new Unknown({ fields }) };
}

function isName(field: readonly string[]): boolean {
  return field.length === 1 && field[0] === "__name__";
}

/** Takes `in` and `array-contains-any` apart: each of their values by itself settles more than all of them together. */
function alternatives(constraints: readonly Constraint[]): readonly (readonly Constraint[])[] {
  let all: readonly (readonly Constraint[])[] = [[]];
  for (const constraint of constraints) {
    const options = optionsOf(constraint);
    const apart = options.length * all.length <= MAX_ALTERNATIVES ? options : [constraint];
    all = all.flatMap((before) => apart.map((option) => [...before, option]));
  }
  return all;
}

function optionsOf(constraint: Constraint): readonly Constraint[] {
  const { field, operator, value } = constraint;
  if ((operator !== "in" && operator !== "array-contains-any") || !Array.isArray(value)) return [constraint];
  if (value.length === 0) return [constraint];
  return value.map((item) => ({ field, operator: operator === "in" ? "==" : "array-contains", value: item }));
}
