import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type StripeServer, startStripe } from "../../local/stripe/server.ts";
import { setClock } from "../src/platform/clock.ts";
import { type Receipt, receive } from "../src/platform/webhooks.ts";
import { stripeWebhooks } from "../src/store/stripe/webhook.ts";
import { advanceBy, signedRequest, simulateAt } from "./simulator.ts";

/** For tests of what talks to Stripe: the simulator over the wire, its webhooks carried out as they come, and both on one clock. */
export interface StripeVendor {
  readonly server: StripeServer;
  /** What became of each webhook that has come since the test began. */
  readonly receipts: (Receipt & { readonly type: string })[];
  /** Whether webhooks are answered as by a function that cannot be reached. */
  isDown: boolean;
  /** What people, banks and networks do: see local/stripe. */
  simulate<T = Record<string, unknown>>(path: string, body?: object, verb?: string): Promise<T>;
  /** Has time pass, and waits for all that follows. */
  advance(days: number): Promise<void>;
  /** Something goes wrong with the next requests to a path. */
  fault(path: string, mode: string, times?: number): Promise<unknown>;
}

const SECRET = "whsec_platform";
const DAY_MILLIS = 86_400_000;

/** To be used after `useBackend`. */
export function useStripe(): StripeVendor {
  let server: StripeServer | undefined;
  let restore = () => undefined as unknown;
  const vendor: StripeVendor = {
    get server() {
      if (!server) throw new Error("the simulator is there from beforeAll to afterAll only");
      return server;
    },
    receipts: [],
    isDown: false,
    simulate: async <T>(path: string, body?: object, verb = "POST") => {
      const answer = await simulateAt<T>(vendor.server, verb, path, body);
      await vendor.server.flush();
      return answer;
    },
    advance: (days) => advanceBy(vendor.server, days * DAY_MILLIS),
    fault: (path, mode, times = 1) => vendor.simulate("faults", { path, method: "POST", mode, times }),
  };
  const receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    if (vendor.isDown) {
      response.writeHead(503).end();
      return;
    }
    const receipt = await receive(stripeWebhooks, signedRequest(body, String(request.headers["stripe-signature"])));
    vendor.receipts.push({ ...receipt, type: (JSON.parse(body) as { type: string }).type });
    response.writeHead(200).end("{}");
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    server = await startStripe({ apiKey: "sk_test_modules", webhooks: { platform: { url, secret: SECRET } } });
    process.env.STRIPE_URL = `http://127.0.0.1:${server.port}`;
    restore = setClock(() => vendor.server.clock.now());
  });
  beforeEach(() => {
    vendor.receipts.length = 0;
    vendor.isDown = false;
  });
  afterAll(async () => {
    restore();
    await server?.close();
    receiver.closeAllConnections();
    receiver.close();
  });
  return vendor;
}
