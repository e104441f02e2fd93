import type { FunctionsErrorCode } from "firebase-functions/v2/https";

/**
 * Every reason for which the backend refuses something, with what it means. Apps may rely on these: a reason is never renamed, and
 * messages are for people and may change. Recorded in docs/contracts.json.
 */
export const REASONS = {
  "account-frozen": "The account is frozen; nothing can leave it.",
  "already-reversed": "The transaction has been taken back before.",
  "already-subscribed": "The caller has a subscription to the product already.",
  "app-check-missing": "App Check does not vouch for the app.",
  "approved-before": "The operator has approved it before; somebody else has to.",
  "attempt-reused": "This attempt was submitted before with another score.",
  "attempts-used-up": "The player has made all attempts of this season; `limit` says how many there are.",
  "balance-changed": "The account is not as the request expects it; look at it again.",
  "balance-too-large": "The account cannot hold that much of the currency.",
  "board-fixed": "What a board ranks by cannot be changed any more; `field` says what.",
  "body-too-large": "The body of the webhook is too large.",
  busy: "Too many are at it; ask again, under the same key if there is one.",
  "cannot-ask": "The user takes no requests or invitations from the caller now.",
  "chunk-differs": "This part of the event log was sent before with other events.",
  "chunk-too-large": "This part of the event log is too large; send it in smaller ones.",
  "code-over": "The code cannot be redeemed now: it is used up, over, or has not begun.",
  "code-without-effect": "The code is for something else than what it was used for.",
  "cooling-off": "Nothing is paid out so soon after a change; `until` says when.",
  "entry-closed": "The tournament cannot be joined at this time.",
  "gift-closed": "The gift has been accepted, declined or sent back before.",
  "gift-refused": "The rules against fraud do not let the gift pass; nothing was paid.",
  "group-full": "The group has as many members as one can have; `limit` says how many.",
  "handle-refused": "Nobody may have this handle.",
  "handle-taken": "Somebody else has this handle.",
  "hold-closed": "Nothing is held any more.",
  "hold-too-small": "The hold does not hold that much any more.",
  "idempotency-key-reused": "The key was used before for another request.",
  "implausible-score": "Nobody scores that much in the time that the session lasted.",
  "in-a-group": "The caller is in another group; one has to leave it first.",
  "insufficient-funds": "The account does not have that much available.",
  "insufficient-redeemable": "The account does not have that much that has cleared and can be paid out in money.",
  internal: "Something went wrong on our side; the log knows what.",
  "invalid-amount": "An amount must be a positive whole number of the smallest unit.",
  "invalid-input": "The input does not fit its contract; `field` says where.",
  "inventory-full": "The user cannot have more of the item.",
  "kind-is-fixed": "What has been defined as a stack or as unique stays so.",
  "limit-reached": "It was bought or used as often as it may be; `limit` and `remaining` say how many.",
  "no-profile": "The caller has no profile yet; `identity/profile` makes it.",
  "not-an-admin": "Only operators may do this.",
  "not-consumable": "The item cannot be consumed.",
  "not-disqualified": "The player is not disqualified on this board.",
  "not-enough-items": "The user does not have that many of the item.",
  "not-entered": "The player has not joined the tournament.",
  "not-for-sale": "The product is not sold here, or not for this currency.",
  "not-group-owner": "Only the group's owner may do this.",
  "not-in-a-group": "On this board groups play, and the caller is in none.",
  "not-in-review": "The withdrawal does not wait for approval.",
  "not-invited": "The group is closed, and the caller has no invitation that is not over.",
  "not-offered": "The recipe is not offered at this time.",
  "not-redeemable": "The currency is not paid out in money.",
  "not-refundable": "The purchase cannot be refunded here: it was not paid through Stripe, or nothing was.",
  "not-reversible": "This kind of transaction cannot be taken back.",
  "not-signed-in": "Nobody is signed in.",
  "not-spendable": "This currency cannot be spent.",
  "not-transferable": "Users cannot send this currency to each other.",
  "not-yourself": "This cannot be done to oneself.",
  "offer-over": "The product is not on sale at this time.",
  "own-account": "An operator does not decide over accounts of their own.",
  "own-withdrawal": "An operator does not decide over coins of their own.",
  "payout-account-closed": "The account at Stripe is closed.",
  "payout-account-not-ready": "There is no account at Stripe that can be paid; onboarding is not through.",
  "payout-limit": "No more can be paid out in this day or month; `remaining` says how much.",
  "payout-too-small": "The amount is too small to be paid out.",
  "price-changed": "The product costs something else by now; `price` says what.",
  "rate-limited": "This was asked too often; `retryAfter` says in how many seconds it may be asked again.",
  "refund-too-large": "More cannot go back than what is left of the price; `remaining` says how much that is.",
  "rename-too-soon": "The handle was changed a short time ago; `retryAfter` says in how many seconds it may be again.",
  "return-url-not-allowed": "People may not be sent back to this address; see APP_URLS.",
  "revenuecat-unavailable": "RevenueCat cannot be asked right now; try again later.",
  "review-closed": "The review has been decided, or there is nothing to decide any more.",
  "same-account": "A posting needs two different accounts.",
  "score-differs": "The session has another score.",
  "score-in-the-future": "The score was played at a time that has not come yet.",
  "score-out-of-bounds": "The board does not accept such a score, or subscore; `field` says which.",
  "sealing-unavailable": "What is sealed cannot be reached right now; try again later.",
  "season-closing": "An earlier season is still being closed; submit the score again later.",
  "session-expired": "The session has lasted as long as it may.",
  "session-finished": "The session is finished.",
  "session-required": "The board takes scores only with the token of a session.",
  "session-used": "A score was submitted with the session before.",
  "sold-out": "There are not that many of the product, or places of the tournament, left.",
  "stripe-refused": "Stripe does not do this; `code` is what it says why.",
  "stripe-unavailable": "Stripe cannot be asked right now; try again later.",
  "table-too-large": "The table, with those below it, is too deep, too wide, or draws too often.",
  "token-expired": "The session's token has run out.",
  "token-foreign": "The session's token is another user's, or for another board.",
  "token-invalid": "The session's token is not one that was given out.",
  "too-late": "The season that the score was played in takes no scores any more; `season` says which.",
  "too-many-attempts": "Too many wrong codes; `retryAfter` says for how many seconds none is looked at.",
  "too-many-blocked": "The caller blocks as many as one can; `limit` says how many.",
  "too-many-friends": "One of the two has as many friends as one can have; `limit` says how many.",
  "too-many-instances": "So many unique items cannot be given at once.",
  "too-many-moves": "The hold was captured or released too often; only all that is left can be.",
  "too-many-notes": "The review has as many notes as it can have.",
  "too-many-postings": "The transaction has too many postings.",
  "too-many-requests": "Too many whom the caller has asked have not answered; `limit` says how many may be.",
  "too-many-sessions": "The session was closed because its user has begun too many others since.",
  "tournament-begun": "The tournament has begun; nobody leaves it any more.",
  "tournament-fixed": "The tournament can be joined already and is not changed any more.",
  "tournament-not-on": "The tournament does not take scores at this time.",
  "unchangeable-subscription": "The subscription cannot be changed like this.",
  "unknown-account": "There is no such account.",
  "unknown-action": "There is no action at this path.",
  "unknown-board": "There is no such leaderboard.",
  "unknown-code": "There is no such code.",
  "unknown-currency": "There is no such currency.",
  "unknown-gift": "There is no such gift for the caller.",
  "unknown-group": "There is no such group.",
  "unknown-hold": "There is no such hold.",
  "unknown-item": "There is no such item.",
  "unknown-period": "The board does not rank this period.",
  "unknown-product": "There is no such product.",
  "unknown-purchase": "There is no such purchase.",
  "unknown-receipt": "The caller has no such receipt.",
  "unknown-recipe": "There is no such recipe.",
  "unknown-request": "The user has not asked the caller.",
  "unknown-review": "There is no such review.",
  "unknown-scope": "The board does not rank countries or groups for themselves.",
  "unknown-session": "The caller has no such session.",
  "unknown-source": "There is no webhook at this path.",
  "unknown-subscription": "There is no such subscription of the caller, or more than one and none was named.",
  "unknown-table": "There is no such table.",
  "unknown-transaction": "There is no such transaction.",
  "unknown-user": "There is no such user, or they have no profile.",
  "unknown-webhook": "There is no such webhook.",
  "unknown-withdrawal": "There is no such withdrawal.",
  "unsupported-uid": "The user's id cannot be used here.",
  "user-banned": "The caller is banned.",
  "user-blocked": "The caller blocks the user.",
  "user-erased": "What was personal of the user has been erased for good, and nothing can be sealed for them.",
  "value-too-large": "The value is too large to be sealed.",
  "withdrawal-left": "The withdrawal has left, or is over.",
  "wrong-authorization": "The webhook's Authorization header is not the vendor's.",
  "wrong-signature": "The webhook's signature is not the vendor's, or too old.",
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

/** The key was used before, and for something else. */
export function keyReused(): Failure {
  return new Failure("already-exists", "This key was used for another request.", { reason: "idempotency-key-reused" });
}

/** Too many are at it; nothing is known to have been refused. */
export function busy(message = "Too many are at it; ask again under the same key."): Failure {
  return new Failure("unavailable", message, { reason: "busy" });
}
