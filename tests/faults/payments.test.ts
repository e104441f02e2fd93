import { beforeAll, describe, expect } from "vitest";
import { defineProduct } from "../../functions/src/store/catalog.ts";
import { DefineProduct } from "../../functions/src/store/contract.ts";
import { testPath } from "./crash.ts";
import { resultOf } from "./functions.ts";
import { deliver, useStripeMail } from "./mailbox.ts";
import { OPERATOR, somebody, testBooks, useStage } from "./stage.ts";

/** What is paid through Stripe and goes back, while the function dies at each of its calls of Firestore, Redis and Stripe. */
const money = useStage();
const { path, serving } = money;
const { client, letter, simulate } = useStripeMail();
const pay = serving("pay");
const webhooks = serving("webhooks");
const admin = serving("admin");
const HOME = "https://game.example.com/";
const price = 1_000;

beforeAll(async () => {
  const product = { title: "Pack", grant: { coins: { COIN: 300 }, items: { sword: 1 } }, prices: { USD: price } };
  await defineProduct({ uid: OPERATOR }, DefineProduct.parse({ id: "pack", product }));
});

const checkout = { key: "the-only-key", product: "pack", currency: "USD", successUrl: HOME, cancelUrl: HOME };
const topUp = { key: "the-only-key", currency: "USD", amount: 2_000 };
const packed = { coins: { COIN: 300 }, items: { sword: 1 } };

const orderOf = async (uid: string) => {
  const { docs } = await money.firestore.collection("orders").where("user", "==", uid).get();
  expect(docs).toHaveLength(1);
  return docs[0]?.data() ?? {};
};
const customersOf = async (uid: string) =>
  (await (await client()).customers.search({ query: `metadata["user"]:"${uid}"` })).data;
const customerOf = async (uid: string) => {
  const found = await customersOf(uid);
  expect(found).toHaveLength(1);
  return found[0]?.id ?? "";
};
const paymentsOf = async (uid: string) =>
  (await (await client()).paymentIntents.list({ customer: await customerOf(uid) })).data;

/** Somebody with a page of Stripe's to pay on. */
const onPage = async () => {
  const { uid } = somebody();
  resultOf(await pay().healthy.call(uid, "store/checkout", checkout));
  return { uid, session: String((await orderOf(uid)).session) };
};
/** Somebody who has paid on the page; nobody here has heard of it. */
const payer = async () => {
  const { uid, session } = await onPage();
  await simulate(`checkout/${session}/pay`);
  return { uid, letter: await letter("checkout.session.completed", session) };
};
/** Somebody who has got what they paid for. */
const buyer = async () => {
  const paid = await payer();
  await deliver(webhooks().healthy, paid.letter);
  const [intent] = await paymentsOf(paid.uid);
  return { uid: paid.uid, payment: intent?.id ?? "", charge: String(intent?.latest_charge) };
};
const bought = { ...packed, kinds: ["purchase"], purchases: ["granted"] };
const takenBack = (kind: string) => ({ kinds: ["purchase", kind].sort(), purchases: ["refunded"] });

describe("pay/store/checkout", () => {
  testPath("there is one order, one customer and one page to pay on", {
    stage: pay,
    passes: ["Commit", "POST /v1/customers", "POST /v1/checkout/sessions"],
    path: path({
      prepare: async () => somebody(),
      act: (on, { uid }) => on.call(uid, "store/checkout", checkout),
      before: {},
      after: {},
      also: async ({ uid }) => {
        const { data } = await (await client()).checkout.sessions.list({ customer: await customerOf(uid) });
        expect(data).toMatchObject([{ id: (await orderOf(uid)).session, status: "open" }]);
      },
    }),
  });
});

describe("checkout.session.completed", () => {
  testPath("what was paid is granted once", {
    stage: webhooks,
    passes: ["Commit", "GET /v1/checkout/sessions"],
    path: path({
      prepare: payer,
      act: (on, { letter }) => deliver(on, letter),
      before: {},
      after: bought,
      also: async ({ uid }) => expect(await orderOf(uid)).toMatchObject({ state: "paid" }),
    }),
  });
});

