import { StripeError } from "./errors.ts";

/** Answers by idempotency key, kept for a day of the clock: https://docs.stripe.com/api/idempotent_requests */

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
}

interface Record {
  readonly endpoint: string;
  readonly params: string;
  readonly at: number;
  answer: Answer | undefined;
}

export interface KeyedRequest {
  readonly account: string | undefined;
  readonly key: string;
  /** Method and path. */
  readonly endpoint: string;
  readonly params: string;
}

const KEPT_MILLIS = 24 * 60 * 60 * 1_000;
const MAX_KEYS = 100_000;
const MAX_KEY_LENGTH = 255;

export class IdempotencyKeys {
  readonly #now: () => number;
  /** The oldest first. */
  readonly #records = new Map<string, Record>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Takes a key for a request, or gives the answer it had before. Throws StripeError if the key was used for something else, or if
   * the first request of this key is still under way.
   */
  take(request: KeyedRequest): Answer | undefined {
    const { key, endpoint, params } = request;
    if (key.length > MAX_KEY_LENGTH) throw refusal(400, `Idempotency keys have at most ${MAX_KEY_LENGTH} characters.`);
    this.#forgetOld();
    const known = this.#records.get(nameOf(request));
    if (known === undefined) {
      this.#records.set(nameOf(request), { endpoint, params, at: this.#now(), answer: undefined });
      return undefined;
    }
    if (known.endpoint !== endpoint) {
      throw refusal(
        400,
        `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${known.endpoint}' instead of '${endpoint}'). Try using a key other than '${key}' if you meant to execute a different request.`,
      );
    }
    if (known.params !== params) {
      throw refusal(
        400,
        `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      );
    }
    if (known.answer === undefined) {
      throw new StripeError(
        409,
        "idempotency_error",
        `There is currently another in-progress request using this Idempotent Key: ${key}. Please try again later.`,
        { code: "idempotency_key_in_use", early: true },
      );
    }
    return known.answer;
  }

  store(request: KeyedRequest, answer: Answer): void {
    const record = this.#records.get(nameOf(request));
    if (record !== undefined) record.answer = answer;
  }

  /** Frees a key whose request was turned away before anything was carried out. */
  free(request: KeyedRequest): void {
    this.#records.delete(nameOf(request));
  }

  #forgetOld(): void {
    const limit = this.#now() - KEPT_MILLIS;
    for (const [name, { at }] of this.#records) {
      if (at > limit && this.#records.size < MAX_KEYS) return;
      this.#records.delete(name);
    }
  }
}

function nameOf({ account, key }: KeyedRequest): string {
  return `${account ?? ""} ${key}`;
}

function refusal(status: number, message: string): StripeError {
  return new StripeError(status, "idempotency_error", message, { early: true });
}
