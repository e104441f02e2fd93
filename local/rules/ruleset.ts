import { Coverage, type CoverageReport } from "./evaluation/coverage.ts";
import { Documents } from "./evaluation/documents.ts";
import { Evaluator, LimitReached } from "./evaluation/evaluator.ts";
import { explain, shorten } from "./evaluation/explain.ts";
import { type Captures, matchRule, type Rule, rulesOf } from "./evaluation/match.ts";
import { type Subject, subjectsOf } from "./evaluation/query.ts";
import type { RulesRequest, Verdict } from "./evaluation/request.ts";
import { requestMap } from "./evaluation/request-map.ts";
import type { Outcome } from "./evaluation/trace.ts";
import { Unknown, Unproven } from "./evaluation/unknown.ts";
import { type Issue, type Position, Positions } from "./language/issue.ts";
import type { Program } from "./language/program.ts";

interface Judgement {
  readonly allowed: boolean;
  /** What came of a rule, in the words of the emulator: `false for 'get' @ L5`. */
  readonly outcome: string;
  /** Why, if there is more to say. */
  readonly reason?: string;
  /** Nothing more may be evaluated for the request. */
  readonly exhausted?: boolean;
}

/** Rules that can be asked. Made by `parseRules`. */
export class Ruleset {
  /** What production warns of when it releases such rules, in the order of the text. */
  readonly warnings: readonly Issue[];
  readonly #source: string;
  readonly #program: Program;
  readonly #positions: Positions;
  readonly #rules = new Map<string, readonly Rule[]>();
  readonly #statements = new Map<Rule, string>();
  readonly #coverage: Coverage;

  constructor(source: string, program: Program, warnings: readonly Issue[]) {
    this.#source = source;
    this.#program = program;
    this.#positions = new Positions(source);
    this.warnings = warnings;
    this.#coverage = new Coverage(source, program);
    for (const { name } of program.file.services) this.#rules.set(name, rulesOf(program.file, name));
  }

  /** Which version of the language the rules are written in. */
  get version(): 1 | 2 {
    return this.#program.file.version;
  }

  /**
   * Whether a request is allowed: one rule whose path and method match has to hold. A query is allowed if it is for
   * everything that it could find.
   * @throws whatever `request.document` throws, and nothing else
   */
  evaluate(request: RulesRequest): Verdict {
    const documents = new Documents(request);
    let verdict = verdictOf([]);
    for (const subject of subjectsOf(request)) {
      verdict = this.#judge(request, subject, documents);
      if (!verdict.allowed) break;
    }
    return { ...verdict, reads: documents.reads };
  }

  /** How often each expression had which values, in the form of the emulator's `ruleCoverage`. */
  coverage(fileName = "security.rules"): CoverageReport {
    return this.#coverage.report(fileName);
  }

  /** The same as a page for people. */
  coverageHtml(fileName = "security.rules"): string {
    return this.#coverage.html(fileName);
  }

  #judge(request: RulesRequest, subject: Subject, documents: Documents): Omit<Verdict, "reads"> {
    const evaluator = new Evaluator({
      program: this.#program,
      service: request.service,
      request: requestMap(request, this.version),
      resource: subject.resource,
      documents,
      debug: request.debug ?? (() => undefined),
      record: (expression, outcome) => this.#coverage.record(expression, outcome),
    });
    const denials: Judgement[] = [];
    for (const { rule, captures } of this.#matching(request, subject)) {
      const judgement = this.#rule(request, rule, captures, evaluator);
      if (judgement.allowed) {
        return { allowed: true, explanation: judgement.outcome, statement: this.#statementOf(rule) };
      }
      denials.push(judgement);
      if (judgement.exhausted) break;
    }
    return verdictOf(denials);
  }

  *#matching({ service, method }: RulesRequest, { targets }: Subject): Iterable<{ rule: Rule; captures: Captures }> {
    for (const rule of this.#rules.get(service) ?? []) {
      if (!rule.allow.methods.has(method)) continue;
      for (const target of targets) {
        const captures = matchRule(rule, target, this.version);
        if (!captures) continue;
        yield { rule, captures };
        break;
      }
    }
  }

  /** A rule as it stands in the text, on one line. */
  #statementOf(rule: Rule): string {
    const known = this.#statements.get(rule);
    if (known !== undefined) return known;
    const { allow } = rule;
    const { line } = this.#positions.at((allow.condition ?? allow).start);
    const statement = `L${line}: ${shorten(allow, this.#source)}`;
    this.#statements.set(rule, statement);
    return statement;
  }

  #rule({ method }: RulesRequest, { allow }: Rule, captures: Captures, evaluator: Evaluator): Judgement {
    const { condition } = allow;
    const position = this.#positions.at((condition ?? allow).start);
    const line = `L${position.line}`;
    const where = `for '${method}' @ ${line}`;
    if (!condition) return { allowed: true, outcome: `true ${where}` };
    try {
      const { outcome, trace } = evaluator.condition(condition, captures);
      if (outcome.value === true) return { allowed: true, outcome: `true ${where}` };
      const why = explain(this.#source, condition, trace);
      return {
        allowed: false,
        outcome: `${failure(outcome, position)} ${where}`,
        ...(why && { reason: `${line}: ${why}` }),
      };
    } catch (error) {
      if (error instanceof LimitReached) {
        return { allowed: false, outcome: `${error.message} ${where}`, exhausted: true };
      }
      throw error;
    }
  }
}

/** What came of each rule on the first line, as the emulator has it; then, a line for each rule, why. */
function verdictOf(denials: readonly Judgement[]): Omit<Verdict, "reads"> {
  const outcomes = denials.map(({ outcome }) => outcome).join(", ") || "No matching allow statements";
  const reasons = denials.flatMap(({ reason }) => reason ?? []);
  return { allowed: false, explanation: [outcomes, ...reasons].join("\n") };
}

function failure({ value, error }: Outcome, { line, column }: Position): string {
  if (value === false) return "false";
  if (value instanceof Unknown || error?.message === Unproven.UNSETTLED)
    return `evaluation error at L${line}:${column}`;
  return error?.message ?? "Type error: the condition is not a boolean.";
}
