import { StripeError } from "./errors.ts";

/** At most so many requests in any second of real time: https://docs.stripe.com/rate-limits */
export class RateLimit {
  readonly #perSecond: number;
  #second = 0;
  #requests = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Throws StripeError `rate_limit` for one too many. */
  count(): void {
    const second = Math.floor(Date.now() / 1_000);
    if (second !== this.#second) this.#requests = 0;
    this.#second = second;
    this.#requests++;
    if (this.#requests > this.#perSecond) throw tooMany("global-rate");
  }
}

export function tooMany(reason: string): StripeError {
  return new StripeError(429, "rate_limit_error", "Too many requests hit the API too quickly.", {
    code: "rate_limit",
    early: true,
    headers: { "stripe-rate-limited-reason": reason },
  });
}
