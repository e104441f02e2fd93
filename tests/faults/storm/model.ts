import type { Storm } from "./acts.ts";
import { CLUB, type Facts, GEMS, PACK, SWORD } from "./facts.ts";

/**
 * The plain model: what each user must have by what was bought, given back, spent and paid out, whatever happened on the way. What was paid
 * and went back is what the vendors have in their books in the end.
 */
export interface Expected {
  /** What is available and held, less what is owed. */
  readonly COIN: number;
  readonly USD: number;
  readonly items: Readonly<Record<string, number>>;
  readonly isInClub: boolean;
}

/** A payment that Stripe has taken, and what of it stayed. */
export interface Paid {
  readonly user: string;
  readonly isPack: boolean;
  readonly cents: number;
}

export async function expected(storm: Storm): Promise<Map<string, Expected>> {
  const [paid, out] = [await paidBy(storm), await paidOut(storm)];
  return new Map(storm.facts.users.map((user) => [user, expectedOf(user, storm, { paid, out })]));
}

function expectedOf(
  user: string,
  { facts, world }: Storm,
  { paid, out }: { readonly paid: readonly Paid[]; readonly out: ReadonlyMap<string, number> },
): Expected {
  const of = <T extends { readonly user: string }>(all: Iterable<T>) => [...all].filter((one) => one.user === user);
  const packs = of(paid).filter(({ isPack }) => isPack);
  const money = of(paid).filter(({ isPack }) => !isPack);
  const standing = periodsOf(user, world).filter(({ refundedAt }) => refundedAt === undefined);
  const gems = standing.filter(({ product }) => product === GEMS.product);
  const club = standing.filter(({ product }) => product === CLUB.product);
  const gifts = [...facts.gifts.values()];
  const given = gifts.filter(({ from, state }) => from === user && state === "accepted").length;
  const got = gifts.filter(({ to, state }) => to === user && state === "accepted").length;
  const credits = of(facts.credits.values()).filter(({ isReversed }) => !isReversed);
  const withdrawn = of(withIds(facts)).filter(({ id }) => out.has(id));
  return {
    COIN:
      gems.length * GEMS.coins +
      club.length * CLUB.coins +
      sum(packs.map(({ cents }) => (cents * PACK.coins) / PACK.cents)) +
      sum(credits.map(({ coins }) => coins)) -
      sum(of(facts.spent).map(({ coins }) => coins)) -
      given * SWORD.price,
    USD:
      sum(money.map(({ cents }) => cents)) +
      sum(of(facts.won).map(({ cents }) => cents)) -
      sum(withdrawn.map(({ cents }) => cents)),
    items: itemsOf([
      ...of(facts.made),
      { item: SWORD.product, quantity: got },
      { item: "badge", quantity: gems.length + club.length },
    ]),
    isInClub: club.some(({ expiresAt = 0 }) => expiresAt > Date.now()),
  };
}

function itemsOf(all: readonly { readonly item: string; readonly quantity: number }[]): Record<string, number> {
  const items: Record<string, number> = {};
  for (const { item, quantity } of all) items[item] = (items[item] ?? 0) + quantity;
  return Object.fromEntries(Object.entries(items).filter(([, quantity]) => quantity > 0));
}

function withIds({ withdrawals }: Facts): { id: string; user: string; cents: number }[] {
  return [...withdrawals].map(([id, one]) => ({ id, ...one }));
}

/** All that a user has paid for through RevenueCat. */
function periodsOf(user: string, { customers }: Storm["world"]) {
  return customers.get(user).purchases.flatMap((purchase) => [...purchase.earlier, purchase]);
}

/** What users have paid through Stripe, less what went back to them or their banks. */
export async function paidBy({ facts, world }: Storm): Promise<Paid[]> {
  const client = await world.client();
  const paid: Paid[] = [];
  for await (const intent of client.paymentIntents.list({ limit: 100 })) {
    const order = facts.orders.get(intent.metadata.order ?? "");
    if (!order || intent.status !== "succeeded") continue;
    paid.push({ ...order, cents: intent.amount_received - (await goneOf(client, intent.id)) });
  }
  return paid;
}

async function goneOf(client: Awaited<ReturnType<Storm["world"]["client"]>>, payment_intent: string): Promise<number> {
  const refunds = (await client.refunds.list({ payment_intent, limit: 100 })).data;
  const disputes = (await client.disputes.list({ payment_intent, limit: 100 })).data;
  return (
    sum(refunds.filter(({ status }) => status === "succeeded").map(({ amount }) => amount)) +
    sum(disputes.filter(({ status }) => status !== "won").map(({ amount }) => amount))
  );
}

/** Withdrawals that have reached a bank, and how many cents did. */
export async function paidOut({ facts, world }: Storm): Promise<Map<string, number>> {
  const client = await world.client();
  const out = new Map<string, number>();
  for await (const account of client.accounts.list({ limit: 100 })) {
    if (!facts.users.includes(account.metadata?.uid ?? "")) continue;
    for await (const payout of client.payouts.list({ limit: 100 }, { stripeAccount: account.id })) {
      const { withdrawal = "" } = payout.metadata ?? {};
      if (payout.status === "paid") out.set(withdrawal, (out.get(withdrawal) ?? 0) + payout.amount);
    }
  }
  return out;
}

export function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
