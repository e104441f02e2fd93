import { timestamp } from "../platform/firestore.ts";
import type { Stack } from "./records.ts";

/** A stack of items of which some may expire; times in milliseconds since the epoch. */
export interface Pile {
  readonly quantity: number;
  /** Of the quantity, the soonest first. */
  readonly lots: readonly { readonly quantity: number; readonly expiresAt: number }[];
}

/** Past this the two that end nearest to each other become one, with the later end. */
const MAX_LOTS = 20;

export const NO_PILE: Pile = { quantity: 0, lots: [] };

/** What is left of a stack at a time. */
export function pileOf(stack: Pick<Stack, "quantity" | "lots">, now: number): Pile {
  const lots = (stack.lots ?? []).map(({ quantity, expiresAt }) => ({ quantity, expiresAt: expiresAt.toMillis() }));
  const left = lots.filter(({ expiresAt }) => expiresAt > now);
  return { quantity: stack.quantity - sum(lots) + sum(left), lots: left };
}

/** As it is stored. */
export function stackOf({ quantity, lots }: Pile): Stack {
  const [first] = lots;
  return {
    quantity,
    ...(first
      ? {
          lots: lots.map((lot) => ({ quantity: lot.quantity, expiresAt: timestamp(lot.expiresAt) })),
          expiresAt: timestamp(first.expiresAt),
        }
      : {}),
    updatedAt: timestamp(),
  };
}

/** Puts items on it that expire then; undefined: never. */
export function put({ quantity, lots }: Pile, more: number, expiresAt: number | undefined): Pile {
  if (expiresAt === undefined) return { quantity: quantity + more, lots };
  const same = lots.find((lot) => lot.expiresAt === expiresAt);
  const others = lots.filter((lot) => lot !== same);
  const sorted = [...others, { quantity: more + (same?.quantity ?? 0), expiresAt }].sort(
    (a, b) => a.expiresAt - b.expiresAt,
  );
  return { quantity: quantity + more, lots: sorted.length > MAX_LOTS ? withNearestJoined(sorted) : sorted };
}

/** Takes items off it, which must be there: what expires first goes first. */
export function take({ quantity, lots }: Pile, less: number): Pile {
  if (less > quantity) throw new RangeError(`the stack holds ${quantity}, which is less than ${less}`);
  let missing = less;
  const left = lots.flatMap((lot) => {
    const part = Math.min(lot.quantity, missing);
    missing -= part;
    return part < lot.quantity ? [{ ...lot, quantity: lot.quantity - part }] : [];
  });
  return { quantity: quantity - less, lots: left };
}

function sum(lots: readonly { readonly quantity: number }[]): number {
  return lots.reduce((total, { quantity }) => total + quantity, 0);
}

function withNearestJoined(lots: Pile["lots"]): Pile["lots"] {
  const gaps = lots.slice(1).map(({ expiresAt }, i) => expiresAt - (lots[i]?.expiresAt ?? 0));
  const at = gaps.indexOf(Math.min(...gaps));
  return lots.flatMap((lot, i) => {
    if (i === at) return [];
    return i === at + 1 ? [{ ...lot, quantity: lot.quantity + (lots[at]?.quantity ?? 0) }] : [lot];
  });
}
