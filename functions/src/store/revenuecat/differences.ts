import { type News, WHOLE } from "../purchase.ts";
import type { Purchase } from "../records.ts";
import type { Listed } from "./subscriber.ts";

/** The API's times are whole seconds, those of webhooks have milliseconds. */
const SAME_MILLIS = 1_000;

/** One way in which what RevenueCat says of a purchase is not what is known here, and the news that sets it right. */
export interface Disagreement {
  readonly kind: "refunded" | "end" | "renewal" | "grace" | "pause";
  /** As text, for people: times in ISO 8601. */
  readonly ours: string;
  readonly theirs: string;
  readonly news: News;
}

/**
 * How a purchase stands at RevenueCat, compared with how it stands here. The state is of the time at which it was asked for (`asOf`), and
 * so is its news: what was told since then stands. Of a refund only the store's own news tells that it was taken back.
 */
export function disagreements(known: Purchase, listed: Listed, asOf: number): Disagreement[] {
  if (known.refund && known.refund.amount >= known.refund.of) return [];
  if (listed.refundedAt !== undefined) {
    // Never before a reversal that was told: of a refund that was taken back the time stays listed for a while.
    if (known.refund && known.refund.at.toMillis() >= listed.refundedAt) return [];
    const news: News = { kind: "refunded", at: listed.refundedAt, ...WHOLE };
    return [{ kind: "refunded", ours: "paid", theirs: `refunded ${iso(listed.refundedAt)}`, news }];
  }
  if (!listed.isSubscription) return [];
  return [...ofEnd(known, listed, asOf), ...ofGrace(known, listed, asOf), ...ofRenewal(known, listed, asOf)];
}

function ofEnd({ expiresAt, extension }: Purchase, { fact }: Listed, at: number): Disagreement[] {
  const ours = (extension?.expiresAt ?? expiresAt)?.toMillis() ?? null;
  const theirs = fact.expiresAt;
  if (theirs === null || (ours !== null && Math.abs(ours - theirs) < SAME_MILLIS)) return [];
  return [{ kind: "end", ours: iso(ours), theirs: iso(theirs), news: { kind: "extended", at, expiresAt: theirs } }];
}

function ofGrace({ graceUntil }: Purchase, listed: Listed, at: number): Disagreement[] {
  const until = listed.graceUntil;
  if (until === undefined || until <= (graceUntil?.toMillis() ?? 0) + SAME_MILLIS) return [];
  return [
    {
      kind: "grace",
      ours: iso(graceUntil?.toMillis() ?? null),
      theirs: iso(until),
      news: { kind: "graced", at, until },
    },
  ];
}

function ofRenewal({ renewal, endedAt, pause }: Purchase, { renews, resumesAt }: Listed, at: number): Disagreement[] {
  const isOn = renewal?.isOn ?? true;
  if (resumesAt !== undefined) {
    const ours = isOn ? null : (pause?.resumesAt?.toMillis() ?? null);
    if (ours !== null && Math.abs(ours - resumesAt) < SAME_MILLIS) return [];
    return [{ kind: "pause", ours: iso(ours), theirs: iso(resumesAt), news: { kind: "paused", at, resumesAt } }];
  }
  if (endedAt || isOn === renews) return [];
  const news: News = { kind: renews ? "renewalOn" : "renewalOff", at };
  return [{ kind: "renewal", ours: isOn ? "on" : "off", theirs: renews ? "on" : "off", news }];
}

function iso(millis: number | null): string {
  return millis === null ? "never" : new Date(millis).toISOString();
}
