import { setTimeout as sleep } from "node:timers/promises";
import type { WebhookBody } from "./wire.ts";

/** Where webhooks go, and the header that the dashboard was told to send with them. */
export interface WebhookTarget {
  readonly url: string;
  readonly authorization: string;
}

/** One try at delivering a webhook; status 0: no answer. */
export interface Attempt {
  readonly at: number;
  readonly status: number;
  readonly answer: string;
}

export interface Delivery {
  readonly body: WebhookBody;
  readonly attempts: Attempt[];
}

/** RevenueCat tries again after 5, 10, 20, 40 and 80 minutes; here the same numbers are these milliseconds. */
const RETRY_MILLIS = [500, 1_000, 2_000, 4_000, 8_000];
const TIMEOUT_MILLIS = 60_000;
const MAX_REMEMBERED = 10_000;

/** Delivers webhooks as RevenueCat does: until an answer is 2xx, six times at most. */
export class Deliveries {
  readonly #target: WebhookTarget;
  readonly #deliveries = new Map<string, Delivery>();

  constructor(target: WebhookTarget) {
    this.#target = target;
  }

  get all(): Delivery[] {
    return [...this.#deliveries.values()];
  }

  get(id: string): Delivery | undefined {
    return this.#deliveries.get(id);
  }

  /** Notes a webhook without sending it. */
  hold(body: WebhookBody): Delivery {
    const delivery: Delivery = { body, attempts: [] };
    this.#deliveries.set(body.event.id, delivery);
    const oldest = this.#deliveries.keys().next().value;
    if (this.#deliveries.size > MAX_REMEMBERED && oldest !== undefined) this.#deliveries.delete(oldest);
    return delivery;
  }

  /** Sends a webhook until it is taken, or given up. */
  async deliver(delivery: Delivery): Promise<void> {
    for (const pause of [0, ...RETRY_MILLIS]) {
      await sleep(pause);
      const { status } = await this.send(delivery);
      if (status >= 200 && status < 300) return;
    }
  }

  /** Sends a webhook once. */
  async send(delivery: Delivery): Promise<Attempt> {
    const attempt = await this.#post(delivery.body);
    delivery.attempts.push(attempt);
    return attempt;
  }

  async #post(body: WebhookBody): Promise<Attempt> {
    const at = Date.now();
    try {
      const response = await fetch(this.#target.url, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: this.#target.authorization },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MILLIS),
      });
      return { at, status: response.status, answer: await response.text() };
    } catch (error) {
      return { at, status: 0, answer: (error as Error).message };
    }
  }
}
