import { now } from "../platform/clock.ts";
import { timestamp, transact } from "../platform/firestore.ts";
import { log } from "../platform/log.ts";
import { isInstance } from "./instance.ts";
import { everyInventory, inventory } from "./records.ts";
import { pileOf, stackOf } from "./stack.ts";

const PAGE = 100;
const MAX_PAGES = 50;

/**
 * Removes items that have expired. For a schedule; what does not fit into one time is for the next, and nothing hangs on it: nobody can use
 * or see them before either. Two reads and a write or delete for each. Returns how many there were.
 */
export async function expireItems(): Promise<number> {
  const due = everyInventory().where("expiresAt", "<=", timestamp()).orderBy("expiresAt").limit(PAGE);
  let count = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { docs } = await due.get();
    await Promise.all(docs.map(({ ref }) => expire(ref.parent.parent?.id ?? "", ref.id)));
    count += docs.length;
    if (docs.length < PAGE) return count;
  }
  log.warn("more items have expired than one run can take", { items: count });
  return count;
}

function expire(user: string, id: string): Promise<void> {
  return transact(async (tx) => {
    const reference = inventory(user).doc(id);
    const one = (await tx.get(reference)).data();
    if (!one?.expiresAt || one.expiresAt.toMillis() > now()) return;
    if (isInstance(one)) tx.delete(reference);
    else tx.set(reference, stackOf(pileOf(one, now())));
  });
}
