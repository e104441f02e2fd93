import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { forgetAll } from "../platform/cache.ts";
import { setClock } from "../platform/clock.ts";
import { transact } from "../platform/firestore.ts";
import { assess } from "./assess.ts";
import { settings } from "./configure.ts";
import { FraudSettingsRequest } from "./contract.ts";
import { assessments, velocity } from "./records.ts";
import { refunded } from "./refunded.ts";
import type { Subject } from "./subject.ts";
import { noteSandboxed, noteTransfer } from "./watch.ts";

const backend = useBackend({ FRAUD: "on" });
const operator = someone();
const configure = (next: object) => settings(operator, FraudSettingsRequest.parse({ settings: next }));

let count = 0;
const purchase = (rest: Partial<Subject> = {}): Subject => ({
  kind: "purchase",
  id: `p${++count}`,
  user: someone().uid,
  at: Date.now(),
  amount: { amount: 499, currency: "USD" },
  store: "APP_STORE",
  ...rest,
});

beforeEach(async () => {
  process.env.FRAUD = "on";
  await configure({});
});

describe("an assessment", () => {
  test("of an ordinary purchase lets it pass", async () => {
    expect(await assess(purchase())).toMatchObject({ score: 0, verdict: "allow", reasons: [] });
  });

  test("is made once: the same subject has the same one, whatever is known by then", async () => {
    const { uid } = someone();
    const first = purchase({ user: uid });
    const before = await assess(first);
    await refunded({ purchase: "other", user: uid, by: "chargeback", purchasedAt: 0 });
    await refunded({ purchase: "another", user: uid, by: "chargeback", purchasedAt: 0 });
    expect(await assess(first)).toEqual(before);
    expect(await assess(purchase({ user: uid }))).toMatchObject({ verdict: "review", reasons: [{ rule: "refunds" }] });
  });

  test("asked for many times at once counts once", async () => {
    const subject = purchase({ device: "phone", card: "visa" });
    const all = await Promise.all(Array.from({ length: 8 }, () => assess(subject)));
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(1);
    const { docs } = await velocity().get();
    const hours = docs.flatMap((document) => Object.values(document.data().seen.purchase?.hour ?? {}));
    const { sightings = [] } =
      (
        await assessments()
          .doc(all[0]?.id ?? "")
          .get()
      ).data() ?? {};
    expect(sightings).toHaveLength(3);
    for (const id of sightings) {
      const seen = docs.find((document) => document.id === id)?.data().seen.purchase;
      expect(Object.values(seen?.hour ?? {})).toEqual([1]);
    }
    expect(hours.length).toBeGreaterThanOrEqual(3);
  });

  test("keeps no fingerprint, device or receipt as it is", async () => {
    const { uid } = someone();
    const secrets = { device: "device-4711", card: "fingerprint-0815", originalTransaction: "receipt-1234" };
    await assess(purchase({ user: uid, ...secrets }));
    const collections = await velocity().firestore.listCollections();
    const everything = await Promise.all(collections.map((collection) => collection.get()));
    const text = JSON.stringify(
      everything.flatMap(({ docs }) => docs.map((document) => [document.ref.path, document.data()])),
    );
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
  });

  test("bills a read and a write for all that is known, and a write for itself; again a read more", async () => {
    const { uid } = someone();
    await assess(purchase());
    const bare = purchase({ user: uid, store: undefined });
    expect((await backend.billed(() => assess(bare))).bill).toEqual({ reads: 1, writes: 2, deletes: 0 });
    const full = purchase({ user: uid, device: "d", card: "c", originalTransaction: "o" });
    expect((await backend.billed(() => assess(full))).bill).toEqual({ reads: 4, writes: 5, deletes: 0 });
    expect((await backend.billed(() => assess(full))).bill).toEqual({ reads: 5, writes: 0, deletes: 0 });
    const renewal = purchase({ user: uid, device: "d", card: "c", originalTransaction: "o" });
    expect((await backend.billed(() => assess(renewal))).bill).toEqual({ reads: 4, writes: 4, deletes: 0 });
  });

  test("costs nothing while the rules are off", async () => {
    process.env.FRAUD = "off";
    const { result, bill } = await backend.billed(() => assess(purchase({ device: "d" })));
    expect(result).toBeUndefined();
    expect(bill).toEqual({ reads: 0, writes: 0, deletes: 0 });
    const watched = await backend.billed(() => transact(async (tx) => (await noteSandboxed(tx, "ada", 1))()));
    expect(watched.bill).toEqual({ reads: 0, writes: 0, deletes: 0 });
  });

  test("in shadow is written down with what it would be, and lets everything pass", async () => {
    process.env.FRAUD = "shadow";
    await assess(purchase({ originalTransaction: "shadowed" }));
    const second = await assess(purchase({ originalTransaction: "shadowed" }));
    expect(second).toMatchObject({ score: 80, verdict: "allow" });
    expect(
      (
        await assessments()
          .doc(second?.id ?? "")
          .get()
      ).data(),
    ).toMatchObject({
      verdict: "allow",
      shadow: "review",
    });
  });
});

