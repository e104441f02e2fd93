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
  stripeUrl: defineString("STRIPE_URL", {
    default: "https://api.stripe.com",
    description: "Base URL of Stripe's API.",
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
  /** Keys that the ledger's chains are signed with, `name:base64` by commas, newest first; see docs/operations.md. */
  ledgerKeys: defineSecret("LEDGER_KEYS"),
  /** The value of the Authorization header set in RevenueCat's dashboard for the webhook. */
  revenueCatWebhookAuthorization: defineSecret("REVENUECAT_WEBHOOK_AUTHORIZATION"),
  /** A secret API key (v1) of the RevenueCat project. */
  revenueCatApiKey: defineSecret("REVENUECAT_API_KEY"),
  /** A secret key of the Stripe account, `sk_…` or `rk_…`. */
  stripeApiKey: defineSecret("STRIPE_API_KEY"),
  /** Signing secret of the webhook endpoint for events of our own account, `whsec_…`. */
  stripeWebhookSecret: defineSecret("STRIPE_WEBHOOK_SECRET"),
  /** Signing secret of the one for events of connected accounts. */
  stripeConnectWebhookSecret: defineSecret("STRIPE_CONNECT_WEBHOOK_SECRET"),
  /** The keys that wrap users' keys, as `2026-11:<32 bytes in base64>,2025-01:…`: the first wraps, all unwrap. */
  sealingKeys: defineSecret("SEALING_KEYS"),
} as const;
