/**
 * What the language allows at most.
 * Source: https://firebase.google.com/docs/firestore/quotas#security_rules
 */
export const LIMITS = {
  sourceBytes: 256 * 1024,
  /** `match` blocks inside each other. */
  matchDepth: 10,
  matchSegments: 100,
  /** Wildcards along one chain of `match` blocks. */
  captures: 20,
  parameters: 7,
  lets: 10,
  callDepth: 20,
  /** Expressions evaluated for one request. */
  expressions: 1_000,
  /** Parentheses, operators, lists, maps and calls inside each other. */
  nesting: 99,
  /** Whatever else can be put inside each other, as `a.b.c`; production names no limit. */
  depth: 500,
  /** Expressions that are evaluated inside each other, through all calls; a limit of this implementation's. */
  evaluationDepth: 700,
  /** Issues reported of one source. */
  issues: 50,
} as const;
