import type { Allow, File, Match, PatternSegment } from "../language/syntax.ts";
import { RulesPath } from "../value.ts";
import { Unknown, type Value } from "./unknown.ts";

/** A segment of the path that a request is about: a text, one that can be any, or any number of such. */
export type TargetSegment =
  | { readonly kind: "known"; readonly text: string }
  | { readonly kind: "one"; readonly id: Unknown }
  | { readonly kind: "many" };

/** An `allow` with the path of all the `match` blocks it stands in. */
export interface Rule {
  readonly allow: Allow;
  readonly pattern: readonly LeveledSegment[];
  readonly level: number;
}

interface LeveledSegment {
  readonly segment: PatternSegment;
  /** The level of the block that the segment belongs to, which is where its variable is seen. */
  readonly level: number;
}

/** What wildcards stand for, by the level of their block. */
export type Captures = readonly ReadonlyMap<string, Value>[];

/** The rules of a service in the order of the text. */
export function rulesOf(file: File, service: string): readonly Rule[] {
  const rules: Rule[] = [];
  for (const { name, matches } of file.services) {
    if (name === service) for (const match of matches) collect(match, [], 2, rules);
  }
  return rules.toSorted((a, b) => a.allow.start - b.allow.start);
}

function collect(match: Match, above: readonly LeveledSegment[], level: number, rules: Rule[]): void {
  const pattern = [...above, ...match.pattern.map((segment) => ({ segment, level }))];
  for (const allow of match.allows) rules.push({ allow, pattern, level });
  for (const inner of match.matches) collect(inner, pattern, level + 1, rules);
}

/**
 * Matches a rule against a path: what its wildcards stand for, or undefined. A path with unknown segments is matched only
 * if all that they can be are.
 */
export function matchRule({ pattern, level }: Rule, target: readonly TargetSegment[], version: 1 | 2) {
  const spans = new Matching(pattern, target, version).spans(0, 0);
  if (!spans) return undefined;
  const captures = Array.from({ length: level + 1 }, () => new Map<string, Value>());
  for (const [i, { segment, level: at }] of pattern.entries()) {
    const taken = target.slice(spans[i], spans[i + 1]);
    if (segment.kind === "literal") continue;
    captures[at]?.set(segment.name, segment.kind === "rest" ? pathOf(taken) : textOf(taken[0]));
  }
  return captures as Captures;
}

function textOf(segment: TargetSegment | undefined): Value {
  return segment?.kind === "known" ? segment.text : segment?.kind === "one" ? segment.id : new Unknown();
}

function pathOf(segments: readonly TargetSegment[]): Value {
  const texts = segments.flatMap((segment) => (segment.kind === "known" ? [segment.text] : []));
  if (texts.length === segments.length) return new RulesPath(texts);
  return new Unknown({ example: new RulesPath([]) });
}

/** Tries every way to spread a path over a pattern; what has failed once is not tried again. */
class Matching {
  readonly #pattern: readonly LeveledSegment[];
  readonly #target: readonly TargetSegment[];
  readonly #version: 1 | 2;
  readonly #failed = new Set<number>();

  constructor(pattern: readonly LeveledSegment[], target: readonly TargetSegment[], version: 1 | 2) {
    this.#pattern = pattern;
    this.#target = target;
    this.#version = version;
  }

  /** Where in the target each segment of the pattern from `i` on begins, and at last where it ends. */
  spans(i: number, j: number): number[] | undefined {
    const segment = this.#pattern[i]?.segment;
    if (!segment) return j === this.#target.length ? [j] : undefined;
    const key = i * (this.#target.length + 1) + j;
    if (this.#failed.has(key)) return undefined;
    for (const end of this.#ends(segment, j)) {
      const rest = this.spans(i + 1, end);
      if (rest) return [j, ...rest];
    }
    this.#failed.add(key);
    return undefined;
  }

  /** How far a segment of the pattern can reach. */
  #ends(segment: PatternSegment, j: number): number[] {
    const next = this.#target[j];
    if (segment.kind === "rest") return this.#restEnds(j);
    if (next === undefined || next.kind === "many") return [];
    if (segment.kind === "capture") return [j + 1];
    return next.kind === "known" && next.text === segment.text ? [j + 1] : [];
  }

  /**
   * In version 1 at least one segment, in version 2 any number.
   * Source: https://firebase.google.com/docs/firestore/security/rules-structure#recursive_wildcards
   */
  #restEnds(j: number): number[] {
    const least = this.#version === 2 ? 0 : 1;
    const most = this.#target.length - j;
    const ends = Array.from({ length: Math.max(0, most - least + 1) }, (_, n) => j + least + n);
    return ends.filter((end) => least === 0 || this.#target.slice(j, end).some(({ kind }) => kind !== "many"));
  }
}
