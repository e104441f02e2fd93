import { setGlobalOptions } from "firebase-functions/v2";
import { onDocumentCreated } from "firebase-functions/v2/firestore";
import { HttpsError } from "firebase-functions/v2/https";
import { onSchedule } from "firebase-functions/v2/scheduler";
import { onTaskDispatched } from "firebase-functions/v2/tasks";
import * as z from "zod";
import { subscribers as fraud } from "./fraud/index.ts";
import { expireHolds, expireLots, signHeads } from "./ledger/index.ts";
import { config, secrets } from "./platform/config.ts";
import { service } from "./platform/endpoint.ts";
import { DocumentId } from "./platform/ids.ts";
import { log } from "./platform/log.ts";
import { deliver, sweepOutbox } from "./platform/outbox.ts";
import { webhookService } from "./platform/webhook-service.ts";
import { MAX_ATTEMPTS, Postponed, retry, sweep } from "./platform/webhooks.ts";
import { services } from "./services.ts";
import { subscribers as store, webhookSources } from "./store/index.ts";

/** Every deployed function. What the callable ones carry is in `services.ts`. */

setGlobalOptions({ region: config.region, memory: "512MiB", concurrency: 80, maxInstances: 100 });

/** What whoever writes the books needs. */
const bookkeeping = [secrets.ledgerKeys];

export const api = service("api", services.api, { minInstances: config.minInstances, secrets: bookkeeping });

export const pay = service("pay", services.pay, { secrets: [...bookkeeping, secrets.revenueCatApiKey] });

export const admin = service("admin", services.admin, {
  concurrency: 20,
  maxInstances: 5,
  secrets: [...bookkeeping, secrets.sealingKeys],
});

/** What vendors call. */
export const webhooks = webhookService(
  { revenuecat: async () => (await import("./store/revenuecat/webhook.ts")).revenueCat },
  { secrets: [...bookkeeping, secrets.revenueCatWebhookAuthorization] },
);

/** Tries webhooks again that could not be carried out; see `platform/webhooks.ts`. */
export const webhookRetries = onTaskDispatched(
  {
    retryConfig: { maxAttempts: MAX_ATTEMPTS, minBackoffSeconds: 30, maxBackoffSeconds: 6 * 3_600, maxDoublings: 10 },
    rateLimits: { maxConcurrentDispatches: 20 },
    secrets: bookkeeping,
  },
  async ({ data }) => {
    const { id } = z.object({ id: DocumentId }).parse(data);
    await retry(await webhookSources(), id, "task").catch((error: unknown) => {
      if (!(error instanceof Postponed)) throw error;
      // Not an error of ours; the queue tries again.
      log.info("webhook still waiting", { id, reason: error.reason });
      throw new HttpsError("unavailable", error.reason);
    });
  },
);

const subscribers = [...fraud, ...store];

/** Tells subscribers of what has happened. */
export const outbox = onDocumentCreated({ document: "outbox/{id}", retry: true }, async ({ params }) => {
  await deliver(params.id, subscribers);
});

/** Picks up what a crash between two steps has left lying, and what has run out. */
export const housekeeping = onSchedule(
  { schedule: "every 10 minutes", timeZone: "Etc/UTC", secrets: bookkeeping },
  async () => {
    await Promise.all([sweep(), sweepOutbox(subscribers), expireHolds(), expireLots()]);
  },
);

/** Puts aside, once a day and signed, where every account stands. */
export const ledgerHeads = onSchedule(
  { schedule: "every day 00:15", timeZone: "Etc/UTC", secrets: bookkeeping, timeoutSeconds: 1_800 },
  async () => {
    await signHeads();
  },
);
