import { type Transaction, timestamp } from "../../platform/firestore.ts";
import { deterministicId } from "../../platform/ids.ts";
import { type Outcome, Postponed } from "../../platform/webhooks.ts";
import { type Ground, readEntitlements, writeEntitlements } from "../../rewards/index.ts";
import { productOf } from "../catalog.ts";
import { purchaseId } from "../purchase.ts";
import { purchases } from "../records.ts";
import { waitingForCustomer, waitingForProduct } from "../waiting.ts";
import { findUser, idsOf } from "./customer.ts";
import type { NewsEvent, TemporaryEvent } from "./event.ts";
import { happenedAt } from "./fact.ts";
import { type Temporary, temporaries } from "./records.ts";

/** RevenueCat believes an app for so long at most. */
const LONGEST_MILLIS = 24 * 3_600_000;

/**
 * Lets somebody use what RevenueCat believes they have bought, until the store can be asked. That is no purchase: it gives no coins and
 * no items, and the real one, whose transaction may be another or the same, is granted as if this had not been.
 * Bill: a read and a write for each entitlement, a write for the record, and the event of the change.
 */
export async function temporary(tx: Transaction, event: TemporaryEvent): Promise<Outcome> {
  const { product_id, store, transaction_id } = event;
  if (!product_id) return { result: "noted", reason: "no-product-named" };
  const ids = idsOf(event);
  const user = await findUser(tx, ids);
  if (user === undefined) throw new Postponed("unknown-user", waitingForCustomer(event.app_user_id));
  const product = await productOf(product_id);
  if (!product) throw new Postponed("unknown-product", waitingForProduct(product_id));
  const at = happenedAt(event);
  const record: Temporary = {
    user,
    product: product_id,
    store: store ?? "",
    entitlements: product.grant.entitlements,
    endsAt: timestamp(Math.min(event.expiration_at_ms ?? Number.POSITIVE_INFINITY, at + LONGEST_MILLIS)),
    updatedAt: timestamp(),
  };
  const id = temporaryId(store, transaction_id ?? event.id);
  const held = await readEntitlements(tx, user, record.entitlements);
  tx.set(temporaries().doc(id), record);
  writeEntitlements(tx, held, { user, id, ground: groundOf(record) });
  return { result: "granted-for-now", user, entitlements: record.entitlements, until: record.endsAt.toMillis() };
}

/**
 * What was believed has turned out to be nothing: tells so an expiration of the same transaction that does not reach past it. Undefined
 * if the event is about something else. Bill: one read, and if it is, what the grant was billed.
 */
export async function endTemporary(tx: Transaction, event: NewsEvent): Promise<Outcome | undefined> {
  if (event.type !== "EXPIRATION") return undefined;
  const id = temporaryId(event.store, event.transaction_id);
  const known = (await tx.get(temporaries().doc(id))).data();
  const endsAt = Math.min(event.expiration_at_ms ?? Number.POSITIVE_INFINITY, happenedAt(event));
  if (!known || endsAt > known.endsAt.toMillis() || (await isConfirmed(tx, event))) return undefined;
  const { user, entitlements } = known;
  const ended: Temporary = { ...known, endsAt: timestamp(endsAt), updatedAt: timestamp() };
  const held = await readEntitlements(tx, user, entitlements);
  tx.set(temporaries().doc(id), ended);
  writeEntitlements(tx, held, { user, id, ground: groundOf(ended) });
  return { result: "not-confirmed", user, entitlements };
}

async function isConfirmed(tx: Transaction, { environment, store, transaction_id }: NewsEvent): Promise<boolean> {
  const id = purchaseId({ environment, store, transaction: transaction_id });
  const purchase = (await tx.get(purchases().doc(id))).data();
  return purchase !== undefined && purchase.state !== "foretold";
}

function temporaryId(store: string | null | undefined, transaction: string): string {
  return deterministicId("temporary", store ?? "", transaction);
}

function groundOf({ product, store, endsAt }: Temporary): Ground {
  return { product, store, endsAt, willRenew: false };
}
