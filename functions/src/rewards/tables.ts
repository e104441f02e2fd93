import { Failure } from "../platform/failure.ts";
import { type Table, tables } from "./definitions.ts";
import { multiplied, total } from "./reward.ts";
import type { Tables } from "./roll.ts";

/** Tables below tables. */
const MAX_DEPTH = 3;
const MAX_TABLES = 20;
/** Draws of one act, all tables together. */
const MAX_DRAWS = 1_000;

/**
 * A table and all below it. Refuses `unknown-table`, and `table-too-large` if they are too many, too deep or in a circle, or may draw too
 * often when the table is opened so many times.
 * @param given one that is to be as this says, and not as it is stored
 */
export async function tablesBelow(
  root: string,
  { times = 1, given }: { times?: number; given?: { id: string; table: Table } } = {},
): Promise<Tables> {
  const found = new Map<string, Table>();
  let wanted = [root];
  for (let depth = 0; depth < MAX_DEPTH && wanted.length > 0; depth++) {
    if (found.size + wanted.length > MAX_TABLES) throw tooLarge(root);
    const known = await lookUp(wanted, given);
    for (const [id, table] of known) found.set(id, table);
    const below = [...known.values()].flatMap(({ entries }) => entries.flatMap(({ table }) => table ?? []));
    wanted = [...new Set(below)].filter((id) => !found.has(id));
  }
  if (mostDraws(found, root) * times > MAX_DRAWS) throw tooLarge(root);
  return found;
}

async function lookUp(
  ids: readonly string[],
  given: { id: string; table: Table } | undefined,
): Promise<Map<string, Table>> {
  const found = await Promise.all(
    ids.map(async (id) => {
      const table = id === given?.id ? given.table : await tables.find(id);
      if (!table) throw new Failure("not-found", `There is no table "${id}".`, { reason: "unknown-table", table: id });
      return [id, table] as const;
    }),
  );
  return new Map(found);
}

/** How often a table and those below it may draw at most. */
function mostDraws(found: Tables, root: string): number {
  const known = new Map<string, number>();
  const most = (id: string, depth: number): number => {
    const table = found.get(id);
    if (!table || depth >= MAX_DEPTH) throw tooLarge(root);
    const key = `${depth} ${id}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const below = Math.max(0, ...table.entries.map((entry) => (entry.table ? most(entry.table, depth + 1) : 0)));
    known.set(key, table.draws * (1 + below));
    return table.draws * (1 + below);
  };
  return most(root, 0);
}

/** How many of each item one opening of a table can give at most, all tables below it together. */
export function mostItems(found: Tables, root: string): ReadonlyMap<string, number> {
  const known = new Map<string, ReadonlyMap<string, number>>();
  const most = (id: string): ReadonlyMap<string, number> => {
    const before = known.get(id);
    if (before) return before;
    const table = found.get(id);
    const drawn = (table?.entries ?? []).map((entry) =>
      total([entry.reward?.items ?? {}, Object.fromEntries(entry.table === undefined ? [] : most(entry.table))]),
    );
    const best = new Map<string, number>();
    for (const [item, n] of drawn.flatMap((items) => Object.entries(items))) {
      best.set(item, Math.max(best.get(item) ?? 0, n));
    }
    const draws = multiplied(Object.fromEntries(best), table?.draws ?? 0);
    const all = new Map(Object.entries(total([table?.guaranteed?.items ?? {}, draws])));
    known.set(id, all);
    return all;
  };
  return most(root);
}

function tooLarge(table: string): Failure {
  return new Failure("failed-precondition", "The table is too large to be opened like that.", {
    reason: "table-too-large",
    table,
  });
}
