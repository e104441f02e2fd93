import type Stripe from "stripe";

/** On the wire a decimal is a text; the client makes an object of it. */
export function decimalOf(value: number): Stripe.Decimal {
  return String(value) as unknown as Stripe.Decimal;
}

/** A share of a whole, rounded half up: what `part` of `of` is of `amount`. */
export function shareOf(amount: number, part: number, of: number): number {
  return of === 0 ? 0 : Math.round((amount * part) / of);
}

/** An amount as people read it, such as `USD 10.00`. */
export function shownAmount(amount: number, currency: string): string {
  const digits =
    new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
  return `${currency.toUpperCase()} ${(amount / 10 ** digits).toFixed(digits)}`;
}
