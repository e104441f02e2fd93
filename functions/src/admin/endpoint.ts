import { action } from "../platform/endpoint.ts";
import { listDeeds } from "./audit.ts";
import {
  AuditPage,
  AuditRequest,
  KeptWebhooks,
  KeptWebhooksRequest,
  RetriedWebhook,
  RetryWebhook,
  RotatedKeys,
  RotateKeys,
} from "./contract.ts";
import { rotateKeys } from "./keys.ts";
import { keptWebhooks, retryWebhook } from "./webhooks.ts";

export const admin = {
  kept: action({ access: "admin", input: KeptWebhooksRequest, output: KeptWebhooks, run: keptWebhooks }),
  retry: action({ access: "admin", input: RetryWebhook, output: RetriedWebhook, run: retryWebhook }),
};

export const keys = {
  rotate: action({ access: "admin", input: RotateKeys, output: RotatedKeys, run: rotateKeys }),
};

export const audit = {
  list: action({ access: "admin", input: AuditRequest, output: AuditPage, run: listDeeds }),
};
