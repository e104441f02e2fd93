import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as z from "zod";
import { ACTIONS, shown, UnknownEvent, type World } from "./actions.ts";
import { Customers, UnknownPurchase } from "./customers.ts";
import { Deliveries, type WebhookTarget } from "./deliveries.ts";
import { page } from "./page.ts";
import { subscriberAnswer, subscriptionId, subscriptionsAnswer, transactionsAnswer } from "./wire.ts";

/**
 * A simulator of RevenueCat: its REST API v1 for apps' servers, two methods of its v2, its webhooks, and below `/simulator/` what in life people do in
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

/** What goes wrong on purpose: so many of the next requests to the API are answered like this. */
const Trouble = z.object({
  status: z.union([z.literal(429), z.literal(500), z.literal(503)]),
  count: z.int().min(0).max(1_000),
});

interface Simulator extends World {
  readonly options: RevenueCatOptions;
  trouble: z.output<typeof Trouble>;
}

export async function startRevenueCat(options: RevenueCatOptions): Promise<RevenueCatServer> {
  const simulator: Simulator = {
    options,
    customers: new Customers(),
    deliveries: new Deliveries(options.webhook),
    trouble: { status: 503, count: 0 },
  };
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
    const { status, body, headers } = await route(simulator, request);
    send(response, status, body, headers);
  } catch (error) {
    const isKnown = error instanceof UnknownPurchase || error instanceof UnknownEvent;
    const message = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    send(response, isKnown ? 404 : 400, { code: isKnown ? 7259 : 7226, message });
  }
}

interface Reply {
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

const NOT_FOUND: Reply = { status: 404, body: { code: 7000, message: "Not found." } };

async function route(simulator: Simulator, request: IncomingMessage): Promise<Reply> {
  const path = (request.url ?? "/").split("?", 1)[0] as string;
  if (/^\/v[12]\//.test(path)) return api(simulator, request, path);
  if (request.method === "GET") return look(simulator, path);
  if (request.method !== "POST") return NOT_FOUND;
  const name = /^\/simulator\/(\w+)$/.exec(path)?.[1] ?? "";
  if (name === "troubles") {
    simulator.trouble = Trouble.parse(await readJson(request));
    return { status: 200, body: simulator.trouble };
  }
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action) return NOT_FOUND;
  return { status: 200, body: await action(simulator, await readJson(request)) };
}

/** RevenueCat's own API. Source of the errors: https://www.revenuecat.com/docs/api-v1/error-handling */
function api(simulator: Simulator, request: IncomingMessage, path: string): Reply {
  const answer = request.method === "GET" ? answerOf(simulator.customers, path) : undefined;
  if (!answer) return NOT_FOUND;
  if (request.headers.authorization !== `Bearer ${simulator.options.apiKey}`) {
    return { status: 401, body: { code: 7225, message: "Invalid API Key." } };
  }
  const { status, count } = simulator.trouble;
  if (count === 0) return { status: 200, body: answer() };
  simulator.trouble = { status, count: count - 1 };
  return status === 429
    ? { status, body: { code: 7638, message: "Rate limit exceeded." }, headers: { "retry-after": "1" } }
    : { status, body: { code: 7110, message: "Internal server error." } };
}

/** What is asked for at a path: a customer by the API v1, or by the v2 a customer's subscriptions and the periods of one. */
function answerOf(customers: Customers, path: string): (() => object) | undefined {
  const [version, collection, ...rest] = path.split("/").slice(1).map(decodeURIComponent);
  if (version === "v1") {
    const [id] = rest;
    return collection === "subscribers" && id && rest.length === 1
      ? () => subscriberAnswer(customers.get(id))
      : undefined;
  }
  const [, kind, id = "", what] = rest;
  if (collection !== "projects" || rest.length !== 4) return undefined;
  if (kind === "customers" && what === "subscriptions") return () => subscriptionsAnswer(customers.get(id));
  const purchase = customers.all
    .flatMap(({ purchases }) => purchases)
    .find((one) => one.kind === "subscription" && subscriptionId(one) === id);
  return kind === "subscriptions" && what === "transactions" && purchase
    ? () => transactionsAnswer(purchase)
    : undefined;
}

function look({ customers, deliveries }: Simulator, path: string): Reply {
  if (path === "/") {
    return {
      status: 200,
      body: page(customers.all, deliveries.all),
      headers: { "content-type": "text/html; charset=utf-8" },
    };
  }
  return path === "/simulator/deliveries"
    ? { status: 200, body: { deliveries: deliveries.all.map(shown) } }
    : NOT_FOUND;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) throw new Error("The body is too large.");
  }
  return text === "" ? {} : JSON.parse(text);
}

function send(
  response: ServerResponse,
  status: number,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : `${JSON.stringify(body, undefined, 2)}\n`);
}
