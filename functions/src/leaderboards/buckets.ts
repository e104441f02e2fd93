/**
 * Players of a season in buckets by their places, made by counting and splitting until none has more than is counted for one rank. Nothing here
 * reads or writes. A place, of hexadecimal digits in fixed groups, and the id of a player behind it are a number between others.
 */

/** More of them would not fit into a document; who is in a bucket that is too large then is counted in part only. */
export const MAX_BUCKETS = 4_000;
export const UNKNOWN = -1;

export interface Bucketed {
  /** Where each begins. */
  readonly places: string[];
  /** How many are in each; UNKNOWN if they were not counted yet. */
  readonly counts: number[];
  /** Where the last ends, if it has to be split. */
  readonly end: string;
}

/** What a bucket becomes when there are more in it than there should be: two, or undefined if it has no middle. */
export function split({ places, end }: Bucketed, i: number): string | undefined {
  const [from = "", to = end] = [places[i], places[i + 1]];
  const [low, high] = [numberOf(from), numberOf(to)];
  const middle = (low + high) / 2n;
  return middle > low ? placeLike(from, middle) : undefined;
}

/** About where somebody is, as a place where nobody is. */
export function near(place: string): string {
  return placeLike(place, numberOf(place));
}

/** The place right behind one. */
export function behind(place: string): string {
  return placeLike(place, numberOf(place) + 1n);
}

/** Puts together neighbours who have few players, so that they do not become more with every count. */
export function merged({ places, counts, end }: Bucketed, most: number): Bucketed {
  const kept: { places: string[]; counts: number[] } = { places: [], counts: [] };
  for (const [i, place] of places.entries()) {
    const count = counts[i] ?? 0;
    const before = kept.counts.at(-1);
    if (before !== undefined && before + count <= most) kept.counts[kept.counts.length - 1] = before + count;
    else {
      kept.places.push(place);
      kept.counts.push(count);
    }
  }
  return { ...kept, end };
}

/** In which bucket a place is, and how many are in the buckets in front of it. */
export function bucketOf({ places, counts }: Pick<Bucketed, "places" | "counts">, place: string) {
  let [i, before] = [0, 0];
  while (i + 1 < places.length && (places[i + 1] ?? "") <= place) {
    before += counts[i] ?? 0;
    i++;
  }
  return { from: i === 0 ? undefined : places[i], index: i, before };
}

/** A place, and the beginning of a player's id, for those who reached the same score at the same moment. */
const WRITTEN = /^((?:[0-9a-f]{14}\|){1,2}[0-9a-f]{12})(?:\|(.*?)\/?)?$/s;
/** Of the id so many characters count, each as one of these; what is beyond counts as the last. */
const ID_CHARACTERS = 10;
const FIRST_CHARACTER = 0x20;
const CHARACTERS = 96;
const IDS = BigInt(CHARACTERS) ** BigInt(ID_CHARACTERS);

function numberOf(text: string): bigint {
  const [, place = "", id = ""] = WRITTEN.exec(text) ?? [];
  let value = BigInt(`0x0${place.replaceAll("|", "")}`);
  for (let i = 0; i < ID_CHARACTERS; i++) {
    const code = i < id.length ? id.charCodeAt(i) - FIRST_CHARACTER : 0;
    value = value * BigInt(CHARACTERS) + BigInt(Math.max(0, Math.min(CHARACTERS - 1, code)));
  }
  return value;
}

/** A value as a place, with its groups as in another; behind an id is what no id has in it, so that nobody is just there. */
function placeLike(other: string, value: bigint): string {
  const [, place = ""] = WRITTEN.exec(other) ?? [];
  const width = place.replaceAll("|", "").length;
  const digits = (value / IDS).toString(16).padStart(width, "0").slice(-width);
  let used = 0;
  const groups: string[] = [];
  for (const { length } of place.split("|")) {
    groups.push(digits.slice(used, used + length));
    used += length;
  }
  const id = idOf(value % IDS);
  return id === "" ? groups.join("|") : `${groups.join("|")}|${id}/`;
}

function idOf(value: bigint): string {
  let text = "";
  for (let left = value; left > 0n || text.length > 0; left /= BigInt(CHARACTERS)) {
    text = String.fromCharCode(Number(left % BigInt(CHARACTERS)) + FIRST_CHARACTER) + text;
    if (text.length === ID_CHARACTERS) break;
  }
  return text.trimEnd();
}
