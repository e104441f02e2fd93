import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Customers } from "../../../local/revenuecat/customers.ts";
import { webhookBody } from "../../../local/revenuecat/wire.ts";
import { someone, useBackend, webhookRequest } from "../../testing/backend.ts";
import { approve, reject } from "../fraud/decide.ts";
import type { Assessment } from "../fraud/index.ts";
import { queue } from "../fraud/queue.ts";
import { reviews } from "../fraud/records.ts";
import { subscribers as fraudSubscribers } from "../fraud/refunded.ts";
import { reviewId } from "../fraud/review.ts";
import { post } from "../ledger/index.ts";
import { verify } from "../ledger/verify.ts";
import { wallet } from "../ledger/wallet.ts";
import { timestamp, transact } from "../platform/firestore.ts";
import { deliver, outbox } from "../platform/outbox.ts";
import { receive } from "../platform/webhooks.ts";
import { listEntitlements } from "../rewards/entitlements.ts";
import { grant } from "./grant.ts";
import { hear } from "./hear.ts";
import { type PurchaseFact, purchaseId } from "./purchase.ts";
import { catalog, purchases } from "./records.ts";
import { revenueCat } from "./revenuecat/webhook.ts";
import { subscribers } from "./subscribers.ts";

const backend = useBackend({ FRAUD: "on", REFUND_REJECTED: "false" });
const customers = new Customers();
const olga = someone();

const PACK = {
  title: "Pack",
  grant: { coins: { COIN: 100 }, items: { sword: 1 }, entitlements: ["pro"] },
  grantDuringTrial: false,
};

beforeAll(async () => {
  for (const id of ["pack", "monthly"]) await catalog().doc(id).set(PACK);
});
beforeEach(() => {
  process.env.FRAUD = "on";
  process.env.GRANT_SANDBOX_PURCHASES = "false";
});

const bought = (uid: string): PurchaseFact => ({
  user: uid,
  product: "pack",
  store: "PLAY_STORE",
  environment: "PRODUCTION",
  transaction: `pi_${uid}`,
  purchasedAt: Date.now() - 1_000,
  expiresAt: null,
  isFree: false,
  price: { amount: 999, currency: "USD" },
});
const judged = (verdict: Assessment["verdict"]): Assessment => ({
  id: "assessed",
  score: 70,
  verdict,
  reasons: [{ rule: "refunds", score: 70, reason: "Because." }],
});
const buy = (uid: string, verdict: Assessment["verdict"]) =>
  transact(async (tx) => {
    const known = (await tx.get(purchases().doc(purchaseId(bought(uid))))).data();
    return await grant(tx, bought(uid), { product: PACK, via: "webhook", known, assessment: judged(verdict) });
  });
const idOf = (uid: string) => purchaseId(bought(uid));
const refund = (uid: string, amount: number, at: number) =>
  transact((tx) => hear(tx, idOf(uid), { kind: "refunded", amount, of: 100, by: "refund", at }));
const decide = (uid: string, how: typeof approve) =>
  how(olga, { id: reviewId({ kind: "purchase", subject: idOf(uid) }), note: "looked" });
const purchaseOf = async (uid: string) => (await purchases().doc(idOf(uid)).get()).data();
const reviewOf = async (uid: string) =>
  (
    await reviews()
      .doc(reviewId({ kind: "purchase", subject: idOf(uid) }))
      .get()
  ).data();
const tell = async () => {
  const due = await outbox().orderBy("dueAt").get();
  for (const { id } of due.docs) await deliver(id, [...fraudSubscribers, ...subscribers]);
};
const refundsTold = async (uid: string) =>
  (await outbox().where("type", "==", "purchase.refunded").get()).docs.filter((one) => one.data().data.user === uid);
const has = async (uid: string) => {
  const [{ balances }, { entitlements }] = await Promise.all([wallet({ uid }), listEntitlements({ uid })]);
  const coins = balances.find(({ currency }) => currency === "COIN");
  return { coins: (coins?.available ?? 0) - (coins?.owed ?? 0), pro: entitlements.some(({ active }) => active) };
};
const NOTHING = { coins: 0, pro: false };
const ALL = { coins: 100, pro: true };

test("a refund costs a write for telling it, and nothing while the rules are off", async () => {
  process.env.FRAUD = "off";
  const { uid } = someone();
  await transact((tx) => grant(tx, bought(uid), { product: PACK, via: "webhook" }));
  const off = (await backend.billed(() => refund(uid, 100, 5))).bill;
  process.env.FRAUD = "on";
  const other = someone();
  await transact((tx) => grant(tx, bought(other.uid), { product: PACK, via: "webhook" }));
  const on = (await backend.billed(() => refund(other.uid, 100, 5))).bill;
  expect(on).toEqual({ ...off, writes: off.writes + 1 });
});

