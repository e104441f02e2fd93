import { timestamp } from "../platform/firestore.ts";
import { log } from "../platform/log.ts";
import { commit } from "./commit.ts";
import { accounts } from "./records.ts";

const PAGE = 200;
const MAX_PAGES = 50;

/**
 * Books what has expired out of accounts that nothing else has touched since. For a schedule; what does not fit into one time is for the
 * next, and nothing hangs on it: expired coins cannot be spent before either. Returns how many accounts there were.
 */
export async function expireLots(): Promise<number> {
  const due = accounts().where("nextExpiryAt", "<=", timestamp()).orderBy("nextExpiryAt").limit(PAGE);
  let count = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { docs } = await due.get();
    const done = await Promise.allSettled(docs.map(async (document) => await expire(document.id, document.data())));
    const failed = done.filter((one) => one.status === "rejected");
    for (const { reason } of failed) log.error("expired coins not booked", reason);
    count += docs.length - failed.length;
    // What has failed would be the same again.
    if (docs.length < PAGE || failed.length > 0) return count;
  }
  log.warn("more accounts have expired coins than one run can take", { accounts: count });
  return count;
}

async function expire(
  id: string,
  { owner, currency, seq }: { owner: string; currency: string; seq: number },
): Promise<void> {
  await commit({
    key: `expiry ${id} ${seq}`,
    kind: "expiry",
    postings: [],
    reference: "expiry",
    expires: [{ owner, currency }],
  });
}
