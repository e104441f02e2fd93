import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  assertFails,
  assertSucceeds,
  initializeTestEnvironment,
  type RulesTestEnvironment,
} from "@firebase/rules-unit-testing";
import {
  collection,
  collectionGroup,
  deleteDoc,
  doc,
  type Firestore,
  getDoc,
  getDocs,
  limit,
  query,
  setDoc,
  updateDoc,
  where,
} from "firebase/firestore";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { root } from "../../scripts/suite.ts";

/** Who may read what directly, and that nobody may write. */
let environment: RulesTestEnvironment;
let ada: Firestore;
let bo: Firestore;
let nobody: Firestore;
let operator: Firestore;

/** One document of each collection that there is, and whose it is. */
const DOCUMENTS: Record<string, object> = {
  "accounts/ada:COIN": { owner: "ada", currency: "COIN", available: 5 },
  "transactions/t1": { kind: "purchase", accounts: ["ada:COIN"] },
  "incoming/t1_0": { account: "ada:COIN", amount: 5 },
  "holds/h1": { owner: "ada", amount: 5 },
  "heads/ada:COIN": { seq: 1 },
  "manifests/current": { accounts: 1 },
  "purchases/p1": { state: "granted", user: "ada" },
  "purchases/p2": { state: "foretold" },
  "customers/ada": { test: { id: "cus_1" } },
  "orders/o1": { user: "ada", state: "open" },
  "refunds/r1": { user: "ada", state: "created" },
  "profiles/ada": { handle: "Ada", state: "active" },
  "handles/ada": { user: "ada" },
  "relations/ada": { others: { bo: { is: "blocked" } }, invitations: {} },
  "sanctions/ada": { state: "shadow-banned" },
  "groups/foxes": { name: "Foxes", owner: "ada", isOpen: true },
  "groups/foxes/members/ada": { joinedAt: 1 },
  "users/ada": {},
  "users/ada/inventory/sword": { quantity: 1 },
  "users/ada/entitlements/pro": { expiresAt: null },
  "users/ada/pity/chest": { misses: 3 },
  "users/ada/crafted/blade": { total: 1 },
  "rolls/r1": { user: "ada", table: "chest" },
  "games/s1": { user: "ada", game: "asteroids", state: "open" },
  "games/s1/events/00": { print: "hash" },
  "users/ada/play/sessions": { today: 1 },
  "items/sword": { title: "Sword", kind: "unique" },
  "tables/chest": { title: "Chest", entries: [] },
  "recipes/blade": { title: "Blade" },
  "catalog/pack": { title: "Pack" },
  "catalog/pack/stock/0": { allotted: 5, sold: 1 },
  "shelves/hot": { products: [] },
  "users/ada/limits/pack": { bought: 1 },
  "users/ada/notices/n1": { kind: "receipt" },
  "receipts/2026-000001": { number: "2026-000001", user: "ada" },
  "receipts/series-2026": { last: 1 },
  "promos/c1": { campaign: "spring", single: false },
  "promos/c1/stock/0": { allotted: 5, sold: 1 },
  "campaigns/spring": { count: 5 },
  "users/ada/redemptions/spring": { done: {} },
  "users/ada/attempts/codes": { failed: 1 },
  "gifts/g1": { state: "pending", from: "ada", to: "bo" },
  "gifts/g2": { state: "review", from: "ada", to: "bo" },
  "leaderboards/arcade": { title: "Arcade" },
  "leaderboards/arcade/players/ada": { name: "Ada" },
  "leaderboards/arcade/seasons/daily-2026-11-20": { state: "closed" },
  "leaderboards/arcade/seasons/daily-2026-11-20/pages/0": { rows: [] },
  "leaderboards/arcade/seasons/daily-2026-11-20/results/ada": { rank: 1 },
  "leaderboards/arcade/pending/p1": { player: "ada", score: 5_000 },
  "leaderboards/arcade/stock/0": { left: 10 },
  "leaderboards/arcade/seasons/daily-2026-11-20/tiers/1": { seated: 3 },
  "leaderboards/arcade/histograms/daily-2026-11-20": { done: {} },
  "keys/ada": { state: "active", kek: "local", wrapped: "AAAA" },
  "fraud/settings": { settings: {} },
  "assessments/a1": { user: "ada", score: 80 },
  "velocity/v1": { dimension: "user" },
  "receiptOwners/r1": { user: "hash" },
  "reviews/r1": { user: "ada", state: "open" },
  "audit/a1": { by: "olga", subject: "reviews/r1" },
  "webhooks/revenuecat_1": { state: "retrying", body: "{}" },
  "outbox/e1": { type: "catalog.defined" },
  "aliases/a1": { user: "ada", moves: [] },
  "temporaries/t1": { user: "ada" },
  "adjustments/v1": { user: "ada" },
  "storeReconciliations/revenuecat": { checked: 0 },
  "admins/olga": { name: "Olga" },
  "audit/d1": { by: "olga", action: "payouts/approve" },
  "payoutAccounts/ada": { state: "enabled", account: "acct_1" },
  "payoutCases/w1": { why: ["amount"], owner: "ada" },
  "payoutFlags/ada": { why: "plays from two countries" },
  "withdrawals/w1": { owner: "ada", state: "held" },
  "reconciliations/2026-01-31": { phase: "there" },
  "differences/d1": { kind: "missing-here" },
  "anything/else": {},
};

