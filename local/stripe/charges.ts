import type Stripe from "stripe";
import { applicationFee } from "./application-fees.ts";
import type { Decline, TestCard } from "./cards.ts";
import { type Context, DAY, get, idOf, keep, now } from "./context.ts";
import { openDisputeOf } from "./disputes.ts";
import { change, emit } from "./events.ts";
import { newId } from "./ids.ts";
import { behaviorOfMethod } from "./payment-methods.ts";
import { destinationTransfer } from "./transfers.ts";

/** Charges: each try at taking money, and the money once it is taken. */

/** Stripe's price in the USA: https://stripe.com/pricing */
const FEE_SHARE = 0.029;
const FEE_FIXED = 30;
/** https://docs.stripe.com/payments/place-a-hold-on-a-payment-method: "7 days" for cards on most networks. */
const HOLD_DAYS = 7;

export interface Try {
  readonly intent: Stripe.PaymentIntent;
  readonly method: Stripe.PaymentMethod;
  readonly status: "succeeded" | "pending" | "failed";
  readonly decline?: Decline;
  readonly isAuthenticated: boolean;
}

/** Notes a try. No money moves before {@link capture}. */
export function newCharge(context: Context, { intent, method, status, decline, isAuthenticated }: Try): Stripe.Charge {
  const behavior = behaviorOfMethod(context, method.id);
  const charge: Stripe.Charge = {
    id: newId(method.type === "card" ? "ch" : "py"),
    object: "charge",
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: intent.application_fee_amount,
    balance_transaction: null,
    billing_details: structuredClone(method.billing_details),
    calculated_statement_descriptor: intent.statement_descriptor ?? "POT OF GOLD",
    captured: false,
    created: now(context),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: { ...intent.metadata },
    on_behalf_of: intent.on_behalf_of,
    outcome: outcomeOf(behavior, decline),
    paid: status === "succeeded",
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: detailsOf(context, intent, method, isAuthenticated),
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status,
    transfer_data: transferDataOf(intent),
    transfer_group: intent.transfer_group,
  };
  return keep(context, "charge", charge);
}

/** Takes the money of a charge, or part of it, and passes on what the intent says. */
export function capture(context: Context, charge: Stripe.Charge, intent: Stripe.PaymentIntent, amount: number): void {
  const { simulator, account } = context;
  const behavior = behaviorOfMethod(context, charge.payment_method ?? "");
  const availableOn = now(context) + (behavior.isBypassingPending ? 0 : simulator.settings.pendingDays * DAY);
  const fees = feesOf(charge, amount);
  if (account !== undefined && intent.application_fee_amount !== null) {
    fees.push(feeDetail("application_fee", intent.application_fee_amount, charge.currency, "Application fee"));
  }
  const transaction = simulator.ledger.post(context, {
    type: charge.id.startsWith("py_") ? "payment" : "charge",
    amount,
    currency: charge.currency,
    source: charge.id,
    fees,
    description: charge.description,
    availableOn,
  });
  charge.balance_transaction = transaction.id;
  charge.captured = true;
  charge.amount_captured = amount;
  charge.paid = true;
  charge.status = "succeeded";
  charge.receipt_url = `${simulator.origin()}/receipts/${charge.id}`;
  if (account !== undefined && intent.application_fee_amount !== null) {
    charge.application_fee = applicationFee(context, {
      charge,
      amount: intent.application_fee_amount,
      origin: null,
      availableOn,
    }).id;
  }
  if (account === undefined) passOn(context, charge, intent, availableOn);
}

/** What follows from the card once its charge has succeeded: disputes and warnings. */
export function afterCharge(context: Context, charge: Stripe.Charge): void {
  const { dispute, hasFraudWarning } = behaviorOfMethod(context, charge.payment_method ?? "");
  if (dispute !== undefined) openDisputeOf(context, charge, dispute);
  if (hasFraudWarning === true) warn(context, charge);
}

/** Lets go of what was authorized but not captured. */
export function release(context: Context, charge: Stripe.Charge): void {
  change(
    context,
    charge,
    (released) => {
      released.amount_refunded = released.amount;
      released.refunded = true;
    },
    "charge.refunded",
  );
}

function feeDetail(
  type: string,
  amount: number,
  currency: string,
  description: string,
): Stripe.BalanceTransaction.FeeDetail {
  return { amount, application: null, currency, description, type };
}

export function latestCharge(context: Context, intent: Stripe.PaymentIntent): Stripe.Charge | undefined {
  const id = idOf(intent.latest_charge);
  return id === undefined ? undefined : get(context, "charge", id);
}

function feesOf({ currency }: Stripe.Charge, amount: number): Stripe.BalanceTransaction.FeeDetail[] {
  return [feeDetail("stripe_fee", Math.round(amount * FEE_SHARE) + FEE_FIXED, currency, "Stripe processing fees")];
}

