import { setGlobalOptions } from "firebase-functions/v2";
import { onDocumentCreated } from "firebase-functions/v2/firestore";
import { HttpsError, onRequest } from "firebase-functions/v2/https";
import { onSchedule } from "firebase-functions/v2/scheduler";
import { onTaskDispatched } from "firebase-functions/v2/tasks";
import * as z from "zod";
import { subscribers as fraud } from "./fraud/index.ts";
import { subscribers as identity } from "./identity/index.ts";
import {
  closeDue,
  keepUp,
  LiveTask,
  subscribers as leaderboards,
  refreshLive,
  runBoardTask,
  runSeasonTask,
  SeasonTask,
  servePublic,
} from "./leaderboards/index.ts";
import { expireHolds, expireLots, fold, foldAll, signHeads } from "./ledger/index.ts";
import {
  Again,
  webhookSources as payoutSources,
  subscribers as payouts,
  reconcileYesterday,
  runTask,
  sweepWithdrawals,
} from "./payouts/index.ts";
import { config, secrets } from "./platform/config.ts";
import { withoutDomains } from "./platform/domains.ts";
import { service } from "./platform/endpoint.ts";
import { DocumentId } from "./platform/ids.ts";
import { runAll } from "./platform/jobs.ts";
import { log } from "./platform/log.ts";
import { deliver, sweepOutbox } from "./platform/outbox.ts";
import { withoutPretenuring } from "./platform/pretenuring.ts";
import { webhookService } from "./platform/webhook-service.ts";
import { MAX_ATTEMPTS, Postponed, retry, sweep } from "./platform/webhooks.ts";
import { expireItems, subscribers as rewards } from "./rewards/index.ts";
import { services } from "./services.ts";
import {
  countHot,
  expireGifts,
  numberReceipts,
  reconcileStores,
  settleRefunds,
  subscribers as store,
  sweepReceipts,
  webhookSources,
} from "./store/index.ts";

/** Every deployed function. What the callable ones carry is in `services.ts`. */

withoutDomains();
withoutPretenuring();
setGlobalOptions({ region: config.region, memory: "512MiB", concurrency: 80, maxInstances: 100 });

/** What whoever writes the books needs. */
const bookkeeping = [secrets.ledgerKeys];

/** What whoever compares with RevenueCat needs. */
const askingRevenueCat = [secrets.revenueCatApiKey, secrets.revenueCatApiKeyV2];

export const api = service("api", services.api, {
  minInstances: config.minInstances,
  secrets: [...bookkeeping, secrets.sealingKeys, secrets.gameKeys],
});

export const pay = service("pay", services.pay, {
  secrets: [...bookkeeping, secrets.revenueCatApiKey, secrets.stripeApiKey],
});

export const admin = service("admin", services.admin, {
  concurrency: 20,
  maxInstances: 5,
  secrets: [...bookkeeping, secrets.sealingKeys, secrets.stripeApiKey, ...askingRevenueCat],
});

/** What vendors call. */
export const webhooks = webhookService(
  {
    revenuecat: async () => (await import("./store/revenuecat/webhook.ts")).revenueCat,
    stripe: async () => (await import("./store/stripe/webhook.ts")).stripeWebhooks,
    "stripe-connect": async () => (await import("./payouts/webhook.ts")).stripeConnect,
  },
  {
    secrets: [
      ...bookkeeping,
      secrets.revenueCatWebhookAuthorization,
      secrets.stripeWebhookSecret,
      secrets.stripeConnectWebhookSecret,
      secrets.stripeApiKey,
    ],
  },
);

/** Boards for everybody, to be put behind a CDN; few instances, because strangers could have them read anything. */
export const boards = onRequest({ invoker: "public", maxInstances: 10 }, servePublic);

/** Tries webhooks again that could not be carried out; see `platform/webhooks.ts`. */
export const webhookRetries = onTaskDispatched(
  {
    retryConfig: { maxAttempts: MAX_ATTEMPTS, minBackoffSeconds: 30, maxBackoffSeconds: 6 * 3_600, maxDoublings: 10 },
    rateLimits: { maxConcurrentDispatches: 20 },
    secrets: [...bookkeeping, secrets.stripeApiKey],
  },
  async ({ data }) => {
    const { id } = z.object({ id: DocumentId }).parse(data);
    const sources = [...(await webhookSources()), ...(await payoutSources())];
    await retry(sources, id, "task").catch((error: unknown) => {
      if (!(error instanceof Postponed)) throw error;
      // Not an error of ours; the queue tries again.
      log.info("webhook still waiting", { id, reason: error.reason });
      throw new HttpsError("unavailable", error.reason);
    });
  },
);

/** Carries withdrawals on; see `payouts/run.ts`. Stripe takes 100 calls a second, and others make some, too. */
export const payoutTasks = onTaskDispatched(
  {
    retryConfig: { maxAttempts: 50, minBackoffSeconds: 30, maxBackoffSeconds: 3_600, maxDoublings: 7 },
    rateLimits: { maxConcurrentDispatches: 10, maxDispatchesPerSecond: 10 },
    // Shorter than a try of a call takes to settle; see payouts/attempts.ts.
    timeoutSeconds: 120,
    secrets: [...bookkeeping, secrets.stripeApiKey],
  },
  async ({ data }) => {
    const { id } = z.object({ id: DocumentId }).parse(data);
    await runTask(id).catch((error: unknown) => {
      if (!(error instanceof Again)) throw error;
      // Not an error of ours; the queue comes again.
      throw new HttpsError("unavailable", error.message);
    });
  },
);

