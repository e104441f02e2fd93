import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll } from "vitest";
import { expireLots, fold, foldAll } from "../../../functions/src/ledger/index.ts";
import { subscribers as payoutSubscribers, runTask, sweepWithdrawals } from "../../../functions/src/payouts/index.ts";
import { stripeConnect } from "../../../functions/src/payouts/webhook.ts";
import { setClock } from "../../../functions/src/platform/clock.ts";
import { sweepOutbox } from "../../../functions/src/platform/outbox.ts";
import { disconnect } from "../../../functions/src/platform/redis.ts";
import { stripe } from "../../../functions/src/platform/stripe.ts";
import { receive, retry, sweep, type WebhookSource } from "../../../functions/src/platform/webhooks.ts";
import { subscribers as rewardSubscribers } from "../../../functions/src/rewards/index.ts";
import {
  numberReceipts,
  settleRefunds,
  subscribers as storeSubscribers,
  sweepReceipts,
} from "../../../functions/src/store/index.ts";
import { revenueCat } from "../../../functions/src/store/revenuecat/webhook.ts";
import { stripeWebhooks } from "../../../functions/src/store/stripe/webhook.ts";
import { useBackend } from "../../../functions/testing/backend.ts";
import { PAYOUT_SETTINGS } from "../../../functions/testing/connect.ts";
import { hasRedis, type RedisServer, startRedis } from "../../../functions/testing/redis.ts";
import { type RevenueCatServer, startRevenueCat } from "../../../local/revenuecat/server.ts";
import { type StripeServer, startStripe } from "../../../local/stripe/server.ts";
import type { Chance } from "./chance.ts";

/** Vendors, queues, schedules, a Redis and the time, as bad as they can be. */

type Request = Parameters<typeof receive>[1];

const SOURCES: Readonly<Record<string, WebhookSource>> = {
  "/revenuecat": revenueCat,
  "/stripe": stripeWebhooks,
  "/stripe-connect": stripeConnect,
};
/** Without the one that writes claims into accounts of Firebase Authentication, which is not here. */
const SUBSCRIBERS = [...rewardSubscribers, ...storeSubscribers, ...payoutSubscribers].filter(
  ({ name }) => name !== "rewards/set-claims",
);
const AUTHORIZATION = "the-authorization";
/** How many of a hundred webhooks of Stripe's find nobody. */
const UNREACHABLE_PERCENT = 10;

interface Weather {
  /** Decides what is not answered; nothing if absent. */
  chance?: Chance | undefined;
}

export type World = ReturnType<typeof useWorld>;

