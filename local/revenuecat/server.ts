import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as z from "zod";
import { type Customer, Customers, type Purchase, UnknownPurchase } from "./customers.ts";
import { Deliveries, type Delivery, type WebhookTarget } from "./deliveries.ts";
import { type EventType, subscriberAnswer, testBody, type WebhookBody, webhookBody } from "./wire.ts";

/**
 * A simulator of RevenueCat: its REST API v1 for apps' servers, its webhooks, and below `/simulator/` what in life people do in
 * the stores: buy, renew, cancel, ask for their money back.
 */
export interface RevenueCatOptions {
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** The secret API key that servers must send. */
  readonly apiKey: string;
  readonly webhook: WebhookTarget;
}

export interface RevenueCatServer {
  readonly port: number;
  readonly customers: Customers;
  readonly deliveries: Deliveries;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024;

const Buy = z.object({
  customer: z.string().min(1),
  product: z.string().min(1),
  kind: z.enum(["subscription", "consumable"]),
  store: z.string().optional(),
  environment: z.enum(["PRODUCTION", "SANDBOX"]).optional(),
  entitlements: z.array(z.string()).optional(),
  price: z.number().optional(),
  currency: z.string().length(3).optional(),
  days: z.number().positive().optional(),
  periodType: z.enum(["NORMAL", "TRIAL", "INTRO"]).optional(),
  transaction: z.string().optional(),
  /** Keeps the webhook back, for tests of what happens before it comes. */
  hold: z.boolean().default(false),
});

const Change = z.object({
  customer: z.string().min(1),
  product: z.string().min(1),
  refund: z.boolean().default(false),
  hold: z.boolean().default(false),
});

const Redeliver = z.object({ event: z.string().min(1) });

interface Simulator {
  readonly options: RevenueCatOptions;
  readonly customers: Customers;
  readonly deliveries: Deliveries;
}

/** Each answers with the webhook it has sent and what came of it. */
const ACTIONS: Record<string, (simulator: Simulator, body: unknown) => Promise<object> | object> = {
  purchases: ({ customers, deliveries }, body) => {
    const { customer, hold, ...bought } = Buy.parse(body);
    const purchase = customers.purchase(customer, bought);
    const type = purchase.kind === "subscription" ? "INITIAL_PURCHASE" : "NON_RENEWING_PURCHASE";
    return tell(deliveries, { type, customer: customers.get(customer), purchase, hold });
  },
  renewals: change("RENEWAL", (customers, { customer, product }) => customers.renew(customer, product)),
  cancellations: change("CANCELLATION", (customers, { customer, product, refund }) =>
    customers.cancel(customer, product, refund),
  ),
  expirations: change("EXPIRATION", (customers, { customer, product }) => customers.expire(customer, product)),
  tests: ({ deliveries }) => dispatch(deliveries, testBody(), false),
  redeliveries: async ({ deliveries }, body) => {
    const delivery = deliveries.get(Redeliver.parse(body).event);
    if (!delivery) throw new UnknownEvent();
    await deliveries.send(delivery);
    return shown(delivery);
  },
};

class UnknownEvent extends Error {
  constructor() {
    super("There is no such event.");
  }
}

export async function startRevenueCat(options: RevenueCatOptions): Promise<RevenueCatServer> {
  const simulator: Simulator = { options, customers: new Customers(), deliveries: new Deliveries(options.webhook) };
  const server = createServer((request, response) => void serve(simulator, request, response));
  const { host = "127.0.0.1", port = 0 } = options;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the simulator has no port");
  return {
    port: address.port,
    customers: simulator.customers,
    deliveries: simulator.deliveries,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(simulator: Simulator, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { status, body } = await route(simulator, request);
    send(response, status, body);
  } catch (error) {
    const isKnown = error instanceof UnknownPurchase || error instanceof UnknownEvent;
    const message = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    send(response, isKnown ? 404 : 400, { code: isKnown ? 7259 : 7226, message });
  }
}

async function route(simulator: Simulator, request: IncomingMessage): Promise<{ status: number; body: object }> {
  const path = (request.url ?? "/").split("?", 1)[0] as string;
  const subscriber = /^\/v1\/subscribers\/([^/]+)$/.exec(path);
  if (subscriber && request.method === "GET") {
    if (request.headers.authorization !== `Bearer ${simulator.options.apiKey}`) {
      return { status: 401, body: { code: 7225, message: "Invalid API Key." } };
    }
    return {
      status: 200,
      body: subscriberAnswer(simulator.customers.get(decodeURIComponent(subscriber[1] as string))),
    };
  }
  if (path === "/simulator/deliveries" && request.method === "GET") {
    return { status: 200, body: { deliveries: simulator.deliveries.all.map(shown) } };
  }
  const name = /^\/simulator\/(\w+)$/.exec(path)?.[1] ?? "";
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action || request.method !== "POST") return { status: 404, body: { code: 7000, message: "Not found." } };
  return { status: 200, body: await action(simulator, await readJson(request)) };
}

function change(
  type: EventType,
  make: (customers: Customers, change: z.output<typeof Change>) => Purchase,
): (simulator: Simulator, body: unknown) => Promise<object> {
  return async ({ customers, deliveries }, body) => {
    const parsed = Change.parse(body);
    const purchase = make(customers, parsed);
    return await tell(deliveries, { type, customer: customers.get(parsed.customer), purchase, hold: parsed.hold });
  };
}

async function tell(
  deliveries: Deliveries,
  { type, customer, purchase, hold }: { type: EventType; customer: Customer; purchase: Purchase; hold: boolean },
): Promise<object> {
  return await dispatch(deliveries, webhookBody(type, customer, purchase), hold);
}

async function dispatch(deliveries: Deliveries, body: WebhookBody, hold: boolean): Promise<object> {
  const delivery = deliveries.hold(body);
  if (!hold) await deliveries.deliver(delivery);
  return shown(delivery);
}

function shown({ body, attempts }: Delivery): object {
  const answered = attempts.map((attempt) => ({ ...attempt, answer: parsed(attempt.answer) }));
  return { event: body.event.id, type: body.event.type, attempts: answered, body };
}

/** What was answered, as JSON if it is. */
function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return answer;
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) throw new Error("The body is too large.");
  }
  return text === "" ? {} : JSON.parse(text);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body, undefined, 2)}\n`);
}
