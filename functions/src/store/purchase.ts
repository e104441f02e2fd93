import { type Timestamp, timestamp } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import type { Ground, Reward } from "../rewards/index.ts";
import type { Foretold, Purchase, Refund } from "./records.ts";

/** A purchase as a vendor reports it. Times are milliseconds since the epoch. */
export interface PurchaseFact {
  readonly user: string;
  readonly product: string;
  /** As `APP_STORE`. */
  readonly store: string;
  readonly environment: Purchase["environment"];
  /** The store's id of this payment: of each renewal another. */
  readonly transaction: string;
  readonly purchasedAt: number;
  /** Null: for ever. */
  readonly expiresAt: number | null;
  /** A free trial, a gift, or somebody else of the family has paid. */
  readonly isFree: boolean;
  readonly price: Purchase["price"];
  readonly house?: Purchase["house"];
  readonly card?: Purchase["card"];
  /** Through whom it was sold, if it was: who to ask about it, and who may move it. */
  readonly vendor?: Purchase["vendor"];
  /** Who has what it entitles to, if it was moved before it was heard of. */
  readonly movedTo?: string | undefined;
}

/** What is heard of a purchase besides that it was made. `at` is when it happened, in milliseconds since the epoch. */
export type News =
  /** Its renewal was turned off, or on again; it ran out. */
  | { readonly kind: "renewalOff" | "renewalOn" | "ended"; readonly at: number }
  /** The store has moved its end. */
  | { readonly kind: "extended"; readonly at: number; readonly expiresAt: number }
  /** It will pause when it ends, and go on by itself then, or when its owner says so. */
  | { readonly kind: "paused"; readonly at: number; readonly resumesAt: number | null }
  /** It will go on as another product. */
  | { readonly kind: "changed"; readonly at: number; readonly product: string }
  /** The renewal could not be charged; it holds a little longer. */
  | { readonly kind: "graced"; readonly at: number; readonly until: number }
  /** So much of the price has gone back by now; none: it was paid after all. */
  | ({ readonly kind: "refunded"; readonly at: number } & Omit<Refund, "at">);

/** Everything, where the vendor does not say how much. */
export const WHOLE = { amount: 1, of: 1, by: "refund" } as const;

/** The id of a purchase: the same whether a webhook or the app tells of it. */
export function purchaseId({
  environment,
  store,
  transaction,
}: Pick<PurchaseFact, "environment" | "store" | "transaction">): string {
  return deterministicId("purchase", environment, store, transaction);
}

/** A purchase, or what is known of one that is yet to come, after news of it. The order in which news comes makes no difference. */
export function withNews<Known extends Purchase | Foretold>(known: Known, news: News): Known {
  return { ...known, ...learned(known, news), updatedAt: timestamp() };
}

function learned(known: Purchase | Foretold, news: News): Partial<Foretold> {
  const at = timestamp(news.at);
  switch (news.kind) {
    case "renewalOff":
    case "renewalOn":
      return { renewal: laterOf(known.renewal, { isOn: news.kind === "renewalOn", at }, ({ isOn }) => (isOn ? 0 : 1)) };
    case "ended":
      return { endedAt: earlierOf(known.endedAt, at) };
    case "extended":
      return {
        extension: laterOf(known.extension, { expiresAt: timestamp(news.expiresAt), at }, (one) =>
          one.expiresAt.toMillis(),
        ),
      };
    case "paused":
      return {
        renewal: laterOf(known.renewal, { isOn: false, at }, ({ isOn }) => (isOn ? 0 : 1)),
        pause: laterOf(known.pause, { resumesAt: timestampOrNull(news.resumesAt), at }, (one) =>
          one.resumesAt === null ? Number.POSITIVE_INFINITY : one.resumesAt.toMillis(),
        ),
      };
    case "changed":
      return { successor: laterOf(known.successor, { product: news.product, at }, ({ product }) => product) };
    case "graced":
      return { graceUntil: timestamp(Math.max(news.until, known.graceUntil?.toMillis() ?? 0)) };
    case "refunded": {
      const { amount, of, by } = news;
      return { refund: laterOf(known.refund, { amount, of, by, at }, (one) => one.amount / one.of) };
    }
  }
}

function timestampOrNull(millis: number | null): Timestamp | null {
  return millis === null ? null : timestamp(millis);
}

/** The one that happened later; of two at the same time the one with more weight. */
function laterOf<Told extends { readonly at: Timestamp }>(
  known: Told | undefined,
  told: Told,
  weight: (told: Told) => number | string,
): Told {
  if (!known) return told;
  const difference = told.at.toMillis() - known.at.toMillis();
  return difference > 0 || (difference === 0 && weight(told) > weight(known)) ? told : known;
}

function earlierOf(known: Timestamp | undefined, at: Timestamp): Timestamp {
  return known && known.toMillis() < at.toMillis() ? known : at;
}

