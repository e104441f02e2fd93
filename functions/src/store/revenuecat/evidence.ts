import * as z from "zod";
import { noteSandboxed } from "../../fraud/index.ts";
import type { Transaction } from "../../platform/firestore.ts";
import type { Evidence } from "../subject.ts";
import { idsOf, isUser } from "./customer.ts";
import type { PurchaseEvent } from "./event.ts";

/** What the rules against fraud want to know of RevenueCat's events. What cannot be read is not known. */

const MAX_IDS = 20;

const Ids = z.array(z.string()).nullish().catch(null);
const Text = z.string().min(1).max(1_500).nullish().catch(null);
const Told = z.looseObject({
  original_transaction_id: Text,
  country_code: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .nullish()
    .catch(null),
  is_family_share: z.boolean().nullish().catch(null),
  original_app_user_id: Text,
  aliases: Ids,
});

export function evidenceOf(event: object): Evidence {
  const { original_transaction_id, country_code, is_family_share, original_app_user_id, aliases } = Told.parse(event);
  const knownAs = [original_app_user_id, ...(aliases ?? [])].filter((id) => typeof id === "string");
  return {
    isFamilyShared: is_family_share === true,
    knownAs: knownAs.slice(0, MAX_IDS),
    ...(original_transaction_id ? { originalTransaction: original_transaction_id } : {}),
    ...(country_code ? { country: country_code } : {}),
  };
}

/** Counts that somebody came with a receipt of a sandbox that is not taken. */
export async function heardOfSandbox(tx: Transaction, event: PurchaseEvent): Promise<void> {
  const user = idsOf(event).find(isUser);
  if (user === undefined) return;
  (await noteSandboxed(tx, user, event.purchased_at_ms))();
}
