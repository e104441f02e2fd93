import type Stripe from "stripe";
import { idOf } from "./ask.ts";

/** What an invoice of a subscription pays for: https://docs.stripe.com/api/invoices/line_item */
export interface Period {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  /** In smallest units. */
  readonly amount: number;
  /** Stripe's id of the price, if the invoice says. */
  readonly price: string | undefined;
  /** What is left of one after a switch to something dearer, and no whole period. */
  readonly isRest: boolean;
}

/** The period that an invoice pays for: a whole one if there is, else the rest of one; undefined if it is about something else. */
export function periodOf({ lines }: Stripe.Invoice): Period | undefined {
  const periods = lines.data.map(read).filter((period) => period !== undefined);
  return periods.find(({ isRest }) => !isRest) ?? periods.sort((a, b) => b.amount - a.amount)[0];
}

function read({ amount, parent, period, pricing }: Stripe.InvoiceLineItem): Period | undefined {
  const details = parent?.subscription_item_details ?? parent?.invoice_item_details;
  // What is credited of a period that was switched from is below zero.
  if (!details?.subscription || amount < 0) return undefined;
  if (details.proration && amount === 0) return undefined;
  return {
    start: period.start * 1_000,
    end: period.end * 1_000,
    amount,
    price: idOf(pricing?.price_details?.price),
    isRest: details.proration,
  };
}

export function subscriptionOf({ parent }: Stripe.Invoice): string | undefined {
  return idOf(parent?.subscription_details?.subscription);
}
