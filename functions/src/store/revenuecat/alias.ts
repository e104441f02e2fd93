import { getAll, type Transaction, timestamp } from "../../platform/firestore.ts";
import { emit } from "../../platform/outbox.ts";
import type { Outcome } from "../../platform/webhooks.ts";
import { findUser, idsOf, isUser } from "./customer.ts";
import type { AliasEvent } from "./event.ts";
import { type Alias, aliases, aliasId } from "./records.ts";

/**
 * Notes whom anonymous ids stand for, so that later events which name nothing else find the user; those that wait for it are then
 * tried again. Bill: a read and a write for each anonymous id, and the event.
 */
export async function alias(tx: Transaction, event: AliasEvent): Promise<Outcome> {
  const ids = idsOf(event);
  const user = await findUser(tx, ids);
  if (user === undefined) return { result: "ignored", reason: "anonymous" };
  const anonymous = ids.filter((id) => !isUser(id));
  await (await prepareAliases(tx, anonymous, user))(event.id);
  return { result: "aliased", user };
}

/** Reads what is known of anonymous ids; the function that it gives writes whom they stand for. */
export async function prepareAliases(
  tx: Transaction,
  anonymous: readonly string[],
  user: string,
): Promise<(key: string) => void> {
  const known = await getAll<Alias>(tx, aliases(), anonymous.map(aliasId));
  return (key) => {
    for (const [id, current] of known) {
      tx.set(aliases().doc(id), { ...current, user, moves: current?.moves ?? [], updatedAt: timestamp() });
    }
    if (known.size > 0) emit(tx, { type: "customer.known", key, data: { customers: [...known.keys()] } });
  };
}
