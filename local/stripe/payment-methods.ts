import { createHash } from "node:crypto";
import type Stripe from "stripe";
import { bankByName, debitOf } from "./banks.ts";
import { cardByName, cardByNumber, type Decline, isPlausible, type TestCard } from "./cards.ts";
import { type Context, get, keep, now } from "./context.ts";
import { invalid, StripeError } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId } from "./ids.ts";
import { type MetadataChange, newMetadata } from "./params.ts";

/** How people pay: cards and bank accounts, which behave as the test number they stand for. */

export interface GivenAddress {
  readonly city?: string | undefined;
  readonly country?: string | undefined;
  readonly line1?: string | undefined;
  readonly line2?: string | undefined;
  readonly postal_code?: string | undefined;
  readonly state?: string | undefined;
}

export interface GivenBilling {
  readonly address?: GivenAddress | null | undefined;
  readonly email?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly phone?: string | null | undefined;
}

export interface GivenMethod {
  readonly type: string;
  readonly card?:
    | {
        readonly number?: string | undefined;
        readonly token?: string | undefined;
        readonly exp_month?: number | undefined;
        readonly exp_year?: number | undefined;
        readonly cvc?: string | undefined;
      }
    | undefined;
  readonly us_bank_account?:
    | { readonly account_number: string; readonly routing_number?: string | undefined }
    | undefined;
  readonly sepa_debit?: { readonly iban: string } | undefined;
  readonly billing_details?: GivenBilling | undefined;
  readonly metadata?: MetadataChange;
}

export function addressOf(given: GivenAddress | null | undefined): Stripe.Address {
  const { city = null, country = null, line1 = null, line2 = null, postal_code = null, state = null } = given ?? {};
  return { city, country, line1, line2, postal_code, state };
}

/** Makes a payment method. Throws StripeError for a number that is none. */
export function newPaymentMethod(context: Context, given: GivenMethod): Stripe.PaymentMethod {
  const behavior = behaviorOf(given);
  const method: Stripe.PaymentMethod = {
    id: newId("pm"),
    object: "payment_method",
    allow_redisplay: "unspecified",
    billing_details: billingOf(given.billing_details),
    created: now(context),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: newMetadata(given.metadata),
    type: given.type,
    ...detailsOf(given, behavior),
  };
  context.simulator.cards.set(method.id, behavior);
  return keep(context, "payment_method", method);
}

/** The payment method of an id, or a new one for a name such as `pm_card_visa`. */
export function methodOf(context: Context, id: string, param = "payment_method"): Stripe.PaymentMethod {
  if (cardByName(id) !== undefined) return newPaymentMethod(context, { type: "card", card: { token: id } });
  const bank = bankByName(id);
  if (bank !== undefined)
    return newPaymentMethod(context, { type: "us_bank_account", us_bank_account: { account_number: bank } });
  return get(context, "payment_method", id, param);
}

export function behaviorOfMethod(context: Context, id: string): TestCard {
  const behavior = context.simulator.cards.get(id);
  if (behavior === undefined)
    throw invalid(`No such PaymentMethod: '${id}'`, { code: "resource_missing", param: "payment_method" });
  return behavior;
}

/** Throws StripeError `card_declined` and its like for a payment method that would not pay just now, with nobody there to authenticate. */
export function checkPays(context: Context, id: string): void {
  const { decline, authentication } = behaviorOfMethod(context, id);
  if (decline !== undefined) throw declined(decline);
  if (authentication === "always") {
    throw new StripeError(402, "card_error", "Your card was declined. This transaction requires authentication.", {
      code: "authentication_required",
      declineCode: "authentication_required",
    });
  }
}

/** Gives a payment method to a customer. Throws StripeError if the card is declined or has another owner. */
export function attach(context: Context, method: Stripe.PaymentMethod, customer: string): Stripe.PaymentMethod {
  get(context, "customer", customer, "customer");
  if (method.customer === customer) return method;
  if (method.customer !== null) {
    throw invalid("The payment method you provided has already been attached to a customer.", {
      param: "payment_method",
    });
  }
  const { decline, canAttach, authentication } = behaviorOfMethod(context, method.id);
  if (decline !== undefined && canAttach !== true && authentication === undefined) {
    throw declined(decline);
  }
  return change(
    context,
    method,
    (changed) => {
      changed.customer = customer;
    },
    "payment_method.attached",
  );
}

