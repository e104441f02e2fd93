import { noteTransfer } from "../../fraud/index.ts";
import { getAll, type Transaction, timestamp } from "../../platform/firestore.ts";
import { type Outcome, Postponed } from "../../platform/webhooks.ts";
import { type Entitlement, readAllEntitlements, readEntitlements, writeGrounds } from "../../rewards/index.ts";
import { groundOf } from "../purchase.ts";
import { type Foretold, type Purchase, purchases } from "../records.ts";
import { waitingForCustomer } from "../waiting.ts";
import { prepareAliases } from "./alias.ts";
import { findUser, holderAfter, isUser } from "./customer.ts";
import type { TransferEvent } from "./event.ts";
import { happenedAt } from "./fact.ts";
import { type Alias, aliases, aliasId } from "./records.ts";

const MAX_FROM = 5;
/** Transfers that are remembered of one user: what arrives late of purchases before them still finds its way. */
const MAX_MOVES = 20;

/**
 * What one customer had bought is another's: what it entitles to ends for the one and begins for the other. Coins and items stay with
 * whom they were given to. A purchase that is only heard of afterwards finds where its buyer's have gone.
 *
 * Bill: a read for each entitlement of those who lose them, each purchase it rests on and each entitlement it gives; a write for each
 * purchase and each entitlement on both sides, and one for each who loses something.
 */
export async function transfer(tx: Transaction, event: TransferEvent): Promise<Outcome> {
  const { transferred_from: from, transferred_to: to } = event;
  const target = await findUser(tx, to);
  if (target === undefined) throw new Postponed("unknown-user", waitingForCustomer(to[0] as string));
  const losers = (await losersOf(tx, from)).filter((user) => user !== target);
  if (losers.length === 0) return await adopt(tx, event, target);

  const at = happenedAt(event);
  const known = await getAll<Alias>(tx, aliases(), losers.map(aliasId));
  const holder = await holderAfter(tx, target, at);
  const losses = await Promise.all(losers.map((loser) => readLoss(tx, loser, at)));
  const moving = losses.flatMap((loss) => loss.moving);
  const names = [...new Set(moving.flatMap(({ purchase }) => purchase.grant.entitlements))];
  const won = await readEntitlements(tx, holder, names);
  const remember = await noteTransfer(tx, losers, target);

  remember();
  for (const [id, current] of known) tx.set(aliases().doc(id), withMove(current, target, at));
  for (const loss of losses) writeLoss(tx, loss, { holder, at });
  writeGrounds(tx, won, { user: holder, grounds: groundsOf(moving) });
  return { result: "transferred", from: losers, user: target, purchases: moving.length };
}

/** The users who lose something: those that are named, or whom the anonymous ids are known to mean. */
async function losersOf(tx: Transaction, from: readonly string[]): Promise<string[]> {
  const named = from.filter(isUser).slice(0, MAX_FROM);
  if (named.length > 0) return [...new Set(named)];
  const known = await findUser(tx, from);
  return known === undefined ? [] : [known];
}

/** Whoever had bought was never anybody here: what is heard of them is from now on about the one who has it all. */
async function adopt(tx: Transaction, event: TransferEvent, user: string): Promise<Outcome> {
  const anonymous = event.transferred_from.filter((id) => !isUser(id)).slice(0, MAX_FROM);
  (await prepareAliases(tx, anonymous, user))(event.id);
  return { result: "transferred", user, purchases: 0 };
}

function withMove(current: Alias | undefined, to: string, at: number): Alias {
  const moves = current?.moves ?? [];
  const isKnown = moves.some((move) => move.to === to && move.at.toMillis() === at);
  const all = isKnown ? moves : [...moves, { to, at: timestamp(at) }];
  return {
    ...current,
    moves: all.sort((a, b) => a.at.toMillis() - b.at.toMillis()).slice(-MAX_MOVES),
    updatedAt: timestamp(),
  };
}

interface Loss {
  readonly loser: string;
  readonly held: ReadonlyMap<string, Entitlement | undefined>;
  readonly moving: readonly Moving[];
}

interface Moving {
  readonly id: string;
  readonly purchase: Purchase;
}

/** All that one user's entitlements rest on and that goes. */
async function readLoss(tx: Transaction, loser: string, at: number): Promise<Loss> {
  const held = await readAllEntitlements(tx, loser);
  const ids = [...new Set([...held.values()].flatMap((entitlement) => Object.keys(entitlement.grounds)))];
  const found = await getAll<Purchase | Foretold>(tx, purchases(), ids);
  const moving = [...found].flatMap(([id, purchase]) => (isMoving(purchase, loser, at) ? [{ id, purchase }] : []));
  return { loser, held, moving };
}

function writeLoss(
  tx: Transaction,
  { loser, held, moving }: Loss,
  { holder, at }: { holder: string; at: number },
): void {
  for (const { id, purchase } of moving) {
    const { movedTo: _, ...rest } = purchase;
    const to = holder === purchase.user ? {} : { movedTo: holder };
    tx.set(purchases().doc(id), { ...rest, ...to, movedAt: timestamp(at), updatedAt: timestamp() });
  }
  const ended = groundsOf(moving).map((one) => ({
    ...one,
    ground: { ...one.ground, endsAt: timestamp(at), willRenew: false },
  }));
  writeGrounds(tx, held, { user: loser, grounds: ended });
}

function groundsOf(moving: readonly Moving[]): Parameters<typeof writeGrounds>[2]["grounds"] {
  return moving.map(({ id, purchase }) => ({ id, ground: groundOf(purchase), names: purchase.grant.entitlements }));
}

/** What RevenueCat has sold, what the one who loses has, and what has not ended by itself. */
function isMoving(purchase: Purchase | Foretold | undefined, loser: string, at: number): purchase is Purchase {
  if (!purchase || purchase.state === "foretold" || purchase.vendor !== "revenuecat") return false;
  if (movedAt(purchase) > at) return false;
  if ((purchase.movedTo ?? purchase.user) !== loser || purchase.purchasedAt.toMillis() > at) return false;
  const { endsAt } = groundOf(purchase);
  return endsAt === null || endsAt.toMillis() > at;
}

function movedAt({ movedAt: at }: Purchase): number {
  return at?.toMillis() ?? 0;
}

/**
 * RevenueCat lists a purchase as another user's than ours: it was transferred, and no webhook has told of it yet. What was transferred since
 * RevenueCat was asked stays where it is.
 * Bill: a read for the purchase, whether the one who has it has lost it since, and each entitlement on both sides; a write for each of them, and the events.
 */
export async function takeOver(
  tx: Transaction,
  id: string,
  { holder: listed, at }: { holder: string; at: number },
): Promise<void> {
  const purchase = (await tx.get(purchases().doc(id))).data();
  if (!purchase || purchase.state === "foretold" || movedAt(purchase) >= at) return;
  const holder = await holderAfter(tx, listed, at);
  const loser = purchase.movedTo ?? purchase.user;
  if (loser === holder || !isMoving(purchase, loser, at)) return;
  const names = purchase.grant.entitlements;
  const [lost, won] = [await readEntitlements(tx, loser, names), await readEntitlements(tx, holder, names)];
  const moving = [{ id, purchase }];
  writeLoss(tx, { loser, held: lost, moving }, { holder, at });
  writeGrounds(tx, won, { user: holder, grounds: groundsOf(moving) });
}
