import type Stripe from "stripe";
import * as z from "zod";
import { checkDestination } from "../accounts.ts";
import { refundFee } from "../application-fees.ts";
import { type Context, get, idOf, within } from "../context.ts";
import { invalid } from "../errors.ts";
import { change } from "../events.ts";
import { is, isWithin, listOf, pageOf } from "../list.ts";
import {
  amount,
  changeMetadata,
  currency,
  flag,
  id,
  metadata,
  newMetadata,
  none,
  page,
  range,
  reviseMetadata,
  text,
} from "../params.ts";
import { cancelPayout, payOut } from "../payouts.ts";
import { type Route, route } from "../router.ts";
import { reverse, transferTo } from "../transfers.ts";

/** Balances and what moves between them: https://docs.stripe.com/api/balance, …/transfers, …/payouts, …/application_fees */

const CreateTransfer = z.strictObject({
  amount,
  currency,
  description: text.optional(),
  destination: id,
  metadata: metadata.optional(),
  source_transaction: id.optional(),
  source_type: text.optional(),
  transfer_group: text.optional(),
});
const ListTransfers = z.strictObject({
  ...page,
  created: range.optional(),
  destination: id.optional(),
  transfer_group: text.optional(),
});
const Reverse = z.strictObject({
  amount: amount.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  refund_application_fee: flag.optional(),
});
const CreatePayout = z.strictObject({
  amount,
  currency,
  description: text.optional(),
  destination: id.optional(),
  metadata: metadata.optional(),
  method: z.literal("standard").optional(),
  source_type: text.optional(),
  statement_descriptor: z.string().max(22).optional(),
});
const ListPayouts = z.strictObject({
  ...page,
  arrival_date: range.optional(),
  created: range.optional(),
  destination: id.optional(),
  status: text.optional(),
});
const ListTransactions = z.strictObject({
  ...page,
  created: range.optional(),
  currency: currency.optional(),
  payout: id.optional(),
  source: id.optional(),
  type: text.optional(),
});
const metadataOnly = z.strictObject({ metadata: metadata.optional(), description: text.optional() });

export const money: readonly Route[] = [
  route("GET", "/v1/balance", none, (context) => balanceOf(context)),
  route("GET", "/v1/balance_transactions/:id", none, (context, _, id) => get(context, "balance_transaction", id)),
  route(
    "GET",
    "/v1/balance_transactions",
    ListTransactions,
    (context, { created, currency, source, type, payout, ...params }) =>
      listOf(
        context,
        "balance_transaction",
        params,
        "/v1/balance_transactions",
        (transaction) =>
          is(currency, transaction.currency) &&
          is(source, transaction.source) &&
          (payout === undefined || payoutOf(context, transaction) === payout) &&
          is(type, transaction.type) &&
          isWithin(transaction.created, created),
      ),
  ),
  route("POST", "/v1/transfers", CreateTransfer, (context, given) => createTransfer(context, given)),
  route("GET", "/v1/transfers/:id", none, (context, _, id) => get(context, "transfer", id)),
  route("POST", "/v1/transfers/:id", metadataOnly, (context, given, id) =>
    change(
      context,
      get(context, "transfer", id),
      (transfer) => {
        if (given.description !== undefined) transfer.description = given.description;
        changeMetadata(transfer.metadata, given.metadata);
      },
      "transfer.updated",
    ),
  ),
  route("GET", "/v1/transfers", ListTransfers, (context, { created, destination, transfer_group, ...params }) =>
    listOf(
      context,
      "transfer",
      params,
      "/v1/transfers",
      (transfer) =>
        is(destination, transfer.destination) &&
        is(transfer_group, transfer.transfer_group) &&
        isWithin(transfer.created, created),
    ),
  ),
  route("POST", "/v1/transfers/:id/reversals", Reverse, (context, given, id) => {
    const transfer = get(context, "transfer", id);
    const left = transfer.amount - transfer.amount_reversed;
    if (left === 0) throw invalid(`Transfer ${id} is already fully reversed.`);
    const { description = null } = given;
    return reverse(context, transfer, {
      amount: given.amount ?? left,
      description,
      metadata: newMetadata(given.metadata),
    });
  }),
  route("GET", "/v1/transfers/:id/reversals", z.strictObject(page), (context, params, id) =>
    pageOf(get(context, "transfer", id).reversals.data, params, `/v1/transfers/${id}/reversals`),
  ),
  route("GET", "/v1/transfers/:id/reversals/:reversal", none, (context, _, _id, reversal) =>
    get(context, "transfer_reversal", reversal),
  ),
  route("POST", "/v1/payouts", CreatePayout, (context, given) =>
    payOut(context, {
      amount: given.amount,
      currency: given.currency,
      description: given.description ?? null,
      metadata: newMetadata(given.metadata),
      statementDescriptor: given.statement_descriptor ?? null,
    }),
  ),
  route("GET", "/v1/payouts/:id", none, (context, _, id) => get(context, "payout", id)),
  route("POST", "/v1/payouts/:id", metadataOnly, (context, given, id) =>
    change(context, get(context, "payout", id), (payout) => reviseMetadata(payout, given.metadata), "payout.updated"),
  ),
  route("POST", "/v1/payouts/:id/cancel", none, (context, _, id) => cancelPayout(context, get(context, "payout", id))),
  route("GET", "/v1/payouts", ListPayouts, (context, { arrival_date, created, destination, status, ...params }) =>
    listOf(
      context,
      "payout",
      params,
      "/v1/payouts",
      (payout) =>
        is(destination, payout.destination) &&
        is(status, payout.status) &&
        isWithin(payout.created, created) &&
        isWithin(payout.arrival_date, arrival_date),
    ),
  ),
  route("GET", "/v1/application_fees/:id", none, (context, _, id) => get(context, "application_fee", id)),
  route(
    "GET",
    "/v1/application_fees",
    z.strictObject({ ...page, charge: id.optional(), created: range.optional() }),
    (context, { charge, created, ...params }) =>
      listOf(
        context,
        "application_fee",
        params,
        "/v1/application_fees",
        (fee) => is(charge, fee.charge) && isWithin(fee.created, created),
      ),
  ),
  route(
    "POST",
    "/v1/application_fees/:id/refunds",
    z.strictObject({ amount: amount.optional(), metadata: metadata.optional() }),
    (context, given, id) => {
      const fee = get(within(context, undefined), "application_fee", id);
      return refundFee(context, id, given.amount ?? fee.amount - fee.amount_refunded, newMetadata(given.metadata));
    },
  ),
];

