import type Stripe from "stripe";
import { applicationFee } from "./application-fees.ts";
import { type Context, get, idOf, keep, now, within } from "./context.ts";
import { invalid } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId } from "./ids.ts";

/**
 * Money from the platform to connected accounts and back.
 * https://docs.stripe.com/connect/separate-charges-and-transfers, https://docs.stripe.com/connect/destination-charges
 */

export interface NewTransfer {
  readonly amount: number;
  readonly currency: string;
  readonly destination: string;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
  /** The charge whose money this is; without one it comes from what is available. */
  readonly source?: Stripe.Charge;
  readonly group?: string | null;
  readonly availableOn?: number;
  /** Kept back by the platform on the way. */
  readonly fee?: number;
}

/** Moves money to a connected account, where it arrives as a payment. The caller has seen to it that there is enough. */
export function transferTo(context: Context, given: NewTransfer): Stripe.Transfer {
  const { amount, currency, destination, source, availableOn = now(context), fee = 0 } = given;
  const id = newId("tr");
  const group =
    given.group ??
    source?.transfer_group ??
    (source === undefined ? null : `group_${idOf(source.payment_intent) ?? source.id}`);
  const payment = arrivalOf(within(context, destination), { transfer: id, amount, currency, group, availableOn, fee });
  const transaction = context.simulator.ledger.post(context, {
    type: "transfer",
    amount: -amount,
    currency,
    source: id,
    description: given.description ?? null,
    availableOn,
  });
  const transfer: Stripe.Transfer = {
    id,
    object: "transfer",
    amount,
    amount_reversed: 0,
    balance_transaction: transaction.id,
    created: now(context),
    currency,
    description: given.description ?? null,
    destination,
    destination_payment: payment.id,
    livemode: false,
    metadata: given.metadata ?? {},
    reversals: { object: "list", data: [], has_more: false, url: `/v1/transfers/${id}/reversals` },
    reversed: false,
    source_transaction: source?.id ?? null,
    source_type: "card",
    transfer_group: group,
  };
  keep(context, "transfer", transfer);
  emit(context, "transfer.created", transfer);
  emit(within(context, destination), "payment.created", payment);
  return transfer;
}

/** Takes money of a transfer back. Throws StripeError if that is more than is left of it, or more than the account has. */
export function reverse(
  context: Context,
  transfer: Stripe.Transfer,
  {
    amount,
    description = null,
    metadata = {},
    refund = null,
  }: { amount: number; description?: string | null; metadata?: Record<string, string>; refund?: string | null },
): Stripe.TransferReversal {
  const left = transfer.amount - transfer.amount_reversed;
  if (amount > left) {
    throw invalid(`Reversal amount (${amount}) is greater than unreversed amount on transfer (${left}).`, {
      param: "amount",
    });
  }
  const destination = within(context, idOf(transfer.destination));
  const { available, pending } = context.simulator.ledger.money(destination, transfer.currency);
  if (available + pending < amount) {
    throw invalid("Insufficient funds in the connected account to reverse this transfer.", {
      code: "balance_insufficient",
    });
  }
  const id = newId("trr");
  const taken = takeBack(destination, transfer, amount);
  const transaction = context.simulator.ledger.post(context, {
    type: "transfer_refund",
    amount,
    currency: transfer.currency,
    source: id,
    description: description ?? "REFUND FOR TRANSFER",
  });
  const reversal: Stripe.TransferReversal = {
    id,
    object: "transfer_reversal",
    amount,
    balance_transaction: transaction.id,
    created: now(context),
    currency: transfer.currency,
    destination_payment_refund: taken.id,
    metadata,
    source_refund: refund,
    transfer: transfer.id,
  };
  keep(context, "transfer_reversal", reversal);
  change(
    context,
    transfer,
    (changed) => {
      changed.amount_reversed += amount;
      changed.reversed = changed.amount_reversed === changed.amount;
      changed.reversals.data.unshift(reversal);
    },
    "transfer.reversed",
  );
  return reversal;
}

/** A destination charge passes on its money at once, less the platform's fee. */
export function destinationTransfer(
  context: Context,
  {
    charge,
    destination,
    amount,
    fee,
    availableOn,
  }: { charge: Stripe.Charge; destination: string; amount: number; fee: number; availableOn: number },
): { transfer: Stripe.Transfer; fee: Stripe.ApplicationFee | undefined } {
  const transfer = transferTo(context, {
    amount,
    currency: charge.currency,
    destination,
    source: charge,
    availableOn,
    fee,
  });
  if (fee === 0) return { transfer, fee: undefined };
  const payment = get(within(context, destination), "charge", idOf(transfer.destination_payment) ?? "");
  const taken = applicationFee(within(context, destination), {
    charge: payment,
    amount: fee,
    origin: charge.id,
    availableOn,
  });
  payment.application_fee = taken.id;
  return { transfer, fee: taken };
}

interface Arrival {
  readonly transfer: string;
  readonly amount: number;
  readonly currency: string;
  readonly group: string | null;
  readonly availableOn: number;
  readonly fee: number;
}

/** The payment that a transfer is in the account it goes to. */
function arrivalOf(context: Context, { transfer, amount, currency, group, availableOn, fee }: Arrival): Stripe.Charge {
  const id = newId("py");
  const fees =
    fee === 0
      ? []
      : [
          {
            amount: fee,
            application: "ca_simulator",
            currency,
            description: "Application fee",
            type: "application_fee",
          },
        ];
  const transaction = context.simulator.ledger.post(context, {
    type: "payment",
    amount,
    currency,
    source: id,
    fees,
    availableOn,
  });
  const payment: Stripe.Charge = {
    id,
    object: "charge",
    amount,
    amount_captured: amount,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: fee === 0 ? null : fee,
    balance_transaction: transaction.id,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    calculated_statement_descriptor: null,
    captured: true,
    created: now(context),
    currency,
    customer: null,
    description: null,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata: {},
    on_behalf_of: null,
    outcome: null,
    paid: true,
    payment_intent: null,
    payment_method: null,
    payment_method_details: { stripe_account: {}, type: "stripe_account" },
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: transfer,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: "succeeded",
    transfer_data: null,
    transfer_group: group,
  };
  return keep(context, "charge", payment);
}

/** The refund that a reversal is in the account it takes from. */
function takeBack(context: Context, transfer: Stripe.Transfer, amount: number): Stripe.Refund {
  const payment = get(context, "charge", idOf(transfer.destination_payment) ?? "");
  const id = newId("pyr");
  const transaction = context.simulator.ledger.post(context, {
    type: "payment_refund",
    amount: -amount,
    currency: transfer.currency,
    source: id,
    description: "REFUND FOR PAYMENT",
  });
  payment.amount_refunded += amount;
  payment.refunded = payment.amount_refunded === payment.amount;
  return keep(context, "refund", {
    id,
    object: "refund",
    amount,
    balance_transaction: transaction.id,
    charge: payment.id,
    created: now(context),
    currency: transfer.currency,
    customer: null,
    customer_account: null,
    metadata: {},
    payment_intent: null,
    payment_method: null,
    reason: null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: "succeeded",
    transfer_reversal: null,
  });
}
