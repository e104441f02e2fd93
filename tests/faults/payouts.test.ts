import { beforeAll, describe, expect } from "vitest";
import { post } from "../../functions/src/ledger/index.ts";
import { refreshAccount } from "../../functions/src/payouts/account.ts";
import { testPath } from "./crash.ts";
import { resultOf } from "./functions.ts";
import { deliver, useStripeMail } from "./mailbox.ts";
import { somebody, testBooks, useStage } from "./stage.ts";

/** How coins become money at a bank, while the function dies at each of its calls of Firestore, Redis and Stripe. */
const money = useStage();
const { path, serving } = money;
const { client, fund, letter, simulate } = useStripeMail();
const pay = serving("pay");
const tasks = serving("payoutTasks");
const webhooks = serving("webhooks");
const HOME = { country: "US", returnUrl: "https://example.com/back", refreshUrl: "https://example.com/again" };
const AMOUNT = 10_000;
/** What is left after the fee of 2.5%. */
const NET = 9_750;
const withdrawal = { key: "the-only-key", currency: "USD", amount: AMOUNT };

beforeAll(() => fund(50_000_000));

/** A bank that sends back what it gets. */
const CLOSED = { account_number: "000111111113" };

const accountsOf = async (uid: string) => {
  const found: string[] = [];
  for await (const { id, metadata } of (await client()).accounts.list({ limit: 100 })) {
    if (metadata?.uid === uid) found.push(id);
  }
  return found;
};
const accountOf = async (uid: string) =>
  String((await money.firestore.doc(`payoutAccounts/${uid}`).get()).get("account"));

/** Somebody whose account at Stripe can be paid, and who has earned something. */
const worker = async (bank: object = {}) => {
  const { uid } = somebody();
  resultOf(await pay().healthy.call(uid, "payouts/onboard", HOME));
  const account = await accountOf(uid);
  await simulate(`accounts/${account}/complete`, bank);
  await refreshAccount(uid, account);
  const postings = [
    { from: "system:prizes", to: uid, amount: AMOUNT, currency: "USD", as: { source: "earned" as const } },
  ];
  await post({ key: `earned ${uid}`, kind: "prize", postings, reference: "a test" });
  return { uid, account };
};
const asked = async (bank?: object) => {
  const { uid, account } = await worker(bank);
  const { id } = resultOf<{ id: string }>(await pay().healthy.call(uid, "payouts/withdraw", withdrawal));
  return { uid, account, id };
};
/** Somebody whose payout is on its way to the bank. */
const sent = async (bank?: object) => {
  const one = await asked(bank);
  await tasks().healthy.run({ id: one.id });
  const [payout] = await payoutsOf(one.account);
  return { ...one, payout: payout?.id ?? "" };
};

const transfersOf = async (id: string) =>
  (await (await client()).transfers.list({ transfer_group: `withdrawal_${id}` })).data;
const payoutsOf = async (stripeAccount: string) => (await (await client()).payouts.list({}, { stripeAccount })).data;
const stateOf = async (id: string) => (await money.firestore.doc(`withdrawals/${id}`).get()).get("state");

const earned = { coins: { USD: AMOUNT }, kinds: ["prize"] };
const held = { held: { USD: AMOUNT }, kinds: ["hold", "prize"] };

describe("pay/payouts/onboard", () => {
  testPath("there is one account at Stripe", {
    stage: pay,
    passes: ["Commit", "POST /v1/accounts", "POST /v1/account_links"],
    path: path({
      prepare: async () => somebody(),
      act: (on, { uid }) => on.call(uid, "payouts/onboard", HOME),
      before: {},
      after: {},
      also: async ({ uid }) => expect(await accountsOf(uid)).toEqual([await accountOf(uid)]),
    }),
  });
});

describe("pay/payouts/withdraw", () => {
  testPath("there is one withdrawal, and its coins are set aside once", {
    stage: pay,
    passes: ["Commit"],
    path: path({
      prepare: () => worker(),
      act: (on, { uid }) => on.call(uid, "payouts/withdraw", withdrawal),
      before: earned,
      after: held,
      also: async ({ uid }) => {
        const { docs } = await money.firestore.collection("withdrawals").where("owner", "==", uid).get();
        expect(docs.map((one) => one.get("state"))).toEqual(["held"]);
      },
    }),
  });
});

describe("pay/payouts/cancel", () => {
  testPath("the coins are there again once", {
    stage: pay,
    passes: ["Commit"],
    path: path({
      prepare: () => asked(),
      act: (on, { uid, id }) => on.call(uid, "payouts/cancel", { id }),
      before: held,
      after: { ...earned, kinds: ["hold", "prize", "release"] },
    }),
  });
});

describe("the task of a withdrawal", () => {
  testPath("the money is sent once and paid out once", {
    stage: tasks,
    passes: ["Commit", "POST /v1/transfers", "POST /v1/payouts"],
    path: path({
      prepare: () => asked(),
      act: (on, { id }) => on.run({ id }),
      before: held,
      after: held,
      also: async ({ id, account }) => {
        expect(await transfersOf(id)).toMatchObject([{ amount: NET, amount_reversed: 0 }]);
        expect(await payoutsOf(account)).toMatchObject([{ amount: NET }]);
        expect(await stateOf(id)).toBe("paying");
      },
    }),
  });

  testPath("what the bank sent back is reversed once, and the coins are there again", {
    stage: tasks,
    passes: ["Commit", "/reversals"],
    path: path({
      prepare: async () => {
        const one = await sent(CLOSED);
        await simulate(`payouts/${one.payout}/arrive`, { failure: "account_closed" });
        await deliver(webhooks().healthy, await letter("payout.failed", one.payout));
        return one;
      },
      act: (on, { id }) => on.run({ id }),
      before: held,
      after: { ...earned, kinds: ["hold", "prize", "release"] },
      also: async ({ id }) => {
        const transfers = await transfersOf(id);
        expect(transfers).toMatchObject([{ amount: NET, amount_reversed: NET }]);
        expect(transfers[0]?.reversals.data).toHaveLength(1);
        expect(await stateOf(id)).toBe("returned");
      },
    }),
  });
});

describe("payout.paid", () => {
  testPath("what has arrived leaves the books once", {
    stage: webhooks,
    passes: ["Commit", "GET /v1/payouts"],
    path: path({
      prepare: async () => {
        const one = await sent();
        await simulate(`payouts/${one.payout}/arrive`);
        return { ...one, letter: await letter("payout.paid", one.payout) };
      },
      act: (on, { letter }) => deliver(on, letter),
      before: held,
      after: { kinds: ["hold", "payout", "prize"] },
      also: async ({ id }) => expect(await stateOf(id)).toBe("paid"),
    }),
  });
});

testBooks();
