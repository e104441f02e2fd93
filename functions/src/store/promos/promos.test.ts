import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { post } from "../../ledger/index.ts";
import { wallet } from "../../ledger/wallet.ts";
import { now, setClock } from "../../platform/clock.ts";
import { takeByHand } from "../../rewards/operate.ts";
import { entitlements } from "../../rewards/records.ts";
import { defineProduct } from "../catalog.ts";
import { DefineProduct } from "../contract.ts";
import { purchaseId } from "../purchase.ts";
import { buy, walletFact } from "../shop/buy.ts";
import { BuyRequest } from "../shop/contract.ts";
import { codeId, codeOf, normalised } from "./code.ts";
import { DefinePromo, GenerateCodes } from "./contract.ts";
import { definePromo, generateCodes } from "./define.ts";
import { promos } from "./records.ts";
import { redeem } from "./redeem.ts";

const backend = useBackend();

const OPERATOR = { uid: "olga" };
const reward = { kind: "reward", reward: { coins: { COIN: 50 } } };

/** Defines a code of its own campaign. */
async function code(promo: object = {}, more: object = {}): Promise<string> {
  const made = `Spring ${randomUUID()}`;
  const campaign = `c-${randomUUID()}`;
  const request = { code: made, campaign, promo: { title: "Spring", gives: reward, ...promo }, ...more };
  await definePromo(OPERATOR, DefinePromo.parse(request));
  return made;
}
const coins = async (uid: string) =>
  (await wallet({ uid })).balances.find(({ currency }) => currency === "COIN")?.available ?? 0;

