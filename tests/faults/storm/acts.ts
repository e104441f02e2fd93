import { post } from "../../../functions/src/ledger/index.ts";
import { creditByHand, reverseByHand } from "../../../functions/src/ledger/operate.ts";
import { cancel, withdraw } from "../../../functions/src/payouts/withdraw.ts";
import { firestore } from "../../../functions/src/platform/firestore.ts";
import { craft } from "../../../functions/src/rewards/craft.ts";
import { acceptGift, declineGift } from "../../../functions/src/store/gifts/answer.ts";
import { give } from "../../../functions/src/store/gifts/give.ts";
import { buy } from "../../../functions/src/store/shop/buy.ts";
import { hot } from "../../../functions/src/store/shop/hot.ts";
import { checkout } from "../../../functions/src/store/stripe/checkout.ts";
import { refund } from "../../../functions/src/store/stripe/refund.ts";
import { topUp } from "../../../functions/src/store/stripe/top-up.ts";
import { sync } from "../../../functions/src/store/sync.ts";
import { OPERATOR } from "../stage.ts";
import type { Asks } from "./asks.ts";
import type { Chance } from "./chance.ts";
import { CLUB, type Facts, GEMS, PACK, SHIELD, SWORD } from "./facts.ts";
import type { World } from "./world.ts";

/** What people do in a storm, each a random one of its kind. */

export interface Storm {
  readonly world: World;
  readonly chance: Chance;
  readonly asks: Asks;
  readonly facts: Facts;
  /** Something that is there once in all storms. */
  readonly key: () => string;
}

type Act = (storm: Storm) => Promise<void>;

const HOME = "https://game.example.com/";
const olga = { uid: OPERATOR };
const note = "in a storm";

/** How a webhook of RevenueCat's travels. */
function manner({ chance }: Storm): object {
  return { hold: chance.percent(40), copies: 1 + chance.below(5), delayMillis: chance.below(20) };
}

async function buyGems(storm: Storm): Promise<void> {
  const customer = storm.chance.one(storm.facts.users);
  const bought = { customer, product: GEMS.product, kind: "consumable" };
  await storm.world.revenueCat("purchases", { ...bought, ...manner(storm) });
}

async function subscribe(storm: Storm): Promise<void> {
  const customer = storm.chance.one(storm.facts.users);
  const has = storm.world.customers.get(customer).purchases.some(({ product }) => product === CLUB.product);
  const bought = { customer, product: CLUB.product, kind: "subscription", days: CLUB.days };
  const body = has ? { customer, product: CLUB.product } : { ...bought, entitlements: [CLUB.entitlement] };
  await storm.world.revenueCat(has ? "renewals" : "purchases", { ...body, ...manner(storm) });
}

/** Money of one of a user's purchases by RevenueCat goes back, or comes again. */
async function changeTheirMind(storm: Storm): Promise<void> {
  const { chance, facts, world } = storm;
  const customer = chance.one(facts.users);
  const { purchases } = world.customers.get(customer);
  if (purchases.length === 0) return;
  const { product, refundedAt } = chance.one(purchases);
  const change = { customer, product, ...manner(storm) };
  if (refundedAt === undefined) await world.revenueCat("cancellations", { ...change, refund: true });
  else await world.revenueCat("reversals", change);
}

async function syncSomebody({ asks, chance, facts }: Storm): Promise<void> {
  const uid = chance.one(facts.users);
  await asks.ask("sync", () => sync({ uid }));
}

/** Money for the wallet, or a pack, paid in the app. */
async function payInApp({ asks, chance, facts, key, world }: Storm): Promise<void> {
  const user = chance.one(facts.users);
  const isPack = chance.percent(50);
  const what = isPack ? { product: PACK.product } : { amount: 500 + chance.below(20) * 100 };
  const request = { key: key(), currency: "USD", count: 1, ...what };
  let order = "";
  await asks.ask(
    "topUp",
    () => topUp({ uid: user }, request),
    (answer) => {
      order = answer.order;
      facts.orders.set(order, { user, isPack });
    },
  );
  const payment = order === "" ? undefined : (await firestore().doc(`orders/${order}`).get()).get("payment");
  if (payment === undefined || chance.percent(10)) return;
  const confirmed = { payment_method: "pm_card_bypassPending", return_url: HOME };
  // Whether it went through, Stripe knows.
  await (await world.client()).paymentIntents.confirm(String(payment), confirmed).catch(() => undefined);
}

/** Buys a pack on Stripe's page. */
async function payOnPage({ asks, chance, facts, key, world }: Storm): Promise<void> {
  const user = chance.one(facts.users);
  const request = { key: key(), product: PACK.product, count: 1, currency: "USD", successUrl: HOME, cancelUrl: HOME };
  let order = "";
  await asks.ask(
    "checkout",
    () => checkout({ uid: user }, request),
    (answer) => {
      order = answer.order;
      facts.orders.set(order, { user, isPack: true });
    },
  );
  const session = order === "" ? undefined : (await firestore().doc(`orders/${order}`).get()).get("session");
  if (session !== undefined) await world.stripe(`checkout/${session}/pay`).catch(() => undefined);
}

