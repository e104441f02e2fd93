import { expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { admin as ledger } from "../ledger/endpoint.ts";
import { deeds } from "../platform/audit.ts";
import { type Action, parseInput } from "../platform/endpoint.ts";
import { admin as rewards } from "../rewards/endpoint.ts";
import { admin as store } from "../store/endpoint.ts";
import { admin as webhooks } from "./endpoint.ts";

useBackend();

const ada = someone().uid;
const coins = (COIN: number) => ({ coins: { COIN } });
const NOTE = { note: "for a test" };
const PROMO = { title: "Spring", gives: { kind: "reward", reward: coins(1) } };

/** Has somebody of their own do something, twice, and tells what is written down of it. */
async function written(action: Action, input: object): Promise<string[]> {
  const by = someone().uid;
  const request = parseInput(action.input, input);
  for (let i = 0; i < 2; i++) await action.run({ uid: by }, request).catch(() => undefined);
  const found = await deeds({ by }, { limit: 10 });
  return found.map(({ record }) => `${record.action} ${record.subject}${record.note === "" ? "" : `: ${record.note}`}`);
}

test("what operators do to money is written down once for each deed, with who it was, to what and why", async () => {
  const own = { user: ada, currency: "COIN" };
  expect(await written(ledger.adjust, { key: "adjust-1", ...own, amount: 50, ...NOTE })).toEqual([
    `ledger/adjust users/${ada}: for a test`,
  ]);
  expect(await written(ledger.freeze, { ...own, frozen: true, ...NOTE })).toEqual([
    `ledger/freeze users/${ada}: for a test`,
  ]);
  expect(await written(ledger.freeze, { ...own, frozen: false, ...NOTE })).toEqual([
    `ledger/unfreeze users/${ada}: for a test`,
  ]);
  const by = { uid: someone().uid };
  const { transaction } = (await ledger.adjust.run(
    by,
    parseInput(ledger.adjust.input, { key: "adjust-2", ...own, amount: 5, ...NOTE }),
  )) as { transaction: string };
  expect(await written(ledger.reverse, { transaction, kind: "adjustment", ...NOTE })).toEqual([
    `ledger/reverse transactions/${transaction}: for a test`,
  ]);
  expect(await written(rewards.grant, { key: "grant-01", user: ada, reward: coins(5), ...NOTE })).toEqual([
    `rewards/grant users/${ada}: for a test`,
  ]);
  expect(await written(rewards.take, { key: "take-001", user: ada, taken: coins(5), ...NOTE })).toEqual([
    `rewards/take users/${ada}: for a test`,
  ]);
});

test("so is what they define, and what they try again, each time", async () => {
  const grant = coins(10);
  const twice = (what: string) => [what, what];
  expect(await written(ledger.hot, { user: ada, currency: "COIN", hot: false })).toEqual(
    twice(`ledger/hot accounts/${ada}:COIN`),
  );
  expect(await written(store.define, { id: "pack", product: { title: "Pack", grant } })).toEqual(
    twice("store/define catalog/pack"),
  );
  expect(await written(rewards.defineItem, { id: "sword", item: { title: "Sword" } })).toEqual(
    twice("rewards/define-item items/sword"),
  );
  const campaign = { campaign: "spring", promo: PROMO };
  expect(await written(store.generateCodes, { ...campaign, count: 2 })).toEqual([
    "store/generate-codes campaigns/spring",
  ]);
  const [promo, again] = await written(store.definePromo, { ...campaign, code: "WELCOME" });
  expect([promo, again]).toEqual(twice(expect.stringMatching(/^store\/define-promo promos\/\w+/)));
  expect(await written(webhooks.retry, { id: "stripe_evt_1" })).toEqual(twice("webhooks/retry webhooks/stripe_evt_1"));
  const { record } = (await deeds({ subject: "catalog/pack" }, { limit: 1 }))[0] ?? {};
  expect(record?.details.after).toMatchObject({ title: "Pack", grant: coins(10) });
});

test("what is refused is not written down", async () => {
  const unknown = { transaction: "nothing", kind: "refund", ...NOTE };
  expect(await written(ledger.reverse, unknown)).toEqual([]);
  const tooMuch = { key: "adjust-3", user: ada, currency: "COIN", amount: -1_000_000, ...NOTE };
  expect(await written(ledger.adjust, { ...tooMuch, currency: "NOPE" })).toEqual([]);
});
