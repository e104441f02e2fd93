import type { Delivery } from "./deliveries.ts";

/** What can go wrong with webhooks on the way, on demand. */

export interface DeliveryRule {
  /** Of these events; of all if absent. */
  readonly types?: readonly string[] | undefined;
  /** To the platform's endpoints or to those for connected accounts; to all if absent. */
  readonly to?: "platform" | "connect" | undefined;
  readonly mode: "hold" | "duplicate" | "delay" | "drop";
  /** How often a duplicate comes altogether, 1 to 5. */
  readonly copies?: number | undefined;
  /** For how long a delayed one waits, by the clock. */
  readonly millis?: number | undefined;
  /** For so many deliveries; for all to come if absent. */
  times?: number | undefined;
}

export type Order = "sent" | "reversed" | "shuffled";

export function matches({ types, to }: DeliveryRule, endpoint: { readonly connect: boolean }, type: string): boolean {
  if (to !== undefined && (to === "connect") !== endpoint.connect) return false;
  return types?.includes(type) ?? true;
}

/** The state of what a rule keeps from being sent. */
export function heldBack(rule: DeliveryRule | undefined): "held" | "dropped" | undefined {
  if (rule?.mode === "hold") return "held";
  return rule?.mode === "drop" ? "dropped" : undefined;
}

export function copiesOf(rule: DeliveryRule | undefined): number {
  return rule?.mode === "duplicate" ? (rule.copies ?? 2) : 1;
}

export function ordered(deliveries: readonly Delivery[], order: Order): Delivery[] {
  if (order === "reversed") return deliveries.toReversed();
  if (order === "sent") return [...deliveries];
  return deliveries
    .map((delivery) => ({ delivery, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ delivery }) => delivery);
}
