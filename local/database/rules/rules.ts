import type { ReadRequest, RulesAuth, Verdict, WriteRequest } from "./contract.ts";
import { Coverage } from "./coverage.ts";
import { Judge, type Place } from "./judge.ts";
import { Snapshot } from "./snapshot.ts";
import { DatabaseRulesError } from "./source.ts";
import { type RuleNode, readRules } from "./tree.ts";

/** Security rules of the Realtime Database. */

export { DatabaseRulesError };

/**
 * Reads a rules file: JSON, with comments and commas behind last entries tolerated. Refuses what the service would refuse to
 * deploy with a `DatabaseRulesError`, whose message says where: `3:17: Unknown variable 'foo'.`
 * Source: https://firebase.google.com/docs/database/security/core-syntax
 */
export function parseDatabaseRules(source: string): DatabaseRules {
  return new DatabaseRules(source, readRules(source));
}

export class DatabaseRules {
  readonly #tree: RuleNode;
  /** What has been evaluated so far. */
  readonly coverage: Coverage;

  constructor(source: string, tree: RuleNode) {
    this.#tree = tree;
    this.coverage = new Coverage(source, tree);
  }

  /** A read is allowed by any `.read` that holds, at its location or above. */
  mayRead({ path, auth, now, root, query = {} }: ReadRequest): Verdict {
    const data = new Snapshot(root);
    const judge = new Judge({ auth, now, root: data, query }, this.coverage);
    const granting = this.#placesTo(path, data, undefined).find((place) => judge.ask("read", place));
    const title = `Attempt to read ${formatPath(path)} with auth=${formatAuth(auth)}`;
    if (granting) return verdict(true, title, `Read was allowed by the .read rule at ${granting.path}.`);
    const log = judge.log(formatPath(path));
    return verdict(false, title, ...log, "No .read rule allowed the operation.", "Read was denied.");
  }

  /**
   * A write is allowed if for each of its locations a `.write` holds there or above, and every `.validate` holds above, at and
   * below it where the write leaves data. What is beside the written locations is not validated.
   */
  mayWrite({ paths, auth, now, root, newRoot }: WriteRequest): Verdict {
    const data = new Snapshot(root);
    const newData = new Snapshot(newRoot);
    const judge = new Judge({ auth, now, root: data, query: {} }, this.coverage);
    for (const path of paths) {
      const reason = refusal(this.#placesTo(path, data, newData), path.length, judge);
      if (reason === undefined) continue;
      const title = `Attempt to write ${formatPath(path)} with auth=${formatAuth(auth)}`;
      return verdict(false, title, ...judge.log(formatPath(path)), reason, "Write was denied.");
    }
    const written = paths.slice(0, MAX_PATHS_NAMED).map(formatPath).join(", ");
    return verdict(true, `Attempt to write ${written} with auth=${formatAuth(auth)}`, "Write was allowed.");
  }

  /** What `.indexOn` names at a location: paths of children, or `.value`. */
  indexes(path: readonly string[]): readonly string[] {
    let node: RuleNode | undefined = this.#tree;
    for (const key of path) node = node && (node.children.get(key) ?? node.wildcard?.node);
    return node?.indexes ?? [];
  }

  /** The locations from the root to the end of a path, or to where there are no more rules. */
  #placesTo(path: readonly string[], data: Snapshot, newData: Snapshot | undefined): Place[] {
    let place: Place | undefined = { path: "/", node: this.#tree, data, newData, bindings: new Map() };
    const places = [place];
    for (const key of path) {
      place = below(place, key);
      if (!place) return places;
      places.push(place);
    }
    return places;
  }
}

const MAX_PATHS_NAMED = 20;
const MAX_AUTH_LENGTH = 1_000;

/** The child's location, if there are rules for it. */
function below(place: Place, key: string): Place | undefined {
  const { node, data, newData, bindings } = place;
  const own = node.children.get(key);
  const next = own ?? node.wildcard?.node;
  if (!next) return undefined;
  return {
    path: place.path === "/" ? `/${key}` : `${place.path}/${key}`,
    node: next,
    data: data.child(key),
    newData: newData?.child(key),
    bindings: own || !node.wildcard ? bindings : new Map([...bindings, [node.wildcard.name, key]]),
  };
}

/** Why a location may not be written, given the locations on the way there as far as there are rules. */
function refusal(places: readonly Place[], pathLength: number, judge: Judge): string | undefined {
  if (!places.some((place) => judge.ask("write", place))) return "No .write rule allowed the operation.";
  const written = places[pathLength];
  const invalid = places.find((place) => !isValid(place, judge)) ?? (written && invalidBelow(written, judge));
  return invalid && `The .validate rule at ${invalid.path} disallowed the operation.`;
}

/** Nothing is always valid: a deletion is. */
function isValid(place: Place, judge: Judge): boolean {
  return !place.newData?.exists || judge.ask("validate", place) !== false;
}

/** Goes no deeper than the rules. */
function invalidBelow(place: Place, judge: Judge): Place | undefined {
  if (!place.node.validates) return undefined;
  for (const key of place.newData?.node.keys() ?? []) {
    const child = below(place, key);
    if (!child?.node.validates) continue;
    const invalid = isValid(child, judge) ? invalidBelow(child, judge) : child;
    if (invalid) return invalid;
  }
  return undefined;
}

function verdict(allowed: boolean, ...lines: readonly string[]): Verdict {
  return { allowed, explanation: lines.join("\n") };
}

function formatPath(path: readonly string[]): string {
  return `/${path.join("/")}`;
}

function formatAuth(auth: RulesAuth | null): string {
  const text = JSON.stringify(auth);
  return text.length > MAX_AUTH_LENGTH ? `${text.slice(0, MAX_AUTH_LENGTH)}…` : text;
}
