import type { FunctionsErrorCode } from "firebase-functions/v2/https";

/** What a caller is told besides the message. `reason` is stable and meant for programs; messages may change. */
export interface FailureDetails {
  readonly reason: string;
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

  get reason(): string {
    return this.details.reason;
  }
}

/** The input does not have the shape or lie within the bounds that the contract asks for. */
export function invalidInput(field: string, message: string): Failure {
  return new Failure("invalid-argument", message, { reason: "invalid-input", field });
}
