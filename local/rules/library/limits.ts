/**
 * What one operation of the rules may cost here. The reference names no such limits; these are far above what a document of one
 * mebibyte needs, and keep any rule from holding up the process.
 */
export const LIMITS = {
  /** UTF-16 units of a string. */
  text: 4 * 1024 * 1024,
  /** Elements of a list. */
  items: 1_000_000,
  /** Lists and maps within each other. */
  depth: 200,
  /** Characters that describe all that one operation compares. */
  comparison: 8 * 1024 * 1024,
  /** UTF-16 units of a regular expression. */
  pattern: 10_000,
  /** Compiled regular expressions that are kept. */
  patterns: 500,
  /** Instructions of a regular expression times UTF-16 units of the text, for one match. */
  matching: 200_000_000,
  /** How long all the matches of one `replace` or `split` may take together. */
  matchingMillis: 2_000,
  /** Digits of a number in a string. */
  digits: 1_000,
} as const;
