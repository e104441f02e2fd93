import type Stripe from "stripe";
import { byItself, type Context, DAY, get, idOf, keep, now } from "./context.ts";
import { invalid } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId } from "./ids.ts";

/**
 * Disputes, from the customer's complaint to the bank's word: https://docs.stripe.com/disputes/how-disputes-work. The money and a fee
 * are taken when a dispute opens; countering it costs a second fee, which a win brings back together with the money, but not the first.
 */

/** In the USA, in cents: https://stripe.com/pricing, https://support.stripe.com/questions/dispute-fees-faq */
const RECEIVED_FEE = 1_500;
const COUNTERED_FEE = 1_500;
const DAYS_TO_RESPOND = 9;
/** What evidence says for a test's sake: https://docs.stripe.com/testing#evidence */
const WINNING = "winning_evidence";
const LOSING = "losing_evidence";
const ESCALATING = "escalate_inquiry_evidence";

const OPEN = new Set(["needs_response", "under_review", "warning_needs_response", "warning_under_review"]);

const NO_EVIDENCE: Omit<Stripe.Dispute.Evidence, "enhanced_evidence"> = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
};
export const EVIDENCE_FIELDS = Object.keys(NO_EVIDENCE) as (keyof typeof NO_EVIDENCE)[];

export interface NewDispute {
  readonly reason: string;
  /** A question that takes no money yet. */
  readonly isInquiry?: boolean;
  readonly amount?: number;
}

/** Opens a dispute over a charge. Throws StripeError if there is nothing left of it, or a dispute already. */
export function openDisputeOf(
  context: Context,
  charge: Stripe.Charge,
  { reason, isInquiry = false, amount }: NewDispute,
): Stripe.Dispute {
  const disputed = amount ?? charge.amount_captured - charge.amount_refunded;
  if (!charge.captured || disputed <= 0 || disputed > charge.amount_captured) {
    throw invalid(`Charge ${charge.id} has nothing to dispute.`);
  }
  if (charge.disputed) throw invalid(`Charge ${charge.id} is disputed already.`);
  const dispute: Stripe.Dispute = {
    id: newId("du"),
    object: "dispute",
    amount: disputed,
    balance_transactions: [],
    charge: charge.id,
    created: now(context),
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: { ...NO_EVIDENCE, enhanced_evidence: {} },
    evidence_details: {
      due_by: now(context) + DAYS_TO_RESPOND * DAY,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: "not_submitted",
    },
    intended_submission_method: null,
    is_charge_refundable: isInquiry,
    livemode: false,
    metadata: {},
    network_reason_code: reason === "fraudulent" ? "10.4" : "13.1",
    payment_intent: charge.payment_intent,
    payment_method_details: {
      card: {
        brand: charge.payment_method_details?.card?.brand ?? "visa",
        case_type: isInquiry ? "inquiry" : "chargeback",
        network: charge.payment_method_details?.card?.network ?? "visa",
        network_reason_code: "10.4",
      },
      type: "card",
    },
    reason,
    status: isInquiry ? "warning_needs_response" : "needs_response",
  };
  keep(context, "dispute", dispute);
  charge.disputed = true;
  if (!isInquiry) withdraw(context, dispute);
  emit(context, "charge.dispute.created", dispute);
  if (!isInquiry) emit(context, "charge.dispute.funds_withdrawn", dispute);
  awaitDeadline(context, dispute);
  return dispute;
}

/** Hands evidence in. Test evidence decides the dispute at once. Throws StripeError if it is too late. */
export function submitEvidence(context: Context, dispute: Stripe.Dispute): void {
  if (!OPEN.has(dispute.status)) throw invalid("This dispute is already closed.");
  const isWarning = dispute.status.startsWith("warning");
  if (dispute.status === "needs_response")
    post(context, dispute, { amount: 0, fee: COUNTERED_FEE, description: `Dispute countered fee for ${dispute.id}` });
  change(
    context,
    dispute,
    (changed) => {
      changed.status = isWarning ? "warning_under_review" : "under_review";
      changed.evidence_details.submission_count++;
      changed.evidence_details.submission_method = "manual";
    },
    "charge.dispute.updated",
  );
  decideByEvidence(context, dispute);
}

/** The bank's word. An inquiry that is won, or not pursued, is closed as a warning. Throws StripeError if it was spoken before. */
export function decide(context: Context, dispute: Stripe.Dispute, outcome: "won" | "lost"): void {
  if (!OPEN.has(dispute.status)) throw invalid("This dispute is already closed.");
  const isWarning = dispute.status.startsWith("warning");
  const isCountered = dispute.status === "under_review";
  context.simulator.alarms.clear(`dispute ${dispute.id}`);
  if (outcome === "won" && !isWarning) {
    const fee = isCountered ? -COUNTERED_FEE : 0;
    post(context, dispute, {
      amount: dispute.amount,
      fee,
      description: `Chargeback reversal for ${String(dispute.charge)}`,
    });
    emit(context, "charge.dispute.funds_reinstated", dispute);
  }
  if (isWarning) get(context, "charge", idOf(dispute.charge) ?? "").disputed = false;
  change(
    context,
    dispute,
    (changed) => {
      changed.status = isWarning ? "warning_closed" : outcome;
      changed.is_charge_refundable = isWarning;
    },
    "charge.dispute.closed",
  );
}

function decideByEvidence(context: Context, dispute: Stripe.Dispute): void {
  const text = dispute.evidence.uncategorized_text;
  if (text === ESCALATING && dispute.status === "warning_under_review") escalate(context, dispute);
  else if (text === WINNING) decide(byItself(context), dispute, "won");
  else if (text === LOSING) decide(byItself(context), dispute, "lost");
}

/** An inquiry becomes a dispute, and takes the money. */
function escalate(context: Context, dispute: Stripe.Dispute): void {
  withdraw(context, dispute);
  change(
    context,
    dispute,
    (changed) => {
      changed.status = "needs_response";
      changed.is_charge_refundable = false;
    },
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
  );
  awaitDeadline(context, dispute);
}

/** Whoever does not answer in time has lost. */
function awaitDeadline(context: Context, dispute: Stripe.Dispute): void {
  const { due_by } = dispute.evidence_details;
  if (due_by === null) return;
  context.simulator.alarms.set(`dispute ${dispute.id}`, due_by, () => {
    if (!dispute.status.endsWith("needs_response")) return;
    dispute.evidence_details.past_due = true;
    decide(byItself(context), dispute, "lost");
  });
}

function withdraw(context: Context, dispute: Stripe.Dispute): void {
  post(context, dispute, {
    amount: -dispute.amount,
    fee: RECEIVED_FEE,
    description: `Chargeback withdrawal for ${String(dispute.charge)}`,
  });
}

function post(
  context: Context,
  dispute: Stripe.Dispute,
  { amount, fee, description }: { amount: number; fee: number; description: string },
): void {
  const { currency } = dispute;
  const fees =
    fee === 0 ? [] : [{ amount: fee, application: null, currency, description: "Dispute fee", type: "stripe_fee" }];
  const transaction = context.simulator.ledger.post(context, {
    type: "adjustment",
    amount,
    currency,
    source: dispute.id,
    fees,
    description,
  });
  dispute.balance_transactions.push(structuredClone(transaction));
}
