import type { Change, PreparedChanges } from "../rewards/index.ts";
import { isRefunded, shareOf } from "./purchase.ts";
import type { Purchase, TakenBack } from "./records.ts";

/** What has to move so that what a purchase gave agrees with how much of its price has gone back. */
export interface Settlement {
  readonly changes: readonly Change[];
  /** The purchase after that. */
  after(done: PreparedChanges["done"]): Purchase;
}

type Quantities = Readonly<Record<string, number>>;

/** More partial refunds of one purchase than anybody makes; past it they become one. */
const MAX_STANDING = 20;

/**
 * More is taken back, or what was taken is given back by reversing the transactions that took it, the last first. Where it stands
 * already nothing is to be done, so that it may be asked for however often. A purchase that has given nothing has nothing to settle.
 */
export function settlement(id: string, purchase: Purchase): Settlement {
  const { grant, refund, product, house } = purchase;
  const wanted = { coins: shareOf(grant.coins, refund), items: shareOf(grant.items, refund) };
  const { standing, undone } = keep(purchase.takenBack ?? [], wanted);
  const more = {
    coins: less(wanted.coins, totalOf(standing, "coins")),
    items: less(wanted.items, totalOf(standing, "items")),
  };
  const isTaking = Object.keys({ ...more.coins, ...more.items }).length > 0;
  let count = purchase.changes ?? 0;
  const change = (rest: Pick<Change, "direction" | "coins" | "items" | "reverses">): Change => ({
    key: `refund ${id} ${++count}`,
    kind: refund?.by ?? "refund",
    house,
    reference: `purchase:${id}`,
    metadata: { product },
    gave: { key: id, items: grant.items },
    ...(rest.direction === "takeBack" ? { as: { source: "bought" } } : { pastMaximum: true }),
    ...rest,
  });
  const changes = [
    ...undone.map(({ coins, items, missingItems = {}, transaction }) =>
      change({ direction: "give", coins, items: less(items, missingItems), reverses: transaction }),
    ),
    ...(isTaking ? [change({ direction: "takeBack", ...more })] : []),
  ];
  return {
    changes,
    after: (done) => {
      const taken = isTaking ? takenBack(more, done.at(-1)) : [];
      const { takenBack: _, ...rest } = purchase;
      const all = [...standing, ...taken];
      return {
        ...rest,
        state: isRefunded(purchase) ? "refunded" : "granted",
        ...(all.length > 0 ? { takenBack: all } : {}),
        ...(count > 0 ? { changes: count } : {}),
      };
    },
  };
}

function takenBack(
  more: Pick<TakenBack, "coins" | "items">,
  done: PreparedChanges["done"][number] | undefined,
): TakenBack[] {
  if (!done) return [];
  const { transaction, missingItems } = done;
  return [{ transaction, ...more, ...(Object.keys(missingItems).length > 0 ? { missingItems } : {}) }];
}

/** What of the earlier takings may stand: as many, from the first on, as together take no more than is wanted. */
function keep(
  all: readonly TakenBack[],
  wanted: Pick<TakenBack, "coins" | "items">,
): { standing: TakenBack[]; undone: TakenBack[] } {
  const standing = [...all];
  const undone: TakenBack[] = [];
  const isTooMuch = () =>
    standing.length >= MAX_STANDING ||
    exceeds(totalOf(standing, "coins"), wanted.coins) ||
    exceeds(totalOf(standing, "items"), wanted.items);
  if (all.length >= MAX_STANDING && agrees(all, wanted)) return { standing, undone };
  while (standing.length > 0 && isTooMuch()) undone.push(standing.pop() as TakenBack);
  return { standing, undone };
}

function agrees(all: readonly TakenBack[], wanted: Pick<TakenBack, "coins" | "items">): boolean {
  const [coins, items] = [totalOf(all, "coins"), totalOf(all, "items")];
  return !(
    exceeds(coins, wanted.coins) ||
    exceeds(items, wanted.items) ||
    exceeds(wanted.coins, coins) ||
    exceeds(wanted.items, items)
  );
}

function totalOf(all: readonly TakenBack[], what: "coins" | "items"): Quantities {
  const totals: Record<string, number> = {};
  for (const one of all) for (const [name, n] of Object.entries(one[what])) totals[name] = (totals[name] ?? 0) + n;
  return totals;
}

function exceeds(one: Quantities, other: Quantities): boolean {
  return Object.entries(one).some(([name, quantity]) => quantity > (other[name] ?? 0));
}

function less(from: Quantities, taken: Quantities): Record<string, number> {
  const rest = Object.entries(from).map(([name, quantity]) => [name, quantity - (taken[name] ?? 0)] as const);
  return Object.fromEntries(rest.filter(([, quantity]) => quantity > 0));
}
