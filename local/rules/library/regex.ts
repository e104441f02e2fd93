import { type Matcher, RE2JS } from "re2js";
import { RulesError } from "../value.ts";
import { LIMITS } from "./limits.ts";

/**
 * Regular expressions in the syntax of RE2, whose matches take time linear in the text. Replacements are Java's: `$1` and `${name}` are
 * groups, a backslash makes the next character literal.
 * Sources: https://github.com/google/re2/wiki/Syntax, https://firebase.google.com/docs/reference/rules/rules.String
 */

const compiled = new Map<string, RE2JS>();

/** @throws RulesError if the expression cannot be understood, or is too large for the text */
function compile(expression: string, text: string): RE2JS {
  const known = compiled.get(expression) ?? parse(expression);
  if (known.programSize() * text.length > LIMITS.matching) {
    throw new RulesError("The regular expression is too large for a text of this length.");
  }
  return known;
}

function parse(expression: string): RE2JS {
  if (expression.length > LIMITS.pattern) throw new RulesError("The regular expression is too long.");
  let parsed: RE2JS;
  try {
    parsed = RE2JS.compile(expression);
  } catch {
    throw new RulesError(`Invalid regular expression pattern. Pattern: ${expression}.`);
  }
  const oldest = compiled.keys().next();
  if (compiled.size >= LIMITS.patterns && !oldest.done) compiled.delete(oldest.value);
  compiled.set(expression, parsed);
  return parsed;
}

/** Whether the expression matches the text from its first to its last character. */
export function matchesWhole(text: string, expression: string): boolean {
  return compile(expression, text).matches(text);
}

/** All matches, from left to right. That many of them stay linear is not said, so their time is limited. */
function* matchesOf(text: string, expression: string): Generator<Matcher, void> {
  const matcher = compile(expression, text).matcher(text);
  const deadline = performance.now() + LIMITS.matchingMillis;
  while (matcher.find()) {
    yield matcher;
    if (performance.now() > deadline) throw new RulesError("The regular expression takes too long.");
  }
}

/** The text between the matches. Empty pieces at the end are left out, as is one in front of an empty match at the beginning. */
export function splitAt(text: string, expression: string): string[] {
  if (text === "") return [""];
  const pieces: string[] = [];
  let from = 0;
  for (const match of matchesOf(text, expression)) {
    if (match.end() === 0) continue;
    pieces.push(text.slice(from, match.start()));
    if (pieces.length > LIMITS.items) throw new RulesError("The list is too long.");
    from = match.end();
  }
  pieces.push(text.slice(from));
  while (pieces.at(-1) === "") pieces.pop();
  return pieces;
}

/**
 * The text with every match replaced.
 * @throws RulesError if the replacement names a group that the expression does not have
 */
export function replaceAll(text: string, expression: string, replacement: string): string {
  const groups = compile(expression, text).groupCount();
  const template = parseTemplate(replacement, groups);
  const parts: string[] = [];
  let from = 0;
  let length = 0;
  for (const match of matchesOf(text, expression)) {
    const part = text.slice(from, match.start()) + template.map((piece) => expand(piece, match)).join("");
    length += part.length;
    if (length > LIMITS.text) throw new RulesError("The string is too long.");
    parts.push(part);
    from = match.end();
  }
  return parts.join("") + text.slice(from);
}

/** A part of a replacement: literal text, or a group by its number or name. */
type Piece = string | { readonly group: number | string };

function expand(piece: Piece, match: Matcher): string {
  if (typeof piece === "string") return piece;
  try {
    return match.group(piece.group) ?? "";
  } catch {
    throw new RulesError(`There is no group ${piece.group} in the regular expression.`);
  }
}

const TEMPLATE = /\\(.)|\$(\d+)|\$\{([A-Za-z][A-Za-z0-9]*)\}|([^\\$]+)|(.)/gsy;

function parseTemplate(replacement: string, groups: number): Piece[] {
  const pieces: Piece[] = [];
  for (const [, escaped, digits, name, literal] of replacement.matchAll(TEMPLATE)) {
    if (digits !== undefined) pieces.push(...groupReference(digits, groups));
    else if (name !== undefined) pieces.push({ group: name });
    else pieces.push(literalPiece(escaped ?? literal));
  }
  return pieces;
}

function literalPiece(text: string | undefined): string {
  if (text === undefined) throw new RulesError("Illegal group reference in the replacement.");
  return text;
}

/** `$12` is group 12 if there are that many, otherwise group 1 and the digit 2. */
function groupReference(digits: string, groups: number): Piece[] {
  let used = 1;
  while (used < digits.length && Number(digits.slice(0, used + 1)) <= groups) used++;
  const group = Number(digits.slice(0, used));
  if (group > groups) throw new RulesError(`There is no group ${group} in the regular expression.`);
  return [{ group }, digits.slice(used)];
}
