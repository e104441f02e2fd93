import type { FunctionsErrorCode } from "firebase-functions/v2/https";

/**
 * Every reason for which the backend refuses something, with what it means. Apps may rely on these: a reason is never renamed, and
 * messages are for people and may change. Recorded in docs/contracts.json.
 */
export const REASONS = {
  "account-frozen": "The account is frozen; nothing can leave it.",
  "already-reversed": "The transaction has been taken back before.",
  "app-check-missing": "App Check does not vouch for the app.",
  "attempt-reused": "This attempt was submitted before with another score.",
  "balance-too-large": "The account cannot hold that much of the currency.",
  busy: "Too many are at it; ask again, under the same key if there is one.",
  "body-too-large": "The body of the webhook is too large.",
  "hold-closed": "Nothing is held any more.",
  "hold-too-small": "The hold does not hold that much any more.",
  "idempotency-key-reused": "The key was used before for another request.",
  "insufficient-funds": "The account does not have that much available.",
  internal: "Something went wrong on our side; the log knows what.",
  "invalid-amount": "An amount must be a positive whole number of the smallest unit.",
  "invalid-input": "The input does not fit its contract; `field` says where.",
  "not-an-admin": "Only operators may do this.",
  "not-reversible": "This kind of transaction cannot be taken back.",
  "not-signed-in": "Nobody is signed in.",
  "not-transferable": "Users cannot send this currency to each other.",
  "revenuecat-unavailable": "RevenueCat cannot be asked right now; try again later.",
  "review-closed": "The review has been decided, or there is nothing to decide any more.",
  "same-account": "A posting needs two different accounts.",
  "score-out-of-bounds": "The board does not accept such a score.",
  "sealing-unavailable": "What is sealed cannot be reached right now; try again later.",
  "stripe-unavailable": "Stripe cannot be asked right now; try again later.",
  "too-many-notes": "The review has as many notes as it can have.",
  "too-many-postings": "The transaction has too many postings.",
  "unknown-action": "There is no action at this path.",
  "unknown-board": "There is no such leaderboard.",
  "unknown-currency": "There is no such currency.",
  "unknown-hold": "There is no such hold.",
  "unknown-review": "There is no such review.",
  "unknown-source": "There is no webhook at this path.",
  "unknown-transaction": "There is no such transaction.",
  "unknown-webhook": "There is no such webhook.",
  "unsupported-uid": "The user's id cannot be used here.",
  "user-erased": "What was personal of the user has been erased for good, and nothing can be sealed for them.",
  "value-too-large": "The value is too large to be sealed.",
  "wrong-authorization": "The webhook's Authorization header is not the vendor's.",
} as const;

export type Reason = keyof typeof REASONS;

/** What a caller is told besides the message. */
export interface FailureDetails {
  readonly reason: Reason;
  /** The part of the input that is to blame, as `lines[0].amount`. */
  readonly field?: string;
  readonly [detail: string]: string | number | boolean | undefined;
}

/** A refusal that the caller has caused and can understand. Everything else that is thrown reaches callers as `internal`. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FunctionsErrorCode;
  readonly details: FailureDetails;

  constructor(code: FunctionsErrorCode, message: string, details: FailureDetails) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get reason(): Reason {
    return this.details.reason;
  }
}

/** The input does not have the shape or lie within the bounds that the contract asks for. */
export function invalidInput(field: string, message: string): Failure {
  return new Failure("invalid-argument", message, { reason: "invalid-input", field });
}
