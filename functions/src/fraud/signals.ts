import type { RuleName, Settings } from "./settings.ts";
import type { Dimension, SubjectKind } from "./subject.ts";
import type { Counts } from "./windows.ts";

/** All that the rules look at, gathered before any of them does. Counts include what is being judged. */
export interface Signals {
  readonly kind: SubjectKind;
  /** Users, other than this one and who they are known as, that came with the receipt. */
  readonly otherClaimants: number;
  /** Receipts of a store's sandbox that the user came with in the last week. */
  readonly sandboxed: number;
  readonly amount: number | undefined;
  readonly priceExpected: number | undefined;
  readonly country: string | undefined;
  readonly ipCountry: string | undefined;
  /** Empty: everywhere. */
  readonly countries: readonly string[];
  /** Of how many of the same kind, by dimension that is known. */
  readonly counts: Readonly<Partial<Record<Dimension, Counts>>>;
  /** How many users a device or card has. */
  readonly users: Readonly<{ device?: number; card?: number }>;
  /** The user's latest amounts of the same kind and currency, without this one. */
  readonly usual: readonly number[];
  /** The most of the user, the device and the card. */
  readonly refunds: number;
  readonly chargebacks: number;
}

/** What a rule has to say. */
export interface Finding {
  readonly rule: RuleName;
  /** 0 to 100. */
  readonly score: number;
  /** For people. */
  readonly reason: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

/** Judges signals, without any effect. More of what it looks for never gives a lower score. */
export type Rule = (signals: Signals, settings: Settings) => Finding;
