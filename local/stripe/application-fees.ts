import type Stripe from "stripe";
import { type Context, get, idOf, keep, now, within } from "./context.ts";
import { invalid } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId } from "./ids.ts";

/** The platform's share of connected accounts' payments: https://docs.stripe.com/api/application_fees */

/** Gives the platform its fee of a connected account's payment, which that account has paid already. */
export function applicationFee(
  context: Context,
  {
    charge,
    amount,
    origin,
    availableOn,
  }: { charge: Stripe.Charge; amount: number; origin: string | null; availableOn: number },
): Stripe.ApplicationFee {
  const platform = within(context, undefined);
  const id = newId("fee");
  const transaction = context.simulator.ledger.post(platform, {
    type: "application_fee",
    amount,
    currency: charge.currency,
    source: id,
    description: `Application fee from ${context.account ?? ""}`,
    availableOn,
  });
  const fee: Stripe.ApplicationFee = {
    id,
    object: "application_fee",
    account: context.account ?? "",
    amount,
    amount_refunded: 0,
    application: "ca_simulator",
    balance_transaction: transaction.id,
    charge: charge.id,
    created: now(context),
    currency: charge.currency,
    fee_source: { charge: charge.id, type: "charge" },
    livemode: false,
    originating_transaction: origin,
    refunded: false,
    refunds: { object: "list", data: [], has_more: false, url: `/v1/application_fees/${id}/refunds` },
  };
  keep(platform, "application_fee", fee);
  emit(platform, "application_fee.created", fee);
  return fee;
}

/** Gives back some of the platform's fee. Throws StripeError if that is more than is left of it. */
export function refundFee(
  context: Context,
  id: string,
  amount: number,
  metadata: Record<string, string> = {},
): Stripe.FeeRefund {
  const platform = within(context, undefined);
  const fee = get(platform, "application_fee", id);
  const left = fee.amount - fee.amount_refunded;
  if (amount > left) {
    throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on application fee (${left}).`, {
      param: "amount",
    });
  }
  const refundId = newId("fr");
  const { ledger } = context.simulator;
  const posting = { currency: fee.currency, source: refundId, description: `Refund of ${fee.id}` };
  const transaction = ledger.post(platform, { ...posting, type: "application_fee_refund", amount: -amount });
  ledger.post(within(context, idOf(fee.account)), { ...posting, type: "application_fee_refund", amount });
  const refund: Stripe.FeeRefund = {
    id: refundId,
    object: "fee_refund",
    amount,
    balance_transaction: transaction.id,
    created: now(context),
    currency: fee.currency,
    fee: fee.id,
    metadata,
  };
  keep(platform, "fee_refund", refund);
  change(
    platform,
    fee,
    (changed) => {
      changed.amount_refunded += amount;
      changed.refunded = changed.amount_refunded === changed.amount;
      changed.refunds.data.unshift(refund);
    },
    "application_fee.refunded",
  );
  return refund;
}
