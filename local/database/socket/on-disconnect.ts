import { RequestError } from "../model/failure.ts";
import { isWithin, type Path } from "../model/path.ts";
import type { Put, Write } from "../store/namespace.ts";

const MAX_WRITES = 10_000;

/** What a client has asked to be written when its connection ends. A later wish for a place takes the place of earlier ones. */
export class OnDisconnect {
  #puts: Put[] = [];

  add(puts: readonly Put[]): void {
    const kept = this.#puts.filter(({ path }) => !puts.some((put) => isWithin(path, put.path)));
    if (kept.length + puts.length > MAX_WRITES) {
      throw new RequestError("too_many_writes", `More than ${MAX_WRITES} onDisconnect operations`);
    }
    this.#puts = [...kept, ...puts];
  }

  /** Forgets what was to be written to a place and below it. */
  cancel(place: Path): void {
    this.#puts = this.#puts.filter(({ path }) => !isWithin(path, place));
  }

  /** The writes, each to be taken or refused by itself. */
  take(): Write[] {
    const puts = this.#puts;
    this.#puts = [];
    return puts.map((put) => ({ path: put.path, puts: [put] }));
  }
}
