import { setTimeout as sleep } from "node:timers/promises";
import type { Page, Standing, Submitted } from "../functions/src/leaderboards/contract.ts";
import type { History, Wallet } from "../functions/src/ledger/contract.ts";
import type { Entitlements, Inventory } from "../functions/src/rewards/contract.ts";
import type { Synced } from "../functions/src/store/contract.ts";
import { type Bill, Meter } from "./meter.ts";
import { playMoney } from "./play-money.ts";
import { type Player, signIn } from "./player.ts";
import { type Answer, describe } from "./recorded.ts";
import { BOARD_ID, LATE_PRODUCT, seed } from "./seed.ts";
import type { Connection } from "./suite.ts";
import { table } from "./table.ts";

/** Who is in the demo; the last one is an operator. */
export const PEOPLE = ["Ada", "Bo", "Cy", "Dee", "Olga"] as const;

/** A line of the summary: what was done, what came of it, what it cost. */
interface Line {
  readonly what: string;
  readonly result: string;
  readonly bill: Bill;
}

/** What the simulator of RevenueCat answers: the webhook it has sent and the tries at it. */
interface Told {
  readonly event: string;
  readonly type: string;
  readonly attempts: readonly { readonly status: number; readonly answer: Answer }[];
}

const GRANT_TIMEOUT_MILLIS = 20_000;

/** Plays the demo: four players buy, ask for money back and score, as their apps and the stores would, and prints what happened. */
export async function play(suite: Connection): Promise<void> {
  const meter = new Meter(suite.hosts.firestore, suite.project);
  const [ada, bo, cy, dee, operator] = await Promise.all(PEOPLE.map((name) => signIn(name, suite)));
  if (!ada || !bo || !cy || !dee || !operator) throw new Error("not everybody could sign in");
  await seed(suite, operator);
  const lines = (heading: string, rows: readonly Line[], [what, result] = ["what happened", "result"]) => {
    console.log(`\n${heading}\n`);
    console.log(
      table(
        [what ?? "", result ?? "", "reads", "writes"],
        rows.map(({ what, result, bill }) => [what, result, bill.reads, bill.writes]),
      ),
    );
  };

  lines("Webhooks, as RevenueCat sends them", await purchases(suite, meter, { ada, bo, cy, operator }));
  lines("Money, as Stripe moves it", await playMoney(suite, meter, { player: dee, operator }));
  lines("Scores", await scores(meter, [ada, bo, cy]));
  lines("What the apps see", await views(meter, [ada, bo, cy]), ["who asks for what", "answer"]);
  lines("The top of the board", await top(meter, ada), ["player", "score"]);
  const { reads, writes, deletes } = await meter.total();
  console.log(
    "\nThe first purchase of a product or item, and the first score on a board, also read its definition; it is then kept for a minute.",
  );
  console.log(`All of it together was billed ${reads} reads, ${writes} writes and ${deletes} deletes.`);
  await Promise.all([ada, bo, cy, dee, operator].map((player) => player.leave()));
}

async function purchases(
  suite: Connection,
  meter: Meter,
  { ada, bo, cy, operator }: Record<"ada" | "bo" | "cy" | "operator", Player>,
): Promise<Line[]> {
  const lines: Line[] = [];
  const tell = async (what: string, path: string, body: object): Promise<string> => {
    const { result, bill } = await meter.of(() => simulate(suite, path, body));
    const last = result.attempts.at(-1);
    lines.push({ what: `${what} (${result.type})`, result: last ? outcomeOf(last.answer) : "webhook held back", bill });
    return result.event;
  };
  const starter = { product: "starter_pack", kind: "consumable", entitlements: ["no_ads"] };
  const first = await tell("Ada buys the starter pack", "purchases", { customer: ada.uid, ...starter });
  await tell("…and the webhook comes once more", "redeliveries", { event: first });
  const pro = { product: "pro_monthly", kind: "subscription", entitlements: ["pro"], price: 9.99 };
  await tell("Bo subscribes", "purchases", { customer: bo.uid, ...pro });
  await tell("Bo's second month", "renewals", { customer: bo.uid, product: "pro_monthly" });
  await tell("Bo turns renewal off", "cancellations", { customer: bo.uid, product: "pro_monthly" });
  const coins = { product: "coins_500", kind: "consumable" };
  await tell("Cy buys 500 coins", "purchases", { customer: cy.uid, ...coins });
  await tell("Cy gets the money back", "cancellations", { customer: cy.uid, product: "coins_500", refund: true });
  const held = await tell("Cy buys again", "purchases", { customer: cy.uid, ...coins, hold: true });
  const synced = await meter.of(() => cy.call<Synced>("pay/store/sync"));
  const results = synced.result.purchases.map(({ product, result }) => `${product} ${result}`);
  lines.push({ what: "…and the app does not wait (pay/store/sync)", result: results.join(", "), bill: synced.bill });
  await tell("…then the webhook comes", "redeliveries", { event: held });
  const { id, product } = LATE_PRODUCT;
  await tell("Ada buys what nobody has defined", "purchases", { customer: ada.uid, product: id, kind: "consumable" });
  // It is tried again at once; that is not part of what follows.
  await meter.settled();
  const defined = await meter.of(async () => {
    await operator.call("admin/store/define", { id, product });
    const looked = await granted(ada, "GEM");
    await meter.settled();
    return looked;
  });
  lines.push({
    what: "…an operator defines it (admin/store/define)",
    result: defined.result.told,
    bill: { ...defined.bill, reads: defined.bill.reads - defined.result.reads },
  });
  await tell("A test from RevenueCat's dashboard", "tests", {});
  return lines;
}

