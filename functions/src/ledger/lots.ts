import * as z from "zod";

/** Where coins have come from: given away, worked or won, or paid for. */
export const SOURCES = ["promotional", "earned", "bought"] as const;
export type Source = (typeof SOURCES)[number];

export const LotKind = z.object({
  source: z.enum(SOURCES),
  /** Until then they can be spent but not paid out, in milliseconds since the epoch; absent: they have cleared. */
  clearsAt: z.int().positive().optional(),
  /** From then on they are gone, in milliseconds since the epoch; absent: they last. */
  expiresAt: z.int().positive().optional(),
});
/** What coins of one lot have in common. */
export type LotKind = z.infer<typeof LotKind>;

/** Coins of one kind, in smallest units. */
export const Lot = LotKind.extend({ amount: z.int().positive() });
export type Lot = z.infer<typeof Lot>;

/**
 * Lots of one account. Past this the two of one source whose ends lie nearest to each other become one, with the later end: so an
 * account never grows with what happens to it, and nobody loses by it.
 */
const MAX_LOTS = 40;

export function sum(lots: readonly Lot[]): number {
  return lots.reduce((total, { amount }) => total + amount, 0);
}

/** Lots in one certain order: two accounts that hold the same are the same, whatever was taken from which in between. */
export function inOrder(lots: readonly Lot[]): Lot[] {
  return [...lots].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** Adds lots to lots; those of one kind become one. */
export function addLots(to: readonly Lot[], added: readonly Lot[]): Lot[] {
  const byKind = new Map<string, Lot>();
  for (const lot of [...to, ...added]) {
    const key = keyOf(lot);
    const known = byKind.get(key);
    byKind.set(key, known ? { ...known, amount: known.amount + lot.amount } : lot);
  }
  let lots = [...byKind.values()];
  while (lots.length > MAX_LOTS) lots = withNearestJoined(lots);
  return lots;
}

/** Lots whose time to clear has come are like those that never had to. */
export function cleared(lots: readonly Lot[], now: number): Lot[] {
  if (!lots.some(({ clearsAt }) => clearsAt !== undefined && clearsAt <= now)) return [...lots];
  const settled = lots.map(({ clearsAt, ...lot }) =>
    clearsAt === undefined || clearsAt <= now ? lot : { ...lot, clearsAt },
  );
  return addLots([], settled);
}

/** Parts lots into those that have expired and those that have not. */
export function withoutExpired(lots: readonly Lot[], now: number): { left: Lot[]; expired: Lot[] } {
  const isExpired = ({ expiresAt }: Lot) => expiresAt !== undefined && expiresAt <= now;
  return { left: lots.filter((lot) => !isExpired(lot)), expired: lots.filter(isExpired) };
}

/**
 * Takes an amount out of lots, which must hold it: what expires first goes first; of what lasts, sources go in the order that the
 * currency declares, and of one source what has not cleared goes before what has.
 */
export function takeLots(
  lots: readonly Lot[],
  amount: number,
  order: readonly Source[],
): { taken: Lot[]; left: Lot[] } {
  const rank = ({ source, expiresAt, clearsAt }: Lot) => [
    expiresAt ?? Number.POSITIVE_INFINITY,
    order.indexOf(source),
    -(clearsAt ?? 0),
  ];
  const sorted = [...lots].sort((a, b) => compare(rank(a), rank(b)));
  const taken: Lot[] = [];
  const left: Lot[] = [];
  let missing = amount;
  for (const lot of sorted) {
    const part = Math.min(lot.amount, missing);
    missing -= part;
    if (part > 0) taken.push({ ...lot, amount: part });
    if (part < lot.amount) left.push({ ...lot, amount: lot.amount - part });
  }
  if (missing > 0) throw new RangeError(`the lots hold ${missing} less than ${amount}`);
  return { taken, left };
}

/** Takes lots of just these kinds out of lots, as far as they are there. */
export function takeSame(lots: readonly Lot[], wanted: readonly Lot[]): { taken: Lot[]; left: Lot[] } {
  const missing = new Map(addLots([], wanted).map((lot) => [keyOf(lot), lot.amount]));
  const taken: Lot[] = [];
  const left: Lot[] = [];
  for (const lot of lots) {
    const part = Math.min(lot.amount, missing.get(keyOf(lot)) ?? 0);
    if (part > 0) taken.push({ ...lot, amount: part });
    if (part < lot.amount) left.push({ ...lot, amount: lot.amount - part });
  }
  return { taken, left };
}

function keyOf({ source, clearsAt, expiresAt }: LotKind): string {
  return `${source} ${clearsAt ?? ""} ${expiresAt ?? ""}`;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((value, place) => value !== b[place]);
  return i === -1 ? 0 : (a[i] as number) < (b[i] as number) ? -1 : 1;
}

function withNearestJoined(lots: readonly Lot[]): Lot[] {
  const sorted = [...lots].sort((a, b) => compare(ends(a), ends(b)));
  let nearest = { at: -1, gap: Number.POSITIVE_INFINITY };
  for (let at = 0; at + 1 < sorted.length; at++) {
    const [lot, next] = [sorted[at] as Lot, sorted[at + 1] as Lot];
    const gap = lot.source === next.source ? gapBetween(lot, next) : Number.POSITIVE_INFINITY;
    if (nearest.at === -1 ? lot.source === next.source : gap < nearest.gap) nearest = { at, gap };
  }
  const [lot, next] = [sorted[nearest.at] as Lot, sorted[nearest.at + 1] as Lot];
  sorted.splice(nearest.at, 2, joined(lot, next));
  return addLots([], sorted);
}

function ends({ source, expiresAt, clearsAt }: Lot): number[] {
  return [SOURCES.indexOf(source), expiresAt ?? Number.POSITIVE_INFINITY, clearsAt ?? 0];
}

function gapBetween(a: Lot, b: Lot): number {
  if (a.expiresAt === b.expiresAt) return 0;
  return (b.expiresAt ?? Number.POSITIVE_INFINITY) - (a.expiresAt ?? Number.POSITIVE_INFINITY);
}

/** The later of both ends, and the later of both times to clear. */
function joined(a: Lot, b: Lot): Lot {
  const clearsAt = Math.max(a.clearsAt ?? 0, b.clearsAt ?? 0);
  const lasts = a.expiresAt === undefined || b.expiresAt === undefined;
  return {
    source: a.source,
    amount: a.amount + b.amount,
    ...(clearsAt > 0 ? { clearsAt } : {}),
    ...(lasts ? {} : { expiresAt: Math.max(a.expiresAt ?? 0, b.expiresAt ?? 0) }),
  };
}
