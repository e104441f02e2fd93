import { getAll, type Transaction } from "../platform/firestore.ts";
import { isInstance } from "./instance.ts";
import { type Instance, inventory, type Stack } from "./records.ts";

/** What of somebody's inventory is to be read. */
export interface Needs {
  /** By item. */
  readonly stacks: readonly string[];
  /** By id. */
  readonly instances: readonly string[];
  /** By item, how many at most of the unique items that the user has. */
  readonly listed: ReadonlyMap<string, number>;
}

export const NO_NEEDS: Needs = { stacks: [], instances: [], listed: new Map() };

/** Past this nobody looks for more of one item; whoever has so many has more than is ever taken at once. */
const MAX_LISTED = 200;

/** What was found of it; undefined: it was looked for and is not there. */
export interface Found {
  readonly stacks: ReadonlyMap<string, Stack | undefined>;
  readonly instances: ReadonlyMap<string, Instance | undefined>;
}

/** Reads what changes need, each document once. */
export async function read(tx: Transaction, user: string, needs: readonly Needs[]): Promise<Found> {
  const stackIds = new Set(needs.flatMap(({ stacks }) => stacks));
  const instanceIds = new Set(needs.flatMap((need) => need.instances));
  const found = await getAll(tx, inventory(user), [...new Set([...stackIds, ...instanceIds])]);
  const stacks = new Map<string, Stack | undefined>();
  const instances = new Map<string, Instance | undefined>();
  for (const [id, one] of found) {
    if (stackIds.has(id)) stacks.set(id, one && !isInstance(one) ? one : undefined);
    else instances.set(id, one && isInstance(one) ? one : undefined);
  }
  for (const [item, limit] of listedOf(needs)) {
    for (const [id, one] of await owned(tx, user, { item, limit })) instances.set(id, one);
  }
  return { stacks, instances };
}

/** Several changes may each need their own of an item. */
function listedOf(needs: readonly Needs[]): Map<string, number> {
  const limits = new Map<string, number>();
  for (const [item, limit] of needs.flatMap(({ listed }) => [...listed])) {
    limits.set(item, Math.min((limits.get(item) ?? 0) + limit, MAX_LISTED));
  }
  return limits;
}

/** Unique items of a kind that the user has; some of them may have expired. */
async function owned(
  tx: Transaction,
  user: string,
  { item, limit }: { item: string; limit: number },
): Promise<Map<string, Instance>> {
  const query = inventory(user).where("item", "==", item).where("state", "==", "owned");
  const { docs } = await tx.get(query.limit(limit));
  const found = docs.map((document) => [document.id, document.data()] as const);
  return new Map(found.flatMap(([id, one]) => (isInstance(one) ? [[id, one] as const] : [])));
}
