import { describe, expect } from "vitest";
import { setHot } from "../../functions/src/ledger/hot.ts";
import { post } from "../../functions/src/ledger/index.ts";
import { testPath } from "./crash.ts";
import { resultOf } from "./functions.ts";
import { OPERATOR, somebody, testBooks, useStage } from "./stage.ts";

/** What operators do with the books, and the task that adds up hot accounts, while the function dies at each of its calls. */
const money = useStage();
const { give, path, serving } = money;
const stage = serving("admin");
const folding = serving("ledgerFolds");
const passes = ["Commit"];
const note = "by hand";

const rich = async () => {
  const user = somebody();
  await give(user.uid, 100);
  return user;
};
const before = { coins: { COIN: 100 }, kinds: ["grant"] };

describe("admin/ledger", () => {
  testPath("a credit is there once", {
    stage,
    passes,
    path: path({
      prepare: async () => somebody(),
      act: (on, { uid }) =>
        on.call(OPERATOR, "ledger/credit", { key: uid, user: uid, currency: "COIN", amount: 25, note }),
      before: {},
      after: { coins: { COIN: 25 }, kinds: ["grant"] },
    }),
  });

  testPath("an adjustment is made once", {
    stage,
    passes,
    path: path({
      prepare: rich,
      act: (on, { uid }) =>
        on.call(OPERATOR, "ledger/adjust", { key: uid, user: uid, currency: "COIN", amount: -10, note }),
      before,
      after: { coins: { COIN: 90 }, kinds: ["adjustment", "grant"] },
    }),
  });

  testPath("a transaction is reversed once", {
    stage,
    passes,
    path: path({
      prepare: async () => {
        const { uid } = await rich();
        const credit = { key: uid, user: uid, currency: "COIN", amount: 25, note };
        const credited = await stage().healthy.call(OPERATOR, "ledger/credit", credit);
        return { uid, ...resultOf<{ transaction: string }>(credited) };
      },
      act: (on, { transaction }) => on.call(OPERATOR, "ledger/reverse", { transaction, note }),
      before: { coins: { COIN: 125 }, kinds: ["grant", "grant"] },
      after: { coins: { COIN: 100 }, kinds: ["adjustment", "grant", "grant"] },
    }),
  });
});

describe("folding a hot account", () => {
  const GIVEN = 3;
  /** The first, and those that wait. */
  const grants = Array.from({ length: 1 + GIVEN }, () => "grant");
  testPath("adds what it was given once", {
    stage: folding,
    passes,
    path: path({
      prepare: async () => {
        const { uid } = await rich();
        await setHot(uid, "COIN", true);
        for (let i = 0; i < GIVEN; i++) {
          const postings = [{ from: "system:mint", to: uid, amount: 25, currency: "COIN" }];
          await post({ key: `hot ${uid} ${i}`, kind: "grant", postings, reference: "for a test" });
        }
        return { uid };
      },
      act: (on, { uid }) => on.run({ account: `${uid}:COIN` }),
      before: { ...before, kinds: grants },
      after: { coins: { COIN: 100 + GIVEN * 25 }, kinds: grants },
      also: async ({ uid }) => {
        const waiting = await money.firestore.collection("incoming").where("account", "==", `${uid}:COIN`).get();
        expect(waiting.size).toBe(0);
      },
    }),
  });
});

testBooks();