/** A purchase as it is recorded, with the news that came before it. */
export function purchaseOf(
  fact: PurchaseFact,
  rest: Pick<Purchase, "grant" | "via"> & { readonly state?: Purchase["state"] },
  foretold: Foretold | undefined,
): Purchase {
  const { user, product, store, environment, transaction, price, purchasedAt, vendor, house, card, movedTo } = fact;
  const { state: _, updatedAt: __, ...news } = foretold ?? {};
  return {
    state: "granted",
    ...rest,
    user,
    ...(movedTo === undefined || movedTo === user ? {} : { movedTo }),
    product,
    store,
    environment,
    transaction,
    ...(vendor ? { vendor } : {}),
    ...(price ? { price } : {}),
    ...(isReceipted(price, environment, rest.state) ? { receiptDue: true as const } : {}),
    ...(house ? { house } : {}),
    ...(card ? { card } : {}),
    purchasedAt: timestamp(purchasedAt),
    ...endingOf(fact, rest.grant),
    ...news,
    updatedAt: timestamp(),
  };
}

/** What is sold without an end of its own ends when what it gives does. */
function endingOf(
  { purchasedAt, expiresAt }: PurchaseFact,
  { entitlementSeconds }: Reward,
): Pick<Purchase, "expiresAt" | "renewal"> {
  if (expiresAt !== null) return { expiresAt: timestamp(expiresAt) };
  if (entitlementSeconds === undefined) return { expiresAt: null };
  return withoutRenewal(purchasedAt, purchasedAt + entitlementSeconds * 1_000);
}

/** When it ends, after which it does not go on. Times are milliseconds since the epoch. */
export function withoutRenewal(purchasedAt: number, expiresAt: number): Pick<Purchase, "expiresAt" | "renewal"> {
  return { expiresAt: timestamp(expiresAt), renewal: { isOn: false, at: timestamp(purchasedAt) } };
}

/** Whether there is to be a receipt: for whatever was granted and paid for. */
export function isReceipted(
  price: Purchase["price"],
  environment: Purchase["environment"],
  state: Purchase["state"] = "granted",
): boolean {
  return state === "granted" && environment === "PRODUCTION" && price !== undefined && price.amount > 0;
}

/** A purchase that had come to be known without its price, now that it is told; undefined if that is no news. */
export function withPrice(known: Purchase, price: Purchase["price"]): Purchase | undefined {
  if (known.price || !price) return undefined;
  const isDue = known.receipt === undefined && isReceipted(price, known.environment, known.state);
  return { ...known, price, ...(isDue ? { receiptDue: true as const } : {}), updatedAt: timestamp() };
}

/** Whether the whole price has gone back. */
export function isRefunded({ refund }: Pick<Purchase, "refund">): boolean {
  return refund !== undefined && refund.amount >= refund.of;
}

/** What a purchase means for the entitlements it gives: until when, and whether it will go on. */
export function groundOf(purchase: Purchase): Ground {
  const { product, store, expiresAt, renewal } = purchase;
  const end = Math.min(...endsOf(purchase));
  return {
    product,
    store,
    endsAt: end === Number.POSITIVE_INFINITY ? null : timestamp(end),
    willRenew: expiresAt !== null && !endOf(purchase) && !isRefunded(purchase) && renewal?.isOn !== false,
  };
}

/** When it ran out. Told before the store moved the end, or took a refund back, that is about the end that was. */
function endOf({ endedAt, extension, refund }: Purchase): Timestamp | undefined {
  const undone = Math.max(extension?.at.toMillis() ?? 0, refund?.amount === 0 ? refund.at.toMillis() : 0);
  return endedAt && endedAt.toMillis() < undone ? undefined : endedAt;
}

/** Whatever ends it: its time, its expiry as the store tells it, its refund. */
function endsOf(purchase: Purchase): number[] {
  const { state, purchasedAt, expiresAt, extension, graceUntil, refund } = purchase;
  const due = extension?.expiresAt ?? expiresAt;
  return [
    due === null ? Number.POSITIVE_INFINITY : Math.max(due.toMillis(), graceUntil?.toMillis() ?? 0),
    endOf(purchase)?.toMillis() ?? Number.POSITIVE_INFINITY,
    isRefunded({ refund }) && refund ? refund.at.toMillis() : Number.POSITIVE_INFINITY,
    state === "review" || state === "rejected" ? purchasedAt.toMillis() : Number.POSITIVE_INFINITY,
  ];
}

/** What of a reward has to go back when so much of its price has: rounded down, so that only the whole price takes the last of it. */
export function shareOf(
  quantities: Readonly<Record<string, number>>,
  refund: Refund | undefined,
): Record<string, number> {
  if (!refund || refund.amount === 0) return {};
  const amount = BigInt(Math.min(refund.amount, refund.of));
  const parts = Object.entries(quantities).map(
    ([name, quantity]) => [name, Number((BigInt(quantity) * amount) / BigInt(refund.of))] as const,
  );
  return Object.fromEntries(parts.filter(([, quantity]) => quantity > 0));
}
