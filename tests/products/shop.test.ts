import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import type { Statement } from "../../functions/src/ledger/contract.ts";
import type { Inventory } from "../../functions/src/rewards/contract.ts";
import type { Gifts, Given } from "../../functions/src/store/gifts/contract.ts";
import type { Redeemed } from "../../functions/src/store/promos/contract.ts";
import type { ReceiptView } from "../../functions/src/store/receipts/contract.ts";
import type { Bought, Purchases } from "../../functions/src/store/shop/contract.ts";
import type { Player } from "../../scripts/player.ts";
import { seed } from "../../scripts/seed.ts";
import { useBackend } from "../backend.ts";

/** What a shop for coins is, through the Firebase SDK, with everything behind it running. */
const { connection, newcomer } = useBackend();
const product = `hat-${randomUUID()}`;
const code = `Welcome ${randomUUID()}`;
let operator: Player;
let ada: Player;
let bo: Player;

beforeAll(async () => {
  [operator, ada, bo] = await Promise.all([newcomer("Olga"), newcomer("Ada"), newcomer("Bo")]);
  await seed(connection, operator);
  const hat = { title: "Hat", grant: { items: { hat: 1 } }, prices: { COIN: 5 }, limits: { stock: 2 } };
  await operator.call("admin/store/define", { id: product, product: hat });
  const promo = { title: "Welcome", gives: { kind: "reward", reward: { coins: { COIN: 100 } } } };
  await operator.call("admin/store/definePromo", { code, campaign: product, promo });
});

const order = (more: object = {}) => ({ key: randomUUID(), product, currency: "COIN", expectedPrice: 5, ...more });

test("a player redeems a code, buys, gives away, and what is sold out is sold out", { timeout: 90_000 }, async () => {
  expect(await ada.call<Redeemed>("api/store/redeem", { code: code.toLowerCase() })).toMatchObject({ repeated: false });
  expect(await ada.call<Bought>("api/store/buy", order())).toMatchObject({ paid: { amount: 5, currency: "COIN" } });
  const { gift } = await ada.call<Given>("api/store/gift", order({ to: bo.uid, message: "For you" }));
  await expect(ada.call("api/store/buy", order())).rejects.toMatchObject({ details: { reason: "sold-out" } });

  const { gifts } = await bo.call<Gifts>("api/store/gifts");
  expect(gifts).toMatchObject([{ gift, from: ada.uid, message: "For you" }]);
  await bo.call("api/store/acceptGift", { gift });
  for (const player of [ada, bo]) {
    expect(await player.call<Inventory>("api/rewards/inventory")).toEqual({ items: [{ item: "hat", quantity: 1 }] });
  }

  const [last] = (await ada.call<Purchases>("api/store/purchases")).purchases;
  const month = new Date(last?.purchasedAt ?? 0).toISOString().slice(0, 7);
  const statement = await ada.call<Statement>("api/ledger/statement", { month, currency: "COIN" });
  expect(statement).toMatchObject({ opening: 0, closing: 90, transactions: 3 });

  // The task that numbers receipts runs some seconds later.
  const receipts = async () =>
    (await ada.call<Purchases>("api/store/purchases")).purchases.flatMap(({ receipt }) => receipt ?? []);
  await expect.poll(receipts, { timeout: 60_000, interval: 1_000 }).toHaveLength(2);
  const [number] = await receipts();
  expect(await ada.call<ReceiptView>("api/store/receipt", { number })).toMatchObject({ number, product });
  await expect(bo.call("api/store/receipt", { number })).rejects.toMatchObject({
    details: { reason: "unknown-receipt" },
  });
});
