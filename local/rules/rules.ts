import { check } from "./language/check.ts";
import { type Finding, type Issue, Positions, RulesSyntaxError } from "./language/issue.ts";
import { LIMITS } from "./language/limits.ts";
import { parseFile } from "./language/parser.ts";
import { Ruleset } from "./ruleset.ts";

export type { Constraint, RulesQuery, RulesRequest, Verdict } from "./evaluation/request.ts";
export { type Issue, RulesSyntaxError } from "./language/issue.ts";
export { Ruleset } from "./ruleset.ts";

/**
 * Reads rules for Firestore or Cloud Storage, of version 1 or 2.
 * Source: https://firebase.google.com/docs/rules/rules-language
 * @throws RulesSyntaxError with everything that keeps the source from being a ruleset
 */
export function parseRules(source: string): Ruleset {
  if (Buffer.byteLength(source) > LIMITS.sourceBytes) {
    const description = `The source of the rules is larger than ${LIMITS.sourceBytes / 1024} KB.`;
    throw new RulesSyntaxError([{ line: 1, column: 1, description }]);
  }
  const { file, findings } = parseFile(source);
  if (findings.length > 0) throw new RulesSyntaxError(issuesOf(source, findings));
  const { program, errors, warnings } = check(file);
  if (errors.length > 0) throw new RulesSyntaxError(issuesOf(source, errors));
  return new Ruleset(source, program, issuesOf(source, warnings));
}

function issuesOf(source: string, findings: readonly Finding[]): readonly Issue[] {
  const positions = new Positions(source);
  return findings
    .toSorted((a, b) => a.start - b.start)
    .slice(0, LIMITS.issues)
    .map(({ start, description }) => {
      const { line, column } = positions.at(start);
      return { line, column, description };
    });
}
