import type * as z from "zod";
import { currencyOf } from "../ledger/index.ts";
import { plain, writeDown } from "../platform/audit.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure, invalidInput } from "../platform/failure.ts";
import { type Transaction, transact } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import type { DefineItem, DefineRecipe, DefineTable } from "./contract.ts";
import { type Gives, items, recipes, type Table, tables } from "./definitions.ts";
import type { Reward } from "./reward.ts";
import { tablesBelow } from "./tables.ts";

/** What operators define. An instance may go by what was before for up to a minute. */

/**
 * Defines an item, or defines it anew; whether it is a stack or unique never changes, `kind-is-fixed`. One read and two writes.
 * Refuses `unknown-table`, `unknown-currency`.
 */
export async function defineItem(caller: Caller, { id, item }: z.output<typeof DefineItem>): Promise<{ id: string }> {
  if (item.consume) await checkGives("item.consume", item.consume);
  await transact(async (tx) => {
    const before = await items.read(tx, id);
    if (before && before.kind !== item.kind) {
      throw new Failure("failed-precondition", `"${id}" is ${before.kind} for good.`, { reason: "kind-is-fixed" });
    }
    items.write(tx, id, item);
    noteDefinition(tx, caller, { what: "item", id, definition: item });
  });
  return await defined(caller, items, { what: "item", id });
}

/** Defines a table, or defines it anew. Two writes. Refuses `table-too-large`, `unknown-table`, `unknown-currency`. */
export async function defineTable(
  caller: Caller,
  { id, table }: z.output<typeof DefineTable>,
): Promise<{ id: string }> {
  checkTable(table);
  await tablesBelow(id, { given: { id, table } });
  await transact(async (tx) => {
    tables.write(tx, id, table);
    noteDefinition(tx, caller, { what: "table", id, definition: table });
  });
  return await defined(caller, tables, { what: "table", id });
}

/** Defines a recipe, or defines it anew. Two writes. Refuses `unknown-table`, `unknown-currency`. */
export async function defineRecipe(
  caller: Caller,
  { id, recipe }: z.output<typeof DefineRecipe>,
): Promise<{ id: string }> {
  checkCoins("recipe.costs.coins", recipe.costs.coins);
  for (const currency of Object.keys(recipe.costs.coins)) {
    if (currencyOf(currency).spendable === false) {
      throw invalidInput(`recipe.costs.coins.${currency}`, "This currency cannot be spent.");
    }
  }
  await checkGives("recipe.gives", recipe.gives);
  const { from = 0, until = Number.POSITIVE_INFINITY } = recipe.offer ?? {};
  if (until <= Math.max(from, now())) throw invalidInput("recipe.offer.until", "must be later");
  await transact(async (tx) => {
    recipes.write(tx, id, recipe);
    noteDefinition(tx, caller, { what: "recipe", id, definition: recipe });
  });
  return await defined(caller, recipes, { what: "recipe", id });
}

function noteDefinition(
  tx: Transaction,
  { uid }: Caller,
  { what, id, definition }: { what: "item" | "table" | "recipe"; id: string; definition: object },
): void {
  writeDown(tx, {
    key: `${id} ${fingerprint(definition)} ${now()}`,
    by: uid,
    action: `rewards/define-${what}`,
    subject: `${what}s/${id}`,
    details: { after: plain(definition) },
  });
}

async function defined(
  { uid }: Caller,
  where: { forget(id: string): Promise<void> },
  { what, id }: { what: string; id: string },
): Promise<{ id: string }> {
  await where.forget(id);
  log.info(`${what} defined`, { [what]: id, by: uid });
  return { id };
}

function checkTable({ entries, guaranteed }: Table): void {
  if (guaranteed) checkReward("table.guaranteed", guaranteed);
  entries.forEach(({ reward }, i) => {
    if (reward) checkReward(`table.entries[${i}].reward`, reward);
  });
}

async function checkGives(field: string, { reward, table }: Gives): Promise<void> {
  if (reward) checkReward(`${field}.reward`, reward);
  if (table !== undefined) await tablesBelow(table);
}

function checkReward(field: string, { coins }: Reward): void {
  checkCoins(`${field}.coins`, coins);
}

/** Nothing of money is drawn, crafted or exchanged: what is played for stays play. */
function checkCoins(field: string, coins: Reward["coins"]): void {
  for (const [currency, amount] of Object.entries(coins)) {
    const { kind, maximumBalance } = currencyOf(currency);
    if (kind !== "virtual") throw invalidInput(`${field}.${currency}`, "must be a virtual currency");
    if (amount > maximumBalance) throw invalidInput(`${field}.${currency}`, "No account can hold that much.");
  }
}