/** A purchase by Stripe that is known here, any. */
async function anySale({ chance, facts }: Storm) {
  const { docs } = await firestore().collection("purchases").where("store", "==", "STRIPE").get();
  const ours = docs.filter((one) => facts.users.includes(one.get("user")));
  return ours.length === 0 ? undefined : chance.one(ours);
}

async function refundByHand(storm: Storm): Promise<void> {
  const { asks, chance, key } = storm;
  const sale = await anySale(storm);
  if (!sale) return;
  const part = chance.percent(60) ? { amount: 100 * (1 + chance.below(8)) } : {};
  const request = { key: key(), purchase: sale.id, reason: "requested_by_customer" as const, note, ...part };
  await asks.ask("refund", () => refund(olga, request));
}

async function refundAtStripe(storm: Storm): Promise<void> {
  const sale = await anySale(storm);
  if (!sale) return;
  const asked = { payment_intent: String(sale.get("transaction")), amount: 100 };
  await (await storm.world.client()).refunds.create(asked).catch(() => undefined);
}

async function disputeOrDecide(storm: Storm): Promise<void> {
  const { chance, world } = storm;
  const sale = await anySale(storm);
  if (!sale) return;
  const client = await world.client();
  const payment_intent = String(sale.get("transaction"));
  try {
    const { data } = await client.disputes.list({ payment_intent });
    const [dispute] = data;
    if (dispute) {
      await world.stripe(`disputes/${dispute.id}/decide`, { outcome: chance.one(["won", "lost"]) });
      return;
    }
    const [charge] = (await client.charges.list({ payment_intent })).data;
    const amount = charge ? charge.amount - charge.amount_refunded : 0;
    if (charge && amount > 0) await world.stripe(`charges/${charge.id}/dispute`, { amount });
  } catch {
    // It is over already, or Stripe is not to be reached.
  }
}

async function buySword({ asks, chance, facts, key }: Storm): Promise<void> {
  const user = chance.one(facts.users);
  const { product, currency, price } = SWORD;
  const request = { key: key(), product, currency, expectedPrice: price, count: 1 + chance.below(2) };
  const bought = () => {
    facts.spent.push({ user, coins: price * request.count });
    facts.made.push({ user, item: product, quantity: request.count });
  };
  await asks.ask("buy", () => twice(chance, () => buy({ uid: user }, request)), bought);
}

async function giveSword({ asks, chance, facts, key }: Storm): Promise<void> {
  const from = chance.one(facts.users);
  const to = chance.one(facts.users.filter((user) => user !== from));
  const { product, currency, price } = SWORD;
  const request = { key: key(), product, currency, expectedPrice: price, to };
  await asks.ask(
    "gift",
    () => twice(chance, () => give({ uid: from }, request)),
    ({ gift }) => facts.gifts.set(gift, { from, to, state: "pending" }),
  );
}

/** Answers a gift that waits. */
async function answerGift({ asks, chance, facts }: Storm): Promise<void> {
  const pending = [...facts.gifts].filter(([, { state }]) => state === "pending");
  if (pending.length === 0) return;
  const [gift, known] = chance.one(pending);
  const act = chance.percent(70) ? acceptGift : declineGift;
  await asks.ask(
    "answer",
    () => act({ uid: known.to }, { gift }),
    ({ state }) => {
      known.state = state;
    },
  );
}

async function craftShield({ asks, chance, facts, key }: Storm): Promise<void> {
  const user = chance.one(facts.users);
  const request = { key: key(), recipe: SHIELD.recipe, count: 1, instances: [] };
  const crafted = () => {
    facts.spent.push({ user, coins: SHIELD.coins });
    facts.made.push({ user, item: SHIELD.recipe, quantity: SHIELD.quantity });
  };
  await asks.ask("craft", () => twice(chance, () => craft({ uid: user }, request)), crafted);
}

async function credit({ asks, chance, facts, key }: Storm): Promise<void> {
  const user = chance.one(facts.users);
  const coins = 50 + chance.below(100);
  const request = { key: key(), user, currency: "COIN", amount: coins, note };
  await asks.ask(
    "credit",
    () => twice(chance, () => creditByHand(olga, request)),
    ({ transaction }) => facts.credits.set(transaction, { user, coins, isReversed: false }),
  );
}

