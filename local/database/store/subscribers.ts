import type { Path } from "../model/path.ts";
import type { Change, Commit } from "./commit.ts";

/** Somebody who is told of every commit that touches a place. */
export interface Subscriber {
  readonly path: Path;
  onCommit(commit: Commit): void;
  /** The rules, or the data they read, have changed: may it go on? */
  recheck(): void;
}

interface Place {
  readonly here: Set<Subscriber>;
  readonly below: Map<string, Place>;
}

/** Subscribers by the place they look at. */
export class Subscribers {
  readonly #root: Place = newPlace();
  readonly #all = new Set<Subscriber>();

  get all(): Iterable<Subscriber> {
    return this.#all;
  }

  add(subscriber: Subscriber): void {
    let place = this.#root;
    for (const key of subscriber.path) {
      const next = place.below.get(key) ?? newPlace();
      place.below.set(key, next);
      place = next;
    }
    place.here.add(subscriber);
    this.#all.add(subscriber);
  }

  remove(subscriber: Subscriber): void {
    if (!this.#all.delete(subscriber)) return;
    const way: Place[] = [this.#root];
    for (const key of subscriber.path) {
      const next = way.at(-1)?.below.get(key);
      if (!next) return;
      way.push(next);
    }
    way.at(-1)?.here.delete(subscriber);
    for (let depth = way.length - 1; depth > 0; depth--) {
      const place = way[depth] as Place;
      if (place.here.size > 0 || place.below.size > 0) return;
      way[depth - 1]?.below.delete(subscriber.path[depth - 1] as string);
    }
  }

  /** Those who look at a changed place, above it or below it. */
  touchedBy(changes: readonly Change[]): Set<Subscriber> {
    const touched = new Set<Subscriber>();
    for (const { path } of changes) {
      let place: Place | undefined = this.#root;
      for (const key of path) {
        for (const subscriber of place.here) touched.add(subscriber);
        place = place.below.get(key);
        if (!place) break;
      }
      if (place) addAll(place, touched);
    }
    return touched;
  }
}

/** No deeper than the deepest path that somebody subscribed to. */
function addAll(place: Place, to: Set<Subscriber>): void {
  for (const subscriber of place.here) to.add(subscriber);
  for (const below of place.below.values()) addAll(below, to);
}

function newPlace(): Place {
  return { here: new Set(), below: new Map() };
}
