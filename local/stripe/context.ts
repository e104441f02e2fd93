import type Stripe from "stripe";
import type { SuiteClock } from "../time/clock.ts";
import type { Alarms } from "./alarms.ts";
import type { TestCard } from "./cards.ts";
import { missing } from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import type { Kind, Kinds, Store } from "./store.ts";
import type { Webhooks } from "./webhooks.ts";

/** Everything the simulator has, and on whose behalf a piece of work is done. */

export interface Settings {
  /** Days until a charge's money is available; 2 by default, as in the USA. */
  readonly pendingDays: number;
  /** Days from a payout to its arrival at the bank; 2 by default. */
  readonly payoutDays: number;
  /** Days until a bank debit is known to have gone through; 4 by default. */
  readonly debitDays: number;
  /** Days after which a renewal that failed is tried again, each counted from the try before; 3, 5, 7 by default. */
  readonly retryDays: readonly number[];
  /** What becomes of a subscription whose last retry failed; canceled by default. */
  readonly afterRetries: "canceled" | "unpaid" | "past_due";
}

/** What became of a payment that something else waits for, such as an invoice. */
export type IntentFollower = (context: Context, intent: Stripe.PaymentIntent) => void;

export interface Simulator {
  readonly clock: SuiteClock;
  readonly alarms: Alarms;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly webhooks: Webhooks;
  readonly settings: Settings;
  readonly intentFollowers: readonly IntentFollower[];
  /** How test cards and banks behave, by the payment method or bank account. */
  readonly cards: Map<string, TestCard>;
  readonly banks: Map<string, string | undefined>;
  /** What a Checkout session sells, and what it was told to pass on, by session. */
  readonly carts: Map<string, Cart>;
  /** What a payment is for, by payment intent. */
  readonly purposes: Map<string, Purpose>;
  /** Which automatic payout took a balance transaction to the bank, by transaction. */
  readonly paidOutBy: Map<string, string>;
  /** Where the simulator's own pages are, such as `http://127.0.0.1:4242`. */
  readonly origin: () => string;
}

export interface Purpose {
  readonly invoice?: string;
  readonly session?: string;
}

export interface Cart {
  readonly items: readonly Stripe.LineItem[];
  readonly intent: IntentExtras;
  readonly subscription: SubscriptionExtras;
  /** A subscription that waits for its first payment. */
  waiting?: string;
}

/** `payment_intent_data` of a session. */
export interface IntentExtras {
  readonly application_fee_amount?: number | null | undefined;
  readonly capture_method?: "automatic" | "automatic_async" | "manual" | undefined;
  readonly description?: string | null | undefined;
  readonly metadata?: Record<string, string> | null | undefined;
  readonly on_behalf_of?: string | undefined;
  readonly receipt_email?: string | null | undefined;
  readonly setup_future_usage?: "on_session" | "off_session" | undefined;
  readonly statement_descriptor?: string | undefined;
  readonly statement_descriptor_suffix?: string | undefined;
  readonly transfer_data?: { readonly destination: string; readonly amount?: number | undefined } | undefined;
  readonly transfer_group?: string | undefined;
}

/** `subscription_data` of a session. */
export interface SubscriptionExtras {
  readonly description?: string | undefined;
  readonly metadata?: Record<string, string> | null | undefined;
  readonly trial_end?: number | undefined;
  readonly trial_period_days?: number | undefined;
}

export interface Context {
  readonly simulator: Simulator;
  /** The connected account on whose behalf this is; undefined: the platform. */
  readonly account: string | undefined;
  /** The request it comes from, unless time brought it about. */
  readonly request: { readonly id: string; readonly idempotencyKey: string | null } | undefined;
}

export const DAY = 86_400;
export const HOUR = 3_600;

/** Seconds since the epoch. */
export function now({ simulator }: Context): number {
  return Math.floor(simulator.clock.now() / 1_000);
}

/** The same work on behalf of another account. */
export function within(context: Context, account: string | undefined): Context {
  return { ...context, account };
}

/** Work that no request asks for. */
export function byItself({ simulator, account }: Context): Context {
  return { simulator, account, request: undefined };
}

/** Throws StripeError `resource_missing` if the account has no such object. */
export function get<K extends Kind>(context: Context, kind: K, id: string, param?: string): Kinds[K] {
  const found = context.simulator.store.find(kind, id, context.account);
  if (found === undefined) throw missing(kind, id, param);
  return found;
}

export function keep<K extends Kind>(context: Context, kind: K, object: Kinds[K]): Kinds[K] {
  context.simulator.store.add(kind, object, context.account);
  return object;
}

export function all<K extends Kind>(context: Context, kind: K): Kinds[K][] {
  return context.simulator.store.all(kind, context.account);
}

/** The id in a field that holds one, or nothing. */
export function idOf(field: string | { readonly id: string } | null | undefined): string | undefined {
  if (field === null || field === undefined) return undefined;
  return typeof field === "string" ? field : field.id;
}
