import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Firestore } from "@google-cloud/firestore";
import { afterAll, beforeAll, expect, test } from "vitest";
import { post } from "../../functions/src/ledger/index.ts";
import { useBackend } from "../../functions/testing/backend.ts";
import { PAYOUT_SETTINGS } from "../../functions/testing/connect.ts";
import { hasRedis, type RedisServer, startRedis } from "../../functions/testing/redis.ts";
import { root } from "../../scripts/suite.ts";
import type { Path, Stage } from "./crash.ts";
import { type Served, useFunctions } from "./functions.ts";

/** What a user has and what the books tell of it, as far as it is not nothing. */
export interface Standing {
  /** By currency, in smallest units. */
  readonly coins?: Readonly<Record<string, number>>;
  readonly held?: Readonly<Record<string, number>>;
  readonly owed?: Readonly<Record<string, number>>;
  readonly items?: Readonly<Record<string, number>>;
  readonly entitled?: readonly string[];
  /** Kinds of transactions, sorted. */
  readonly kinds?: readonly string[];
  /** States of purchases, sorted. */
  readonly purchases?: readonly string[];
}

const CURRENCIES = ["COIN", "GEM", "USD"];
export const OPERATOR = "olga";

/** A Firestore, a Redis where there is one, queues that run nothing by themselves, and functions of the bundle. */
export function useStage(settings: Record<string, string> = {}) {
  // What a killed function has locked is free again when its transaction expires; production takes a minute over it.
  const backend = useBackend(
    { ...PAYOUT_SETTINGS, GRANT_SANDBOX_PURCHASES: "true", REDIS_URL: "", ...settings },
    { transactions: { idleMillis: 500 } },
  );
  const { serve, doom } = useFunctions();
  let redis: RedisServer | undefined;
  let firestore: Firestore | undefined;
  let n = 0;
  const database = () => firestore as Firestore;

  beforeAll(async () => {
    firestore = new Firestore({ projectId: process.env.GCLOUD_PROJECT ?? "" });
    if (hasRedis) redis = await startRedis();
    await firestore.doc(`admins/${OPERATOR}`).set({ name: "Olga" });
  });
  afterAll(async () => {
    await firestore?.terminate();
    redis?.kill();
  });

  /** Serves a function for the tests of a file; without Redis where that is only a cache to be forgotten. */
  const serving = (target: string, withRedis = true): (() => Stage) => {
    let stage: Stage | undefined;
    beforeAll(async () => {
      const options = { target, env: { REDIS_URL: (withRedis && redis?.url) || "" } };
      stage = { healthy: await serve(options), doomed: doom(options) };
    });
    return () => stage as Stage;
  };

  return {
    backend,
    get firestore() {
      return database();
    },
    serving,
    standing: (uid: string) => standingOf(database(), uid),
    /** Gives somebody coins, so that they have some. */
    give: async (uid: string, amount: number, currency = "COIN") => {
      const postings = [{ from: "system:mint", to: uid, amount, currency }];
      await post({ key: `given ${n++}`, kind: "grant", postings, reference: "for a test" });
    },
    /** A way that takes somebody from one standing to another, or not at all. */
    path: <Subject extends { readonly uid: string }>(way: Way<Subject>): Path<Subject> => ({
      prepare: way.prepare,
      act: way.act,
      halfway: async (subject) =>
        expect([way.before, way.after, ...(way.between ?? [])]).toContainEqual(
          await standingOf(database(), subject.uid),
        ),
      end: async (subject) => {
        expect(await standingOf(database(), subject.uid)).toEqual(way.after);
        await way.also?.(subject);
      },
    }),
  };
}

export interface Way<Subject> {
  prepare(): Promise<Subject>;
  act(on: Served, subject: Subject): ReturnType<Served["post"]>;
  readonly before: Standing;
  /** Whole, too: where there is more than one step, what is whole after each. */
  readonly between?: readonly Standing[];
  readonly after: Standing;
  /** What else must be so in the end. */
  also?(subject: Subject): Promise<void>;
}

export function somebody(): { readonly uid: string } {
  return { uid: `user-${randomUUID()}` };
}

async function standingOf(firestore: Firestore, uid: string): Promise<Standing> {
  const ids = CURRENCIES.map((currency) => `${uid}:${currency}`);
  const user = firestore.doc(`users/${uid}`);
  const [accounts, items, entitlements, transactions, purchases] = await Promise.all([
    firestore.getAll(...ids.map((id) => firestore.doc(`accounts/${id}`))),
    user.collection("inventory").get(),
    user.collection("entitlements").get(),
    firestore.collection("transactions").where("accounts", "array-contains-any", ids).get(),
    firestore.collection("purchases").where("user", "==", uid).get(),
  ]);
  const side = (name: string) =>
    Object.fromEntries(accounts.map((one) => [one.id.slice(uid.length + 1), one.get(name) ?? 0] as const));
  const isOn = (end: { toMillis(): number } | null) => end === null || end.toMillis() > Date.now();
  return withoutNothing({
    coins: some(side("available")),
    held: some(side("held")),
    owed: some(side("owed")),
    items: some(Object.fromEntries(items.docs.map((item) => [item.id, item.get("quantity") ?? 0] as const))),
    entitled: entitlements.docs.filter((one) => isOn(one.get("expiresAt"))).map(({ id }) => id),
    kinds: transactions.docs.map((transaction) => String(transaction.get("kind"))).sort(),
    purchases: purchases.docs.map((purchase) => String(purchase.get("state"))).sort(),
  });
}

function some(amounts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== 0));
}

function withoutNothing(standing: Required<Standing>): Standing {
  return Object.fromEntries(Object.entries(standing).filter(([, what]) => Object.keys(what).length > 0));
}

/** Tests at the end of a file that `npm run verify-ledger` finds nothing. */
export function testBooks(): void {
  test("in the end the books fit", { timeout: 60_000 }, async () => {
    const child = spawn(process.execPath, [join(root, "scripts/verify-ledger.ts"), "--scope", "all", "--json"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let report = "";
    child.stdout.on("data", (chunk) => {
      report += chunk;
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(JSON.parse(report)).toMatchObject({ problems: [] });
    expect(JSON.parse(report).transactions).toBeGreaterThan(0);
    expect(code).toBe(0);
  });
}
