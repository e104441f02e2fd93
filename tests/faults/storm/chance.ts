import { createHash } from "node:crypto";

/** What decides what happens: the same for the same seed. */
export interface Chance {
  /** An integer from 0 on, less than this. */
  below(end: number): number;
  percent(percent: number): boolean;
  /** One of them; throws if there is none. */
  one<T>(of: readonly T[]): T;
}

export function chanceOf(seed: number): Chance {
  let drawn = 0;
  const below = (end: number) => {
    const bytes = createHash("sha256").update(`${seed} ${drawn++}`).digest();
    return bytes.readUInt32BE() % end;
  };
  return {
    below,
    percent: (percent) => below(100) < percent,
    one: <T>(of: readonly T[]) => {
      if (of.length === 0) throw new RangeError("there is none to choose");
      return of[below(of.length)] as T;
    },
  };
}
