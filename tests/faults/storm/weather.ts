import { firestore } from "../../../functions/src/platform/firestore.ts";
import { acceptGift } from "../../../functions/src/store/gifts/answer.ts";
import type { Storm } from "./acts.ts";

/** What goes wrong in a storm, and how the dust settles. */

const MODES = ["timeout-before", "timeout-after-success", "500", "500-after-success", "429", "409-lock"] as const;
const PATHS = [
  "/v1/payment_intents",
  "/v1/customers",
  "/v1/checkout/sessions",
  "/v1/refunds",
  "/v1/disputes",
  "/v1/transfers",
  "/v1/payouts",
];
/** With a few things that happen after them. */
const MAX_FAULTS = 3;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The longest backoff that is of interest here. */
const ROUND_MILLIS = 7 * HOUR;
const MAX_ROUNDS = 35;

/** Something goes wrong, or time passes; or not. */
export async function blow({ chance, world }: Storm): Promise<void> {
  for (let i = chance.below(MAX_FAULTS + 1); i > 0; i--) {
    const fault = { path: chance.one(PATHS), mode: chance.one(MODES), times: 1 + chance.below(3) };
    // A connection that broke is tried once more by the client whatever its settings.
    await world.stripe("faults", { ...fault, times: fault.times * (fault.mode.startsWith("timeout") ? 2 : 1) });
  }
  if (chance.percent(40)) await world.stripe("webhooks/rules", ruleOf(chance));
  if (chance.percent(20)) await world.stripe("webhooks/release", { order: "shuffled" });
  if (chance.percent(15)) void world.revenueCat("flushes", { order: "shuffled" }).catch(() => undefined);
  if (chance.percent(15)) await redeliver(world, chance);
  if (chance.percent(30)) await world.runSome(chance);
  if (chance.percent(10)) await world.pass((1 + chance.below(40)) * MINUTE);
  if (chance.percent(6)) await world.toggleRedis();
}

function ruleOf(chance: Storm["chance"]): object {
  const times = 1 + chance.below(4);
  return chance.one([
    { mode: "hold", times },
    { mode: "duplicate", copies: 2 + chance.below(4), times },
    { mode: "delay", millis: chance.below(120) * MINUTE, times },
    { mode: "drop", times },
  ]);
}

interface Sent {
  readonly event: string;
  readonly state: string;
}

/** A webhook of Stripe's comes once more, however old it is. */
async function redeliver(world: Storm["world"], chance: Storm["chance"]): Promise<void> {
  const { deliveries } = await world.stripe<{ deliveries: Sent[] }>("webhooks", {}, "GET");
  if (deliveries.length === 0) return;
  const { event } = chance.one(deliveries);
  await world.stripe("webhooks/redeliver", { event, copies: 1 + chance.below(5) });
}

/** No more faults; what was held back or lost so far stays so. */
export async function calm({ world }: Storm): Promise<void> {
  world.weather.chance = undefined;
  await world.stripe("faults", {}, "DELETE");
  await world.stripe("webhooks/rules", {}, "DELETE");
}

/**
 * What was held back or lost is delivered, people ask again, tasks and schedules run, and time passes until nothing is due.
 * Throws if something stays due.
 */
export async function settle(storm: Storm): Promise<void> {
  const { asks, world } = storm;
  let due: readonly string[] = [];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await asks.again();
    await takeGifts(storm);
    await world.revenueCat("flushes", { order: "shuffled" });
    await world.stripe("webhooks/release", { order: "shuffled" });
    const { deliveries } = await world.stripe<{ deliveries: Sent[] }>("webhooks", {}, "GET");
    const lost = deliveries.filter(({ state }) => state === "dropped" || state === "failed");
    for (const { event } of lost) await world.stripe("webhooks/redeliver", { event });
    const tasks = await world.tidyUp();
    due = [...(await dueHere()), ...(asks.open > 0 ? ["asks"] : []), ...(tasks > 0 ? ["tasks"] : [])];
    if (due.length === 0 && round > 0) return;
    await world.pass(ROUND_MILLIS);
  }
  throw new Error(`after ${MAX_ROUNDS} rounds there is still something due: ${due.join(", ")}`);
}

async function takeGifts({ asks, facts }: Storm): Promise<void> {
  for (const [gift, known] of facts.gifts) {
    if (known.state !== "pending") continue;
    await asks.ask(
      "answer",
      () => acceptGift({ uid: known.to }, { gift }),
      ({ state }) => {
        known.state = state;
      },
    );
  }
}

const MOVING = [
  "requested",
  "review",
  "approved",
  "held",
  "transferring",
  "transferred",
  "paying",
  "failed",
  "reversing",
];

/** What is written down as not being finished. */
async function dueHere(): Promise<string[]> {
  const queries = {
    webhooks: firestore().collection("webhooks").where("state", "!=", "done"),
    withdrawals: firestore().collection("withdrawals").where("state", "in", MOVING),
    refunds: firestore().collection("refunds").where("state", "==", "created"),
    outbox: firestore().collection("outbox").where("dueAt", ">", new Date(0)),
    receipts: firestore().collection("purchases").where("receiptDue", "==", true),
  };
  const found = await Promise.all(
    Object.entries(queries).map(async ([name, query]) => [name, (await query.limit(1).get()).docs[0]] as const),
  );
  return found.flatMap(([name, one]) => (one ? [`${name}: ${one.id} ${JSON.stringify(one.data())}`] : []));
}
