import { type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import { deterministicId } from "../../platform/ids.ts";
import { ask, isLive } from "./ask.ts";
import { attemptAfter, firstAttempt } from "./attempt.ts";
import { type Customer, customers } from "./records.ts";

/**
 * Stripe's id of a user, who becomes a customer when first needed, once: those who race share an idempotency key, and whoever comes
 * after an answer was lost looks for the user first. Stripe is told nothing about the person but the uid.
 *
 * Bill: 1 read; the first time 3 reads and 2 writes. Throws `stripe-unavailable`.
 */
export async function customerOf(user: string): Promise<string> {
  const mode = isLive() ? "live" : "test";
  const known = (await customers().doc(user).get()).data()?.[mode];
  if (known?.id !== undefined) return known.id;
  const count = await transact((tx) => begin(tx, user, mode));
  const found = known ? await search(user) : undefined;
  const id = found ?? (await create(user, `${mode} ${count}`));
  return await transact((tx) => keep(tx, user, { mode, id }));
}

type Mode = "live" | "test";

async function begin(tx: Transaction, user: string, mode: Mode): Promise<number> {
  const customer = (await tx.get(customers().doc(user))).data();
  const known = customer?.[mode];
  const attempt = known ? attemptAfter(known.attempt) : firstAttempt();
  if (attempt !== known?.attempt) {
    const next: Customer = { ...customer, [mode]: { ...known, attempt }, updatedAt: timestamp() };
    tx.set(customers().doc(user), next);
  }
  return attempt.count;
}

/** Stripe's search knows of a customer within a minute or so; until then the idempotency key does. */
async function search(user: string): Promise<string | undefined> {
  const text = user.replaceAll(/["\\]/g, (character) => `\\${character}`);
  const { data } = await ask((client) => client.customers.search({ query: `metadata["user"]:"${text}"`, limit: 100 }));
  const ours = data.filter(({ metadata }) => metadata.user === user);
  return ours.sort((a, b) => a.created - b.created)[0]?.id;
}

async function create(user: string, attempt: string): Promise<string> {
  const idempotencyKey = deterministicId("customer", user, attempt);
  const { id } = await ask((client) => client.customers.create({ metadata: { user } }, { idempotencyKey }));
  return id;
}

/** Whoever was first counts. */
async function keep(tx: Transaction, user: string, { mode, id }: { mode: Mode; id: string }): Promise<string> {
  const customer = (await tx.get(customers().doc(user))).data();
  const known = customer?.[mode];
  if (known?.id !== undefined) return known.id;
  const attempt = known?.attempt ?? firstAttempt();
  tx.set(customers().doc(user), { ...customer, [mode]: { id, attempt }, updatedAt: timestamp() });
  return id;
}
