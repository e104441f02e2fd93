import type { SuiteClock } from "../time/clock.ts";
import { type Delivery, deliveryOf, Lane } from "./deliveries.ts";
import type { StoredEvent } from "./store.ts";
import { copiesOf, type DeliveryRule, heldBack, matches, type Order, ordered } from "./webhook-rules.ts";

/** Who is told of events, and what becomes of each telling. Rules can hold, multiply, delay or drop what would be sent. */

/** Where webhooks go: the platform's own events or those of connected accounts, each endpoint with its own secret. */
export interface Endpoint {
  readonly id: string;
  url: string;
  readonly secret: string;
  readonly connect: boolean;
  /** Types of events, or `*`. */
  types: readonly string[];
  isEnabled: boolean;
}

const MAX_ENDPOINTS = 16;
const MAX_REMEMBERED = 20_000;
const MAX_RULES = 100;
const MAX_WAITS = 10_000;

export class Webhooks {
  readonly #clock: SuiteClock;
  readonly #lanes = new Map<string, Lane<Endpoint>>();
  readonly #deliveries = new Map<string, Delivery>();
  #rules: DeliveryRule[] = [];

  constructor(clock: SuiteClock) {
    this.#clock = clock;
  }

  /** Throws RangeError for more than 16. */
  add(endpoint: Endpoint): void {
    if (this.#lanes.size >= MAX_ENDPOINTS)
      throw new RangeError(`There can be at most ${MAX_ENDPOINTS} webhook endpoints.`);
    this.#lanes.set(endpoint.id, new Lane(endpoint, this.#clock));
  }

  endpoint(id: string): Endpoint | undefined {
    return this.#lanes.get(id)?.endpoint;
  }

  remove(id: string): void {
    this.#lanes.get(id)?.close();
    this.#lanes.delete(id);
  }

  /** Sends an event to whoever wants it, unless a rule says otherwise. Returns at once. */
  tell(event: StoredEvent): void {
    for (const lane of this.#lanes.values()) {
      if (!wants(lane.endpoint, event)) continue;
      event.pending_webhooks++;
      const rule = this.#takeRule(lane.endpoint, event.type);
      const delivery = deliveryOf(event, lane.endpoint, heldBack(rule) ?? "waiting");
      this.#remember(delivery);
      this.#follow(rule, lane, delivery);
    }
  }

  /** The deliveries remembered, oldest first. */
  get deliveries(): Delivery[] {
    return [...this.#deliveries.values()];
  }

  get rules(): readonly DeliveryRule[] {
    return this.#rules;
  }

  /** Throws RangeError for more than 100. */
  addRule(rule: DeliveryRule): void {
    if (this.#rules.length >= MAX_RULES) throw new RangeError(`There can be at most ${MAX_RULES} rules for webhooks.`);
    this.#rules.push(rule);
  }

  clearRules(): void {
    this.#rules = [];
  }

  /** Sends what was held back, in this order. */
  release(order: Order, types: readonly string[] | undefined): Delivery[] {
    const held = this.deliveries.filter(({ state, type }) => state === "held" && (types?.includes(type) ?? true));
    const released = ordered(held, order);
    for (const delivery of released) this.send(delivery, 1);
    return released;
  }

  /** Sends a delivery once more, or several times. */
  send(delivery: Delivery, copies: number): void {
    const lane = this.#lanes.get(delivery.endpoint);
    delivery.state = lane === undefined ? "failed" : "waiting";
    for (let i = 0; i < copies; i++) lane?.push(delivery);
  }

  /** Resolves when nothing is under way or waits for its turn. What waits for the clock or was held back is not waited for. */
  async settled(): Promise<void> {
    for (let i = 0; i < MAX_WAITS; i++) {
      const busy = [...this.#lanes.values()].filter((lane) => lane.isBusy);
      if (busy.length === 0) return;
      await Promise.all(busy.map((lane) => lane.idle()));
    }
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close();
    this.#lanes.clear();
  }

  #follow(rule: DeliveryRule | undefined, lane: Lane<Endpoint>, delivery: Delivery): void {
    if (heldBack(rule) !== undefined) return;
    if (rule?.mode === "delay") lane.pushAt(delivery, this.#clock.now() + (rule.millis ?? 0));
    else for (let i = 0; i < copiesOf(rule); i++) lane.push(delivery);
  }

  #takeRule(endpoint: Endpoint, type: string): DeliveryRule | undefined {
    const rule = this.#rules.find((candidate) => matches(candidate, endpoint, type));
    if (rule?.times !== undefined) {
      rule.times--;
      if (rule.times <= 0) this.#rules = this.#rules.filter((candidate) => candidate !== rule);
    }
    return rule;
  }

  #remember(delivery: Delivery): void {
    this.#deliveries.set(delivery.id, delivery);
    const oldest = this.#deliveries.keys().next().value;
    if (this.#deliveries.size > MAX_REMEMBERED && oldest !== undefined) this.#deliveries.delete(oldest);
  }
}

function wants({ connect, types, isEnabled }: Endpoint, event: StoredEvent): boolean {
  if (!isEnabled || connect !== (event.account !== undefined)) return false;
  return types.includes("*") || types.includes(event.type);
}