function passOn(context: Context, charge: Stripe.Charge, intent: Stripe.PaymentIntent, availableOn: number): void {
  const destination = idOf(intent.transfer_data?.destination);
  if (destination === undefined) return;
  const { transfer, fee } = destinationTransfer(context, {
    charge,
    destination,
    amount: intent.transfer_data?.amount ?? charge.amount_captured,
    fee: intent.application_fee_amount ?? 0,
    availableOn,
  });
  charge.transfer = transfer.id;
  charge.transfer_group = transfer.transfer_group;
  if (fee !== undefined) charge.application_fee = fee.id;
}

function warn(context: Context, charge: Stripe.Charge): void {
  const warning: Stripe.Radar.EarlyFraudWarning = {
    id: newId("issfr"),
    object: "radar.early_fraud_warning",
    actionable: true,
    charge: charge.id,
    created: now(context),
    fraud_type: "made_with_stolen_card",
    livemode: false,
    ...(charge.payment_intent === null ? {} : { payment_intent: idOf(charge.payment_intent) ?? "" }),
  };
  keep(context, "radar.early_fraud_warning", warning);
  emit(context, "radar.early_fraud_warning.created", warning);
}

function transferDataOf({ transfer_data }: Stripe.PaymentIntent): Stripe.Charge.TransferData | null {
  if (!transfer_data) return null;
  return { amount: transfer_data.amount ?? null, destination: transfer_data.destination };
}

function outcomeOf({ risk }: TestCard, decline: Decline | undefined): Stripe.Charge.Outcome {
  const common = {
    advice_code: null,
    network_advice_code: null,
    risk_level: risk ?? "normal",
    risk_score: riskScore(risk),
  };
  if (decline === undefined) {
    return {
      ...common,
      network_decline_code: null,
      network_status: "approved_by_network",
      reason: null,
      seller_message: "Payment complete.",
      type: "authorized",
    };
  }
  const isBlocked = decline.isBlocked === true;
  return {
    ...common,
    network_decline_code: isBlocked ? null : "02",
    network_status: isBlocked ? "not_sent_to_network" : "declined_by_network",
    reason: isBlocked ? "highest_risk_level" : (decline.declineCode ?? decline.code),
    seller_message: isBlocked
      ? "Stripe blocked this payment as too risky."
      : `The bank returned the decline code \`${decline.declineCode ?? decline.code}\`.`,
    type: isBlocked ? "blocked" : "issuer_declined",
  };
}

function riskScore(risk: TestCard["risk"]): number {
  if (risk === "highest") return 95;
  return risk === "elevated" ? 70 : 20;
}

function detailsOf(
  context: Context,
  intent: Stripe.PaymentIntent,
  { type, card, us_bank_account, sepa_debit }: Stripe.PaymentMethod,
  isAuthenticated: boolean,
): Stripe.Charge.PaymentMethodDetails {
  if (us_bank_account !== undefined) {
    const { account_holder_type, account_type, bank_name, fingerprint, last4, routing_number } = us_bank_account;
    return {
      type,
      us_bank_account: {
        account_holder_type,
        account_type,
        bank_name,
        fingerprint,
        last4,
        payment_reference: null,
        routing_number,
      },
    };
  }
  if (sepa_debit !== undefined) {
    const { bank_code, branch_code, country, fingerprint, last4 } = sepa_debit;
    return { type, sepa_debit: { bank_code, branch_code, country, fingerprint, last4, mandate: null } };
  }
  if (card === undefined) return { type };
  const { brand, checks, country, exp_month, exp_year, fingerprint = null, funding, last4 } = card;
  return {
    type,
    card: {
      amount_authorized: intent.amount,
      authorization_code: null,
      brand,
      ...(intent.capture_method === "manual" ? { capture_before: now(context) + HOLD_DAYS * DAY } : {}),
      checks: structuredClone(checks),
      country,
      electronic_commerce_indicator: null,
      exp_month,
      exp_year,
      extended_authorization: { status: "disabled" },
      fingerprint,
      funding,
      incremental_authorization: { status: "unavailable" },
      installments: null,
      last4,
      mandate: null,
      multicapture: { status: "unavailable" },
      network: brand,
      network_token: { used: false },
      network_transaction_id: null,
      overcapture: { maximum_amount_capturable: intent.amount, status: "unavailable" },
      regulated_status: "unregulated",
      three_d_secure: isAuthenticated ? threeDSecure() : null,
      transaction_link_id: null,
      wallet: null,
    },
  };
}

function threeDSecure(): NonNullable<Stripe.Charge.PaymentMethodDetails.Card["three_d_secure"]> {
  return {
    authentication_flow: "challenge",
    electronic_commerce_indicator: "05",
    exemption_indicator: null,
    result: "authenticated",
    result_reason: null,
    transaction_id: newId("dst", 16),
    version: "2.2.0",
  };
}