beforeAll(async () => {
  const [host = "", port = ""] = inject("suite").hosts.firestore.split(":");
  const rules = readFileSync(join(root, "firestore.rules"), "utf8");
  environment = await initializeTestEnvironment({
    projectId: "demo-rules-of-the-product",
    firestore: { host, port: Number(port), rules },
  });
  ada = environment.authenticatedContext("ada").firestore() as unknown as Firestore;
  bo = environment.authenticatedContext("bo").firestore() as unknown as Firestore;
  operator = environment.authenticatedContext("olga", { admin: true }).firestore() as unknown as Firestore;
  nobody = environment.unauthenticatedContext().firestore() as unknown as Firestore;
  await environment.withSecurityRulesDisabled(async (context) => {
    for (const [path, data] of Object.entries(DOCUMENTS)) await setDoc(doc(context.firestore(), path), data);
  });
});
afterAll(() => environment.cleanup());

describe("a document", () => {
  test.each([
    ["accounts/ada:COIN", ["ada"]],
    ["transactions/t1", []],
    ["incoming/t1_0", []],
    ["holds/h1", ["ada"]],
    ["heads/ada:COIN", []],
    ["manifests/current", []],
    ["purchases/p1", ["ada"]],
    ["purchases/p2", []],
    ["customers/ada", []],
    ["orders/o1", ["ada"]],
    ["refunds/r1", []],
    ["profiles/ada", ["ada", "bo", "operator"]],
    ["handles/ada", ["ada", "bo", "operator"]],
    ["relations/ada", ["ada"]],
    ["sanctions/ada", []],
    ["groups/foxes", ["ada", "bo", "operator"]],
    ["groups/foxes/members/ada", ["ada", "bo", "operator"]],
    ["users/ada", []],
    ["users/ada/inventory/sword", ["ada"]],
    ["users/ada/entitlements/pro", ["ada"]],
    ["users/ada/pity/chest", ["ada"]],
    ["users/ada/crafted/blade", ["ada"]],
    ["rolls/r1", ["ada"]],
    ["games/s1", ["ada"]],
    ["games/s1/events/00", []],
    ["users/ada/play/sessions", []],
    ["items/sword", ["ada", "bo", "operator"]],
    ["tables/chest", ["ada", "bo", "operator"]],
    ["recipes/blade", ["ada", "bo", "operator"]],
    ["catalog/pack", ["ada", "bo", "operator"]],
    ["catalog/pack/stock/0", []],
    ["shelves/hot", ["ada", "bo", "operator"]],
    ["users/ada/limits/pack", ["ada"]],
    ["users/ada/notices/n1", ["ada"]],
    ["receipts/2026-000001", ["ada"]],
    ["receipts/series-2026", []],
    ["promos/c1", []],
    ["promos/c1/stock/0", []],
    ["campaigns/spring", []],
    ["users/ada/redemptions/spring", []],
    ["users/ada/attempts/codes", []],
    ["gifts/g1", ["ada", "bo"]],
    ["gifts/g2", ["ada"]],
    ["leaderboards/arcade", ["ada", "bo", "operator"]],
    ["leaderboards/arcade/players/ada", ["ada"]],
    ["leaderboards/arcade/seasons/daily-2026-11-20", ["ada", "bo", "operator"]],
    ["leaderboards/arcade/seasons/daily-2026-11-20/pages/0", ["ada", "bo", "operator"]],
    ["leaderboards/arcade/seasons/daily-2026-11-20/results/ada", ["ada"]],
    ["leaderboards/arcade/pending/p1", []],
    ["leaderboards/arcade/stock/0", []],
    ["leaderboards/arcade/seasons/daily-2026-11-20/tiers/1", []],
    ["leaderboards/arcade/histograms/daily-2026-11-20", []],
    ["keys/ada", []],
    ["fraud/settings", []],
    ["assessments/a1", []],
    ["velocity/v1", []],
    ["receiptOwners/r1", []],
    ["reviews/r1", []],
    ["audit/a1", []],
    ["webhooks/revenuecat_1", []],
    ["outbox/e1", []],
    ["aliases/a1", []],
    ["temporaries/t1", []],
    ["adjustments/v1", []],
    ["storeReconciliations/revenuecat", []],
    ["admins/olga", []],
    ["audit/d1", []],
    ["payoutAccounts/ada", ["ada"]],
    ["payoutCases/w1", []],
    ["payoutFlags/ada", []],
    ["withdrawals/w1", ["ada"]],
    ["reconciliations/2026-01-31", []],
    ["differences/d1", []],
    ["anything/else", []],
  ])("%s is read by %j and nobody else", async (path, readers) => {
    for (const [name, db] of Object.entries({ ada, bo, operator, nobody })) {
      const read = getDoc(doc(db, path));
      await (readers.includes(name) ? assertSucceeds(read) : assertFails(read));
    }
  });

  test.each(Object.keys(DOCUMENTS))("%s is written by nobody", async (path) => {
    for (const db of [ada, operator, nobody]) {
      await assertFails(setDoc(doc(db, path), { owner: "ada", user: "ada", available: 1_000_000 }));
      await assertFails(updateDoc(doc(db, path), { available: 1_000_000 }));
      await assertFails(deleteDoc(doc(db, path)));
      await assertFails(setDoc(doc(db, `${path}-new`), { owner: "ada", user: "ada" }));
    }
  });

  test("has had every collection tried that the functions own", () => {
    const owned = readFileSync(join(root, "docs/data-model.md"), "utf8").matchAll(/^\| `([^`]+)` \|/gm);
    const shape = (path: string) =>
      path
        .split("/")
        .map((part, i) => (i % 2 === 0 ? part : "*"))
        .join("/");
    const tried = new Set(Object.keys(DOCUMENTS).map(shape));
    for (const [, path = ""] of owned) expect(tried).toContain(shape(path));
  });
});

describe("a query", () => {
  const mine = (db: Firestore, path: string, field: string, uid: string) =>
    getDocs(query(collection(db, path), where(field, "==", uid)));

  test("of accounts, purchases, orders, rolls and games gives the caller's own, and only if it asks for no others", async () => {
    expect((await assertSucceeds(mine(ada, "accounts", "owner", "ada"))).size).toBe(1);
    expect((await assertSucceeds(mine(ada, "purchases", "user", "ada"))).size).toBe(1);
    expect((await assertSucceeds(mine(ada, "rolls", "user", "ada"))).size).toBe(1);
    expect((await assertSucceeds(mine(ada, "orders", "user", "ada"))).size).toBe(1);
    await assertFails(mine(bo, "rolls", "user", "ada"));
    expect((await assertSucceeds(mine(ada, "games", "user", "ada"))).size).toBe(1);
    await assertFails(mine(bo, "games", "user", "ada"));
    await assertFails(getDocs(collection(ada, "games/s1/events")));
    expect((await assertSucceeds(mine(ada, "withdrawals", "owner", "ada"))).size).toBe(1);
    await assertFails(mine(bo, "withdrawals", "owner", "ada"));
    await assertFails(getDocs(collection(ada, "withdrawals")));
    await assertFails(mine(bo, "accounts", "owner", "ada"));
    await assertFails(mine(bo, "orders", "user", "ada"));
    await assertFails(mine(ada, "refunds", "user", "ada"));
    await assertFails(mine(bo, "purchases", "user", "ada"));
    await assertFails(getDocs(collection(ada, "accounts")));
    await assertFails(getDocs(collection(ada, "purchases")));
    await assertFails(mine(nobody, "accounts", "owner", "ada"));
  });

  test("of what a user has gives it to that user", async () => {
    for (const path of ["inventory", "entitlements", "pity", "crafted"].map((name) => `users/ada/${name}`)) {
      await assertSucceeds(getDocs(collection(ada, path)));
      await assertFails(getDocs(collection(bo, path)));
      await assertFails(getDocs(collection(nobody, path)));
    }
    for (const group of ["inventory", "entitlements", "pity", "crafted", "players", "results"])
      await assertFails(getDocs(collectionGroup(ada, group)));
  });

  test("of what everybody may know is for whoever is signed in, a hundred at a time", async () => {
    const people = ["profiles", "groups", "groups/foxes/members", "leaderboards/arcade/seasons"];
    for (const path of ["catalog", "leaderboards", "items", "tables", "recipes", ...people]) {
      await assertSucceeds(getDocs(query(collection(bo, path), limit(100))));
      await assertFails(getDocs(query(collection(bo, path), limit(101))));
      await assertFails(getDocs(collection(bo, path)));
      await assertFails(getDocs(query(collection(nobody, path), limit(1))));
    }
    await assertFails(getDocs(query(collection(ada, "leaderboards/arcade/players"), limit(1))));
  });

  test.each([
    "transactions",
    "keys",
    "webhooks",
    "outbox",
    "admins",
    "audit",
    "payoutAccounts",
    "payoutCases",
    "payoutFlags",
    "differences",
    "handles",
    "relations",
    "sanctions",
    "users",
  ])("of %s is for nobody", async (path) => {
    for (const db of [ada, operator, nobody]) await assertFails(getDocs(query(collection(db, path), limit(1))));
  });

  test.each(["assessments", "reviews", "velocity", "receiptOwners", "fraud"])(
    "of %s is not even for whom it is about",
    async (path) => {
      for (const db of [ada, operator, nobody]) {
        await assertFails(getDocs(query(collection(db, path), limit(1))));
        await assertFails(mine(db, path, "user", "ada"));
      }
    },
  );
});

test("the emulators are found by asking the hub", async () => {
  vi.stubEnv("FIREBASE_EMULATOR_HUB", "127.0.0.1:5400");
  const found = await initializeTestEnvironment({ projectId: "demo-found" });
  const { firestore, database } = found.emulators;
  expect(`${firestore?.host}:${firestore?.port}`).toBe(inject("suite").hosts.firestore);
  expect(`${database?.host}:${database?.port}`).toBe(inject("suite").hosts.database);
  await found.cleanup();
  vi.unstubAllEnvs();
});
