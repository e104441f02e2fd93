import { type HttpsFunction, type HttpsOptions, onRequest, type Request } from "firebase-functions/v2/https";
import { Failure } from "./failure.ts";
import { log } from "./log.ts";
import { receive, type WebhookSource } from "./webhooks.ts";

/** Sources by the path of their webhook, each loaded when its first webhook comes. */
export type WebhookSources = Readonly<Record<string, () => Promise<WebhookSource>>>;

/** Status codes of refusals. Vendors take any 2xx for received and everything else for a reason to come again. */
const STATUS: Partial<Record<Failure["code"], number>> = {
  unauthenticated: 401,
  "invalid-argument": 400,
  "not-found": 404,
  "permission-denied": 403,
};

interface Response {
  status(code: number): { json(body: unknown): void };
}

/** An HTTP function that receives the webhooks of several vendors, one path each. */
export function webhookService(sources: WebhookSources, options: HttpsOptions): HttpsFunction {
  return onRequest(options, async (request, response) => {
    await answer(sources, request, response);
  });
}

async function answer(sources: WebhookSources, request: Request, response: Response): Promise<void> {
  try {
    const path = request.path.split("/").filter((segment) => segment !== "" && segment !== "webhooks");
    const load = path.length === 1 && Object.hasOwn(sources, path[0] ?? "") ? sources[path[0] ?? ""] : undefined;
    if (!load) throw new Failure("not-found", "There is no webhook at this path.", { reason: "unknown-source" });
    if (request.method !== "POST") {
      response.status(405).json({ error: { reason: "method-not-allowed", message: "Webhooks are sent with POST." } });
      return;
    }
    response.status(200).json(await receive(await load(), request));
  } catch (error) {
    refuse(error, request.path, response);
  }
}

function refuse(error: unknown, path: string, response: Response): void {
  if (error instanceof Failure) {
    const { message, details } = error;
    response.status(STATUS[error.code] ?? 500).json({ error: { message, ...details } });
    return;
  }
  log.error("webhook not kept", error, { path });
  response.status(500).json({ error: { reason: "internal", message: "Something went wrong on our side." } });
}