/** The payout that a transaction is, or that took it to the bank. */
function payoutOf(context: Context, { id, source }: Stripe.BalanceTransaction): string | undefined {
  const own = idOf(source);
  return own?.startsWith("po_") === true ? own : context.simulator.paidOutBy.get(id);
}

function createTransfer(context: Context, given: z.output<typeof CreateTransfer>): Stripe.Transfer {
  const { amount, currency, destination, source_transaction } = given;
  checkDestination(context, destination, "destination");
  const source =
    source_transaction === undefined ? undefined : get(context, "charge", source_transaction, "source_transaction");
  const availableOn = source === undefined ? undefined : checkSource(context, source, amount, currency);
  if (source === undefined && context.simulator.ledger.money(context, currency).available < amount) {
    throw invalid(
      "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance",
      { code: "balance_insufficient" },
    );
  }
  return transferTo(context, {
    amount,
    currency,
    destination,
    description: given.description ?? null,
    metadata: newMetadata(given.metadata),
    group: given.transfer_group ?? null,
    ...(source === undefined ? {} : { source }),
    ...(availableOn === undefined ? {} : { availableOn }),
  });
}

/** When the money of a charge is available. Throws StripeError if its transfers would be more than it. */
function checkSource(context: Context, charge: Stripe.Charge, amount: number, currency: string): number {
  if (charge.currency !== currency)
    throw invalid(
      `The currency of source_transaction's balance transaction (${charge.currency}) must be the same as the transfer currency (${currency}).`,
      { param: "currency" },
    );
  if (!charge.captured) throw invalid("source_transaction must be a captured charge.", { param: "source_transaction" });
  const before = context.simulator.store
    .all("transfer", context.account)
    .filter(({ source_transaction }) => source_transaction === charge.id)
    .reduce((sum, transfer) => sum + transfer.amount - transfer.amount_reversed, 0);
  if (before + amount > charge.amount_captured) {
    throw invalid(
      `Cannot use source_transaction: the transfers of charge ${charge.id} would be more than its amount (${charge.amount_captured}).`,
      { code: "transfer_source_balance_parameters_mismatch", param: "amount" },
    );
  }
  const transaction = get(context, "balance_transaction", String(charge.balance_transaction));
  return transaction.available_on;
}

function balanceOf(context: Context): object {
  const entries = [...context.simulator.ledger.balance(context)];
  const shown = entries.length === 0 ? ([["usd", { available: 0, pending: 0 }]] as const) : entries;
  return {
    object: "balance",
    available: shown.map(([currency, { available }]) => ({
      amount: available,
      currency,
      source_types: { card: available },
    })),
    connect_reserved: shown.map(([currency]) => ({ amount: 0, currency })),
    livemode: false,
    pending: shown.map(([currency, { pending }]) => ({ amount: pending, currency, source_types: { card: pending } })),
    refund_and_dispute_prefunding: { available: [], pending: [] },
  };
}
