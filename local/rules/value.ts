/**
 * Values of the rules language. Integers are `bigint`, floats `number`; lists, maps and bytes are JavaScript's own, never changed once made.
 * Source: https://firebase.google.com/docs/reference/rules/rules
 */
export type RulesValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | RulesTimestamp
  | RulesDuration
  | LatLng
  | RulesPath
  | RulesSet
  | MapDiff
  | RulesList
  | RulesMap;

export type RulesList = readonly RulesValue[];
export type RulesMap = ReadonlyMap<string, RulesValue>;

/** A moment: seconds since the epoch and nanoseconds within the second. */
export class RulesTimestamp {
  readonly seconds: number;
  readonly nanos: number;

  constructor(seconds: number, nanos = 0) {
    this.seconds = seconds;
    this.nanos = nanos;
  }
}

/** A length of time; `nanos` has the sign of `seconds`. */
export class RulesDuration {
  readonly seconds: number;
  readonly nanos: number;

  constructor(seconds: number, nanos = 0) {
    this.seconds = seconds;
    this.nanos = nanos;
  }
}

/** A place on earth, in degrees. */
export class LatLng {
  readonly latitude: number;
  readonly longitude: number;

  constructor(latitude: number, longitude: number) {
    this.latitude = latitude;
    this.longitude = longitude;
  }
}

/** A path, as `/databases/(default)/documents/users/ada`: its segments, without slashes. */
export class RulesPath {
  /** What `path.bind` has put into the wildcards is in here already; segments like `$(name)` or `{name}` wait for it. */
  readonly segments: readonly string[];
  /** What was bound to which wildcard, for `path[name]` and `path.name`. */
  readonly bindings: ReadonlyMap<string, string>;

  constructor(segments: readonly string[], bindings: ReadonlyMap<string, string> = new Map()) {
    this.segments = segments;
    this.bindings = bindings;
  }
}

/** Different values, in the order in which they were first met. Made by the library, which knows which values are equal. */
export class RulesSet {
  readonly items: readonly RulesValue[];

  constructor(items: readonly RulesValue[]) {
    this.items = items;
  }
}

/** What `map.diff(other)` gives. */
export class MapDiff {
  readonly left: RulesMap;
  readonly right: RulesMap;

  constructor(left: RulesMap, right: RulesMap) {
    this.left = left;
    this.right = right;
  }
}

/** An error of evaluation: an operation that its values do not allow. It makes the condition that it is in false, unless `||` or `&&` rescue it. */
export class RulesError extends Error {
  override readonly name = "RulesError";
}
