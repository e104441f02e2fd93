import type { Request } from "firebase-functions/v2/https";
import type { StripeServer } from "../../local/stripe/server.ts";

/** Has people, banks and networks do something at Stripe's simulator, below `/simulator/`; throws what it refuses. */
export async function simulateAt<T = Record<string, unknown>>(
  server: StripeServer | undefined,
  verb: string,
  path: string,
  body?: object,
): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${server?.port}/simulator/${path}`, {
    method: verb,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer = (await response.json()) as T & { error?: { message: string } };
  if (!response.ok) throw new Error(answer.error?.message ?? String(response.status));
  return answer;
}

/** Has time pass at the simulator, and waits for all webhooks that are due before and after. */
export async function advanceBy(server: StripeServer | undefined, millis: number): Promise<void> {
  await server?.flush();
  await server?.clock.advance(millis);
  await server?.flush();
}

/** A webhook as it comes: just what the receiving end looks at. */
export function signedRequest(body: string, signature: string): Request {
  const request: Pick<Request, "rawBody" | "get"> = {
    rawBody: Buffer.from(body),
    get: ((name: string) => (name.toLowerCase() === "stripe-signature" ? signature : undefined)) as Request["get"],
  };
  return request as Request;
}
