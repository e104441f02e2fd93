import { deterministicId } from "../platform/ids.ts";

/** What can be fraud: somebody pays, has money paid out, or gives something away. */
export type SubjectKind = "purchase" | "withdrawal" | "gift";

/** What is to be judged, as far as it is known. Whoever asks leaves out what they do not know. */
export interface Subject {
  readonly kind: SubjectKind;
  /** Tells subjects of a kind apart: the id of the purchase, the withdrawal, the gift. */
  readonly id: string;
  readonly user: string;
  /** When it happened, in milliseconds since the epoch. */
  readonly at: number;
  /** In the currency's smallest unit. */
  readonly amount?: { readonly amount: number; readonly currency: string } | undefined;
  /** What the catalog asks for it, in the amount's currency. */
  readonly priceExpected?: number | undefined;
  readonly product?: string | undefined;
  /** Where the product is sold, if not everywhere; ISO 3166-1 alpha-2. */
  readonly countries?: readonly string[] | undefined;
  /** Of the store's account or the card. */
  readonly country?: string | undefined;
  /** Where the request came from. */
  readonly ipCountry?: string | undefined;
  /** As `APP_STORE`. */
  readonly store?: string | undefined;
  /** What all payments of one receipt have in common: the store's first transaction. */
  readonly originalTransaction?: string | undefined;
  /** Somebody else of the family has paid, so that others may have the same receipt. */
  readonly isFamilyShared?: boolean | undefined;
  /** Other ids that the vendor says are the same person's. */
  readonly knownAs?: readonly string[] | undefined;
  /** The app's instance that asked, as App Check or the app names it. */
  readonly device?: string | undefined;
  /** Stripe's fingerprint of the card. */
  readonly card?: string | undefined;
}

/** What is watched over time: who does it, on what, with what. */
export type Dimension = "user" | "device" | "card";

export const DIMENSIONS: readonly Dimension[] = ["user", "device", "card"];

/** The document of a dimension's value. The value itself is kept nowhere. */
export function sightingsId(dimension: Dimension, value: string): string {
  return deterministicId("velocity", dimension, value);
}

/** A user as other users' documents name them. */
export function userHash(user: string): string {
  return sightingsId("user", user);
}

export function receiptId(store: string, originalTransaction: string): string {
  return deterministicId("receipt", store, originalTransaction);
}

export function assessmentId({ kind, id }: Pick<Subject, "kind" | "id">): string {
  return deterministicId("assessment", kind, id);
}