describe("a purchase in review", () => {
  test("gives nothing, and shows its buyer that it is looked at", async () => {
    const { uid } = someone();
    const { result, bill } = await backend.billed(() => buy(uid, "review"));
    expect(result).toMatchObject({ result: "in-review", score: 70, rules: ["refunds"] });
    expect(bill).toEqual({ reads: 1, writes: 3, deletes: 0 });
    expect(await has(uid)).toEqual(NOTHING);
    expect(await purchaseOf(uid)).toMatchObject({ state: "review", assessment: "assessed", grant: PACK.grant });
    expect(await purchaseOf(uid)).not.toHaveProperty("receiptDue");
    expect(await reviewOf(uid)).toMatchObject({ state: "open", user: uid, amount: { amount: 999, currency: "USD" } });
  });

  test("gives once when it is approved, however often that is told", async () => {
    const { uid } = someone();
    await buy(uid, "review");
    await decide(uid, approve);
    const data = { kind: "purchase", subject: idOf(uid) };
    const [decided] = subscribers.filter(({ type }) => type === "review.decided");
    await Promise.all([1, 2, 3].map(() => decided?.react({ id: "e", type: "review.decided", data })));
    await tell();
    expect(await has(uid)).toEqual(ALL);
    expect(await purchaseOf(uid)).toMatchObject({ state: "granted", receiptDue: true });
    expect(await buy(uid, "review")).toMatchObject({ result: "already-granted" });
  });

  test("gives nothing when it is rejected, and says so to whoever can give the money back", async () => {
    const { uid } = someone();
    await buy(uid, "review");
    await decide(uid, reject);
    await tell();
    expect(await has(uid)).toEqual(NOTHING);
    expect(await purchaseOf(uid)).toMatchObject({ state: "rejected" });
    const told = (await outbox().where("type", "==", "purchase.rejected").get()).docs.map((one) => one.data().data);
    expect(told).toContainEqual(
      expect.objectContaining({ purchase: idOf(uid), store: "PLAY_STORE", transaction: `pi_${uid}`, by: "review" }),
    );
    await refund(uid, 100, 5);
    expect(await purchaseOf(uid)).toMatchObject({ state: "refunded" });
    expect(await has(uid)).toEqual(NOTHING);
  });

  test("that is refunded takes nothing and leaves nothing to decide", async () => {
    const { uid } = someone();
    await buy(uid, "review");
    expect(await refund(uid, 100, 5)).toMatchObject({ result: "refunded", withheld: "review" });
    expect(await has(uid)).toEqual(NOTHING);
    expect(await reviewOf(uid)).toMatchObject({ state: "closed" });
    await expect(decide(uid, approve)).rejects.toMatchObject({ reason: "review-closed" });
    await refund(uid, 0, 6);
    expect(await purchaseOf(uid)).toMatchObject({ state: "review" });
    await decide(uid, approve);
    await tell();
    expect(await has(uid)).toEqual(ALL);
  });

  test("that is refunded in part gives the rest when it is approved", async () => {
    const { uid } = someone();
    await buy(uid, "review");
    await refund(uid, 40, 5);
    expect(await has(uid)).toEqual(NOTHING);
    await decide(uid, approve);
    await tell();
    expect(await has(uid)).toEqual({ coins: 60, pro: true });
  });

  test("of which a refund of a part was heard before still is one, and of the whole is none", async () => {
    const [ada, bo] = [someone(), someone()];
    await refund(ada.uid, 40, 1);
    await buy(ada.uid, "review");
    expect(await reviewOf(ada.uid)).toMatchObject({ state: "open" });
    await refund(bo.uid, 100, 1);
    expect(await buy(bo.uid, "review")).toMatchObject({ result: "refunded-before" });
    expect(await reviewOf(bo.uid)).toBeUndefined();
  });

  test("comes to the same in the end, in whatever order it is decided, refunded and told of", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 8 }), async (story) => {
        const { uid } = someone();
        await buy(uid, "review");
        let model: Model = { refunded: { amount: 0, at: 0 } };
        for (const one of story) model = await perform(uid, one, model);
        await tell();
        expect((await has(uid)).coins).toBe(stateOf(model) === "granted" ? 100 : 0);
        expect((await purchaseOf(uid))?.state).toBe(stateOf(model));
      }),
      { numRuns: 40 },
    );
    expect((await verify({ scope: "all" })).problems).toEqual([]);
  }, 120_000);
});

