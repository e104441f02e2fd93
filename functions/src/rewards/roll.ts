import type { Table, TableEntry } from "./definitions.ts";
import { fallsOn, type Lots, lotsOf, weightOf } from "./random.ts";
import type { Draw } from "./records.ts";
import { type Reward, sumOf } from "./reward.ts";

/** A table and all below it, by id. */
export type Tables = ReadonlyMap<string, Table>;

export interface Rolled {
  readonly reward: Reward;
  readonly draws: readonly Draw[];
  /** Draws without luck up to now, where the table has pity. */
  readonly misses: number;
}

/**
 * Opens a table so many times. What comes out follows from the seed, the tables and the misses before, so that it can be done again by
 * whoever doubts it.
 */
export function roll(
  tables: Tables,
  { table, times, seed, misses }: { table: string; times: number; seed: string; misses: number },
): Rolled {
  const opening = new Opening(tables, lotsOf(seed), misses);
  for (let time = 0; time < times; time++) opening.open(table, true);
  return { reward: sumOf(opening.rewards), draws: opening.draws, misses: opening.misses };
}

class Opening {
  readonly rewards: Reward[] = [];
  readonly draws: Draw[] = [];
  misses: number;
  readonly #tables: Tables;
  readonly #lots: Lots;

  constructor(tables: Tables, lots: Lots, misses: number) {
    this.#tables = tables;
    this.#lots = lots;
    this.misses = misses;
  }

  /** The depth of tables is bounded where they are gathered. */
  open(id: string, isTop: boolean): void {
    const table = this.#tables.get(id);
    if (!table) throw new RangeError(`the table ${id} was not gathered`);
    if (table.guaranteed) this.rewards.push(table.guaranteed);
    let pool: readonly TableEntry[] = table.entries;
    for (let n = 0; n < table.draws && pool.length > 0; n++) {
      const entry = this.#draw(id, pool, isTop ? table.pity : undefined);
      if (!table.replacement) pool = pool.filter((one) => one !== entry);
      if (entry.reward) this.rewards.push(entry.reward);
      if (entry.table !== undefined) this.open(entry.table, false);
    }
  }

  #draw(table: string, pool: readonly TableEntry[], pity: Table["pity"]): TableEntry {
    const promised = pity && this.misses >= pity.after ? pool.filter(({ id }) => pity.entries.includes(id)) : [];
    const isPity = promised.length > 0;
    const among = isPity ? promised : pool;
    const below = weightOf(among);
    const lot = this.#lots(below);
    const entry = fallsOn(among, lot);
    this.draws.push({ table, entry: entry.id, lot, below, ...(isPity ? { isPity } : {}) });
    if (pity) this.misses = pity.entries.includes(entry.id) ? 0 : this.misses + 1;
    return entry;
  }
}