describe("a receipt", () => {
  const another = (receipt: string, rest: Partial<Subject> = {}) =>
    assess(purchase({ originalTransaction: receipt, ...rest }));

  test("is one user's for all its renewals; another who comes with it is looked at, or blocked if operators say so", async () => {
    const { uid } = someone();
    expect(await another("r1", { user: uid })).toMatchObject({ verdict: "allow" });
    expect(await another("r1", { user: uid })).toMatchObject({ verdict: "allow" });
    expect(await another("r1")).toMatchObject({ verdict: "review", reasons: [{ rule: "receipt-reused" }] });
    await configure({ receiptReuse: "block" });
    expect(await another("r1")).toMatchObject({ verdict: "block" });
    expect(await another("r1", { user: uid })).toMatchObject({ verdict: "allow" });
  });

  test("of the same number in another store is another", async () => {
    await another("r2");
    expect(await another("r2", { store: "PLAY_STORE" })).toMatchObject({ verdict: "allow" });
  });

  test("shared in a family is everybody's, whoever comes first", async () => {
    await another("r3", { isFamilyShared: true });
    expect(await another("r3")).toMatchObject({ verdict: "allow" });
    expect(await another("r3", { isFamilyShared: true })).toMatchObject({ verdict: "allow" });
  });

  test("is the same person's under another id, and whose it was transferred to", async () => {
    const [ada, bo] = [someone(), someone()];
    await another("r4", { user: ada.uid });
    expect(await another("r4", { knownAs: [ada.uid] })).toMatchObject({ verdict: "allow" });
    await another("r5", { user: ada.uid });
    await transact(async (tx) => (await noteTransfer(tx, [ada.uid], bo.uid))());
    expect(await another("r5", { user: bo.uid })).toMatchObject({ verdict: "allow" });
    expect(await another("r5", { user: ada.uid })).toMatchObject({ verdict: "review" });
  });

  test("that two come with at the very same time is one's", async () => {
    const verdicts = await Promise.all([another("r6"), another("r6"), another("r6")]);
    expect(verdicts.map((one) => one?.verdict).sort()).toEqual(["allow", "review", "review"]);
  });
});

