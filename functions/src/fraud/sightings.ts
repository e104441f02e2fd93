import { now } from "../platform/clock.ts";
import { timestamp } from "../platform/firestore.ts";
import type { Sightings } from "./records.ts";
import { type Dimension, type Subject, userHash } from "./subject.ts";
import { NONE, withOne } from "./windows.ts";

/** What is seen of users, devices and cards, as it grows; without any effect. */

const KEEP_MILLIS = 400 * 86_400_000;
/** Users of one device or card; with so many there is no doubt any more. */
const MAX_USERS = 50;
const MAX_AMOUNTS = 31;
/** Kinds and currencies that amounts are kept of; of more the first that was seen goes. */
const MAX_SERIES = 8;
const MAX_TRANSFERS = 20;
const MAX_COUNTED = 50;

export function nothingSeen(dimension: Dimension): Sightings {
  return {
    dimension,
    seen: {},
    users: [],
    amounts: {},
    transferredFrom: [],
    refunds: 0,
    chargebacks: 0,
    counted: [],
    ...touched(),
  };
}

function touched(): Pick<Sightings, "updatedAt" | "expiresAt"> {
  return { updatedAt: timestamp(), expiresAt: timestamp(now() + KEEP_MILLIS) };
}

/** The subject, too, was seen. */
export function withSubject(sightings: Sightings, subject: Subject): Sightings {
  const { dimension, seen, users } = sightings;
  const isUser = dimension === "user";
  const all = isUser ? users : latest(users, userHash(subject.user), MAX_USERS);
  return {
    ...sightings,
    seen: { ...seen, [subject.kind]: withOne(seen[subject.kind] ?? NONE, timeOf(subject)) },
    users: all,
    amounts: isUser ? withAmount(sightings.amounts, subject) : sightings.amounts,
    ...touched(),
  };
}

/** When it happened; nothing happens in the future, whatever a vendor says. */
export function timeOf({ at }: Subject): number {
  return Math.min(at, now());
}

/** The user came with a receipt of a sandbox. */
export function withSandboxed(sightings: Sightings, at: number): Sightings {
  const { seen } = sightings;
  return { ...sightings, seen: { ...seen, sandbox: withOne(seen.sandbox ?? NONE, at) }, ...touched() };
}

/** What another user had bought is this user's. */
export function withTransfer(sightings: Sightings, from: string): Sightings {
  const transferredFrom = latest(sightings.transferredFrom, userHash(from), MAX_TRANSFERS);
  return { ...sightings, transferredFrom, ...touched() };
}

/** The money of a purchase went back; counted once, or once for the seller's will and once for the bank's. */
export function withRefund(sightings: Sightings, purchase: string, by: "refund" | "chargeback"): Sightings {
  const key = `${by} ${purchase}`;
  const { counted, refunds, chargebacks } = sightings;
  if (counted.includes(key)) return sightings;
  return {
    ...sightings,
    refunds: refunds + (by === "refund" ? 1 : 0),
    chargebacks: chargebacks + (by === "chargeback" ? 1 : 0),
    counted: latest(counted, key, MAX_COUNTED),
    ...touched(),
  };
}

/** The user's latest amounts of the subject's kind and currency. */
export function amountsLike({ amounts }: Sightings, subject: Subject): readonly number[] {
  return amounts[seriesOf(subject)] ?? [];
}

function withAmount(amounts: Sightings["amounts"], subject: Subject): Sightings["amounts"] {
  if (!subject.amount || subject.amount.amount <= 0) return amounts;
  const series = seriesOf(subject);
  const { [series]: before = [], ...others } = amounts;
  const kept = Object.entries(others).slice(-(MAX_SERIES - 1));
  return { ...Object.fromEntries(kept), [series]: [...before, subject.amount.amount].slice(-MAX_AMOUNTS) };
}

function seriesOf({ kind, amount }: Subject): string {
  return `${kind} ${amount?.currency ?? ""}`;
}

/** One more, as the latest; the first go when there are too many. */
export function latest(list: readonly string[], one: string, max: number): string[] {
  return [...list.filter((other) => other !== one), one].slice(-max);
}
