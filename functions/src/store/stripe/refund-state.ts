import type Stripe from "stripe";
import { timestamp } from "../../platform/firestore.ts";
import { type Refund, RefundState } from "./records.ts";

/** An operator's refund as Stripe has it now. Source: https://docs.stripe.com/api/refunds/object#refund_object-status */
export function noted(record: Refund, { id, status, failure_reason }: Stripe.Refund): Refund {
  const { dueAt: _, problem: __, ...rest } = record;
  const state = RefundState.safeParse(status);
  return {
    ...rest,
    state: state.success ? state.data : "pending",
    refund: id,
    ...(failure_reason ? { problem: failure_reason } : {}),
    updatedAt: timestamp(),
  };
}
