import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type Stripe from "stripe";
import { afterAll, beforeAll } from "vitest";
import { type StripeServer, startStripe } from "../../local/stripe/server.ts";
import { setClock } from "../src/platform/clock.ts";
import { stripe } from "../src/platform/stripe.ts";
import { receive, type WebhookSource } from "../src/platform/webhooks.ts";
import { advanceBy, signedRequest, simulateAt } from "./simulator.ts";

/** For tests of modules: the Stripe simulator in this process, on whose clock our own goes, and whose webhooks reach us. */
export interface StripeBackend {
  /** Our own client, which here repeats nothing by itself, so that what goes wrong reaches our code. */
  readonly client: Stripe;
  /** What people, banks and networks do, below `/simulator/`. */
  simulate<T = Record<string, unknown>>(verb: string, path: string, body?: object): Promise<T>;
  /** Moves the clock, and waits until all webhooks that are due have come. */
  advance(millis: number): Promise<void>;
  /** Has the house have money at Stripe that can be sent on at once. */
  fund(amount: number): Promise<void>;
  /** Of the next so many requests to a path, what goes wrong. */
  fault(mode: string, path: string, options?: { method?: string; times?: number }): Promise<void>;
  /** What the simulator has sent us, and what became of it. */
  readonly heard: { readonly type: string; readonly answer: unknown }[];
}

export const PAYOUT_SETTINGS = {
  PAYOUT_MINIMUM: "1000",
  PAYOUT_MAXIMUM_PER_DAY: "100000",
  PAYOUT_MAXIMUM_PER_MONTH: "1000000",
  PAYOUT_FEE_BASIS_POINTS: "250",
  PAYOUT_COOLING_OFF_HOURS: "0",
  PAYOUT_CLEARING_DAYS: "7",
  PAYOUT_REVIEW_ABOVE: "50000",
};

const SECRETS = { platform: "whsec_platform", connect: "whsec_connect" };

/** To be called after `useBackend`. Platform events of transfers come with the platform's secret, to the same source. */
export function useStripe(source: () => Promise<WebhookSource>): StripeBackend {
  let server: StripeServer | undefined;
  let giveBackClock: (() => void) | undefined;
  let client: Stripe | undefined;
  const heard: StripeBackend["heard"] = [];
  const receiver = createReceiver(source, heard);
  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    server = await startStripe({
      apiKey: "sk_test_modules",
      webhooks: {
        platform: { url: `${url}/platform`, secret: SECRETS.platform },
        connect: { url: `${url}/connect`, secret: SECRETS.connect },
      },
    });
    process.env.STRIPE_URL = `http://127.0.0.1:${server.port}`;
    process.env.STRIPE_CONNECT_WEBHOOK_SECRET = `${SECRETS.connect},${SECRETS.platform}`;
    const { clock } = server;
    giveBackClock = setClock(() => clock.now());
    client = Object.assign(await stripe(), { getMaxNetworkRetries: () => 0 });
  });
  afterAll(async () => {
    giveBackClock?.();
    receiver.closeAllConnections();
    receiver.close();
    await server?.close();
  });

  const simulate = <T>(verb: string, path: string, body?: object) => simulateAt<T>(server, verb, path, body);

  return {
    get client() {
      return client as Stripe;
    },
    heard,
    simulate,
    advance: (millis) => advanceBy(server, millis),
    fund: async (amount) => {
      await client?.paymentIntents.create({
        amount,
        currency: "usd",
        payment_method: "pm_card_bypassPending",
        confirm: true,
        return_url: "https://example.com",
      });
    },
    fault: async (mode, path, options = {}) => {
      // A connection that broke is tried once more by the client whatever its settings.
      const times = (options.times ?? 1) * (mode.startsWith("timeout") ? 2 : 1);
      await simulate("POST", "faults", { mode, path, ...options, times });
    },
  };
}

/** Takes the webhooks in, and answers as the deployed function does. */
function createReceiver(source: () => Promise<WebhookSource>, heard: StripeBackend["heard"]): Server {
  return createServer(async (incoming, response) => {
    let body = "";
    for await (const chunk of incoming.setEncoding("utf8")) body += chunk;
    const request = signedRequest(body, String(incoming.headers["stripe-signature"]));
    const { type } = JSON.parse(body) as { type: string };
    try {
      heard.push({ type, answer: await receive(await source(), request) });
      response.writeHead(200).end("{}");
    } catch (error) {
      heard.push({ type, answer: error });
      response.writeHead(400).end("{}");
    }
  });
}
