import { action } from "../platform/endpoint.ts";
import { KeptWebhooks, KeptWebhooksRequest, RetriedWebhook, RetryWebhook } from "./contract.ts";
import { keptWebhooks, retryWebhook } from "./webhooks.ts";

export const admin = {
  kept: action({ access: "admin", input: KeptWebhooksRequest, output: KeptWebhooks, run: keptWebhooks }),
  retry: action({ access: "admin", input: RetryWebhook, output: RetriedWebhook, run: retryWebhook }),
};
