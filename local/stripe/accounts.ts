import type Stripe from "stripe";
import { bankByToken, payoutFailureOf } from "./banks.ts";
import { type Context, get, keep, now, within } from "./context.ts";
import { invalid } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId, randomText } from "./ids.ts";
import type { Tombstone } from "./store.ts";

/** Connected accounts and their bank accounts: https://docs.stripe.com/connect/express-accounts */

export interface NewAccount {
  readonly type?: "express" | "custom" | "standard" | undefined;
  readonly country?: string | undefined;
  readonly email?: string | null | undefined;
  readonly capabilities: readonly string[];
  readonly businessType?: Stripe.Account.BusinessType | undefined;
  readonly metadata: Record<string, string>;
  readonly interval?: "manual" | "daily" | undefined;
}

export interface GivenBank {
  readonly account_number: string;
  readonly country?: string | undefined;
  readonly currency?: string | undefined;
  readonly routing_number?: string | undefined;
  readonly account_holder_name?: string | undefined;
}

const CURRENCIES: Readonly<Record<string, string>> = {
  US: "usd",
  GB: "gbp",
  CH: "chf",
  JP: "jpy",
  CA: "cad",
  AU: "aud",
};
const REQUIRED = [
  "business_profile.url",
  "business_type",
  "external_account",
  "tos_acceptance.date",
  "tos_acceptance.ip",
];

export function newAccount(context: Context, given: NewAccount): Stripe.Account {
  const { type = "express", country = "US", email = null, capabilities, metadata, businessType } = given;
  const id = newId("acct", 16);
  const account: Stripe.Account = {
    id,
    object: "account",
    business_profile: {
      mcc: null,
      minority_owned_business_designation: null,
      name: null,
      specified_commercial_transactions_act_url: null,
      support_address: null,
      support_email: null,
      support_phone: null,
      support_url: null,
      url: null,
    },
    business_type: businessType ?? null,
    capabilities: Object.fromEntries(capabilities.map((name) => [name, "inactive"])),
    charges_enabled: false,
    controller: {
      fees: { payer: "application_express" },
      is_controller: true,
      losses: { payments: "application" },
      requirement_collection: "stripe",
      stripe_dashboard: { type: "express" },
      type: "application",
    },
    country,
    created: now(context),
    default_currency: CURRENCIES[country] ?? "eur",
    details_submitted: false,
    email,
    external_accounts: { object: "list", data: [], has_more: false, url: `/v1/accounts/${id}/external_accounts` },
    future_requirements: requirements([]),
    groups: { payments_pricing: null },
    metadata,
    payouts_enabled: false,
    requirements: requirements(REQUIRED),
    settings: {
      branding: { icon: null, logo: null, primary_color: null, secondary_color: null },
      card_payments: {
        statement_descriptor_prefix: null,
        statement_descriptor_prefix_kana: null,
        statement_descriptor_prefix_kanji: null,
      },
      dashboard: { display_name: null, timezone: "Etc/UTC" },
      payments: {
        statement_descriptor: null,
        statement_descriptor_kana: null,
        statement_descriptor_kanji: null,
        statement_descriptor_prefix_kana: null,
        statement_descriptor_prefix_kanji: null,
      },
      payouts: {
        debit_negative_balances: true,
        schedule: { delay_days: 2, interval: given.interval ?? "daily" },
        statement_descriptor: null,
      },
    },
    tos_acceptance: { date: null },
    type,
  };
  return keep(context, "account", account);
}

/** Throws StripeError unless money can be sent to the account: https://docs.stripe.com/connect/account-capabilities#transfers */
export function checkDestination(context: Context, id: string, param: string): void {
  const account = get(within(context, undefined), "account", id, param);
  if (account.capabilities?.transfers === "active") return;
  throw invalid(
    "Your destination account needs to have at least one of the following capabilities enabled: transfers, crypto_transfers, legacy_payments",
    { code: "insufficient_capabilities_for_transfer", param },
  );
}

