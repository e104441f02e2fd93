import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import type { Odds, OddsRequest } from "./contract.ts";
import type { Table } from "./definitions.ts";
import { weightOf } from "./random.ts";
import { tablesBelow } from "./tables.ts";

/**
 * The odds of a table and of those below it, as app stores ask for them to be disclosed before a purchase
 * (https://developer.apple.com/app-store/review/guidelines/#in-app-purchase, 3.1.1). A read for each table that this instance does not
 * know yet. Refuses `unknown-table`.
 */
export async function odds(_caller: Caller, { table }: z.output<typeof OddsRequest>): Promise<Odds> {
  const found = await tablesBelow(table);
  return { tables: Object.fromEntries([...found].map(([id, one]) => [id, oddsOf(one)])) };
}

function oddsOf({ title, draws, replacement, guaranteed, entries, pity }: Table): Odds["tables"][string] {
  const whole = weightOf(entries);
  return {
    title,
    draws,
    replacement,
    ...(guaranteed ? { guaranteed } : {}),
    entries: entries.map(({ weight, ...entry }) => ({ ...entry, chance: weight / whole })),
    ...(pity ? { pity } : {}),
  };
}