export function detach(context: Context, method: Stripe.PaymentMethod): Stripe.PaymentMethod {
  if (method.customer === null) {
    throw invalid("The payment method you provided is not attached to a customer so detachment is impossible.");
  }
  const before = method.customer;
  method.customer = null;
  emit(context, "payment_method.detached", method, { customer: before });
  return method;
}

function declined({ code, declineCode, message }: Decline): StripeError {
  return new StripeError(402, "card_error", message, { code, ...(declineCode === undefined ? {} : { declineCode }) });
}

/** The same for the same number, whoever pays with it. */
function fingerprintOf(number: string): string {
  return createHash("sha256").update(number).digest("base64url").replaceAll(/[-_]/g, "x").slice(0, 16);
}

function behaviorOf(given: GivenMethod): TestCard {
  if (given.type === "card") return cardOf(given.card);
  const bank = given.us_bank_account?.account_number ?? given.sepa_debit?.iban;
  if (bank === undefined) {
    throw invalid(`Missing required param: ${given.type}.`, {
      code: "parameter_missing",
      param: given.type,
      early: true,
    });
  }
  const { end, code } = debitOf(bank);
  const declined = { code: "card_declined" as const, message: "The customer's bank account could not be debited." };
  return {
    number: bank,
    brand: given.type,
    country: given.type === "us_bank_account" ? "US" : bank.slice(0, 2),
    funding: "debit",
    debit: end,
    ...(end === "fails" ? { decline: { ...declined, ...(code === undefined ? {} : { declineCode: code }) } } : {}),
    ...(end === "disputed" ? { dispute: { reason: "bank_cannot_process" } } : {}),
  };
}

function cardOf(given: GivenMethod["card"]): TestCard {
  if (given?.token !== undefined) {
    const card = cardByName(given.token);
    if (card === undefined)
      throw invalid(`No such token: '${given.token}'`, { code: "resource_missing", param: "card[token]", early: true });
    return card;
  }
  const number = given?.number ?? "";
  const card = cardByNumber(number);
  if (card !== undefined) return card;
  if (!isPlausible(number)) {
    throw new StripeError(402, "card_error", "Your card number is incorrect.", {
      code: "incorrect_number",
      param: "number",
    });
  }
  throw new StripeError(
    402,
    "card_error",
    "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.",
    { code: "card_declined", declineCode: "test_mode_live_card", param: "number" },
  );
}

function detailsOf({ type, card, us_bank_account }: GivenMethod, behavior: TestCard): Partial<Stripe.PaymentMethod> {
  const { number, country, brand, funding, failedChecks } = behavior;
  const last4 = number.slice(-4);
  const fingerprint = fingerprintOf(number);
  if (type === "sepa_debit") {
    return {
      sepa_debit: { bank_code: "37040044", branch_code: "", country, fingerprint, generated_from: null, last4 },
    };
  }
  if (type === "us_bank_account") {
    return {
      us_bank_account: {
        account_holder_type: "individual",
        account_type: "checking",
        bank_name: "STRIPE TEST BANK",
        financial_connections_account: null,
        fingerprint,
        last4,
        networks: { preferred: "ach", supported: ["ach"] },
        routing_number: us_bank_account?.routing_number ?? "110000000",
        status_details: null,
      },
    };
  }
  return {
    card: {
      brand,
      checks: {
        address_line1_check: failedChecks?.includes("line1") ? "fail" : null,
        address_postal_code_check: failedChecks?.includes("postal") ? "fail" : null,
        cvc_check: failedChecks?.includes("cvc") ? "fail" : "pass",
      },
      country,
      display_brand: brand,
      exp_month: card?.exp_month ?? 12,
      exp_year: card?.exp_year ?? 2034,
      fingerprint,
      funding,
      generated_from: null,
      last4,
      networks: { available: [brand], preferred: null },
      regulated_status: "unregulated",
      three_d_secure_usage: { supported: brand !== "amex" },
      wallet: null,
    },
  };
}

function billingOf(given: GivenBilling | undefined): Stripe.PaymentMethod.BillingDetails {
  const { address, email = null, name = null, phone = null } = given ?? {};
  return { address: addressOf(address), email, name, phone, tax_id: null };
}
