import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { listNotices } from "../../notices/inbox.ts";
import { setClock } from "../../platform/clock.ts";
import { firestore, transact } from "../../platform/firestore.ts";
import { grant } from "../grant.ts";
import { type PurchaseFact, purchaseId } from "../purchase.ts";
import { purchases } from "../records.ts";
import { numberBatch, numberReceipts, queueReceipts, sweepReceipts } from "./number.ts";
import { receipt } from "./receipt.ts";
import { receipts } from "./records.ts";

const backend = useBackend();

const PRODUCT = { title: "x", grant: { coins: {}, items: {}, entitlements: [] }, grantDuringTrial: false };

async function bought(user: string, more: Partial<PurchaseFact> = {}): Promise<string> {
  const fact: PurchaseFact = {
    user,
    product: "hat",
    store: "STRIPE",
    environment: "PRODUCTION",
    transaction: randomUUID(),
    purchasedAt: Date.now(),
    expiresAt: null,
    isFree: false,
    price: { amount: 99, currency: "USD" },
    ...more,
  };
  await transact((tx) => grant(tx, fact, { product: PRODUCT, via: "webhook" }));
  return purchaseId(fact);
}
const numberOf = async (id: string) => {
  const purchase = (await purchases().doc(id).get()).data();
  return purchase && purchase.state !== "foretold" ? purchase.receipt : undefined;
};
const inYear = async (year: number) =>
  (await receipts().where("number", ">", `${year}-`).where("number", "<", `${year}-~`).get()).docs.map((document) =>
    document.data(),
  );

describe("a purchase", () => {
  test("that was paid gets a number afterwards, and its buyer is told and can read it", async () => {
    const [ada, bo] = [someone(), someone()];
    const id = await bought(ada.uid);
    expect(await numberOf(id)).toBeUndefined();
    await numberReceipts();
    const number = (await numberOf(id)) ?? "";
    expect(await receipt(ada, { number })).toMatchObject({
      purchase: id,
      product: "hat",
      price: { amount: 99, currency: "USD" },
      tax: null,
    });
    await expect(receipt(bo, { number })).rejects.toMatchObject({ reason: "unknown-receipt" });
    expect((await listNotices(ada, { limit: 5 })).notices).toMatchObject([
      { kind: "receipt", data: { receipt: number } },
    ]);
  });

  test.each([
    ["cost nothing", { price: undefined }],
    ["was free", { price: { amount: 0, currency: "USD" } }],
    ["was made in a sandbox", { environment: "SANDBOX" as const }],
  ])("that %s gets none", async (_, more) => {
    const id = await bought(someone().uid, more);
    await numberReceipts();
    expect(await numberOf(id)).toBeUndefined();
  });

  test("costs a read and three writes to number, and the series of a batch one of each", async () => {
    await numberReceipts();
    for (let i = 0; i < 10; i++) await bought(someone().uid);
    const { result, bill } = await backend.billed(numberReceipts);
    expect(result).toBe(10);
    expect(bill).toMatchObject({ reads: 11, writes: 31 });
  });

  test("has its receipt sent by mail where mails are sent", async () => {
    const { uid } = someone();
    process.env.MAIL_COLLECTION = "mail";
    await bought(uid);
    await numberReceipts();
    process.env.MAIL_COLLECTION = "";
    const sent = await firestore().collection("mail").where("toUids", "array-contains", uid).get();
    expect(sent.docs.map((document) => document.data().template.name)).toEqual(["receipt"]);
  });
});

describe("numbers", () => {
  test("begin anew with the year of the business's time zone", async () => {
    process.env.TIME_ZONE = "Pacific/Auckland";
    const unset = setClock(Date.parse("2029-12-31T11:00:00Z"));
    const id = await bought(someone().uid);
    await numberReceipts();
    unset();
    process.env.TIME_ZONE = "Etc/UTC";
    expect(await numberOf(id)).toBe("2030-000001");
  });

  test("have neither gap nor double, whatever runs side by side, is repeated or breaks off", async () => {
    let year = 2040;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("buy", "number", "break"), { minLength: 5, maxLength: 25 }),
        async (steps) => {
          const unset = setClock(Date.UTC(++year, 5, 1));
          try {
            const made = steps.filter((step) => step === "buy").length;
            await Promise.allSettled(steps.map(act));
            await numberReceipts();
            const all = await inYear(year);
            const expected = Array.from({ length: made }, (_, i) => `${year}-${String(i + 1).padStart(6, "0")}`);
            expect(all.map(({ number }) => number).sort()).toEqual(expected);
            expect(new Set(all.map(({ purchase }) => purchase)).size).toBe(made);
          } finally {
            unset();
          }
        },
      ),
      { numRuns: 15 },
    );
  }, 60_000);

  test("go on over more purchases than fit into one batch", async () => {
    const unset = setClock(Date.UTC(2090, 5, 1));
    await Promise.all(Array.from({ length: 230 }, () => bought(someone().uid)));
    expect(await numberReceipts()).toBe(230);
    unset();
    expect(await inYear(2090)).toHaveLength(230);
  }, 60_000);
});

describe("the task", () => {
  test("is one for all purchases of ten seconds", async () => {
    const before = backend.tasks.length;
    const unset = setClock(Date.UTC(2091, 0, 1));
    for (let i = 0; i < 5; i++) await queueReceipts();
    setClock(Date.UTC(2091, 0, 1) + 10_000);
    await queueReceipts();
    unset();
    expect(backend.tasks.slice(before).map(({ queue }) => queue)).toEqual(["receipts", "receipts"]);
  });

  test("is queued by the sweep if anything is due, and only then", async () => {
    await numberReceipts();
    const before = backend.tasks.length;
    const unset = setClock(Date.UTC(2092, 0, 1));
    await sweepReceipts();
    expect(backend.tasks).toHaveLength(before);
    await bought(someone().uid);
    await sweepReceipts();
    unset();
    expect(backend.tasks).toHaveLength(before + 1);
  });
});

async function act(step: string): Promise<unknown> {
  if (step === "buy") return await bought(someone().uid);
  if (step === "number") return await numberReceipts();
  // All is done but the commit.
  return await transact(async (tx) => {
    await numberBatch(tx);
    throw new Error("the instance dies here");
  });
}