async function simulate({ revenueCatUrl }: Connection, path: string, body: object): Promise<Told> {
  const response = await fetch(`${revenueCatUrl}/simulator/${path}`, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`The simulator refused ${path}: ${await response.text()}`);
  return (await response.json()) as Told;
}

function outcomeOf({ state, outcome: { user: _known, ...outcome } = {} }: Answer): string {
  if (state === "duplicate") return `duplicate, earlier ${outcome.result}`;
  const told = describe({ outcome });
  return state === "retrying" ? `kept; ${told}` : told;
}

/** Waits for a player's wallet to have a currency. What the looking costs, a read for each account, is not part of what happens. */
async function granted(player: Player, currency: string): Promise<{ told: string; reads: number }> {
  const until = Date.now() + GRANT_TIMEOUT_MILLIS;
  let reads = 0;
  while (Date.now() < until) {
    const { balances } = await player.call<Wallet>("api/ledger/wallet");
    reads += Math.max(1, balances.length);
    const found = balances.find((balance) => balance.currency === currency);
    if (found) return { told: `tried again and granted: ${player.name} has ${found.total} ${currency}`, reads };
    await sleep(250);
  }
  throw new Error(`${player.name} was not granted any ${currency} in time.`);
}

async function scores(meter: Meter, players: readonly Player[]): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [i, player] of players.entries()) {
    for (const score of [4_200 + 700 * i, 5_000]) {
      const attempt = `demo-${player.name}-${score}`;
      const { result, bill } = await meter.of(() =>
        player.call<Submitted>("api/leaderboards/submit", { board: BOARD_ID, score, attempt }),
      );
      const improved = (["daily", "weekly", "monthly", "allTime"] as const).filter(
        (period) => result.bests[period]?.improved,
      );
      lines.push({
        what: `${player.name} scores ${score}`,
        result: improved.length > 0 ? `best of ${improved.join(", ")}` : "no better than before",
        bill,
      });
    }
  }
  return lines;
}

async function views(meter: Meter, players: readonly Player[]): Promise<Line[]> {
  const lines: Line[] = [];
  const see = async <Answer>(player: Player, action: string, input: object, show: (answer: Answer) => string) => {
    const { result, bill } = await meter.of(() => player.call<Answer>(action, input));
    lines.push({ what: `${player.name}: ${action}`, result: show(result), bill });
  };
  for (const player of players) {
    await see<Wallet>(player, "api/ledger/wallet", {}, ({ balances }) =>
      balances
        .map(({ currency, available, owed }) => `${available} ${currency}${owed > 0 ? ` (owes ${owed})` : ""}`)
        .join(", "),
    );
  }
  const [ada, bo, cy] = players as [Player, Player, Player];
  await see<Inventory>(ada, "api/rewards/inventory", {}, ({ items }) =>
    items.map(({ item, quantity }) => `${quantity} ${item}`).join(", "),
  );
  await see<Entitlements>(bo, "api/rewards/entitlements", {}, ({ entitlements }) =>
    entitlements.map(({ entitlement, willRenew }) => `${entitlement}${willRenew ? "" : ", will not renew"}`).join("; "),
  );
  await see<History>(cy, "api/ledger/history", { currency: "COIN" }, ({ transactions }) =>
    transactions.map(({ kind, amount }) => `${kind} ${amount > 0 ? "+" : ""}${amount}`).join(", "),
  );
  await see<Standing>(
    bo,
    "api/leaderboards/standing",
    { board: BOARD_ID, period: "daily" },
    ({ rank, of }) => `rank ${rank} of ${of}`,
  );
  return lines;
}

async function top(meter: Meter, player: Player): Promise<Line[]> {
  const { result, bill } = await meter.of(() =>
    player.call<Page>("api/leaderboards/page", { board: BOARD_ID, period: "weekly" }),
  );
  const none: Bill = { reads: 0, writes: 0, deletes: 0 };
  return result.rows.map(({ rank, name, score }, i) => ({
    what: `${rank}. ${name}`,
    result: String(score),
    bill: i === 0 ? bill : none,
  }));
}
