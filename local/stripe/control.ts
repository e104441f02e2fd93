import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { complete, restrict } from "./accounts.ts";
import { pay } from "./checkout.ts";
import { type Context, get, type Simulator } from "./context.ts";
import type { Delivery } from "./deliveries.ts";
import { decide, openDisputeOf } from "./disputes.ts";
import { missing, StripeError } from "./errors.ts";
import type { Faults } from "./faults.ts";
import { pendingAuthentication } from "./pages/checkout.ts";
import { newPaymentMethod } from "./payment-methods.ts";
import { authenticate } from "./payments.ts";
import { arrive } from "./payouts.ts";
import { failRefund } from "./refunds.ts";
import type { Kind } from "./store.ts";

/** What in life people, banks and the network do, below `/simulator/`, in JSON. */

export interface ControlCall {
  readonly simulator: Simulator;
  readonly faults: Faults;
  readonly body: unknown;
  readonly id: string;
}

type Action = (call: ControlCall) => object | Promise<object>;

const DAY_MILLIS = 86_400_000;
const MAX_ADVANCE_DAYS = 4_000;

const Advance = z.strictObject({
  millis: z.number().nonnegative().default(0),
  seconds: z.number().nonnegative().default(0),
  days: z.number().nonnegative().max(MAX_ADVANCE_DAYS).default(0),
});
const Clock = z.strictObject({ offset: z.number(), frozenAt: z.number().nonnegative().optional() });
const Pay = z.strictObject({
  card: z.string().optional(),
  method: z.string().optional(),
  email: z.string().optional(),
  name: z.string().optional(),
});
const Authenticate = z.strictObject({ outcome: z.enum(["complete", "fail"]).default("complete") });
const Dispute = z.strictObject({
  reason: z.string().default("fraudulent"),
  inquiry: z.boolean().default(false),
  amount: z.int().positive().optional(),
});
const Decide = z.strictObject({ outcome: z.enum(["won", "lost"]) });
const Failure = z.strictObject({ reason: z.string().optional() });
const Arrive = z.strictObject({ failure: z.string().optional() });
const Complete = z.strictObject({
  account_number: z.string().default("000123456789"),
  country: z.string().optional(),
  currency: z.string().optional(),
});
const Restrict = z.strictObject({ due: z.array(z.string()).default(["individual.verification.document"]) });
const Fault = z.strictObject({
  method: z.enum(["GET", "POST", "DELETE"]).optional(),
  path: z.string().startsWith("/"),
  mode: z.enum(["timeout-before", "timeout-after-success", "500", "500-after-success", "429", "409-lock", "delay"]),
  times: z.int().positive().max(1_000_000).default(1),
  millis: z.int().nonnegative().max(120_000).default(1_000),
});
const Rule = z.strictObject({
  types: z.array(z.string()).optional(),
  to: z.enum(["platform", "connect"]).optional(),
  mode: z.enum(["hold", "duplicate", "delay", "drop"]),
  copies: z.int().min(1).max(5).optional(),
  millis: z.int().nonnegative().optional(),
  times: z.int().positive().optional(),
});
const Release = z.strictObject({
  order: z.enum(["sent", "reversed", "shuffled"]).default("sent"),
  types: z.array(z.string()).optional(),
});
const Redeliver = z.strictObject({ event: z.string(), copies: z.int().min(1).max(5).default(1) });

/** The suite's clock gives its followers two seconds. */
const FOLLOW_MILLIS = 1_500;

async function follow({ clock }: Simulator, { offset, frozenAt }: z.output<typeof Clock>): Promise<void> {
  if (frozenAt === undefined) {
    await clock.resume();
    await clock.setOffset(offset);
  } else {
    await clock.freeze();
    await clock.set(frozenAt);
  }
}

