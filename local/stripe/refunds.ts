import type Stripe from "stripe";
import { shareOf } from "./amounts.ts";
import { refundFee } from "./application-fees.ts";
import { all, byItself, type Context, DAY, get, idOf, keep, now, within } from "./context.ts";
import { decide } from "./disputes.ts";
import { invalid } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId } from "./ids.ts";
import { behaviorOfMethod } from "./payment-methods.ts";
import { reverse } from "./transfers.ts";

/** Money given back: https://docs.stripe.com/refunds */

export interface NewRefund {
  readonly amount?: number | undefined;
  readonly reason?: Stripe.Refund.Reason | undefined;
  readonly metadata: Record<string, string>;
  /** Takes the same share of the charge's transfer back. */
  readonly isReversingTransfer: boolean;
  /** Gives the same share of the platform's fee back. */
  readonly isRefundingFee: boolean;
}

/** Days until a refund that failed is known to have, and until one that is pending has gone through. */
const SETTLING_DAYS = 1;

/** Refunds a charge, all that is left of it or part. Throws StripeError for more than is left, and for what is disputed. */
export function refund(context: Context, charge: Stripe.Charge, given: NewRefund): Stripe.Refund {
  const amount = checkedAmount(context, charge, given.amount);
  const { refund: behavior } = behaviorOfMethod(context, charge.payment_method ?? "");
  const id = newId("re");
  if (given.isRefundingFee && charge.application_fee === null) {
    throw invalid("Cannot refund the application fee of a charge that has none.", { param: "refund_application_fee" });
  }
  const reversal = given.isReversingTransfer ? reverseShare(context, charge, amount, id) : null;
  if (given.isRefundingFee) refundFeeShare(context, charge, amount);
  const isPending = behavior === "is-pending";
  const made: Stripe.Refund = {
    id,
    object: "refund",
    amount,
    balance_transaction: post(context, charge, "refund", -amount, id),
    charge: charge.id,
    created: now(context),
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    destination_details: {
      card: { reference_status: "pending", reference_type: "acquirer_reference_number", type: "refund" },
      type: "card",
    },
    metadata: given.metadata,
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: given.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: isPending ? "pending" : "succeeded",
    transfer_reversal: reversal,
  };
  keep(context, "refund", made);
  emit(context, "refund.created", made);
  take(context, charge, amount, "charge.refunded");
  if (charge.refunded) dropInquiries(context, charge);
  if (behavior !== undefined) settleLater(context, charge, made, behavior);
  return made;
}

/** Whoever has their money back asks no more. */
function dropInquiries(context: Context, charge: Stripe.Charge): void {
  for (const dispute of all(context, "dispute")) {
    if (dispute.charge === charge.id && dispute.is_charge_refundable && dispute.status !== "warning_closed")
      decide(context, dispute, "lost");
  }
}

/** A refund that the bank did not take: the money is back, and the charge no longer refunded. */
export function failRefund(context: Context, made: Stripe.Refund, reason = "expired_or_canceled_card"): void {
  if (made.status === "failed" || made.status === "canceled")
    throw invalid("This refund has failed or was canceled already.");
  const charge = get(context, "charge", idOf(made.charge) ?? "");
  const failure = post(context, charge, "refund_failure", made.amount, made.id);
  change(
    context,
    made,
    (changed) => {
      changed.status = "failed";
      changed.failure_reason = reason;
      changed.failure_balance_transaction = failure;
    },
    "refund.updated",
    "charge.refund.updated",
    "refund.failed",
  );
  take(context, charge, -made.amount, "charge.updated");
}

function settleLater(
  context: Context,
  charge: Stripe.Charge,
  made: Stripe.Refund,
  behavior: "fails" | "is-pending",
): void {
  const later = byItself(context);
  context.simulator.alarms.set(`refund ${made.id}`, now(context) + SETTLING_DAYS * DAY, () => {
    if (behavior === "fails") failRefund(later, made);
    else if (made.status === "pending" && charge.id === made.charge) {
      change(
        later,
        made,
        (changed) => {
          changed.status = "succeeded";
        },
        "refund.updated",
        "charge.refund.updated",
      );
    }
  });
}

function checkedAmount(context: Context, charge: Stripe.Charge, wanted: number | undefined): number {
  const left = charge.amount_captured - charge.amount_refunded;
  if (!charge.captured) throw invalid(`Charge ${charge.id} has not been captured.`, { code: "charge_not_refundable" });
  if (all(context, "dispute").some((dispute) => dispute.charge === charge.id && !dispute.is_charge_refundable))
    throw invalid(`Charge ${charge.id} has been charged back; cannot issue a refund.`, { code: "charge_disputed" });
  if (left === 0) throw invalid(`Charge ${charge.id} has already been refunded.`, { code: "charge_already_refunded" });
  const amount = wanted ?? left;
  if (amount > left) {
    throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, {
      param: "amount",
    });
  }
  return amount;
}

function reverseShare(context: Context, charge: Stripe.Charge, amount: number, refundId: string): string {
  const transferId = idOf(charge.transfer);
  if (transferId === undefined) {
    throw invalid("Cannot reverse the transfer of a charge that has none.", { param: "reverse_transfer" });
  }
  const transfer = get(context, "transfer", transferId);
  const isRest = amount === charge.amount_captured - charge.amount_refunded;
  const left = transfer.amount - transfer.amount_reversed;
  const share = isRest ? left : Math.min(left, shareOf(transfer.amount, amount, charge.amount_captured));
  return reverse(context, transfer, { amount: share, refund: refundId }).id;
}

function refundFeeShare(context: Context, charge: Stripe.Charge, amount: number): void {
  const feeId = idOf(charge.application_fee) ?? "";
  const fee = get(within(context, undefined), "application_fee", feeId);
  const left = fee.amount - fee.amount_refunded;
  const share = Math.min(left, shareOf(fee.amount, amount, charge.amount_captured));
  if (share > 0) refundFee(context, feeId, share);
}

function take(
  context: Context,
  charge: Stripe.Charge,
  amount: number,
  type: "charge.refunded" | "charge.updated",
): void {
  change(
    context,
    charge,
    (changed) => {
      changed.amount_refunded += amount;
      changed.refunded = changed.amount_refunded === changed.amount_captured;
    },
    type,
  );
}

function post(
  context: Context,
  charge: Stripe.Charge,
  type: "refund" | "refund_failure",
  amount: number,
  source: string,
): string {
  return context.simulator.ledger.post(context, {
    type: type === "refund" && charge.id.startsWith("py_") ? "payment_refund" : type,
    amount,
    currency: charge.currency,
    source,
    description: `${type === "refund" ? "REFUND FOR" : "REFUND FAILURE FOR"} CHARGE`,
  }).id;
}
