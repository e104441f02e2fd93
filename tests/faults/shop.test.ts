import { beforeAll, describe, expect } from "vitest";
import { DefineRecipe } from "../../functions/src/rewards/contract.ts";
import { defineRecipe } from "../../functions/src/rewards/define.ts";
import { defineProduct } from "../../functions/src/store/catalog.ts";
import { DefineProduct } from "../../functions/src/store/contract.ts";
import { DefinePromo } from "../../functions/src/store/promos/contract.ts";
import { definePromo } from "../../functions/src/store/promos/define.ts";
import { testPath } from "./crash.ts";
import { resultOf } from "./functions.ts";
import { OPERATOR, somebody, testBooks, useStage } from "./stage.ts";

/** What players do with the coins that they have, while the function dies at each of its calls of Firestore and Redis. */
const money = useStage();
const { give, path, serving } = money;
const stage = serving("api");
const numbering = serving("receipts");
const olga = { uid: OPERATOR };
const passes = ["Commit"];

beforeAll(async () => {
  const grant = { items: { sword: 1 }, entitlements: ["pro"] };
  await defineProduct(
    olga,
    DefineProduct.parse({
      id: "sword",
      product: { title: "Sword", grant, prices: { COIN: 40 }, limits: { perUser: 2, stock: 100_000 } },
    }),
  );
  await definePromo(
    olga,
    DefinePromo.parse({
      code: "WELCOME",
      campaign: "welcome",
      promo: { title: "Welcome", perUser: 1, gives: { kind: "reward", reward: { coins: { GEM: 5 } } } },
      maxRedemptions: 100_000,
    }),
  );
  await defineRecipe(
    olga,
    DefineRecipe.parse({
      id: "shield",
      recipe: { title: "Shield", costs: { coins: { COIN: 30 } }, gives: { reward: { items: { shield: 2 } } } },
    }),
  );
});

const rich = async () => {
  const user = somebody();
  await give(user.uid, 100);
  return user;
};
const before = { coins: { COIN: 100 }, kinds: ["grant"] };
const wanted = { key: "the-only-key", product: "sword", currency: "COIN", expectedPrice: 40 };

describe("store/buy", () => {
  testPath("what was bought is paid and there, or neither, and bought once", {
    stage,
    passes,
    path: path({
      prepare: rich,
      act: (on, { uid }) => on.call(uid, "store/buy", wanted),
      before,
      after: {
        coins: { COIN: 60 },
        items: { sword: 1 },
        entitled: ["pro"],
        kinds: ["grant", "spend"],
        purchases: ["granted"],
      },
    }),
  });
});

describe("store/gift", () => {
  const prepare = async () => ({ ...(await rich()), ...to() });
  const to = () => ({ to: somebody().uid });
  testPath("a gift is paid and waits for its receiver, or neither, and given once", {
    stage,
    passes,
    path: path({
      prepare,
      act: (on, { uid, to }) => on.call(uid, "store/gift", { ...wanted, to }),
      before,
      after: { coins: { COIN: 60 }, kinds: ["grant", "spend"], purchases: ["granted"] },
      also: async ({ to }) => {
        const { docs } = await money.firestore.collection("gifts").where("to", "==", to).get();
        expect(docs.map((gift) => gift.get("state"))).toEqual(["pending"]);
      },
    }),
  });

  testPath("an accepted gift is its receiver's once", {
    stage,
    passes,
    path: path({
      prepare: async () => {
        const { uid: from } = await rich();
        const { uid } = somebody();
        const given = await stage().healthy.call(from, "store/gift", { ...wanted, to: uid });
        return { uid, gift: resultOf<{ gift: string }>(given).gift };
      },
      act: (on, { uid, gift }) => on.call(uid, "store/acceptGift", { gift }),
      before: {},
      after: { items: { sword: 1 }, entitled: ["pro"] },
    }),
  });
});

describe("store/redeem", () => {
  testPath("a code gives what it gives once, and is used up by that", {
    stage,
    passes,
    path: path({
      prepare: async () => somebody(),
      act: (on, { uid }) => on.call(uid, "store/redeem", { code: "WELCOME" }),
      before: {},
      after: { coins: { GEM: 5 }, kinds: ["grant"] },
    }),
  });
});

describe("rewards/craft", () => {
  testPath("what was crafted is paid and there, or neither, and crafted once", {
    stage,
    passes,
    path: path({
      prepare: rich,
      act: (on, { uid }) => on.call(uid, "rewards/craft", { key: "the-only-key", recipe: "shield" }),
      before,
      after: { coins: { COIN: 70 }, items: { shield: 2 }, kinds: ["exchange", "grant"] },
    }),
  });
});

describe("numbering receipts", () => {
  const receiptsOf = async (uid: string) => {
    const { docs } = await money.firestore.collection("receipts").where("user", "==", uid).get();
    return docs.map((receipt) => receipt.id);
  };
  /** Whatever was cut off, numbers run from 1 without a gap, and the series knows the last. */
  const hasNoGap = async () => {
    const [{ docs }, series] = await Promise.all([
      money.firestore.collection("receipts").orderBy("number").get(),
      money.firestore.collection("receipts").where("last", ">", 0).get(),
    ]);
    expect(docs.map((receipt) => Number(receipt.id.slice(-6)))).toEqual(docs.map((_, i) => i + 1));
    expect(series.docs.map((one) => one.get("last"))).toEqual(docs.length === 0 ? [] : [docs.length]);
  };

  testPath("each purchase has a number, no number is there twice, and none is left out", {
    stage: numbering,
    passes,
    path: {
      prepare: async () => {
        const { uid } = await rich();
        await stage().healthy.call(uid, "store/buy", wanted);
        return uid;
      },
      act: (on) => on.run({}),
      halfway: hasNoGap,
      end: async (uid) => {
        expect(await receiptsOf(uid)).toHaveLength(1);
        await hasNoGap();
      },
    },
  });
});

testBooks();
