import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Replayed, replay, withDistinctIds } from "../scripts/recorded.ts";
import { PRODUCTS, seed } from "../scripts/seed.ts";
import { root } from "../scripts/suite.ts";
import { useBackend } from "./backend.ts";

const backend = useBackend();
const { connection } = backend;
const target = { url: connection.webhookUrl, authorization: connection.secrets.webhookAuthorization };

const FIXTURES = join(root, "tests/fixtures/revenuecat");
/** What RevenueCat publishes itself; it lies beside the project and is not part of it. */
const SAMPLES = join(root, "../shared/data/revenuecat");

interface Recorded {
  readonly name: string;
  readonly body: string;
}

function recorded(folder: string): Recorded[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort();
  return files.map((file) => ({ name: basename(file, ".json"), body: readFileSync(join(folder, file), "utf8") }));
}

async function replayAll(bodies: readonly Recorded[]): Promise<Replayed[]> {
  const outcomes: Replayed[] = [];
  for (const { name, body } of bodies) outcomes.push(await replay(name, body, target));
  return outcomes;
}

/** Everything of value that the backend keeps, as text. */
async function holdings(): Promise<string> {
  const kinds = ["accounts", "transactions", "purchases"].map((path) => backend.firestore.collection(path));
  const groups = ["inventory", "entitlements"].map((id) => backend.firestore.collectionGroup(id));
  const found = await Promise.all([...kinds, ...groups].map((query) => query.get()));
  return JSON.stringify(
    found.flatMap(({ docs }) => docs.map((document) => [document.ref.path, document.data()])).sort(),
  );
}

beforeAll(async () => {
  await seed(connection, await backend.newcomer("Olga"));
});

describe("recorded webhooks", () => {
  test("each end in a stated outcome", async () => {
    const outcomes = await replayAll(recorded(FIXTURES));
    expect(outcomes.map(({ name, status, state, outcome }) => [name, status, state, outcome.split(":")[0]])).toEqual([
      ["1-initial-purchase", 200, "done", "granted"],
      ["10-subscription", 200, "done", "granted"],
      ["11-uncancellation", 200, "done", "will-renew"],
      ["12-billing-issue", 200, "done", "in-grace"],
      ["13-subscription-paused", 200, "done", "will-pause"],
      ["14-subscription-extended", 200, "done", "extended"],
      ["15-product-change", 200, "done", "will-change"],
      ["16-subscription-refund", 200, "done", "refunded"],
      ["17-refund-reversed", 200, "done", "refund-reversed"],
      ["18-transfer", 200, "done", "transferred"],
      ["19-subscriber-alias", 200, "done", "aliased"],
      ["2-renewal", 200, "done", "granted"],
      ["20-temporary-entitlement-grant", 200, "done", "granted-for-now"],
      ["21-virtual-currency-transaction", 200, "done", "ignored"],
      ["22-invoice-issuance", 200, "done", "noted"],
      ["23-experiment-enrollment", 200, "done", "noted"],
      ["3-cancellation", 200, "done", "will-not-renew"],
      ["4-expiration", 200, "done", "expired"],
      ["5-non-renewing-purchase", 200, "done", "granted"],
      ["6-refund", 200, "done", "refunded"],
      ["7-unknown-product", 200, "retrying", "waiting"],
      ["8-test", 200, "done", "test"],
      ["9-type-of-tomorrow", 200, "done", "ignored"],
    ]);
    const account = await backend.firestore.doc("accounts/fixture-greta:COIN").get();
    expect(account.data()).toMatchObject({ available: 2 * (PRODUCTS.pro_monthly?.grant.coins.COIN ?? 0), seq: 2 });
    expect((await backend.firestore.doc("accounts/fixture-hugo:COIN").get()).data()).toMatchObject({
      available: 0,
      owed: 0,
      seq: 2,
    });
  });

  test("change nothing when they are replayed, or come ten times at once", async () => {
    const bodies = recorded(FIXTURES);
    await replayAll(bodies);
    const before = await holdings();
    const again = await replayAll(bodies);
    expect(again.every(({ state }) => state === "duplicate" || state === "retrying")).toBe(true);
    const copies = await Promise.all(
      Array.from({ length: 10 }, () => bodies.map(({ name, body }) => replay(name, body, target))).flat(),
    );
    expect(copies.every(({ status }) => status === 200)).toBe(true);
    expect(await holdings()).toBe(before);
  });

  test("that come ten times at once, and never came before, happen once", async () => {
    const bodies = recorded(FIXTURES).map(({ name, body }) => ({ name, body: withDistinctIds(body, `ten-${name}`) }));
    const outcomes = await Promise.all(
      bodies.flatMap(({ name, body }) => Array.from({ length: 10 }, () => replay(name, body, target))),
    );
    for (const { name } of bodies.filter(({ name }) => !name.startsWith("7"))) {
      const states = outcomes.filter((one) => one.name === name).map(({ state }) => state);
      expect(
        states.filter((state) => state === "done"),
        name,
      ).toHaveLength(1);
    }
  });
});

