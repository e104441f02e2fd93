import type * as z from "zod";
import { webhookSources as payoutSources } from "../payouts/index.ts";
import { writeDownAlone } from "../platform/audit.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { FieldPath } from "../platform/firestore.ts";
import { log } from "../platform/log.ts";
import { Postponed, retry, webhooks } from "../platform/webhooks.ts";
import { webhookSources } from "../store/index.ts";
import type { KeptWebhooks, KeptWebhooksRequest, RetriedWebhook, RetryWebhook } from "./contract.ts";

/** A page of the webhooks that wait or were given up, by id. One read for each. */
export async function keptWebhooks(
  _caller: Caller,
  { state, limit, cursor }: z.output<typeof KeptWebhooksRequest>,
): Promise<KeptWebhooks> {
  let query = webhooks().where("state", "==", state).orderBy(FieldPath.documentId()).limit(limit);
  if (cursor !== undefined) query = query.startAfter(cursor);
  const page = await query.get();
  const last = page.docs.at(-1);
  return {
    webhooks: page.docs.map((document) => {
      const { source, type, attempts, outcome, waitingFor, receivedAt } = document.data();
      const row = { id: document.id, source, type, attempts, outcome, receivedAt: receivedAt.toMillis() };
      return waitingFor === undefined ? row : { ...row, waitingFor };
    }),
    ...(last && page.size === limit ? { nextCursor: last.id } : {}),
  };
}

/** Tries a kept webhook again at once, parked or not; that it was tried is written down before. */
export async function retryWebhook(caller: Caller, { id }: z.output<typeof RetryWebhook>): Promise<RetriedWebhook> {
  const key = `${id} ${caller.uid} ${now()}`;
  await writeDownAlone({ key, by: caller.uid, action: "webhooks/retry", subject: `webhooks/${id}` });
  log.info("webhook retried by hand", { id, by: caller.uid });
  try {
    const sources = [...(await webhookSources()), ...(await payoutSources())];
    return await retry(sources, id, "operator");
  } catch (error) {
    if (!(error instanceof Postponed)) throw error;
    return { state: "retrying", outcome: { result: "waiting", reason: error.reason, for: error.waitingFor } };
  }
}