describe("a code", () => {
  test("that makes cheaper is used up, whatever keys its campaign's other codes were redeemed under", async () => {
    const { uid } = someone();
    const id = `p-${randomUUID()}`;
    const product = { title: "Hat", grant: { items: { hat: 1 } }, prices: { COIN: 100 } };
    await defineProduct(OPERATOR, DefineProduct.parse({ id, product }));
    const campaign = `c-${randomUUID()}`;
    const gift = `Gift ${randomUUID()}`;
    const half = `Half ${randomUUID()}`;
    const define = (made: string, gives: object) =>
      definePromo(OPERATOR, DefinePromo.parse({ code: made, campaign, promo: { title: "Both", gives } }));
    await define(gift, { kind: "reward", reward: { coins: { COIN: 500 } } });
    await define(half, { kind: "discount", product: id, percent: 50 });
    const key = randomUUID();
    const foreseen = purchaseId(walletFact(uid, key, { product: id }));
    await redeem({ uid }, { code: gift, key: foreseen });
    const order = BuyRequest.parse({ key, product: id, currency: "COIN", expectedPrice: 50, code: half });
    await expect(buy({ uid }, order)).rejects.toMatchObject({ reason: "limit-reached" });
    expect(await coins(uid)).toBe(500);
  });

  test("gives its reward once to each user, and answers the same when asked again", async () => {
    const spring = await code({ gives: { kind: "reward", reward: { coins: { COIN: 50 }, entitlements: ["vip"] } } });
    const [ada, bo] = [someone(), someone()];
    const { bill } = await backend.billed(() => redeem(ada, { code: spring }));
    // Looking up 2, what ada has redeemed, the account, the entitlement; the last three, and the ledger's transaction.
    expect(bill).toMatchObject({ reads: 5, writes: 5 });
    expect(await redeem(ada, { code: spring })).toMatchObject({ repeated: true });
    const other = { code: spring, key: "another-key" };
    await expect(redeem(ada, other)).rejects.toMatchObject({
      details: { reason: "limit-reached", limit: 1, remaining: 0 },
    });
    expect(await redeem(bo, { code: spring })).toMatchObject({ title: "Spring", repeated: false });
    expect([await coins(ada.uid), await coins(bo.uid)]).toEqual([50, 50]);
    expect((await entitlements(ada.uid).doc("vip").get()).data()).toMatchObject({ expiresAt: null });
  });

  test("gives what lasts for a time for that time, and an operator can take it again", async () => {
    const { uid } = someone();
    const week = { entitlements: ["vip"], entitlementSeconds: 7 * 86_400 };
    const at = now();
    const unset = setClock(at);
    await redeem({ uid }, { code: await code({ gives: { kind: "reward", reward: week } }) });
    const vip = async () => (await entitlements(uid).doc("vip").get()).data()?.expiresAt?.toMillis();
    expect(await vip()).toBe(at + 7 * 86_400_000);
    const taken = { coins: {}, items: {}, entitlements: ["vip"] };
    await takeByHand(OPERATOR, { key: randomUUID(), user: uid, taken, note: "a mistake" });
    expect(await vip()).toBe(at);
    unset();
  });

  test("gives once, however many requests come at once", async () => {
    const spring = await code();
    const { uid } = someone();
    const all = await Promise.all(Array.from({ length: 6 }, () => redeem({ uid }, { code: spring })));
    expect(all.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(await coins(uid)).toBe(50);
  });

  test("gives as often as one user may redeem it, each time under another key", async () => {
    const spring = await code({ perUser: 3 });
    const { uid } = someone();
    const tries = await Promise.allSettled(
      Array.from({ length: 5 }, (_, i) => redeem({ uid }, { code: spring, key: `time-number-${i}` })),
    );
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    expect(await coins(uid)).toBe(150);
  });

  test("is redeemed by everybody together as often as it may, and no oftener", async () => {
    const spring = await code({}, { maxRedemptions: 25 });
    const users = Array.from({ length: 60 }, () => someone());
    const tries = await Promise.allSettled(users.map((user) => redeem(user, { code: spring })));
    const reasons = tries.flatMap((one) => (one.status === "rejected" ? [one.reason.reason] : []));
    expect(reasons.filter((reason) => reason !== "busy")).toEqual(reasons.map(() => "code-over"));
    expect(reasons).toHaveLength(35);
    const given = await Promise.all(users.map(({ uid }) => coins(uid)));
    expect(given.reduce((sum, one) => sum + one, 0)).toBe(25 * 50);
  }, 60_000);

  test("works in its time and not outside of it, but a repeated request is answered even then", async () => {
    const [from, until] = [now() + 1_000, now() + 2_000];
    const spring = await code({ from, until });
    const [ada, bo] = [someone(), someone()];
    await expect(redeem(ada, { code: spring })).rejects.toMatchObject({ reason: "code-over" });
    const unset = setClock(from);
    await redeem(ada, { code: spring });
    setClock(until);
    expect(await redeem(ada, { code: spring })).toMatchObject({ repeated: true });
    await expect(redeem(bo, { code: spring })).rejects.toMatchObject({ reason: "code-over" });
    unset();
  });

  test("is the same however it is typed", async () => {
    fc.assert(
      fc.property(fc.base64String({ minLength: 16 }), fc.nat(), (seed, n) => {
        const made = codeOf(seed, n);
        const typed = made.toLowerCase().replaceAll("0", "o").replaceAll("1", "l").replaceAll("-", " ");
        expect(normalised(typed)).toBe(normalised(made));
      }),
    );
    const spring = await code();
    expect(await redeem(someone(), { code: ` ${spring.toUpperCase().replaceAll("-", "")} ` })).toBeDefined();
  });

  test("is guessed at ten times an hour and no oftener, also by many guesses at once", async () => {
    const [spring, ada] = [await code(), someone()];
    const guesses = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => redeem(ada, { code: `wrong ${i}` })));
    const reasons = guesses.map((one) => (one.status === "rejected" ? one.reason.reason : "found"));
    expect(reasons.filter((reason) => reason === "unknown-code")).toHaveLength(10);
    await expect(redeem(ada, { code: spring })).rejects.toMatchObject({
      details: { reason: "too-many-attempts", limit: 10 },
    });
    const unset = setClock(now() + 3_600_001);
    expect(await redeem(ada, { code: spring })).toMatchObject({ repeated: false });
    unset();
  }, 60_000);
});

