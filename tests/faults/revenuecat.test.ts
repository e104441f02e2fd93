import { beforeAll, describe } from "vitest";
import { defineProduct } from "../../functions/src/store/catalog.ts";
import { DefineProduct } from "../../functions/src/store/contract.ts";
import { startRevenueCat } from "../../local/revenuecat/server.ts";
import { type WebhookBody, webhookBody } from "../../local/revenuecat/wire.ts";
import { testPath } from "./crash.ts";
import type { Served } from "./functions.ts";
import { OPERATOR, somebody, testBooks, useStage } from "./stage.ts";

/**
 * The bundle is served as Cloud Run serves it and killed at each of its calls of Firestore, Redis and RevenueCat in turn; then the vendor
 * delivers the webhook again, or the app asks again. Whatever the moment, everything is granted once in the end, or taken back once.
 */
const { path, serving } = useStage();
const AUTHORIZATION = "the-authorization";
let revenueCat: Awaited<ReturnType<typeof startRevenueCat>>;

beforeAll(async () => {
  revenueCat = await startRevenueCat({
    apiKey: process.env.REVENUECAT_API_KEY ?? "",
    webhook: { url: "http://127.0.0.1:1", authorization: AUTHORIZATION },
  });
  process.env.REVENUECAT_URL = `http://127.0.0.1:${revenueCat.port}`;
  const grant = { coins: { COIN: 100 }, items: { sword: 1 }, entitlements: ["pro"] };
  await defineProduct({ uid: OPERATOR }, DefineProduct.parse({ id: "pack", product: { title: "Pack", grant } }));
  return () => revenueCat.close();
});

const webhooks = serving("webhooks");
const retries = serving("webhookRetries");
const pay = serving("pay");

const granted = {
  coins: { COIN: 100 },
  items: { sword: 1 },
  entitled: ["pro"],
  kinds: ["purchase"],
  purchases: ["granted"],
};
const refunded = { kinds: ["purchase", "refund"], purchases: ["refunded"] };

interface Delivery {
  readonly uid: string;
  readonly body: WebhookBody;
}

const buyer = (product = "pack"): Delivery => {
  const { uid } = somebody();
  const { customers } = revenueCat;
  const purchase = customers.purchase(uid, { product, kind: "consumable", entitlements: ["pro"] });
  return { uid, body: webhookBody("NON_RENEWING_PURCHASE", customers.get(uid), purchase) };
};
const deliver = (to: Served, { body }: Delivery) => to.post("/revenuecat", body, { authorization: AUTHORIZATION });
const refundOf = ({ uid }: Delivery): Delivery => {
  const { customers } = revenueCat;
  return { uid, body: webhookBody("CANCELLATION", customers.get(uid), customers.cancel(uid, "pack", true)) };
};

describe("webhooks/revenuecat", () => {
  testPath("a purchase is granted whole or not at all, and redelivered granted once", {
    stage: webhooks,
    passes: ["Commit"],
    path: path({ prepare: async () => buyer(), act: deliver, before: {}, after: granted }),
  });

  testPath("a refund is made whole or not at all, and redelivered made once", {
    stage: webhooks,
    passes: ["Commit"],
    path: path({
      prepare: async () => {
        const bought = buyer();
        await deliver(webhooks().healthy, bought);
        return refundOf(bought);
      },
      act: deliver,
      before: granted,
      after: refunded,
    }),
  });
});

describe("a kept webhook that is tried again", () => {
  let n = 0;
  testPath("is carried out once", {
    stage: retries,
    passes: ["Commit"],
    path: path({
      prepare: async () => {
        const product = `pack-${n++}`;
        const bought = buyer(product);
        const kept = await deliver(webhooks().healthy, bought);
        const { id } = (kept as { body: { id: string } }).body;
        const grant = { coins: { COIN: 100 }, items: { sword: 1 }, entitlements: ["pro"] };
        const defined = DefineProduct.parse({ id: product, product: { title: "Pack", grant } });
        await defineProduct({ uid: OPERATOR }, defined);
        return { uid: bought.uid, id };
      },
      act: (on, { id }) => on.run({ id }),
      before: {},
      after: granted,
    }),
  });
});

describe("pay/store/sync", () => {
  testPath("what was bought is granted once, whether the app or the webhook comes first", {
    stage: pay,
    passes: ["GET /v1/subscribers", "Commit"],
    path: path({
      prepare: async () => buyer(),
      act: async (on, { uid, body }) => {
        const answer = await on.call(uid, "store/sync", {});
        if (answer) await deliver(webhooks().healthy, { uid, body });
        return answer;
      },
      before: {},
      after: granted,
    }),
  });
});

testBooks();
