import { defineBoolean, defineInt, defineSecret, defineString } from "firebase-functions/params";

/**
 * Everything that differs between deployments. Values come from `functions/.env*` and Secret Manager; `firebase deploy` asks
 * for what is missing. Source: https://firebase.google.com/docs/functions/config-env
 */
export const config = {
  region: defineString("REGION", { default: "us-central1", description: "Where the functions run." }),
  minInstances: defineInt("MIN_INSTANCES", {
    default: 0,
    description: "Instances of the api service that are kept warm; 0 costs nothing idle.",
  }),
  enforceAppCheck: defineBoolean("ENFORCE_APP_CHECK", {
    default: false,
    description: "Whether callable functions refuse apps that App Check does not vouch for.",
  }),
  redisUrl: defineString("REDIS_URL", {
    default: "",
    description: "redis:// or rediss:// URL of a cache; empty: each instance caches for itself.",
  }),
  revenueCatUrl: defineString("REVENUECAT_URL", {
    default: "https://api.revenuecat.com",
    description: "Base URL of RevenueCat's REST API.",
  }),
  revenueCatProject: defineString("REVENUECAT_PROJECT_ID", {
    default: "",
    description:
      "RevenueCat's id of the project, as proj1ab2c3d4, for its REST API v2. Empty: refunds of earlier periods are not looked for.",
  }),
  revenueCatCurrencies: defineString("REVENUECAT_CURRENCIES", {
    default: "",
    description:
      "Which of RevenueCat's virtual currencies are followed, and as what, as CRD=COIN,GLD=GEM. Empty: none.",
  }),
  stripeUrl: defineString("STRIPE_URL", {
    default: "https://api.stripe.com",
    description: "Base URL of Stripe's API.",
  }),
  payoutMinimum: defineInt("PAYOUT_MINIMUM", {
    default: 10_00,
    description: "The least that one withdrawal pays out, in smallest units of its currency.",
  }),
  payoutMaximumPerDay: defineInt("PAYOUT_MAXIMUM_PER_DAY", {
    default: 1_000_00,
    description: "The most that a user withdraws in a day (UTC), by currency, in smallest units.",
  }),
  payoutMaximumPerMonth: defineInt("PAYOUT_MAXIMUM_PER_MONTH", {
    default: 10_000_00,
    description: "The most that a user withdraws in a month (UTC), by currency, in smallest units.",
  }),
  payoutFeeBasisPoints: defineInt("PAYOUT_FEE_BASIS_POINTS", {
    default: 0,
    description: "What the house keeps of a withdrawal, in hundredths of a percent.",
  }),
  payoutCoolingOffHours: defineInt("PAYOUT_COOLING_OFF_HOURS", {
    default: 72,
    description:
      "How long nothing new is withdrawn after an account at Stripe was opened, its bank changed, or a user's first withdrawal.",
  }),
  payoutClearingDays: defineInt("PAYOUT_CLEARING_DAYS", {
    default: 7,
    description: "How many days after coins were earned they can be withdrawn.",
  }),
  payoutReviewAbove: defineInt("PAYOUT_REVIEW_ABOVE", {
    default: 500_00,
    description: "Withdrawals of more, in smallest units, have to be approved by two operators.",
  }),
  appUrls: defineString("APP_URLS", {
    default: "",
    description:
      "Where people may be sent back to from Stripe's pages, by commas, as https://game.example.com or https://example.com/shop. Empty: nowhere.",
  }),
  subscriptionGraceDays: defineInt("SUBSCRIPTION_GRACE_DAYS", {
    default: 3,
    description: "For how many days a subscription by Stripe holds on while its renewal cannot be charged.",
  }),
  refundRejected: defineBoolean("REFUND_REJECTED", {
    default: true,
    description: "Whether what was paid through Stripe and rejected as fraud is paid back by itself.",
  }),
  grantPurchasesSince: defineString("GRANT_PURCHASES_SINCE", {
    default: "",
    description:
      "A date, as 2026-01-31: apps are not granted older purchases by pay/store/sync. Empty: all are granted.",
  }),
  grantSandboxPurchases: defineBoolean("GRANT_SANDBOX_PURCHASES", {
    default: false,
    description: "Whether purchases of the stores' sandboxes, which cost nothing, are granted.",
  }),
  mailCollection: defineString("MAIL_COLLECTION", {
    default: "",
    description: "The collection that the extension Trigger Email sends mails from. Empty: none are sent.",
  }),
  timeZone: defineString("TIME_ZONE", {
    default: "Etc/UTC",
    description:
      "The time zone of the business, as Europe/Berlin: when a month of statements and a year of receipts begins.",
  }),
  fraud: defineString("FRAUD", {
    default: "on",
    description:
      "Whether purchases, withdrawals and gifts are judged by the rules against fraud: on, shadow (judged and written down, nothing is kept back) or off.",
  }),
  sealingKmsKey: defineString("SEALING_KMS_KEY", {
    default: "",
    description:
      "A key of Cloud KMS that wraps users' keys, as projects/p/locations/l/keyRings/r/cryptoKeys/k. Empty: the first of SEALING_KEYS does.",
  }),
  sealingKmsUrl: defineString("SEALING_KMS_URL", {
    default: "https://cloudkms.googleapis.com",
    description: "Base URL of Cloud KMS; one of its regional endpoints keeps keys in the region on their way, too.",
  }),
} as const;

export const secrets = {
  /** Keys that tokens of game sessions are signed with, in the form of the ledger's; see docs/operations.md. */
  gameKeys: defineSecret("GAME_KEYS"),
  /** Keys that the ledger's chains are signed with, `name:base64` by commas, newest first; see docs/operations.md. */
  ledgerKeys: defineSecret("LEDGER_KEYS"),
  /** The value of the Authorization header set in RevenueCat's dashboard for the webhook. */
  revenueCatWebhookAuthorization: defineSecret("REVENUECAT_WEBHOOK_AUTHORIZATION"),
  /** A secret API key (v1) of the RevenueCat project. */
  revenueCatApiKey: defineSecret("REVENUECAT_API_KEY"),
  /** A secret API key (v2) of it; anything where REVENUECAT_PROJECT_ID is empty. */
  revenueCatApiKeyV2: defineSecret("REVENUECAT_API_KEY_V2"),
  /** A secret key of the Stripe account, `sk_…` or `rk_…`. */
  stripeApiKey: defineSecret("STRIPE_API_KEY"),
  /** Signing secret of the webhook endpoint for events of our own account, `whsec_…`. */
  stripeWebhookSecret: defineSecret("STRIPE_WEBHOOK_SECRET"),
  /** Signing secret of the one for events of connected accounts. */
  stripeConnectWebhookSecret: defineSecret("STRIPE_CONNECT_WEBHOOK_SECRET"),
  /** The keys that wrap users' keys, as `2026-11:<32 bytes in base64>,2025-01:…`: the first wraps, all unwrap. */
  sealingKeys: defineSecret("SEALING_KEYS"),
} as const;
