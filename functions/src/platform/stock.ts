import * as z from "zod";
import { busy, Failure } from "./failure.ts";
import { collection, getAll, type Transaction } from "./firestore.ts";
import { fingerprint } from "./ids.ts";

/**
 * Stock: how many there are of something for everybody together, spread over shards, each a document of its own, so that none is written
 * by every buyer. Whoever takes, takes of a shard that has enough, in the transaction of what it is taken for; so there is never more
 * sold than there was.
 */

/** `{path}/stock/{n}`: a part of what there is of something for everybody together, so that many can take of it at once. */
const Shard = z.object({
  /** How many of all are here; `sold` is never more. */
  allotted: z.int().nonnegative(),
  sold: z.int().nonnegative(),
});
type Shard = z.infer<typeof Shard>;

/** @param path the document of what there is only so much of, as `catalog/{productId}` */
export const shards = (path: string) => collection(`${path}/stock`, Shard);

/** Each takes about one sale a second for long, and many more in a rush. */
const MAX_SHARDS = 20;
/** How often a shard that others have just emptied is exchanged for another. */
const MAX_ROUNDS = 8;

/** What there is only so much of, and how many of it are wanted by whom. */
export interface Pile {
  /** The document that it belongs to, as `catalog/{productId}`. */
  readonly path: string;
  /** How many there are in all. */
  readonly total: number;
  readonly count: number;
  /** Spreads those who want it over the shards: an id of the request. */
  readonly seed: string;
}

/** How many are taken of which shard. */
export type Picked = Readonly<Record<string, number>>;

/** Reads the shards as part of a transaction, and adds the writes to it. */
export type Take = (tx: Transaction) => Promise<{ readonly picked: Picked; write(): void }>;

/** There are not that many left in all. */
export class SoldOut extends Failure {
  readonly path: string;

  constructor(path: string, remaining: number) {
    super("failed-precondition", "There are not that many left.", { reason: "sold-out", remaining });
    this.path = path;
  }
}

/** The shards that were picked do not have that many any more: others may. */
class ShardEmpty extends Error {
  override readonly name = "ShardEmpty";
  readonly path: string;

  constructor(path: string) {
    super(`${path} has not that many where they were looked for`);
    this.path = path;
  }
}

/**
 * Runs a transaction that takes of a pile, again with other shards as long as those it was given have been emptied meanwhile.
 * Bill: a read and a write for a shard; once shards run out, a read for each of the 20 at most. Refuses `sold-out` and `busy`.
 * @param pile undefined: there is no end of it
 */
export async function taking<T>(pile: Pile | undefined, sell: (take: Take) => Promise<T>): Promise<T> {
  if (!pile) return await sell(async () => ({ picked: {}, write: () => undefined }));
  let picked: Picked = { [String(spread(pile.seed, 0) % shardsFor(pile.total))]: pile.count };
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    try {
      return await sell((tx) => takeOf(tx, pile, picked));
    } catch (error) {
      // What is taken of another pile at the same time is that one's to mend.
      if (!(error instanceof ShardEmpty && error.path === pile.path)) throw error;
    }
    picked = pick(await left(pile.path), pile, round);
  }
  throw busy("Too many want the last of it; ask again under the same key.");
}

/** Puts back what was taken. A write for each shard. */
export function putBack(tx: Transaction, path: string, picked: Picked, known: ReadonlyMap<string, Shard | undefined>) {
  for (const [id, count] of Object.entries(picked)) {
    const shard = known.get(id);
    if (shard) tx.set(shards(path).doc(id), { ...shard, sold: Math.max(0, shard.sold - count) });
  }
}

/** The shards that something was taken of, to be put back. A read for each. */
export function readShards(tx: Transaction, path: string, picked: Picked): Promise<Map<string, Shard | undefined>> {
  return getAll(tx, shards(path), Object.keys(picked));
}

/** Spreads what there is over the shards, less what was sold before; for whoever defines it. A read and a write for each shard. */
export async function prepareStock(tx: Transaction, path: string, total: number): Promise<() => void> {
  const found = await tx.get(shards(path).limit(MAX_SHARDS));
  const known = new Map(found.docs.map((document) => [document.id, document.data()]));
  const sold = [...known.values()].reduce((sum, shard) => sum + shard.sold, 0);
  const open = Math.max(0, total - sold);
  const count = shardsFor(total);
  const ids = new Set([...known.keys(), ...Array.from({ length: count }, (_, n) => String(n))]);
  return () => {
    for (const id of ids) {
      const n = Number(id);
      const part = n < count ? Math.floor(open / count) + (n < open % count ? 1 : 0) : 0;
      const gone = known.get(id)?.sold ?? 0;
      tx.set(shards(path).doc(id), { allotted: gone + part, sold: gone });
    }
  };
}

async function takeOf(tx: Transaction, { path }: Pile, picked: Picked): Promise<Awaited<ReturnType<Take>>> {
  const known = await readShards(tx, path, picked);
  const after = Object.entries(picked).map(([id, count]) => {
    const shard = known.get(id);
    if (!shard || shard.sold + count > shard.allotted) throw new ShardEmpty(path);
    return [id, { ...shard, sold: shard.sold + count }] as const;
  });
  return {
    picked,
    write: () => {
      for (const [id, shard] of after) tx.set(shards(path).doc(id), shard);
    },
  };
}

/** What is left of each shard; outside of any transaction, so that those who come too late hold nobody up. */
async function left(path: string): Promise<[id: string, left: number][]> {
  const { docs } = await shards(path).limit(MAX_SHARDS).get();
  return docs.map((document) => [document.id, document.data().allotted - document.data().sold]);
}

/** A shard that has enough, another for everybody who asks; if none has, several that have it together. */
function pick(all: readonly [id: string, left: number][], { path, count, seed }: Pile, round: number): Picked {
  const enough = all.filter(([, rest]) => rest >= count);
  const one = enough[spread(seed, round) % Math.max(1, enough.length)];
  if (one) return { [one[0]]: count };
  const picked: Record<string, number> = {};
  let missing = count;
  for (const [id, rest] of [...all].sort(([, a], [, b]) => b - a)) {
    const part = Math.min(rest, missing);
    if (part <= 0) break;
    picked[id] = part;
    missing -= part;
  }
  if (missing > 0) {
    const remaining = count - missing;
    throw new SoldOut(path, remaining);
  }
  return picked;
}

function shardsFor(total: number): number {
  return Math.max(1, Math.min(MAX_SHARDS, total));
}

/** A number that is always the same for the same request and round, and even over all of them. */
function spread(seed: string, round: number): number {
  return Buffer.from(fingerprint([seed, round]), "base64url").readUInt32BE();
}