/** Onboarding is through, with a bank account unless there is one. */
export function complete(
  context: Context,
  account: Stripe.Account,
  bank: GivenBank = { account_number: "000123456789" },
): void {
  if ((account.external_accounts?.data.length ?? 0) === 0) addBank(context, account, bank);
  const told = within(context, account.id);
  change(
    told,
    account,
    (changed) => {
      changed.details_submitted = true;
      changed.charges_enabled = Object.keys(changed.capabilities ?? {}).includes("card_payments");
      changed.payouts_enabled = true;
      changed.business_type ??= "individual";
      changed.capabilities = Object.fromEntries(
        Object.keys(changed.capabilities ?? {}).map((name) => [name, "active"]),
      );
      changed.requirements = requirements([]);
      changed.tos_acceptance = { date: now(context), service_agreement: "full" };
    },
    "account.updated",
  );
}

/** Asks for something more, as Stripe does when a document is missing: payouts stop until {@link complete}. */
export function restrict(context: Context, account: Stripe.Account, due: readonly string[]): void {
  change(
    within(context, account.id),
    account,
    (changed) => {
      changed.requirements = requirements(due);
      changed.payouts_enabled = false;
      changed.charges_enabled = false;
    },
    "account.updated",
  );
}

/** The bank account that payouts go to from now on. */
export function addBank(context: Context, account: Stripe.Account, given: GivenBank): Stripe.BankAccount {
  const number = bankByToken(given.account_number) ?? given.account_number;
  const country = given.country ?? account.country ?? "US";
  const bank: Stripe.BankAccount = {
    id: newId("ba"),
    object: "bank_account",
    account: account.id,
    account_holder_name: given.account_holder_name ?? null,
    account_holder_type: "individual",
    account_type: null,
    available_payout_methods: ["standard"],
    bank_name: "STRIPE TEST BANK",
    country,
    currency: given.currency ?? account.default_currency ?? "usd",
    default_for_currency: true,
    fingerprint: randomText(16),
    future_requirements: null,
    last4: number.slice(-4),
    metadata: {},
    requirements: null,
    routing_number: given.routing_number ?? (country === "US" ? "110000000" : null),
    status: "new",
  };
  const told = within(context, account.id);
  const banks = account.external_accounts;
  if (banks === undefined) throw invalid("This account has no external accounts.");
  for (const other of banks.data)
    if (other.object === "bank_account" && other.currency === bank.currency) other.default_for_currency = false;
  banks.data.unshift(bank);
  context.simulator.banks.set(bank.id, payoutFailureOf(number));
  keep(told, "bank_account", bank);
  emit(told, "account.external_account.created", bank);
  return bank;
}

/** Throws StripeError for the one that payouts go to while there are others. */
export function removeBank(context: Context, account: Stripe.Account, id: string): Tombstone {
  const bank = get(within(context, account.id), "bank_account", id);
  const banks = account.external_accounts?.data ?? [];
  if (bank.default_for_currency === true && banks.length > 1) {
    throw invalid("You cannot delete the default external account for your default currency.");
  }
  if (account.external_accounts !== undefined)
    account.external_accounts.data = banks.filter((other) => other.id !== id);
  context.simulator.banks.delete(id);
  emit(within(context, account.id), "account.external_account.deleted", bank);
  return context.simulator.store.bury("bank_account", id);
}

/** Payouts go to this one from now on. */
export function preferBank(context: Context, account: Stripe.Account, id: string): Stripe.BankAccount {
  const bank = get(within(context, account.id), "bank_account", id);
  for (const other of account.external_accounts?.data ?? []) {
    if (other.object === "bank_account" && other.currency === bank.currency)
      other.default_for_currency = other.id === id;
  }
  emit(within(context, account.id), "account.external_account.updated", bank);
  return bank;
}

/** The bank account that a payout in this currency goes to. */
export function bankFor(context: Context, currency: string): Stripe.BankAccount | undefined {
  const { account } = context;
  if (account === undefined) return undefined;
  const banks = get(within(context, undefined), "account", account).external_accounts?.data ?? [];
  return banks.find(
    (bank) => bank.object === "bank_account" && bank.currency === currency && bank.default_for_currency === true,
  ) as Stripe.BankAccount | undefined;
}

function requirements(due: readonly string[]): Stripe.Account.Requirements {
  return {
    alternatives: [],
    current_deadline: null,
    currently_due: [...due],
    disabled_reason: due.length > 0 ? "requirements.past_due" : null,
    errors: [],
    eventually_due: [...due],
    past_due: [...due],
    pending_verification: [],
  };
}
