import { config } from "../../platform/config.ts";
import { Failure } from "../../platform/failure.ts";
import { log } from "../../platform/log.ts";
import { RefundRequest } from "./contract.ts";
import { STORE } from "./payment.ts";
import { refund } from "./refund.ts";

/** Who pays back by itself, among operators. */
const SYSTEM = { uid: "system" };
/** There is nothing to pay back: it has gone back before, or nothing was paid. */
const NOTHING_LEFT: ReadonlySet<string> = new Set(["refund-too-large", "not-refundable"]);

/**
 * Pays back all that is left of a purchase that was rejected, if it was paid through Stripe: once, however often it is told. What other stores
 * have sold they alone can refund. By setting, `REFUND_REJECTED`. Bill: what {@link refund} costs; otherwise nothing.
 */
export async function refundRejected(told: {
  readonly purchase: string;
  readonly store: string;
  readonly by: string;
}): Promise<void> {
  const { purchase, store, by } = told;
  if (store !== STORE || !config.refundRejected.value()) {
    log.warn("rejected purchase is not paid back", { purchase, store });
    return;
  }
  const note = by === "rules" ? "Rejected by the rules against fraud." : "Rejected after a review.";
  const request = { key: "rejected", purchase, reason: "fraudulent", note };
  try {
    await refund(SYSTEM, RefundRequest.parse(request));
  } catch (error) {
    if (!(error instanceof Failure && NOTHING_LEFT.has(error.reason))) throw error;
    log.info("nothing left to pay back", { purchase, reason: error.reason });
  }
}