/** What can happen to a purchase in review: it is decided, it is heard that so much of it went back at a time, or events are delivered. */
type Act = "approve" | "reject" | "tell" | readonly [amount: number, at: number];
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.constantFrom("approve" as const, "reject" as const, "tell" as const),
  fc.tuple(fc.constantFrom(0, 100), fc.integer({ min: 1, max: 9 })),
);

/** What should have become of it. */
interface Model {
  readonly decision?: "approve" | "reject";
  readonly refunded: { readonly amount: number; readonly at: number };
}

function stateOf({ decision, refunded }: Model): string {
  if (refunded.amount === 100) return "refunded";
  return decision === "approve" ? "granted" : decision === "reject" ? "rejected" : "review";
}

async function perform(uid: string, one: Act, model: Model): Promise<Model> {
  if (one === "tell") await tell();
  else if (one === "approve" || one === "reject") return await performDecision(uid, one, model);
  else {
    const [amount, at] = one;
    await refund(uid, amount, at);
    const { refunded } = model;
    const isLater = at > refunded.at || (at === refunded.at && amount > refunded.amount);
    return isLater ? { ...model, refunded: { amount, at } } : model;
  }
  return model;
}

async function performDecision(uid: string, how: "approve" | "reject", model: Model): Promise<Model> {
  const next: Model = stateOf(model) === "review" ? { ...model, decision: how } : model;
  const done = decide(uid, how === "approve" ? approve : reject);
  if (next.decision === how) await done;
  else await expect(done).rejects.toMatchObject({ reason: "review-closed" });
  return next;
}

describe("a purchase that is blocked", () => {
  test("gives nothing, asks nobody, and raises the alarm", async () => {
    const { uid } = someone();
    expect(await buy(uid, "block")).toMatchObject({ result: "rejected" });
    expect(await has(uid)).toEqual(NOTHING);
    expect(await reviewOf(uid)).toBeUndefined();
    const told = (await outbox().where("type", "==", "purchase.rejected").get()).docs.map((one) => one.data().data);
    expect(told).toContainEqual(expect.objectContaining({ purchase: idOf(uid), by: "rules" }));
    await refund(uid, 100, 5);
    await refund(uid, 0, 6);
    expect(await purchaseOf(uid)).toMatchObject({ state: "rejected" });
    expect(await has(uid)).toEqual(NOTHING);
  });
});

describe("RevenueCat's webhooks", () => {
  const send = (body: object) => receive(revenueCat, webhookRequest(body));
  const body = (uid: string, changed: object = {}, rest: object = {}) => {
    const purchase = customers.purchase(uid, { product: "monthly", kind: "subscription", ...rest });
    const told = webhookBody("INITIAL_PURCHASE", customers.get(uid), purchase);
    return { ...told, event: { ...told.event, ...changed } };
  };

  test("are judged: an ordinary one bills 2 reads and 3 writes more than without, and off nothing", async () => {
    process.env.FRAUD = "off";
    await send(body(someone().uid));
    const off = (await backend.billed(() => send(body(someone().uid)))).bill;
    process.env.FRAUD = "on";
    await send(body(someone().uid));
    const told = body(someone().uid);
    const on = (await backend.billed(() => send(told))).bill;
    expect(on).toEqual({ reads: off.reads + 2, writes: off.writes + 3, deletes: 0 });
    const again = (await backend.billed(() => send(told))).bill;
    expect(again).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });

  test("of a receipt that another user came with are looked at first", async () => {
    const [ada, eve] = [someone(), someone()];
    const receipt = { original_transaction_id: "one-receipt" };
    expect((await send(body(ada.uid, receipt))).outcome).toMatchObject({ result: "granted" });
    const again = body(eve.uid, receipt);
    const { state, outcome } = await send(again);
    expect(state).toBe("done");
    expect(outcome).toMatchObject({ result: "in-review", rules: ["receipt-reused"] });
    expect((await send(again)).state).toBe("duplicate");
    expect(await has(eve.uid)).toEqual(NOTHING);
    const { reviews: found } = await queue(olga, { state: "open", kind: "purchase", limit: 100 });
    const review = found.find(({ user }) => user === eve.uid);
    await approve(olga, { id: review?.id ?? "", note: "shares a phone" });
    await tell();
    expect(await has(eve.uid)).toEqual(ALL);
    // Who was found to have it may have what comes of it.
    expect((await send(body(eve.uid, receipt))).outcome).toMatchObject({ result: "granted" });
  });

  test("of a receipt that the vendor has transferred, or that a family shares, are not", async () => {
    const [ada, bo, kim] = [someone(), someone(), someone()];
    const receipt = { original_transaction_id: "moved-receipt" };
    await send(body(ada.uid, receipt));
    const transfer = { transferred_from: [ada.uid], transferred_to: [bo.uid], event_timestamp_ms: 1 };
    await send({ api_version: "1.0", event: { type: "TRANSFER", id: "transfer-1", ...transfer } });
    expect((await send(body(bo.uid, receipt))).outcome).toMatchObject({ result: "granted" });
    expect((await send(body(kim.uid, { ...receipt, is_family_share: true }))).outcome).toMatchObject({
      result: "granted",
    });
  });

  test("of sandboxes are ignored, and remembered", async () => {
    const { uid } = someone();
    for (let i = 0; i < 6; i++) {
      const { outcome } = await send(body(uid, {}, { environment: "SANDBOX" }));
      expect(outcome).toEqual({ result: "ignored", reason: "sandbox" });
    }
    expect((await send(body(uid))).outcome).toMatchObject({ result: "in-review", rules: ["sandbox"] });
  });

  test("delivered many times at once are judged and granted once", async () => {
    const { uid } = someone();
    const told = body(uid);
    await Promise.all(Array.from({ length: 6 }, () => send(told)));
    expect(await has(uid)).toEqual(ALL);
  });
});

