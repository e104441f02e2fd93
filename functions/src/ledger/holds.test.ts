import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { now } from "../platform/clock.ts";
import { firestore, transact } from "../platform/firestore.ts";
import { type Balance, debitRedeemable, redeemable } from "./balance.ts";
import { expireHolds, hold, prepareHold, release, renew } from "./holds.ts";
import { type Lot, SOURCES, sum } from "./lots.ts";
import { openHold } from "./open-hold.ts";
import { post } from "./post.ts";
import { accounts, holds } from "./records.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";
import { wallet } from "./wallet.ts";

const backend = useBackend();

const HOUR = 3_600_000;
let n = 0;
const give = (uid: string, amount: number, as: Omit<Lot, "amount">) =>
  post({
    key: `give ${n++}`,
    kind: "grant",
    postings: [{ from: "system:mint", to: uid, amount, currency: "USD", as }],
    reference: "a test",
  });
const usd = async (uid: string) => (await wallet({ uid })).balances.find(({ currency }) => currency === "USD");
const aside = (owner: string, amount: number, key = `aside ${n++}`) =>
  ({ key, owner, amount, currency: "USD", expiresAt: now() + HOUR, only: "redeemable", reference: "a test" }) as const;
const sound = async () => expect((await verify({ scope: "all" })).problems).toEqual([]);

describe("a hold of what can be paid out alone", () => {
  test("takes neither what was bought or given nor what has not cleared", async () => {
    const { uid } = someone();
    await give(uid, 1_000, { source: "bought" });
    await give(uid, 500, { source: "promotional" });
    await give(uid, 300, { source: "earned", clearsAt: now() + HOUR });
    await give(uid, 200, { source: "earned" });
    await expect(hold(aside(uid, 201))).rejects.toMatchObject({
      details: { reason: "insufficient-redeemable", available: 200, needed: 201 },
    });
    const { id } = await hold(aside(uid, 150));
    expect((await holds().doc(id).get()).data()?.lots).toEqual([{ source: "earned", amount: 150 }]);
    expect(await usd(uid)).toMatchObject({ available: 1_850, held: 150, redeemable: 50 });
    await sound();
  });

  test("leaves everything else as it was, whatever the lots", () => {
    const lot = fc.record(
      {
        source: fc.constantFrom(...SOURCES),
        amount: fc.integer({ min: 1, max: 50 }),
        clearsAt: fc.constantFrom(5_000, 6_000),
        expiresAt: fc.constantFrom(7_000, 8_000),
      },
      { requiredKeys: ["source", "amount"] },
    );
    fc.assert(
      fc.property(fc.array(lot, { maxLength: 12 }), fc.integer({ min: 1, max: 200 }), (given, amount) => {
        const lots = given as Lot[];
        const balance: Balance = { available: sum(lots), held: 0, owed: 0, lots };
        const most = redeemable(balance, "USD");
        if (amount > most) {
          expect(() => debitRedeemable(balance, amount, "USD")).toThrow("paid out");
          return;
        }
        const taken = debitRedeemable(balance, amount, "USD");
        expect(sum(taken.lots)).toBe(amount);
        expect(taken.lots.every(({ source, clearsAt }) => source === "earned" && clearsAt === undefined)).toBe(true);
        expect(sum(taken.balance.lots)).toBe(taken.balance.available);
        expect(redeemable(taken.balance, "USD")).toBe(most - amount);
      }),
    );
  });
});

describe("a hold that another record's change makes or ends", () => {
  const made = async (uid: string, amount: number) => {
    await give(uid, amount, { source: "earned" });
    return await transact(async (tx) => {
      const judged = await prepareHold(tx, aside(uid, amount));
      judged.write();
      return judged.id;
    });
  };
  const pay = (id: string, key: string) =>
    transact(async (tx) => {
      const open = await openHold(tx, id);
      const parts = [
        { to: "system:stripe", amount: 90 },
        { to: "system:fees", amount: 10 },
      ];
      (await open.payOut({ key, parts, reference: "a test" })).write();
    });

  test("is made and paid out for a read and three writes, and a read more to look at it", async () => {
    const { uid } = someone();
    await give(uid, 100, { source: "earned" });
    const { result, bill } = await backend.billed(() =>
      transact(async (tx) => {
        const judged = await prepareHold(tx, aside(uid, 100));
        judged.write();
        return judged.id;
      }),
    );
    expect(bill).toEqual({ reads: 1, writes: 3, deletes: 0 });
    expect((await backend.billed(() => pay(result, `pay ${result}`))).bill).toEqual({
      reads: 2,
      writes: 3,
      deletes: 0,
    });
    expect(await usd(uid)).toMatchObject({ available: 0, held: 0, owed: 0 });
    await sound();
  });

  test("gives all of it back as the lots it was, and nothing a second time", async () => {
    const { uid } = someone();
    const id = await made(uid, 100);
    const back = (key: string) =>
      transact(async (tx) => {
        const judged = await (await openHold(tx, id)).giveBack({ key, reference: "a test" });
        judged?.write();
        return judged?.amount;
      });
    expect(await back(`back ${id}`)).toBe(100);
    expect(await back(`back again ${id}`)).toBeUndefined();
    expect(await usd(uid)).toMatchObject({ available: 100, held: 0, redeemable: 100 });
    await sound();
  });

  test("that something was taken out of meanwhile is owed, for the money has left the house; reversed, all is as before", async () => {
    const { uid } = someone();
    const id = await made(uid, 100);
    await release({ key: `some ${id}`, hold: id, amount: 35, reference: "a test" });
    await post({
      key: `spent ${id}`,
      kind: "spend",
      postings: [{ from: uid, to: "system:revenue", amount: 35, currency: "USD" }],
      reference: "a test",
    });
    await pay(id, `pay ${id}`);
    expect(await usd(uid)).toMatchObject({ available: 0, held: 0, owed: 35 });
    await sound();
    const payout = Object.keys((await holds().doc(id).get()).data()?.moves ?? {});
    expect(payout).toHaveLength(2);
    const last = (await accounts().doc(`${uid}:USD`).get()).data()?.head.transaction ?? "";
    await reverse({ transaction: last, kind: "refund", reference: "a test" });
    expect(await usd(uid)).toMatchObject({ available: 65, held: 0, owed: 0, redeemable: 65 });
    await sound();
  });
});

describe("the end of a hold", () => {
  const over = async (owner: string) => (await hold({ ...aside(owner, 50), expiresAt: now() + 1 })).id;

  test("that was put off while it was found to be over is the later one", async () => {
    const { uid } = someone();
    await give(uid, 100, { source: "earned" });
    const id = await over(uid);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const database = firestore();
    const original = database.runTransaction.bind(database);
    database.runTransaction = (async (...given: Parameters<typeof original>) => {
      database.runTransaction = original;
      await renew(id, now() + HOUR);
      return await original(...given);
    }) as typeof original;
    await expireHolds();
    expect((await holds().doc(id).get()).data()?.state).toBe("active");
    await sound();
  });

  test("comes although another hold cannot be released", async () => {
    const { uid } = someone();
    await give(uid, 100, { source: "earned" });
    const [broken, id] = [await over(uid), await over(uid)];
    await holds().doc(broken).update({ currency: "DOUBLOON" });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expireHolds();
    expect((await holds().doc(id).get()).data()?.state).toBe("released");
    await holds().doc(broken).update({ currency: "USD" });
    await expireHolds();
    await sound();
  });
});
