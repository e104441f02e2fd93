/** Stripe's errors as its API writes them: https://docs.stripe.com/api/errors, https://docs.stripe.com/error-codes */

export type ErrorType =
  | "api_error"
  | "authentication_error"
  | "card_error"
  | "idempotency_error"
  | "invalid_request_error"
  | "rate_limit_error";

export interface ErrorDetails {
  readonly code?: string;
  readonly declineCode?: string;
  readonly param?: string;
  readonly charge?: string;
  /** The PaymentIntent whose payment failed, whole. */
  readonly intent?: object;
  readonly paymentMethod?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request was turned away before anything was carried out, so its idempotency key stays free. */
  readonly early?: boolean;
}

export class StripeError extends Error {
  readonly status: number;
  readonly type: ErrorType;
  readonly details: ErrorDetails;

  constructor(status: number, type: ErrorType, message: string, details: ErrorDetails = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.details = details;
  }
}

/** The body of an error's answer. */
export function errorBody(error: StripeError, requestId: string): object {
  const { code, declineCode, param, charge, intent, paymentMethod } = error.details;
  return {
    error: {
      ...(charge === undefined ? {} : { charge }),
      ...(code === undefined
        ? {}
        : { code, doc_url: `https://docs.stripe.com/error-codes#${code.replaceAll("_", "-")}` }),
      ...(declineCode === undefined ? {} : { decline_code: declineCode }),
      message: error.message,
      ...(param === undefined ? {} : { param }),
      ...(intent === undefined ? {} : { payment_intent: intent }),
      ...(paymentMethod === undefined ? {} : { payment_method: paymentMethod }),
      request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}`,
      type: error.type,
    },
  };
}

/** What is asked for cannot be done, and asking again will not help. */
export function invalid(message: string, details: ErrorDetails = {}): StripeError {
  return new StripeError(400, "invalid_request_error", message, details);
}

export function missing(kind: string, id: string, param = "id"): StripeError {
  const noun = kind.replaceAll(/[_.]/g, " ");
  return new StripeError(404, "invalid_request_error", `No such ${noun}: '${id}'`, { code: "resource_missing", param });
}