/** To be used at the top of a file. */
export function useWorld() {
  const backend = useBackend({
    ...PAYOUT_SETTINGS,
    PAYOUT_MINIMUM: "100",
    PAYOUT_MAXIMUM_PER_DAY: "10000000",
    PAYOUT_MAXIMUM_PER_MONTH: "10000000",
    PAYOUT_REVIEW_ABOVE: "10000000",
    GRANT_SANDBOX_PURCHASES: "true",
    REVENUECAT_CURRENCIES: "",
  });
  const weather: Weather = {};
  const receiver = createReceiver(weather);
  let vendors: { stripe: StripeServer; revenueCat: RevenueCatServer } | undefined;
  let redis: RedisServer | undefined;
  let restore = () => undefined as unknown;
  /** Tasks from here on have not been run. */
  let begun = 0;
  const waiting: (typeof backend.tasks)[number][] = [];

  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    vendors = {
      stripe: await startStripe({
        apiKey: process.env.STRIPE_API_KEY ?? "",
        webhooks: {
          platform: { url: `${url}/stripe`, secret: process.env.STRIPE_WEBHOOK_SECRET ?? "" },
          connect: { url: `${url}/stripe-connect`, secret: process.env.STRIPE_CONNECT_WEBHOOK_SECRET ?? "" },
        },
      }),
      revenueCat: await startRevenueCat({
        apiKey: process.env.REVENUECAT_API_KEY ?? "",
        webhook: { url: `${url}/revenuecat`, authorization: AUTHORIZATION },
      }),
    };
    const { clock } = vendors.stripe;
    restore = setClock(() => clock.now());
    process.env.STRIPE_URL = `http://127.0.0.1:${vendors.stripe.port}`;
    process.env.REVENUECAT_URL = `http://127.0.0.1:${vendors.revenueCat.port}`;
    if (hasRedis) redis = await startRedis();
    process.env.REDIS_URL = redis?.url ?? "";
    // What goes wrong is to reach our code.
    Object.assign(await stripe(), { getMaxNetworkRetries: () => 0 });
  });
  afterAll(async () => {
    restore();
    await disconnect();
    redis?.kill();
    await vendors?.stripe.close();
    await vendors?.revenueCat.close();
    receiver.closeAllConnections();
    receiver.close();
  });

  const there = () => vendors as NonNullable<typeof vendors>;
  const takeTasks = () => {
    waiting.push(...backend.tasks.slice(begun));
    begun = backend.tasks.length;
    return waiting;
  };

  return {
    weather,
    client: () => stripe(),
    get customers() {
      return there().revenueCat.customers;
    },
    stripe: <T>(path: string, body: object = {}, method = "POST") =>
      simulate<T>(there().stripe.port, path, body, method),
    revenueCat: <T>(path: string, body: object) => simulate<T>(there().revenueCat.port, path, body, "POST"),
    /** Moves the clock, and waits for the webhooks that are due. */
    pass: async (millis: number) => {
      await there().stripe.flush();
      await there().stripe.clock.advance(millis);
      await there().stripe.flush();
    },
    /** Ends Redis if it runs, and starts it if it does not; both as suddenly as in life. */
    toggleRedis: async () => {
      if (!hasRedis) return;
      if (redis) redis.kill();
      const { port } = URL.parse(process.env.REDIS_URL ?? "") ?? { port: "" };
      redis = redis ? undefined : await startRedis(Number(port));
    },
    /** Runs a task that waits, any; one that fails waits again. False if there is none. */
    runSome: async (chance: Chance): Promise<boolean> => {
      const tasks = takeTasks();
      const [task] = tasks.splice(chance.below(Math.max(1, tasks.length)), 1);
      if (!task) return false;
      if (!(await run(task))) tasks.push(task);
      return true;
    },
    /** Runs every task once, and what schedules do. Returns how many tasks there were. */
    tidyUp: async (): Promise<number> => {
      const tasks = takeTasks().splice(0);
      for (const task of tasks) if (!(await run(task))) waiting.push(task);
      await sweep();
      await sweepOutbox(SUBSCRIBERS);
      await Promise.all([expireLots(), foldAll(), sweepReceipts(), settleRefunds(), sweepWithdrawals()]);
      return tasks.length;
    },
  };
}

/** Whether the task has done what it should. */
async function run({ queue, data }: { readonly queue: string; readonly data: unknown }): Promise<boolean> {
  const { id = "", account = "" } = data as { id?: string; account?: string };
  try {
    if (queue === "webhookRetries") await retry(Object.values(SOURCES), id, "task");
    else if (queue === "payoutTasks") await runTask(id);
    else if (queue === "ledgerFolds") await fold(account);
    else if (queue === "receipts") await numberReceipts();
    else throw new Error(`there is no queue ${queue}`);
    return true;
  } catch {
    return false;
  }
}

async function simulate<T>(port: number, path: string, body: object, method: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}/simulator/${path}`, {
    method,
    ...(method === "POST" ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** Takes webhooks in as the deployed function does. */
function createReceiver(weather: Weather): Server {
  return createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const source = SOURCES[incoming.url ?? ""];
    if (!source || (source !== revenueCat && weather.chance?.percent(UNREACHABLE_PERCENT))) {
      response.writeHead(503).end();
      return;
    }
    const request: Pick<Request, "rawBody" | "get"> = {
      rawBody: Buffer.concat(chunks),
      get: ((name: string) => incoming.headers[name.toLowerCase()]) as Request["get"],
    };
    try {
      const receipt = await receive(source, request as Request);
      response.writeHead(200).end(JSON.stringify(receipt));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
}