describe.skipIf(!existsSync(SAMPLES))(
  `RevenueCat's published samples${existsSync(SAMPLES) ? "" : " (skipped: ../shared is absent)"}`,
  () => {
    const samples = existsSync(SAMPLES)
      ? recorded(SAMPLES).map(({ name, body }) => ({ name, body: withDistinctIds(body, name) }))
      : [];

    beforeAll(async () => {
      const products = samples.map(
        ({ body }) => (JSON.parse(body) as { event: { product_id?: string } }).event.product_id,
      );
      for (const product of new Set(products)) {
        if (product)
          await backend.firestore.doc(`catalog/${product}`).set({ title: product, grant: { coins: { COIN: 10 } } });
      }
    });

    test("each end in a stated outcome, and replaying them changes nothing", async () => {
      const first = await replayAll(samples);
      expect(Object.fromEntries(first.map(({ name, outcome }) => [name, outcome.split(":")[0]]))).toEqual({
        "billing-issue": "noted",
        "cancellation-refund": "foretold",
        "cancellation-unsubscribe": "foretold",
        expiration: "foretold",
        "initial-purchase": "granted",
        "non-renewing-purchase": "granted",
        "product-change": "foretold",
        "refund-reversed": "foretold",
        renewal: "granted",
        transfer: "transferred",
        uncancellation: "foretold",
        "virtual-currency-transaction": "ignored",
      });
      expect(first.every(({ status, state }) => status === 200 && state === "done")).toBe(true);
      const before = await holdings();
      expect((await replayAll(samples)).every(({ state }) => state === "duplicate")).toBe(true);
      await Promise.all(
        Array.from({ length: 10 }, () => samples.map(({ name, body }) => replay(name, body, target))).flat(),
      );
      expect(await holdings()).toBe(before);
    });
  },
);

describe("npm run replay", () => {
  const run = (args: readonly string[]) =>
    new Promise<{ output: string; status: number | null }>((resolve) => {
      const child = spawn(process.execPath, [join(root, "scripts/replay.ts"), ...args, "--url", connection.webhookUrl]);
      let output = "";
      child.stdout.on("data", (chunk) => {
        output += chunk;
      });
      child.once("exit", (status) => resolve({ output, status }));
    });

  test("posts a folder and prints a line for each file", async () => {
    const { output, status } = await run([FIXTURES, "--distinct-ids"]);
    expect(status).toBe(0);
    for (const { name } of recorded(FIXTURES)) expect(output).toContain(name);
    expect(output).toMatch(
      /5-non-renewing-purchase +NON_RENEWING_PURCHASE +200 +done +granted: user replayed-\w+, coins 1000 COIN/,
    );
  });

  test("fails when something was refused", async () => {
    const { output, status } = await run([join(FIXTURES, "8-test.json"), "--authorization", "wrong"]);
    expect(status).toBe(1);
    expect(output).toContain("401");
  });
});
