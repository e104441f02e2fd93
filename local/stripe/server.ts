import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { SuiteClock } from "../time/clock.ts";
import { Alarms } from "./alarms.ts";
import { followCheckout } from "./checkout.ts";
import type { Settings, Simulator } from "./context.ts";
import { Faults } from "./faults.ts";
import { Front } from "./front.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import { randomText } from "./ids.ts";
import { followInvoice } from "./invoice-payments.ts";
import { Ledger } from "./ledger.ts";
import { schedulePayouts } from "./payouts.ts";
import { RateLimit } from "./rate-limit.ts";
import { Store } from "./store.ts";
import { Webhooks } from "./webhooks.ts";

/**
 * A simulator of Stripe for the unmodified `stripe` package: its API, its webhooks, its hosted pages, and below `/simulator/` what in
 * life people, banks and networks do.
 */
export interface StripeOptions {
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** The secret key that servers must send, such as `sk_test_…`. */
  readonly apiKey: string;
  /** Where events go: the platform's own, and those of connected accounts. More can be added by the API. */
  readonly webhooks?: { readonly platform?: WebhookTarget; readonly connect?: WebhookTarget };
  /** The suite's; without one the simulator has its own, which `PUT /simulator/clock` and `POST /simulator/advance` move. */
  readonly clock?: SuiteClock;
  readonly settings?: Partial<Settings>;
  /** Answers 429 to more requests in a second than this. */
  readonly requestsPerSecond?: number;
  /** Takes a line about what went wrong inside the simulator. */
  readonly report?: (message: string) => void;
}

export interface WebhookTarget {
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
}

export interface StripeServer {
  readonly port: number;
  readonly clock: SuiteClock;
  /** Resolves when every webhook that is due has been delivered, or tried. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const DEFAULTS: Settings = {
  pendingDays: 2,
  payoutDays: 2,
  debitDays: 4,
  retryDays: [3, 5, 7],
  afterRetries: "canceled",
};

/** Serves until it is closed; rejects if the port is taken. */
export async function startStripe(options: StripeOptions): Promise<StripeServer> {
  const { host = "127.0.0.1", port = 0, apiKey, report = () => {} } = options;
  const clock = options.clock ?? new SuiteClock({ report });
  let origin = "";
  const simulator = newSimulator(clock, options, () => origin);
  const front = new Front({
    simulator,
    apiKey,
    faults: new Faults(),
    keys: new IdempotencyKeys(() => clock.now()),
    limit: new RateLimit(options.requestsPerSecond ?? Number.POSITIVE_INFINITY),
    report,
  });
  const server = createServer(
    (request: IncomingMessage, response: ServerResponse) => void front.serve(request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the simulator has no port");
  origin = `http://${host}:${address.port}`;
  return {
    port: address.port,
    clock,
    flush: () => simulator.webhooks.settled(),
    close: async () => {
      simulator.alarms.clearAll();
      simulator.webhooks.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function newSimulator(
  clock: SuiteClock,
  { webhooks: targets, settings }: StripeOptions,
  origin: () => string,
): Simulator {
  const webhooks = new Webhooks(clock);
  for (const name of ["platform", "connect"] as const) {
    const target = targets?.[name];
    if (target !== undefined)
      webhooks.add({
        id: `we_${name}${randomText(16)}`,
        ...target,
        connect: name === "connect",
        types: ["*"],
        isEnabled: true,
      });
  }
  return {
    clock,
    webhooks,
    alarms: new Alarms(clock, () => webhooks.settled()),
    store: new Store(),
    ledger: new Ledger(schedulePayouts),
    settings: { ...DEFAULTS, ...settings },
    intentFollowers: [followInvoice, followCheckout],
    cards: new Map(),
    banks: new Map(),
    carts: new Map(),
    purposes: new Map(),
    paidOutBy: new Map(),
    origin,
  };
}
