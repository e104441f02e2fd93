import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { settings } from "../../fraud/configure.ts";
import { approve, reject } from "../../fraud/decide.ts";
import { reviewId } from "../../fraud/review.ts";
import { DEFAULTS } from "../../fraud/settings.ts";
import { post } from "../../ledger/index.ts";
import { verify } from "../../ledger/verify.ts";
import { wallet } from "../../ledger/wallet.ts";
import { listNotices } from "../../notices/inbox.ts";
import { setClock } from "../../platform/clock.ts";
import { deliver, outbox } from "../../platform/outbox.ts";
import { shards } from "../../platform/stock.ts";
import { defineProduct } from "../catalog.ts";
import { DefineProduct } from "../contract.ts";
import { listPurchases } from "../shop/purchases.ts";
import { limits } from "../shop/records.ts";
import { subscribers } from "../subscribers.ts";
import { acceptGift } from "./answer.ts";
import { GiftRequest } from "./contract.ts";
import { give } from "./give.ts";
import { listGifts } from "./inbox.ts";
import { gifts } from "./records.ts";
import { expireGifts } from "./return.ts";

useBackend({ FRAUD: "on" });
const olga = someone();
const DAY = 86_400_000;

/** More than one gift in an hour raises doubt: the second scores 75. */
const judging = (block: number) =>
  settings(olga, {
    settings: {
      ...DEFAULTS,
      limits: { ...DEFAULTS.limits, user: { hour: 1, day: 100, week: 100 } },
      thresholds: { review: 60, block },
    },
    note: "a test",
  });

beforeAll(async () => {
  const product = {
    title: "Rose",
    grant: { items: { rose: 1 } },
    prices: { COIN: 30 },
    limits: { perUser: 5, stock: 100 },
  };
  await defineProduct(olga, DefineProduct.parse({ id: "rose", product }));
});

const order = (to: string) =>
  GiftRequest.parse({ key: randomUUID(), product: "rose", to, currency: "COIN", expectedPrice: 30 });
/** Somebody who has given something a moment ago. */
const giver = async () => {
  const { uid } = someone();
  const postings = [{ from: "system:mint", to: uid, amount: 100, currency: "COIN" }];
  await post({ key: randomUUID(), kind: "grant", postings, reference: "test" });
  await give({ uid }, order(someone().uid));
  return { uid };
};
const coins = async (caller: { uid: string }) => (await wallet(caller)).balances[0]?.available;
const inbox = async (caller: { uid: string }) => (await listGifts(caller, { limit: 10 })).gifts;
const told = async (caller: { uid: string }) =>
  (await listNotices(caller, { limit: 10 })).notices.map(({ kind }) => kind);
const decide = async (gift: string, how: typeof approve) => {
  await how(olga, { id: reviewId({ kind: "gift", subject: gift }), note: "looked" });
  for (let i = 0; i < 2; i++) {
    for (const { id } of (await outbox().orderBy("dueAt").get()).docs) await deliver(id, subscribers);
  }
};
const sold = async () => (await shards("catalog/rose").get()).docs.reduce((sum, one) => sum + one.data().sold, 0);

test("a gift in doubt is paid, and its receiver hears of it only when an operator has approved it, with all the time to take it", async () => {
  await judging(95);
  const [ada, bo] = [await giver(), someone()];
  const request = order(bo.uid);
  const { gift } = await give(ada, request);
  expect(await give(ada, request)).toMatchObject({ gift, repeated: true });
  expect([await coins(ada), await inbox(bo), await told(bo)]).toEqual([40, [], []]);
  await expect(acceptGift(bo, { gift })).rejects.toMatchObject({ reason: "unknown-gift" });
  const restore = setClock(() => Date.now() + 20 * DAY);
  expect(await expireGifts()).toBe(1);
  await decide(gift, approve);
  expect(await inbox(bo)).toMatchObject([{ gift }]);
  expect(await told(bo)).toEqual(["gift"]);
  expect(await acceptGift(bo, { gift })).toMatchObject({ state: "accepted" });
  restore();
});

test("one that an operator rejects is the buyer's again, as if it had not been bought, and nobody else has heard of it", async () => {
  await judging(95);
  const [ada, bo] = [await giver(), someone()];
  const before = await sold();
  const { gift } = await give(ada, order(bo.uid));
  await decide(gift, reject);
  expect((await gifts().doc(gift).get()).data()?.state).toBe("rejected");
  expect([await coins(ada), await told(ada), await inbox(bo), await told(bo)]).toEqual([70, ["gift-returned"], [], []]);
  expect((await limits(ada.uid).doc("rose").get()).data()?.bought).toBe(1);
  expect(await sold()).toBe(before);
  expect((await listPurchases(ada, { limit: 5 })).purchases.map(({ state }) => state).sort()).toEqual([
    "granted",
    "refunded",
  ]);
  await expect(acceptGift(bo, { gift })).rejects.toMatchObject({ reason: "unknown-gift" });
});

test("one that the rules block is refused before anything is paid, and so it is when asked for again", async () => {
  await judging(70);
  const ada = await giver();
  const request = order(someone().uid);
  for (let i = 0; i < 2; i++) await expect(give(ada, request)).rejects.toMatchObject({ reason: "gift-refused" });
  expect(await coins(ada)).toBe(70);
});

test("and the books verify", async () => {
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