describe("codes in bulk", () => {
  const order = (campaign: string, more: object = {}) =>
    GenerateCodes.parse({ campaign, promo: { title: "Fair", gives: reward, perUser: 2 }, count: 450, ...more });

  test("come in pages, each code another, and a page that is asked for again is the same", async () => {
    const campaign = `c-${randomUUID()}`;
    const { result: first, bill } = await backend.billed(() => generateCodes(OPERATOR, order(campaign)));
    expect(bill).toMatchObject({ reads: 1, writes: 202 });
    const second = await generateCodes(OPERATOR, order(campaign, { cursor: first.nextCursor }));
    const third = await generateCodes(OPERATOR, order(campaign, { cursor: second.nextCursor }));
    expect([first.codes.length, second.codes.length, third.codes.length, third.nextCursor]).toEqual([
      200,
      200,
      50,
      undefined,
    ]);
    expect(new Set([...first.codes, ...second.codes, ...third.codes]).size).toBe(450);
    expect(first.codes[0]).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    const again = await backend.billed(() => generateCodes(OPERATOR, order(campaign)));
    expect(again.result).toEqual(first);
    expect(again.bill).toMatchObject({ writes: 0 });
    await expect(generateCodes(OPERATOR, order(campaign, { count: 500 }))).rejects.toMatchObject({
      reason: "idempotency-key-reused",
    });
    await expect(generateCodes(OPERATOR, order(`c-${randomUUID()}`, { cursor: 200 }))).rejects.toMatchObject({
      reason: "invalid-input",
    });
  });

  test("are good for one time each, and for one user as often as the campaign says", async () => {
    const { codes } = await generateCodes(OPERATOR, order(`c-${randomUUID()}`, { count: 4 }));
    const [a = "", b = "", c = ""] = codes;
    const [ada, bo] = [someone(), someone()];
    const tries = await Promise.allSettled([redeem(ada, { code: a }), redeem(bo, { code: a })]);
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await promos().doc(codeId(a)).get()).data()).toHaveProperty("usedBy");
    const cy = someone();
    await redeem(cy, { code: b });
    expect(await redeem(cy, { code: b })).toMatchObject({ repeated: true });
    await expect(redeem(ada, { code: b })).rejects.toMatchObject({ reason: "code-over" });
    await redeem(cy, { code: c });
    await expect(redeem(cy, { code: codes[3] ?? "" })).rejects.toMatchObject({ reason: "limit-reached" });
  });
});

describe("a discount", () => {
  async function sale(percent: number, more: object = {}) {
    const product = `p-${randomUUID()}`;
    const sold = { title: "Hat", grant: { items: { hat: 1 } }, prices: { COIN: 33 } };
    await defineProduct(OPERATOR, DefineProduct.parse({ id: product, product: sold }));
    return { product, code: await code({ gives: { kind: "discount", product, percent } }, more) };
  }
  async function rich() {
    const { uid } = someone();
    const postings = [{ from: "system:mint", to: uid, amount: 1_000, currency: "COIN" }];
    await post({ key: randomUUID(), kind: "grant", postings, reference: "test" });
    return { uid };
  }
  const order = (wanted: object) => BuyRequest.parse({ key: randomUUID(), currency: "COIN", ...wanted });

  test("is taken off the price of what it is for, rounded up, once for each user", async () => {
    const { product, code: half } = await sale(50);
    const ada = await rich();
    await buy(await rich(), order({ product, expectedPrice: 33 }));
    expect(await redeem(ada, { code: half })).toMatchObject({ discount: { product, percent: 50 } });
    const request = order({ product, code: half, expectedPrice: 17, count: 2 });
    const { result, bill } = await backend.billed(() => buy(ada, request));
    expect(result).toMatchObject({ paid: { amount: 34 }, repeated: false });
    // The key, looking the code up 2, what ada has redeemed, the account; the last two, the purchase, its ledger transaction, the item.
    expect(bill).toMatchObject({ reads: 5, writes: 5 });
    expect(await buy(ada, request)).toMatchObject({ paid: { amount: 34 }, repeated: true });
    await expect(buy(ada, { ...request, key: randomUUID() })).rejects.toMatchObject({ reason: "limit-reached" });
    expect(await coins(ada.uid)).toBe(966);
  });

  test("is refused for something else, and a wrong code too", async () => {
    const { code: half } = await sale(50);
    const { product } = await sale(50);
    const ada = await rich();
    for (const [given, reason] of [
      [half, "code-without-effect"],
      [await code(), "code-without-effect"],
      ["nothing", "unknown-code"],
    ]) {
      await expect(buy(ada, order({ product, code: given, expectedPrice: 17 }))).rejects.toMatchObject({ reason });
    }
    expect(await coins(ada.uid)).toBe(1_000);
  });

  test("for so many goes to so many, and the others pay nothing", async () => {
    const { product, code: half } = await sale(50, { maxRedemptions: 5 });
    const buyers = await Promise.all(Array.from({ length: 12 }, rich));
    await Promise.allSettled(buyers.map((one) => buy(one, order({ product, code: half, expectedPrice: 17 }))));
    const left = await Promise.all(buyers.map(({ uid }) => coins(uid)));
    expect(left.filter((one) => one === 983)).toHaveLength(5);
    expect(left.filter((one) => one === 1_000)).toHaveLength(7);
  }, 60_000);

  test("never makes anything free", async () => {
    const { product, code: nearly } = await sale(99);
    expect(await buy(await rich(), order({ product, code: nearly, expectedPrice: 1 }))).toMatchObject({
      paid: { amount: 1 },
    });
  });
});