describe("what is seen over time", () => {
  test("is counted by user, device and card, each by itself, and forgotten after a week", async () => {
    await configure({ limits: { card: { hour: 2, day: 3, week: 5 } } });
    const { uid } = someone();
    const pay = (at: number) => assess(purchase({ user: uid, card: "often", at }));
    const start = Date.now() - 30 * 86_400_000;
    const verdicts: unknown[] = [];
    for (let i = 0; i < 4; i++) verdicts.push((await pay(start + i * 60_000))?.score);
    expect(verdicts).toEqual([0, 0, 56, 75]);
    expect(await pay(start + 9 * 86_400_000)).toMatchObject({ verdict: "allow" });
  });

  test("of a time that is yet to come counts as now, so that it hides nothing", async () => {
    const back = setClock(Date.UTC(2026, 5, 1));
    await configure({ limits: { user: { hour: 1, day: 1, week: 1 } } });
    const { uid } = someone();
    await assess(purchase({ user: uid, at: Date.UTC(2036, 5, 1) }));
    expect(await assess(purchase({ user: uid, at: Date.UTC(2026, 5, 1) }))).toMatchObject({ score: 75 });
    back();
  });

  test("purchases do not count as withdrawals", async () => {
    await configure({ limits: { user: { hour: 1, day: 1, week: 1 } } });
    const { uid } = someone();
    await assess(purchase({ user: uid }));
    expect(await assess(purchase({ user: uid, kind: "withdrawal" }))).toMatchObject({ score: 0 });
  });

  test("tells what a user usually spends", async () => {
    const { uid } = someone();
    const pay = (amount: number) => assess(purchase({ user: uid, amount: { amount, currency: "USD" } }));
    for (const amount of [499, 999, 499, 499, 999]) expect(await pay(amount)).toMatchObject({ score: 0 });
    expect(await pay(49_999)).toMatchObject({ score: 70, reasons: [{ rule: "unusual-amount" }] });
    expect(await pay(499)).toMatchObject({ score: 0 });
  });

  test("of many users with one card is found, though each of them is new", async () => {
    const verdicts: unknown[] = [];
    for (let i = 0; i < 6; i++) verdicts.push((await assess(purchase({ card: "shared" })))?.verdict);
    expect(verdicts).toEqual(["allow", "allow", "allow", "allow", "review", "review"]);
  });

  test("counts sandboxes and refunds, each refund once", async () => {
    const { uid } = someone();
    for (let i = 0; i < 6; i++) await transact(async (tx) => (await noteSandboxed(tx, uid, Date.now()))());
    expect(await assess(purchase({ user: uid }))).toMatchObject({ score: 74, reasons: [{ rule: "sandbox" }] });
    const paid = purchase({ card: "returned" });
    await assess(paid);
    for (let i = 0; i < 3; i++) {
      await refunded({ purchase: paid.id, user: paid.user, by: "chargeback", purchasedAt: 0 });
    }
    const other = await assess(purchase({ card: "returned" }));
    expect(other).toMatchObject({ score: 40, reasons: [{ rule: "refunds" }] });
  });

  test("stays in bounded room, whatever is seen", async () => {
    const { uid } = someone();
    const any = fc.array(
      fc.record({
        currency: fc.stringMatching(/^[A-Z]{3}$/),
        amount: fc.integer({ min: 1, max: 1e9 }),
        kind: fc.constantFrom("purchase" as const, "withdrawal" as const, "gift" as const),
        at: fc.integer({ min: 0, max: Date.now() }),
      }),
      { minLength: 60, maxLength: 60 },
    );
    const [story = []] = fc.sample(any, 1);
    for (const { currency, amount, kind, at } of story) {
      await assess(purchase({ user: uid, kind, at, amount: { amount, currency }, device: "bounded" }));
    }
    for (const { ref } of (await velocity().get()).docs) {
      const { amounts, users, seen } = (await ref.get()).data() ?? { amounts: {}, users: [], seen: {} };
      expect(Object.keys(amounts).length).toBeLessThanOrEqual(8);
      expect(Math.max(0, ...Object.values(amounts).map((list) => list.length))).toBeLessThanOrEqual(31);
      expect(users.length).toBeLessThanOrEqual(50);
      for (const { hour, day, week } of Object.values(seen)) {
        expect(Object.keys({ ...hour, ...day, ...week }).length).toBeLessThanOrEqual(46);
      }
    }
  });
});

describe("settings", () => {
  test("are told, are written down when they change, and count at once where they were changed", async () => {
    expect(await settings(operator, FraudSettingsRequest.parse({}))).toMatchObject({
      settings: { receiptReuse: "review" },
    });
    await configure({ rules: { price: { mode: "shadow" } } });
    const half = purchase({ priceExpected: 9_999 });
    const assessed = await assess(half);
    expect(assessed).toMatchObject({ score: 0, reasons: [] });
    expect(
      (
        await assessments()
          .doc(assessed?.id ?? "")
          .get()
      ).data()?.findings,
    ).toMatchObject([{ rule: "price", score: 86, counted: false }]);
    forgetAll();
    expect(await settings(operator, FraudSettingsRequest.parse({}))).toMatchObject({
      settings: { rules: { price: { mode: "shadow", weight: 1 } } },
    });
  });

  test("are read once a minute, not once a purchase", async () => {
    forgetAll();
    const first = await backend.billed(() => assess(purchase()));
    const second = await backend.billed(() => assess(purchase()));
    expect([first.bill.reads, second.bill.reads]).toEqual([2, 1]);
  });

  test.each([
    ["settings.thresholds.review", { thresholds: { review: 0 } }],
    ["settings.thresholds.block", { thresholds: { review: 80, block: 40 } }],
    ["settings.rules.price.weight", { rules: { price: { weight: 3 } } }],
    ["settings.rules", { rules: { astrology: {} } }],
    ["settings.limits.user.hour", { limits: { user: { hour: 0 } } }],
    ["settings.receiptReuse", { receiptReuse: "shrug" }],
  ])("are refused at %s", (field, next) => {
    const { error } = FraudSettingsRequest.safeParse({ settings: next });
    expect(error?.issues[0]?.path.join(".")).toBe(field);
  });
});