/** By method and path; `*` stands for an id. */
const ACTIONS: Readonly<Record<string, Action>> = {
  "GET clock": ({ simulator }) => ({ ...simulator.clock.state }),
  "PUT clock": async ({ simulator, body }) => {
    // Whoever tells does not wait longer; changes are made in turn all the same.
    await Promise.race([follow(simulator, Clock.parse(body)), sleep(FOLLOW_MILLIS, undefined, { ref: false })]);
    return { ...simulator.clock.state };
  },
  "POST advance": async ({ simulator, body }) => {
    const { millis, seconds, days } = Advance.parse(body);
    await simulator.webhooks.settled();
    await simulator.clock.advance(millis + seconds * 1_000 + days * DAY_MILLIS);
    await simulator.webhooks.settled();
    return { ...simulator.clock.state };
  },
  "POST checkout/*/pay": ({ simulator, body, id }) => {
    const context = owning(simulator, "checkout.session", id);
    const { card, method, ...payer } = Pay.parse(body);
    const session = get(context, "checkout.session", id);
    const chosen =
      method ?? newPaymentMethod(context, { type: "card", card: { number: card ?? "4242424242424242" } }).id;
    pay(context, session, { method: chosen, ...payer });
    return { session, authentication: pendingAuthentication(context, session) ?? null };
  },
  "POST payment_intents/*/authenticate": ({ simulator, body, id }) => {
    const context = owning(simulator, "payment_intent", id);
    const intent = get(context, "payment_intent", id);
    authenticate(context, intent, Authenticate.parse(body).outcome === "complete");
    return intent;
  },
  "POST charges/*/dispute": ({ simulator, body, id }) => {
    const context = owning(simulator, "charge", id);
    const { reason, inquiry, amount } = Dispute.parse(body);
    return openDisputeOf(context, get(context, "charge", id), {
      reason,
      isInquiry: inquiry,
      ...(amount === undefined ? {} : { amount }),
    });
  },
  "POST disputes/*/decide": ({ simulator, body, id }) => {
    const context = owning(simulator, "dispute", id);
    const dispute = get(context, "dispute", id);
    decide(context, dispute, Decide.parse(body).outcome);
    return dispute;
  },
  "POST refunds/*/fail": ({ simulator, body, id }) => {
    const context = owning(simulator, "refund", id);
    const refund = get(context, "refund", id);
    failRefund(context, refund, Failure.parse(body).reason);
    return refund;
  },
  "POST payouts/*/arrive": ({ simulator, body, id }) => {
    const context = owning(simulator, "payout", id);
    const payout = get(context, "payout", id);
    const { failure } = Arrive.parse(body);
    if (failure === undefined) arrive(context, payout);
    else arrive(context, payout, failure);
    return payout;
  },
  "POST accounts/*/complete": ({ simulator, body, id }) => {
    const context = owning(simulator, "account", id);
    const account = get(context, "account", id);
    complete(context, account, Complete.parse(body));
    return account;
  },
  "POST accounts/*/restrict": ({ simulator, body, id }) => {
    const context = owning(simulator, "account", id);
    const account = get(context, "account", id);
    restrict(context, account, Restrict.parse(body).due);
    return account;
  },
  "GET faults": ({ faults }) => ({ faults: faults.all }),
  "POST faults": ({ faults, body }) => {
    const { method, ...fault } = Fault.parse(body);
    return faults.add({ ...fault, method });
  },
  "DELETE faults": ({ faults }) => {
    faults.clear();
    return { faults: [] };
  },
  "GET webhooks": ({ simulator }) => ({
    deliveries: simulator.webhooks.deliveries.map(shown),
    rules: simulator.webhooks.rules,
  }),
  "POST webhooks/rules": ({ simulator, body }) => {
    simulator.webhooks.addRule(Rule.parse(body));
    return { rules: simulator.webhooks.rules };
  },
  "DELETE webhooks/rules": ({ simulator }) => {
    simulator.webhooks.clearRules();
    return { rules: [] };
  },
  "POST webhooks/release": async ({ simulator, body }) => {
    const { order, types } = Release.parse(body);
    const released = simulator.webhooks.release(order, types);
    await simulator.webhooks.settled();
    return { deliveries: released.map(shown) };
  },
  "POST webhooks/redeliver": async ({ simulator, body }) => {
    const { event, copies } = Redeliver.parse(body);
    const deliveries = simulator.webhooks.deliveries.filter((delivery) => delivery.event.id === event);
    if (deliveries.length === 0) throw missing("event", event, "event");
    for (const delivery of deliveries) simulator.webhooks.send(delivery, copies);
    await simulator.webhooks.settled();
    return { deliveries: deliveries.map(shown) };
  },
  "POST webhooks/flush": async ({ simulator }) => {
    await simulator.webhooks.settled();
    return { deliveries: simulator.webhooks.deliveries.map(shown) };
  },
};

/** Runs an action. Throws StripeError 404 for what is none. */
export async function control(method: string, path: string, call: Omit<ControlCall, "id">): Promise<object> {
  const parts = path.split("/");
  const pattern = parts.length === 3 ? `${parts[0]}/*/${parts[2]}` : path;
  const name = `${method} ${pattern}`;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined)
    throw new StripeError(404, "invalid_request_error", `The simulator has no ${method} /simulator/${path}.`);
  return await action({ ...call, id: parts.length === 3 ? (parts[1] ?? "") : "" });
}

/** Work on behalf of the account that has an object. */
export function owning(simulator: Simulator, kind: Kind, id: string): Context {
  const owner = simulator.store.owner(kind, id);
  if (owner === undefined) throw missing(kind, id);
  return { simulator, account: owner.account, request: undefined };
}

function shown({ id, endpoint, event, type, state, attempts }: Delivery): object {
  return { id, endpoint, event: event.id, account: event.account ?? null, type, state, attempts };
}