describe("pay/store/topUp", () => {
  testPath("there is one order and one payment", {
    stage: pay,
    passes: ["Commit", "POST /v1/customers", "POST /v1/payment_intents"],
    path: path({
      prepare: async () => somebody(),
      act: (on, { uid }) => on.call(uid, "store/topUp", topUp),
      before: {},
      after: {},
      also: async ({ uid }) =>
        expect(await paymentsOf(uid)).toMatchObject([{ id: (await orderOf(uid)).payment, amount: 2_000 }]),
    }),
  });
});

describe("payment_intent.succeeded", () => {
  testPath("money is in the wallet once", {
    stage: webhooks,
    passes: ["Commit", "GET /v1/payment_intents"],
    path: path({
      prepare: async () => {
        const { uid } = somebody();
        resultOf(await pay().healthy.call(uid, "store/topUp", topUp));
        const payment = String((await orderOf(uid)).payment);
        await (await client()).paymentIntents.confirm(payment, { payment_method: "pm_card_visa", return_url: HOME });
        return { uid, letter: await letter("payment_intent.succeeded", payment) };
      },
      act: (on, { letter }) => deliver(on, letter),
      before: {},
      after: { coins: { USD: 2_000 }, kinds: ["purchase"], purchases: ["granted"] },
    }),
  });
});

describe("charge.refunded", () => {
  testPath("what was bought is taken back once", {
    stage: webhooks,
    passes: ["Commit", "GET /v1/refunds"],
    path: path({
      prepare: async () => {
        const { uid, payment } = await buyer();
        await (await client()).refunds.create({ payment_intent: payment });
        return { uid, letter: await letter("charge.refunded", payment) };
      },
      act: (on, { letter }) => deliver(on, letter),
      before: bought,
      after: takenBack("refund"),
    }),
  });
});

describe("charge.dispute.created", () => {
  testPath("what was bought is taken back once", {
    stage: webhooks,
    passes: ["Commit", "GET /v1/disputes"],
    path: path({
      prepare: async () => {
        const { uid, payment, charge } = await buyer();
        await simulate(`charges/${charge}/dispute`);
        return { uid, letter: await letter("charge.dispute.created", payment) };
      },
      act: (on, { letter }) => deliver(on, letter),
      before: bought,
      after: takenBack("chargeback"),
    }),
  });
});

describe("charge.dispute.closed, won", () => {
  testPath("what was taken back is given back once", {
    stage: webhooks,
    passes: ["Commit", "GET /v1/disputes"],
    path: path({
      prepare: async () => {
        const { uid, payment, charge } = await buyer();
        await simulate(`charges/${charge}/dispute`);
        await deliver(webhooks().healthy, await letter("charge.dispute.created", payment));
        const [dispute] = (await (await client()).disputes.list({ payment_intent: payment })).data;
        await simulate(`disputes/${dispute?.id}/decide`, { outcome: "won" });
        return { uid, letter: await letter("charge.dispute.closed", payment) };
      },
      act: (on, { letter }) => deliver(on, letter),
      before: takenBack("chargeback"),
      after: { ...bought, kinds: ["chargeback", "purchase", "refund"] },
    }),
  });
});

describe("admin/store/refund", () => {
  testPath("the money goes back once, and so does what it bought", {
    stage: admin,
    passes: ["Commit", "POST /v1/refunds"],
    path: path({
      prepare: async () => {
        const { uid, payment } = await buyer();
        const { docs } = await money.firestore.collection("purchases").where("user", "==", uid).get();
        return { uid, payment, purchase: docs[0]?.id ?? "" };
      },
      act: (on, { purchase }) =>
        on.call(OPERATOR, "store/refund", { key: "the-only-key", purchase, note: "asked for it" }),
      before: bought,
      after: takenBack("refund"),
      also: async ({ payment }) => {
        const { data } = await (await client()).refunds.list({ payment_intent: payment });
        expect(data).toMatchObject([{ amount: price }]);
      },
    }),
  });
});

testBooks();