const subscribers = [...identity, ...fraud, ...rewards, ...store, ...payouts, ...leaderboards];

/** Tells subscribers of what has happened. */
export const outbox = onDocumentCreated(
  {
    document: "outbox/{id}",
    retry: true,
    secrets: [...bookkeeping, secrets.revenueCatApiKey, secrets.stripeApiKey],
  },
  async ({ params }) => {
    await deliver(params.id, subscribers);
  },
);

/** Picks up what a crash between two steps has left lying, and what has run out. */
export const housekeeping = onSchedule(
  {
    schedule: "every 10 minutes",
    timeZone: "Etc/UTC",
    secrets: [...bookkeeping, secrets.stripeApiKey, secrets.revenueCatApiKey],
    // Less than until the next time.
    timeoutSeconds: 540,
  },
  async () => {
    await runAll([
      sweep,
      () => sweepOutbox(subscribers),
      expireHolds,
      expireLots,
      expireItems,
      foldAll,
      sweepReceipts,
      expireGifts,
      settleRefunds,
      sweepWithdrawals,
      closeDue,
    ]);
  },
);

/** Adds to hot accounts what they were given; one at a time, so that nobody stands in another's way. */
export const ledgerFolds = onTaskDispatched(
  {
    retryConfig: { maxAttempts: 5, minBackoffSeconds: 5, maxBackoffSeconds: 60 },
    rateLimits: { maxConcurrentDispatches: 1 },
    secrets: bookkeeping,
  },
  async ({ data }) => {
    await fold(z.object({ account: DocumentId }).parse(data).account);
  },
);

/** Puts aside, once a day and signed, where every account stands. */
export const ledgerHeads = onSchedule(
  { schedule: "every day 00:15", timeZone: "Etc/UTC", secrets: bookkeeping, timeoutSeconds: 1_800 },
  async () => {
    await signHeads();
  },
);

/** Counts what was bought most lately. */
export const hotProducts = onSchedule({ schedule: "every 1 hours", timeZone: "Etc/UTC" }, async () => {
  await countHot();
});

/** Brings the first of a board up to date in the Realtime Database; see `leaderboards/live/`. */
export const liveBoards = onTaskDispatched(
  {
    retryConfig: { maxAttempts: 5, minBackoffSeconds: 2, maxBackoffSeconds: 60 },
    rateLimits: { maxConcurrentDispatches: 50 },
    // Shorter than the lease that it holds.
    timeoutSeconds: 30,
  },
  async ({ data }) => {
    await refreshLive(LiveTask.parse(data));
  },
);

/** Numbers receipts, one task after the other; see `store/receipts/number.ts`. */
export const receipts = onTaskDispatched(
  { rateLimits: { maxConcurrentDispatches: 1 }, retryConfig: { maxAttempts: 5, minBackoffSeconds: 10 } },
  async () => {
    await numberReceipts();
  },
);

/** Closes seasons, a part in each task; see `leaderboards/seasons/close.ts`. */
export const seasonTasks = onTaskDispatched(
  {
    retryConfig: { maxAttempts: 20, minBackoffSeconds: 10, maxBackoffSeconds: 300 },
    rateLimits: { maxConcurrentDispatches: 20 },
    timeoutSeconds: 540,
    secrets: bookkeeping,
  },
  async ({ data }) => {
    await runSeasonTask(SeasonTask.parse(data));
  },
);

/** Builds leaderboards in Redis, mends and counts them; see `leaderboards/redis/`. */
export const leaderboardTasks = onTaskDispatched(
  {
    retryConfig: { maxAttempts: 50, minBackoffSeconds: 5, maxBackoffSeconds: 300, maxDoublings: 6 },
    rateLimits: { maxConcurrentDispatches: 4 },
    timeoutSeconds: 540,
  },
  async ({ data }) => {
    await runBoardTask(data);
  },
);

/** Keeps what Redis has of leaderboards what Firestore has. */
export const leaderboardUpkeep = onSchedule(
  { schedule: "every 10 minutes", timeZone: "Etc/UTC", timeoutSeconds: 540 },
  async () => {
    await keepUp();
  },
);

/** Asks the stores, once a day, whether what was granted is still what was paid for. */
export const storeReconciliation = onSchedule(
  {
    schedule: "every day 03:30",
    timeZone: "Etc/UTC",
    secrets: [...bookkeeping, ...askingRevenueCat],
    timeoutSeconds: 1_800,
  },
  async () => {
    await reconcileStores();
  },
);

/** Compares yesterday's books with Stripe's; what differs is in `differences/`. */
export const payoutReconciliation = onSchedule(
  {
    schedule: "every day 03:30",
    timeZone: "Etc/UTC",
    secrets: [...bookkeeping, secrets.stripeApiKey],
    timeoutSeconds: 1_800,
    retryCount: 5,
  },
  async () => {
    await reconcileYesterday();
  },
);
