import type Stripe from "stripe";
import { bankFor } from "./accounts.ts";
import { all, byItself, type Context, DAY, get, idOf, keep, now, within } from "./context.ts";
import { invalid } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId } from "./ids.ts";

/** Money on its way to the bank, asked for or by schedule: https://docs.stripe.com/payouts, https://docs.stripe.com/connect/manage-payout-schedule */

export interface NewPayout {
  readonly amount: number;
  readonly currency: string;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
  readonly method?: string;
  readonly isAutomatic?: boolean;
  readonly statementDescriptor?: string | null;
}

/** Takes money from what is available. Throws StripeError if there is not that much, or nowhere to send it. */
export function payOut(context: Context, given: NewPayout): Stripe.Payout {
  const { simulator, account } = context;
  const { amount, currency } = given;
  const bank = bankFor(context, currency);
  if (account !== undefined) checkAccount(context, bank, currency);
  if (simulator.ledger.money(context, currency).available < amount) {
    throw invalid(
      "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low.",
      { code: "balance_insufficient" },
    );
  }
  const id = newId("po");
  const arrival = now(context) + simulator.settings.payoutDays * DAY;
  const transaction = simulator.ledger.post(context, {
    type: "payout",
    amount: -amount,
    currency,
    source: id,
    description: given.description ?? "STRIPE PAYOUT",
  });
  const payout: Stripe.Payout = {
    id,
    object: "payout",
    amount,
    application_fee: null,
    application_fee_amount: null,
    arrival_date: arrival,
    automatic: given.isAutomatic ?? false,
    balance_transaction: transaction.id,
    created: now(context),
    currency,
    description: given.description ?? null,
    destination: bank?.id ?? null,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: given.metadata ?? {},
    method: given.method ?? "standard",
    original_payout: null,
    payout_method: null,
    reconciliation_status: given.isAutomatic === true ? "completed" : "not_applicable",
    reversed_by: null,
    source_type: "card",
    statement_descriptor: given.statementDescriptor ?? null,
    status: "pending",
    trace_id: null,
    type: "bank_account",
  };
  keep(context, "payout", payout);
  emit(context, "payout.created", payout);
  const later = byItself(context);
  simulator.alarms.set(`payout ${id}`, arrival, () => arrive(later, payout));
  return payout;
}

/** It reaches the bank, which takes it or sends it back. */
export function arrive(context: Context, payout: Stripe.Payout, failure = failureOf(context, payout)): void {
  if (payout.status !== "pending" && payout.status !== "in_transit") throw invalid(`This payout is ${payout.status}.`);
  context.simulator.alarms.clear(`payout ${payout.id}`);
  if (failure !== undefined) {
    fail(context, payout, failure);
    return;
  }
  change(
    context,
    payout,
    (changed) => {
      changed.status = "paid";
    },
    "payout.updated",
    "payout.paid",
  );
}

/** Throws StripeError unless it is still pending. */
export function cancelPayout(context: Context, payout: Stripe.Payout): Stripe.Payout {
  if (payout.status !== "pending")
    throw invalid("Only pending payouts can be canceled.", { code: "payouts_not_allowed" });
  context.simulator.alarms.clear(`payout ${payout.id}`);
  const returned = giveBack(context, payout, "payout_cancel");
  return change(
    context,
    payout,
    (changed) => {
      changed.status = "canceled";
      changed.failure_balance_transaction = returned;
    },
    "payout.canceled",
  );
}

/** Pays out what a connected account has as soon as its schedule says so: at the midnight (UTC) after money has become available. */
export function schedulePayouts(context: Context, availableOn: number): void {
  const { account, simulator } = context;
  if (account === undefined) return;
  const owner = simulator.store.find("account", account, undefined);
  if (owner?.settings?.payouts?.schedule.interval !== "daily") return;
  const due = (Math.floor(availableOn / DAY) + 1) * DAY;
  const planned = plans.get(simulator.alarms)?.get(account);
  if (planned !== undefined && planned <= due && planned > now(context)) return;
  planFor(byItself(context), account, due);
}

/** When the next automatic payout of each account is due. */
const plans = new WeakMap<object, Map<string, number>>();

function planFor(context: Context, account: string, due: number): void {
  const { alarms } = context.simulator;
  const known = plans.get(alarms) ?? new Map<string, number>();
  plans.set(alarms, known);
  known.set(account, due);
  alarms.set(`payouts of ${account}`, due, () => {
    known.delete(account);
    payOutAll(context, account);
    const next = context.simulator.ledger.nextAvailable(context);
    if (next !== undefined) schedulePayouts(context, next);
  });
}

function payOutAll(context: Context, account: string): void {
  if (!get(within(context, undefined), "account", account).payouts_enabled) return;
  for (const [currency, { available }] of context.simulator.ledger.balance(context)) {
    const bank = bankFor(context, currency);
    if (available > 0 && bank !== undefined && bank.status !== "errored")
      payOutTransactions(context, available, currency);
  }
}

/** https://docs.stripe.com/api/balance_transactions/list#balance_transaction_list-payout: automatic payouts know what they are made of. */
function payOutTransactions(context: Context, amount: number, currency: string): void {
  const { paidOutBy } = context.simulator;
  const ripe = all(context, "balance_transaction").filter(
    (transaction) =>
      transaction.currency === currency && transaction.status === "available" && !paidOutBy.has(transaction.id),
  );
  const { id } = payOut(context, { amount, currency, isAutomatic: true });
  for (const transaction of ripe) paidOutBy.set(transaction.id, id);
}

function checkAccount(context: Context, bank: Stripe.BankAccount | undefined, currency: string): void {
  const account = get(within(context, undefined), "account", context.account ?? "");
  if (!account.payouts_enabled)
    throw invalid("Cannot create payouts: this account is not yet enabled for them.", { code: "payouts_not_allowed" });
  if (bank === undefined)
    throw invalid(`Sorry, you don't have any external accounts in that currency (${currency}).`, {
      code: "payouts_not_allowed",
    });
  if (bank.status === "errored") {
    throw invalid("Cannot create payouts: the last one to this bank account failed. Add another one first.", {
      code: "bank_account_unusable",
    });
  }
}

function failureOf({ simulator }: Context, { destination }: Stripe.Payout): string | undefined {
  return simulator.banks.get(idOf(destination) ?? "");
}

function fail(context: Context, payout: Stripe.Payout, code: string): void {
  const returned = giveBack(context, payout, "payout_failure");
  change(
    context,
    payout,
    (changed) => {
      changed.status = "failed";
      changed.failure_code = code;
      changed.failure_message = `The bank did not take the payout: ${code.replaceAll("_", " ")}.`;
      changed.failure_balance_transaction = returned;
    },
    "payout.updated",
    "payout.failed",
  );
  const bank = context.simulator.store.find("bank_account", idOf(payout.destination) ?? "", context.account);
  if (bank !== undefined)
    change(
      context,
      bank,
      (changed) => {
        changed.status = "errored";
      },
      "account.external_account.updated",
    );
}

function giveBack(context: Context, payout: Stripe.Payout, type: "payout_failure" | "payout_cancel"): string {
  return context.simulator.ledger.post(context, {
    type,
    amount: payout.amount,
    currency: payout.currency,
    source: payout.id,
  }).id;
}
