import type Stripe from "stripe";
import { type Context, type IntentExtras, keep, now } from "./context.ts";
import { emit } from "./events.ts";
import { newId, randomText } from "./ids.ts";
import { newMetadata } from "./params.ts";

/** The intention to be paid, before anybody has: https://docs.stripe.com/api/payment_intents/object */

export interface NewIntent {
  readonly amount: number;
  readonly currency: string;
  readonly allowedTypes?: Stripe.PaymentIntent.AllowedPaymentMethodType[] | null;
  readonly applicationFee?: number | null;
  readonly captureMethod?: Stripe.PaymentIntent.CaptureMethod;
  readonly customer?: string | null;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
  readonly onBehalfOf?: string | null;
  readonly method?: string | null;
  readonly methodTypes?: string[];
  readonly isAutomatic?: boolean;
  readonly receiptEmail?: string | null;
  readonly setupFutureUsage?: Stripe.PaymentIntent.SetupFutureUsage | null;
  readonly statementDescriptor?: string | null;
  readonly statementSuffix?: string | null;
  readonly transferData?: Stripe.PaymentIntent.TransferData | null;
  readonly transferGroup?: string | null;
}

/** What requests for intents and for sessions that make them say alike. */
export function fromExtras(given: IntentExtras): Omit<NewIntent, "amount" | "currency"> {
  const { destination, amount } = given.transfer_data ?? {};
  return {
    applicationFee: given.application_fee_amount ?? null,
    ...(given.capture_method === undefined ? {} : { captureMethod: given.capture_method }),
    description: given.description ?? null,
    metadata: newMetadata(given.metadata),
    onBehalfOf: given.on_behalf_of ?? null,
    receiptEmail: given.receipt_email ?? null,
    setupFutureUsage: given.setup_future_usage ?? null,
    statementDescriptor: given.statement_descriptor ?? null,
    statementSuffix: given.statement_descriptor_suffix ?? null,
    transferData: destination === undefined ? null : { destination, ...(amount === undefined ? {} : { amount }) },
    transferGroup: given.transfer_group ?? null,
  };
}

const DEFAULTS: Required<Omit<NewIntent, "amount" | "currency">> = {
  allowedTypes: null,
  applicationFee: null,
  captureMethod: "automatic_async",
  customer: null,
  description: null,
  isAutomatic: false,
  metadata: {},
  method: null,
  methodTypes: ["card"],
  onBehalfOf: null,
  receiptEmail: null,
  setupFutureUsage: null,
  statementDescriptor: null,
  statementSuffix: null,
  transferData: null,
  transferGroup: null,
};

export function newIntent(context: Context, wanted: NewIntent): Stripe.PaymentIntent {
  const given = { ...DEFAULTS, ...wanted };
  const id = newId("pi");
  const intent: Stripe.PaymentIntent = {
    id,
    object: "payment_intent",
    allowed_payment_method_types: given.allowedTypes,
    amount: given.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: given.applicationFee,
    automatic_payment_methods: given.isAutomatic ? { allow_redirects: "always", enabled: true } : null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: given.captureMethod,
    client_secret: `${id}_secret_${randomText(25)}`,
    confirmation_method: "automatic",
    created: now(context),
    currency: given.currency,
    customer: given.customer,
    customer_account: null,
    description: given.description,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: { ...given.metadata },
    next_action: null,
    on_behalf_of: given.onBehalfOf,
    payment_method: given.method,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: given.methodTypes,
    payment_record: null,
    processing: null,
    receipt_email: given.receiptEmail,
    review: null,
    setup_future_usage: given.setupFutureUsage,
    shipping: null,
    source: null,
    statement_descriptor: given.statementDescriptor,
    statement_descriptor_suffix: given.statementSuffix,
    status: given.method ? "requires_confirmation" : "requires_payment_method",
    transfer_data: given.transferData,
    transfer_group: given.transferGroup,
  };
  keep(context, "payment_intent", intent);
  emit(context, "payment_intent.created", intent);
  return intent;
}