describe("a refund", () => {
  const send = (from: string, to: string, amount: number) =>
    post({
      key: `${from} to ${to} ${amount}`,
      kind: "transfer",
      postings: [{ from, to, amount, currency: "COIN" }],
      reference: "gift",
    });
  const open = async (uid: string) => {
    const id = reviewId({ kind: "refund-after-transfer", subject: idOf(uid) });
    return (await reviews().doc(id).get()).data();
  };

  test("of coins that were sent on is opened to a person, who is told to whom; nothing is taken from those", async () => {
    const [ada, bo, kim] = [someone(), someone(), someone()];
    await buy(ada.uid, "allow");
    await send(ada.uid, bo.uid, 30);
    await send(ada.uid, kim.uid, 50);
    await refund(ada.uid, 100, Date.now());
    await tell();
    expect(await open(ada.uid)).toMatchObject({
      state: "open",
      user: ada.uid,
      facts: {
        sent: [
          {
            currency: "COIN",
            owed: 80,
            receivers: [
              { user: kim.uid, amount: 50 },
              { user: bo.uid, amount: 30 },
            ],
          },
        ],
      },
    });
    expect((await has(bo.uid)).coins).toBe(30);
    const [event] = await refundsTold(ada.uid);
    await fraudSubscribers[0]?.react({ id: "again", type: "purchase.refunded", data: event?.data().data ?? {} });
    expect((await reviews().where("user", "==", ada.uid).get()).size).toBe(1);
  });

  test("is looked at for a read of the ledger's transaction and one for each transfer, however much was spent", async () => {
    const [ada, bo] = [someone(), someone()];
    await buy(ada.uid, "allow");
    for (let i = 1; i <= 10; i++) {
      const postings = [{ from: ada.uid, to: "system:revenue", amount: i, currency: "COIN" }];
      await post({ key: `spend ${ada.uid} ${i}`, kind: "spend", postings, reference: "test" });
    }
    for (const amount of [5, 6, 7]) await send(ada.uid, bo.uid, amount);
    await refund(ada.uid, 100, Date.now());
    const [event] = await refundsTold(ada.uid);
    const data = event?.data().data ?? {};
    const react = async () => fraudSubscribers[0]?.react({ id: "told", type: "purchase.refunded", data });
    // Reads the assessment, the user, the transaction and three transfers; writes the user and the review.
    expect((await backend.billed(react)).bill).toEqual({ reads: 6, writes: 2, deletes: 0 });
    expect((await backend.billed(react)).bill).toEqual({ reads: 6, writes: 0, deletes: 0 });
  });

  test("of coins that were spent, or that are all there, is nobody's business; nor what was sent before", async () => {
    const [ada, bo, kim] = [someone(), someone(), someone()];
    for (const { uid } of [ada, bo]) await buy(uid, "allow");
    await post({
      key: `spend ${ada.uid}`,
      kind: "spend",
      postings: [{ from: ada.uid, to: "system:revenue", amount: 70, currency: "COIN" }],
      reference: "test",
    });
    await send(bo.uid, kim.uid, 60);
    await purchases()
      .doc(idOf(bo.uid))
      .update({ purchasedAt: timestamp(Date.now() + 60_000) });
    for (const { uid } of [ada, bo]) await refund(uid, 100, Date.now());
    await tell();
    expect(await open(ada.uid)).toBeUndefined();
    expect(await open(bo.uid)).toBeUndefined();
  });
});
