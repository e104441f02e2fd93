import { deterministicId } from "../platform/ids.ts";

/** What a webhook of the store can wait for, as its record names it. Whoever brings it about has those tried again that wait. */

/** An operator defines the product. */
export function waitingForProduct(product: string): string {
  return `product:${product}`;
}

/** The buyer, of whom only an anonymous id is known, signs in, and their app has the purchase granted. */
export function waitingForPurchase(purchase: string): string {
  return `purchase:${purchase}`;
}

/** An operator finds out why a payment through Stripe is not what was ordered. */
export function waitingForOrder(order: string): string {
  return `order:${order}`;
}

/** It comes to be known whom an id of a vendor's customer stands for. */
export function waitingForCustomer(id: string): string {
  return `customer:${deterministicId("customer", id)}`;
}