async function takeCreditBack({ asks, chance, facts }: Storm): Promise<void> {
  const standing = [...facts.credits].filter(([, { isReversed }]) => !isReversed);
  if (standing.length === 0) return;
  const [transaction, known] = chance.one(standing);
  const reversed = () => {
    known.isReversed = true;
  };
  const request = { transaction, kind: "adjustment" as const, note };
  await asks.ask("reverse", () => twice(chance, () => reverseByHand(olga, request)), reversed);
}

/** Money, which can be paid out. */
export async function winPrize({ asks, chance, facts, key }: Storm, user: string): Promise<void> {
  const cents = 1_000 + 100 * chance.below(40);
  const postings = [
    { from: "system:prizes", to: user, amount: cents, currency: "USD", as: { source: "earned" as const } },
  ];
  const prize = { key: key(), kind: "prize" as const, postings, reference: note };
  await asks.ask(
    "prize",
    () => post(prize),
    () => facts.won.push({ user, cents }),
  );
}

/** Has some of a prize sent to a bank. */
async function withdrawSome({ asks, chance, facts, key }: Storm): Promise<void> {
  const winners = facts.won.map(({ user }) => user);
  if (winners.length === 0) return;
  const user = chance.one(winners);
  const cents = 500 + 100 * chance.below(20);
  const request = { key: key(), currency: "USD", amount: cents };
  await asks.ask(
    "withdraw",
    () => twice(chance, () => withdraw({ uid: user }, request)),
    ({ id }) => facts.withdrawals.set(id, { user, cents }),
  );
}

async function cancelSome({ asks, chance, facts }: Storm): Promise<void> {
  const asked = [...facts.withdrawals];
  if (asked.length === 0) return;
  const [id, { user }] = chance.one(asked);
  await asks.ask("cancel", () => cancel({ uid: user }, { id }));
}

async function lookAround({ asks }: Storm): Promise<void> {
  await asks.ask("hot", () => hot(olga, { limit: 20 }));
}

/** Impatient people send the same twice at once, and get what both answers agree on. */
async function twice<T>(chance: Chance, carryOut: () => Promise<T>): Promise<T> {
  if (chance.percent(70)) return await carryOut();
  const [first, second] = await Promise.allSettled([carryOut(), carryOut()]);
  if (first.status === "fulfilled") return first.value;
  if (second.status === "fulfilled") return second.value;
  throw first.reason;
}

/** By how often they happen. */
const ACTS: readonly (readonly [weight: number, act: Act])[] = [
  [10, buyGems],
  [10, subscribe],
  [8, changeTheirMind],
  [5, syncSomebody],
  [12, payInApp],
  [6, payOnPage],
  [6, refundByHand],
  [3, refundAtStripe],
  [4, disputeOrDecide],
  [14, buySword],
  [6, giveSword],
  [5, answerGift],
  [8, craftShield],
  [5, credit],
  [2, takeCreditBack],
  [4, (storm) => winPrize(storm, storm.chance.one(storm.facts.users))],
  [7, withdrawSome],
  [2, cancelSome],
  [2, lookAround],
];
const CHOICE = ACTS.flatMap(([weight, act]) => Array.from({ length: weight }, () => act));

/** Does something. */
export async function act(storm: Storm): Promise<void> {
  await storm.chance.one(CHOICE)(storm);
}

/** What all storms are about, by what is asked for: nothing of it is left to chance. */
const CERTAIN: Readonly<Record<string, Act>> = {
  credit,
  topUp: payInApp,
  checkout: payOnPage,
  refund: refundByHand,
  buy: buySword,
  gift: giveSword,
  answer: answerGift,
  craft: craftShield,
  withdraw: withdrawSome,
  sync: syncSomebody,
};
/** More than chance has ever needed. */
const MAX_TRIES = 100;

/** Has an act tried until its outcome has been seen so many times more. Throws if it will not come. */
async function see(storm: Storm, { outcome, act, times = 1 }: { outcome: string; act: Act; times?: number }) {
  const seen = () => storm.asks.outcomes.get(outcome) ?? 0;
  const wanted = seen() + times;
  for (let i = 0; i < MAX_TRIES && seen() < wanted; i++) await act(storm);
  if (seen() < wanted) throw new Error(`not seen in ${MAX_TRIES} tries: ${outcome}`);
}

/** Has somebody ask for a payment while Stripe is not to be reached. */
export async function payInVain(storm: Storm): Promise<void> {
  const act = async () => {
    await storm.world.stripe("faults", { path: "/v1/payment_intents", mode: "500", times: 1 });
    await payInApp(storm);
  };
  await see(storm, { outcome: "topUp: stripe-unavailable", act });
}

/** Has everything happen that a storm is about, whatever came of it in the storm. For when it is over and nothing is due. */
export async function makeSure(storm: Storm): Promise<void> {
  for (const [what, act] of Object.entries(CERTAIN)) await see(storm, { outcome: `${what}: done`, act, times: 2 });
}
