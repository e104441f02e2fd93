import * as z from "zod";
import { type Context, get, idOf } from "../context.ts";
import { decide, EVIDENCE_FIELDS, submitEvidence } from "../disputes.ts";
import { invalid } from "../errors.ts";
import { change } from "../events.ts";
import { is, isWithin, listOf } from "../list.ts";
import {
  amount,
  changeMetadata,
  defined,
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
import { refund } from "../refunds.ts";
import { type Route, route } from "../router.ts";
import { searchOf } from "../search.ts";

/** https://docs.stripe.com/api/charges, https://docs.stripe.com/api/refunds, https://docs.stripe.com/api/disputes */

const UpdateCharge = z.strictObject({
  customer: id.optional(),
  description: text.optional(),
  fraud_details: z.strictObject({ user_report: z.enum(["fraudulent", "safe"]) }).optional(),
  metadata: metadata.optional(),
  receipt_email: text.optional(),
  transfer_group: text.optional(),
});
const ListCharges = z.strictObject({
  ...page,
  created: range.optional(),
  customer: id.optional(),
  payment_intent: id.optional(),
  transfer_group: text.optional(),
});
const Search = z.strictObject({ query: text, limit: page.limit, page: text.optional() });
const CreateRefund = z.strictObject({
  amount: amount.optional(),
  charge: id.optional(),
  metadata: metadata.optional(),
  payment_intent: id.optional(),
  reason: z.enum(["duplicate", "fraudulent", "requested_by_customer"]).optional(),
  refund_application_fee: flag.optional(),
  reverse_transfer: flag.optional(),
});
const byCharge = { ...page, charge: id.optional(), created: range.optional(), payment_intent: id.optional() };
const evidence = z.strictObject(
  Object.fromEntries(EVIDENCE_FIELDS.map((name) => [name, z.string().max(20_000).optional()])),
);
const UpdateDispute = z.strictObject({
  evidence: evidence.optional(),
  metadata: metadata.optional(),
  submit: flag.optional(),
});

export const charges: readonly Route[] = [
  route("GET", "/v1/charges/search", Search, (context, params) =>
    searchOf(context, "charge", params, "/v1/charges/search"),
  ),
  route("GET", "/v1/charges/:id", none, (context, _, id) => get(context, "charge", id)),
  route("POST", "/v1/charges/:id", UpdateCharge, (context, { metadata, ...given }, id) =>
    change(
      context,
      get(context, "charge", id),
      (charge) => {
        Object.assign(charge, defined(given));
        changeMetadata(charge.metadata, metadata);
      },
      "charge.updated",
    ),
  ),
  route("GET", "/v1/charges/:id/refunds", z.strictObject(page), (context, params, id) =>
    listOf(context, "refund", params, `/v1/charges/${id}/refunds`, ({ charge }) => charge === id),
  ),
  route(
    "GET",
    "/v1/charges",
    ListCharges,
    (context, { created, customer, payment_intent, transfer_group, ...params }) =>
      listOf(
        context,
        "charge",
        params,
        "/v1/charges",
        (charge) =>
          is(customer, charge.customer) &&
          is(payment_intent, charge.payment_intent) &&
          is(transfer_group, charge.transfer_group) &&
          isWithin(charge.created, created),
      ),
  ),
  route("POST", "/v1/refunds", CreateRefund, (context, given) =>
    refund(context, get(context, "charge", chargeId(context, given)), {
      amount: given.amount,
      reason: given.reason,
      metadata: newMetadata(given.metadata),
      isReversingTransfer: given.reverse_transfer ?? false,
      isRefundingFee: given.refund_application_fee ?? false,
    }),
  ),
  route("GET", "/v1/refunds/:id", none, (context, _, id) => get(context, "refund", id)),
  route("POST", "/v1/refunds/:id", z.strictObject({ metadata: metadata.optional() }), (context, given, id) =>
    change(
      context,
      get(context, "refund", id),
      (made) => reviseMetadata(made, given.metadata),
      "refund.updated",
      "charge.refund.updated",
    ),
  ),
  route("GET", "/v1/refunds", z.strictObject(byCharge), (context, { charge, created, payment_intent, ...params }) =>
    listOf(
      context,
      "refund",
      params,
      "/v1/refunds",
      (made) => is(charge, made.charge) && is(payment_intent, made.payment_intent) && isWithin(made.created, created),
    ),
  ),
  route("GET", "/v1/disputes/:id", none, (context, _, id) => get(context, "dispute", id)),
  route("POST", "/v1/disputes/:id", UpdateDispute, (context, given, id) => {
    const dispute = get(context, "dispute", id);
    if (given.evidence !== undefined && !dispute.status.endsWith("needs_response"))
      throw invalid("This dispute is already closed.");
    change(
      context,
      dispute,
      (changed) => {
        Object.assign(changed.evidence, defined(given.evidence ?? {}));
        changed.evidence_details.has_evidence ||= given.evidence !== undefined;
        changeMetadata(changed.metadata, given.metadata);
      },
      "charge.dispute.updated",
    );
    if (given.submit ?? given.evidence !== undefined) submitEvidence(context, dispute);
    return dispute;
  }),
  route("POST", "/v1/disputes/:id/close", none, (context, _, id) => {
    const dispute = get(context, "dispute", id);
    decide(context, dispute, "lost");
    return dispute;
  }),
  route("GET", "/v1/disputes", z.strictObject(byCharge), (context, { charge, created, payment_intent, ...params }) =>
    listOf(
      context,
      "dispute",
      params,
      "/v1/disputes",
      (dispute) =>
        is(charge, dispute.charge) && is(payment_intent, dispute.payment_intent) && isWithin(dispute.created, created),
    ),
  ),
  route(
    "GET",
    "/v1/radar/early_fraud_warnings",
    z.strictObject(byCharge),
    (context, { charge, payment_intent, created, ...params }) =>
      listOf(
        context,
        "radar.early_fraud_warning",
        params,
        "/v1/radar/early_fraud_warnings",
        (warning) =>
          is(charge, warning.charge) &&
          is(payment_intent, warning.payment_intent) &&
          isWithin(warning.created, created),
      ),
  ),
  route("GET", "/v1/radar/early_fraud_warnings/:id", none, (context, _, id) =>
    get(context, "radar.early_fraud_warning", id),
  ),
];

function chargeId(context: Context, { charge, payment_intent }: z.output<typeof CreateRefund>): string {
  if (charge !== undefined) return charge;
  if (payment_intent === undefined) {
    throw invalid("One of the following params should be provided for this request: payment_intent or charge.", {
      early: true,
    });
  }
  const latest = idOf(get(context, "payment_intent", payment_intent, "payment_intent").latest_charge);
  if (latest === undefined) {
    throw invalid(`This PaymentIntent (${payment_intent}) does not have a successful charge to refund.`, {
      param: "payment_intent",
    });
  }
  return latest;
}
