import type Stripe from "stripe";
import { StripeError } from "./errors.ts";

/** All objects, by id and by the account that has them. The platform's own are under no account. */

/** What the API calls each kind of object, and its shape. Expandable fields hold ids. */
export interface Kinds {
  account: Stripe.Account;
  application_fee: Stripe.ApplicationFee;
  balance_transaction: Stripe.BalanceTransaction;
  bank_account: Stripe.BankAccount;
  "billing_portal.session": Stripe.BillingPortal.Session;
  charge: Stripe.Charge;
  "checkout.session": Stripe.Checkout.Session;
  customer: Stripe.Customer;
  dispute: Stripe.Dispute;
  event: StoredEvent;
  fee_refund: Stripe.FeeRefund;
  invoice: Stripe.Invoice;
  invoice_payment: Stripe.InvoicePayment;
  invoiceitem: Stripe.InvoiceItem;
  payment_intent: Stripe.PaymentIntent;
  payment_method: Stripe.PaymentMethod;
  payout: Stripe.Payout;
  price: Stripe.Price;
  product: Stripe.Product;
  "radar.early_fraud_warning": Stripe.Radar.EarlyFraudWarning;
  refund: Stripe.Refund;
  setup_intent: Stripe.SetupIntent;
  subscription: Stripe.Subscription;
  subscription_item: Stripe.SubscriptionItem;
  transfer: Stripe.Transfer;
  transfer_reversal: Stripe.TransferReversal;
  webhook_endpoint: Stripe.WebhookEndpoint;
}
export type Kind = keyof Kinds;

/** `data.object` is a copy of the object as it was. */
export interface StoredEvent {
  readonly id: string;
  readonly object: "event";
  readonly account?: string;
  readonly api_version: string;
  readonly created: number;
  readonly data: { readonly object: object; readonly previous_attributes?: object };
  readonly livemode: false;
  pending_webhooks: number;
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
  readonly type: string;
}

interface Entry {
  readonly kind: Kind;
  readonly account: string | undefined;
  readonly object: object;
}

export interface Tombstone {
  readonly id: string;
  readonly object: string;
  readonly deleted: true;
}

const MAX_OBJECTS = 500_000;
const MAX_TOMBSTONES = 10_000;

export class Store {
  readonly #entries = new Map<string, Entry>();
  /** In the order of their making, by kind and account. */
  readonly #lists = new Map<string, Map<string, object>>();
  readonly #tombstones = new Map<string, Tombstone>();

  /** Throws StripeError when the simulator is full. */
  add<K extends Kind>(kind: K, object: Kinds[K], account: string | undefined): void {
    if (this.#entries.size >= MAX_OBJECTS) {
      throw new StripeError(500, "api_error", `The simulator keeps at most ${MAX_OBJECTS} objects.`);
    }
    const key = listKey(kind, account);
    const list = this.#lists.get(key) ?? new Map<string, object>();
    this.#lists.set(key, list);
    this.#entries.set(object.id, { kind, account, object });
    list.set(object.id, object);
  }

  find<K extends Kind>(kind: K, id: string, account: string | undefined): Kinds[K] | undefined {
    return this.#lists.get(listKey(kind, account))?.get(id) as Kinds[K] | undefined;
  }

  /** In the order of their making. */
  all<K extends Kind>(kind: K, account: string | undefined): Kinds[K][] {
    return [...(this.#lists.get(listKey(kind, account))?.values() ?? [])] as Kinds[K][];
  }

  count(kind: Kind, account: string | undefined): number {
    return this.#lists.get(listKey(kind, account))?.size ?? 0;
  }

  oldest<K extends Kind>(kind: K, account: string | undefined): Kinds[K] | undefined {
    return this.#lists.get(listKey(kind, account))?.values().next().value as Kinds[K] | undefined;
  }

  /** Whatever has this id, as long as the account may see it: it has it, or is the platform. */
  any(id: string, account: string | undefined): object | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return this.#tombstones.get(id);
    const isSeen = account === undefined || entry.account === account || id === account;
    return isSeen ? entry.object : undefined;
  }

  /** The account that has an object of this kind, for pages that know only its id. */
  owner(kind: Kind, id: string): { readonly account: string | undefined } | undefined {
    const entry = this.#entries.get(id);
    return entry?.kind === kind ? { account: entry.account } : undefined;
  }

  remove(kind: Kind, id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.kind !== kind) return;
    this.#entries.delete(id);
    this.#lists.get(listKey(kind, entry.account))?.delete(id);
  }

  /** Removes an object and remembers that it was there. */
  bury(kind: Kind, id: string): Tombstone {
    this.remove(kind, id);
    const tombstone: Tombstone = { id, object: kind, deleted: true };
    const oldest = this.#tombstones.keys().next().value;
    if (this.#tombstones.size >= MAX_TOMBSTONES && oldest !== undefined) this.#tombstones.delete(oldest);
    this.#tombstones.set(id, tombstone);
    return tombstone;
  }

  tombstone(kind: Kind, id: string): Tombstone | undefined {
    const tombstone = this.#tombstones.get(id);
    return tombstone?.object === kind ? tombstone : undefined;
  }
}

function listKey(kind: Kind, account: string | undefined): string {
  return `${kind} ${account ?? ""}`;
}
