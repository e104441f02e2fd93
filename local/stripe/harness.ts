import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Stripe from "stripe";
import { type StripeOptions, type StripeServer, startStripe } from "./server.ts";

/** For tests: the simulator, the real client, and a server that webhooks go to. */

export const KEY = "sk_test_harness0000000000";
export const SECRETS = { platform: "whsec_platform", connect: "whsec_connect" } as const;
export const DAY_MILLIS = 86_400_000;

export interface Received {
  readonly to: "platform" | "connect";
  readonly signature: string;
  readonly payload: string;
  readonly event: Stripe.Event;
}

export interface Harness {
  readonly server: StripeServer;
  readonly stripe: Stripe;
  readonly received: Received[];
  /** What the webhooks' receiver answers. */
  status: (event: Stripe.Event) => number;
  types(): string[];
  /** Moves the clock, and waits until all that follows has happened. */
  advance(days: number): Promise<void>;
  /** What people do, below `/simulator/`. */
  simulate<T = Record<string, unknown>>(verb: string, path: string, body?: object): Promise<T>;
  client(config?: object): Stripe;
  close(): Promise<void>;
}

export async function startHarness(options: Partial<StripeOptions> = {}): Promise<Harness> {
  const received: Received[] = [];
  const backend = createServer(async (request, response) => {
    let payload = "";
    for await (const chunk of request.setEncoding("utf8")) payload += chunk;
    const event = JSON.parse(payload) as Stripe.Event;
    received.push({
      to: request.url === "/connect" ? "connect" : "platform",
      signature: String(request.headers["stripe-signature"]),
      payload,
      event,
    });
    response.writeHead(harness.status(event)).end("{}");
  });
  const url = await listening(backend);
  const server = await startStripe({
    apiKey: KEY,
    webhooks: {
      platform: { url: `${url}/platform`, secret: SECRETS.platform },
      connect: { url: `${url}/connect`, secret: SECRETS.connect },
    },
    report: (message) => console.error(message),
    ...options,
  });
  const client = (config: object = {}) =>
    new Stripe(KEY, {
      host: "127.0.0.1",
      port: server.port,
      protocol: "http",
      maxNetworkRetries: 0,
      telemetry: false,
      ...config,
    });
  const harness: Harness = {
    server,
    stripe: client(),
    received,
    status: () => 200,
    types: () => received.map(({ event }) => event.type),
    advance: async (days) => {
      await server.flush();
      await server.clock.advance(days * DAY_MILLIS);
      await server.flush();
    },
    simulate: async <T>(verb: string, path: string, body?: object) => {
      const response = await fetch(`http://127.0.0.1:${server.port}/simulator/${path}`, {
        method: verb,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = (await response.json()) as T & { error?: { message: string } };
      if (!response.ok) throw new Error(answer.error?.message ?? `${response.status}`);
      return answer;
    },
    client,
    close: async () => {
      await server.close();
      backend.closeAllConnections();
      await new Promise((resolve) => backend.close(resolve));
    },
  };
  return harness;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
