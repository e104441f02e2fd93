import type { RuleKind } from "./check.ts";
import type { QueryVariables, RulesAuth } from "./contract.ts";
import type { Coverage } from "./coverage.ts";
import { Budget, holds, type Scope } from "./evaluate.ts";
import type { Expression } from "./expression.ts";
import { Snapshot } from "./snapshot.ts";
import type { Rule, RuleNode } from "./tree.ts";
import { Claims, describe, QueryFields, RuleFailure, type RuleValue, type Scalar, shorten } from "./value.ts";

/** A location of the database, with the rules that stand there and the data before and after the request. */
export interface Place {
  readonly path: string;
  readonly node: RuleNode;
  readonly data: Snapshot;
  /** Absent for reads. */
  readonly newData: Snapshot | undefined;
  /** What the `$variables` on the way here stand for. */
  readonly bindings: ReadonlyMap<string, string>;
}

export interface Question {
  readonly auth: RulesAuth | null;
  readonly now: number;
  readonly root: Snapshot;
  readonly query: QueryVariables;
}

/** What became of a rule: whether it held, or what kept it from being evaluated. */
interface Outcome {
  readonly place: Place;
  readonly kind: RuleKind;
  readonly rule: Rule;
  readonly held: boolean;
  readonly failure: string | undefined;
}

/** The parts of rules whose values say why a rule did not hold. */
const TELLING: ReadonlySet<Expression["kind"]> = new Set<Expression["kind"]>(["variable", "member", "index", "call"]);
const MAX_LINES = 200;
const MAX_NOTES = 30;
const MAX_REMEMBERED = 10_000;

/** Evaluates rules for one request, and remembers how that went. */
export class Judge {
  readonly #variables: readonly (readonly [string, RuleValue])[];
  readonly #budget = new Budget();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #coverage: Coverage;

  constructor({ auth, now, root, query }: Question, coverage: Coverage) {
    this.#coverage = coverage;
    this.#variables = [
      ["auth", auth && claimsOf(auth)],
      ["now", now],
      ["root", root],
      ["query", fieldsOf(query)],
    ];
  }

  /** Whether the location's rule of that kind holds; undefined if it has none. */
  ask(kind: RuleKind, place: Place): boolean | undefined {
    const rule = place.node.rules[kind];
    if (!rule) return undefined;
    const key = `${kind} ${place.path}`;
    const known = this.#outcomes.get(key);
    if (known) return known.held;
    const outcome = this.#evaluate(kind, rule, place);
    if (!outcome.held || this.#outcomes.size < MAX_REMEMBERED) this.#outcomes.set(key, outcome);
    return outcome.held;
  }

  /** The rules that were asked about a location, above it and below, and what those that did not hold saw. */
  log(path: string): string[] {
    const outcomes = [...this.#outcomes.values()].filter(({ place }) => isOnWay(place.path, path));
    return outcomes.flatMap((outcome) => this.#explain(outcome)).slice(-MAX_LINES);
  }

  #evaluate(kind: RuleKind, rule: Rule, place: Place): Outcome {
    const note = (expression: Expression, value: RuleValue) => this.#coverage.record(expression, value);
    try {
      return { place, kind, rule, held: holds(rule.expression, { ...this.#scope(place), note }), failure: undefined };
    } catch (error) {
      if (!(error instanceof RuleFailure)) throw error;
      this.#coverage.recordFailure(rule.expression, error.message);
      return { place, kind, rule, held: false, failure: error.message };
    }
  }

  #scope({ data, newData, bindings }: Place): Scope {
    const variables = new Map<string, RuleValue>([...this.#variables, ["data", data], ...bindings]);
    if (newData) variables.set("newData", newData);
    return { variables, budget: this.#budget };
  }

  #explain(outcome: Outcome): string[] {
    const { place, kind, rule, held, failure } = outcome;
    const head = `\t${place.path}:.${kind}: "${shorten(rule.text)}"`;
    const notes = held ? [] : this.#notes(rule, place).map((note) => `\t\t${note}`);
    return [head, ...notes, failure === undefined ? `\t\t=> ${held}` : `\t\t=> false: ${failure}`];
  }

  /** The values that a rule saw, found by evaluating it again. */
  #notes(rule: Rule, place: Place): string[] {
    const notes = new Map<string, string>();
    const note = ({ at, end, kind }: Expression, value: RuleValue) => {
      const isPart = !TELLING.has(kind) || (value instanceof Snapshot && kind !== "call");
      if (!isPart && notes.size < MAX_NOTES) notes.set(shorten(rule.text.slice(at, end)), describe(value));
    };
    try {
      holds(rule.expression, { ...this.#scope(place), budget: new Budget(), note });
    } catch (error) {
      if (!(error instanceof RuleFailure)) throw error;
    }
    return [...notes].map(([text, value]) => `${text} = ${value}`);
  }
}

function isOnWay(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => (path === "/" ? path : `${path}/`)) as [string, string];
  return a.startsWith(b) || b.startsWith(a);
}

function claimsOf({ uid, token, provider, ...others }: RulesAuth): Claims {
  const firebase = new Claims(token).get("firebase");
  return new Claims({
    ...others,
    uid,
    token,
    provider: provider ?? (firebase instanceof Claims ? firebase.get("sign_in_provider") : null),
  });
}

function fieldsOf(query: QueryVariables): QueryFields {
  const fields: Record<keyof QueryVariables, Scalar> = {
    orderByKey: query.orderByKey ?? false,
    orderByValue: query.orderByValue ?? false,
    orderByPriority: query.orderByPriority ?? false,
    orderByChild: query.orderByChild ?? null,
    startAt: query.startAt ?? null,
    endAt: query.endAt ?? null,
    equalTo: query.equalTo ?? null,
    limitToFirst: query.limitToFirst ?? null,
    limitToLast: query.limitToLast ?? null,
  };
  return new QueryFields(new Map(Object.entries(fields)));
}
