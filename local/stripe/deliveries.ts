import type { SuiteClock } from "../time/clock.ts";
import { newId } from "./ids.ts";
import { signature } from "./signature.ts";
import type { StoredEvent } from "./store.ts";

/** One event on its way to one endpoint, tried until an answer is 2xx: https://docs.stripe.com/webhooks#automatic-retries */

/** One try; status 0: no answer. */
export interface Attempt {
  /** Milliseconds since the epoch, by the clock. */
  readonly at: number;
  readonly status: number;
  readonly answer: string;
}

export interface Delivery {
  readonly id: string;
  readonly endpoint: string;
  readonly event: StoredEvent;
  readonly type: string;
  state: "waiting" | "held" | "dropped" | "delivered" | "failed";
  readonly attempts: Attempt[];
}

interface Target {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
}

const MINUTE = 60_000;
const GIVE_UP_MILLIS = 3 * 24 * 60 * MINUTE;
/** Stripe says "exponential backoff, for up to three days" and no more; the last of these repeats. */
const RETRY_MINUTES = [5, 15, 60, 180, 360, 720];
const TIMEOUT_MILLIS = 10_000;
const MAX_ANSWER = 2_000;
const MAX_QUEUE = 20_000;
const MAX_ATTEMPTS = 100;

export function deliveryOf(event: StoredEvent, { id }: Target, state: Delivery["state"]): Delivery {
  return { id: newId("whdlv"), endpoint: id, event, type: event.type, state, attempts: [] };
}

/** An endpoint's deliveries, one after the other, so that events come in the order in which they happened unless told otherwise. */
export class Lane<T extends Target = Target> {
  readonly endpoint: T;
  readonly #clock: SuiteClock;
  readonly #queue: Delivery[] = [];
  readonly #cancels = new Set<() => void>();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(endpoint: T, clock: SuiteClock) {
    this.endpoint = endpoint;
    this.#clock = clock;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  /** Sends when it is its turn. What does not fit among 20,000 that wait has failed. */
  push(delivery: Delivery): void {
    if (this.#queue.length >= MAX_QUEUE || this.#closing.signal.aborted) {
      delivery.state = "failed";
      return;
    }
    this.#queue.push(delivery);
    this.#running ??= this.#run();
  }

  /** Sends when the clock gets there, `at` in milliseconds. */
  pushAt(delivery: Delivery, at: number): void {
    const cancel = this.#clock.at(at, async () => {
      this.#cancels.delete(cancel);
      if (delivery.state === "delivered") return;
      this.push(delivery);
      await this.idle();
    });
    this.#cancels.add(cancel);
  }

  close(): void {
    this.#closing.abort();
    this.#queue.length = 0;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  async #run(): Promise<void> {
    // Whoever makes an event goes on first, so that its answer and its webhooks are on their way together.
    await Promise.resolve();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) await this.#try(next);
    this.#running = undefined;
  }

  async #try(delivery: Delivery): Promise<void> {
    const attempt = await this.#post(delivery.event);
    if (this.#closing.signal.aborted) return;
    if (delivery.attempts.length < MAX_ATTEMPTS) delivery.attempts.push(attempt);
    if (attempt.status >= 200 && attempt.status < 300) {
      if (delivery.state !== "delivered") delivery.event.pending_webhooks--;
      delivery.state = "delivered";
    } else if (delivery.state !== "delivered") this.#tryAgain(delivery);
  }

  #tryAgain(delivery: Delivery): void {
    const pause = (RETRY_MINUTES[delivery.attempts.length - 1] ?? 720) * MINUTE;
    const first = delivery.attempts[0]?.at ?? this.#clock.now();
    const at = this.#clock.now() + pause;
    if (at - first > GIVE_UP_MILLIS || delivery.attempts.length >= MAX_ATTEMPTS) delivery.state = "failed";
    else this.pushAt(delivery, at);
  }

  async #post(event: StoredEvent): Promise<Attempt> {
    const at = this.#clock.now();
    const payload = JSON.stringify(event, undefined, 2);
    try {
      const response = await fetch(this.endpoint.url, {
        method: "POST",
        headers: {
          "content-type": "application/json; charset=utf-8",
          "stripe-signature": signature(this.endpoint.secret, Math.floor(at / 1_000), payload),
          "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        },
        body: payload,
        // A redirect is a failure.
        redirect: "manual",
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MILLIS), this.#closing.signal]),
      });
      return { at, status: response.status, answer: (await response.text()).slice(0, MAX_ANSWER) };
    } catch (error) {
      return { at, status: 0, answer: error instanceof Error ? error.message : String(error) };
    }
  }
}
