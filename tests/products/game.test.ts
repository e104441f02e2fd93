import { randomUUID } from "node:crypto";
import { FirebaseError } from "firebase/app";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Events, List, Result, Results, Started } from "../../functions/src/games/contract.ts";
import type { Page, Standing, Submitted } from "../../functions/src/leaderboards/contract.ts";
import type { History, Wallet } from "../../functions/src/ledger/contract.ts";
import type { Entitlements, Inventory } from "../../functions/src/rewards/contract.ts";
import type { Synced } from "../../functions/src/store/contract.ts";
import type { Player } from "../../scripts/player.ts";
import { BOARD_ID, LATE_PRODUCT, seed } from "../../scripts/seed.ts";
import { useBackend } from "../backend.ts";

/** What a game's app does, through the Firebase SDK, with everything behind it running. */
const backend = useBackend();
const { connection, newcomer, simulate } = backend;
let operator: Player;
let ada: Player;

beforeAll(async () => {
  [operator, ada] = await Promise.all([newcomer("Olga"), newcomer("Ada")]);
  await seed(connection, operator);
});

const balance = async (player: Player, currency = "COIN") =>
  (await player.call<Wallet>("api/ledger/wallet")).balances.find((one) => one.currency === currency)?.available ?? 0;

describe("a player who buys", () => {
  test("has it in wallet, inventory, entitlements and history when the webhook has come", async () => {
    const bought = { product: "starter_pack", kind: "consumable", entitlements: ["no_ads"] };
    const { attempts } = await simulate("purchases", { customer: ada.uid, ...bought });
    expect(attempts).toMatchObject([{ status: 200 }]);
    expect(await balance(ada)).toBe(1_000);
    expect(await ada.call<Inventory>("api/rewards/inventory")).toEqual({
      items: [{ item: "iron_sword", quantity: 1 }],
    });
    expect(await ada.call<Entitlements>("api/rewards/entitlements")).toMatchObject({
      entitlements: [{ entitlement: "no_ads", active: true }],
    });
    expect(await ada.call<History>("api/ledger/history", { currency: "COIN" })).toMatchObject({
      transactions: [{ kind: "purchase", amount: 1_000 }],
    });
  });

  test("need not wait for the webhook", async () => {
    const bo = await newcomer("Bo");
    await simulate("purchases", { customer: bo.uid, product: "coins_500", kind: "consumable", hold: true });
    expect(await bo.call<Synced>("pay/store/sync")).toMatchObject({
      purchases: [{ product: "coins_500", result: "granted" }],
    });
    expect(await balance(bo)).toBe(500);
  });

  test("what nobody has defined yet gets it as soon as an operator has", async () => {
    const cy = await newcomer("Cy");
    const product = `${LATE_PRODUCT.id}_${randomUUID()}`;
    const { attempts } = await simulate("purchases", { customer: cy.uid, product, kind: "consumable" });
    expect(attempts).toMatchObject([
      { status: 200, answer: { state: "retrying", outcome: { reason: "unknown-product" } } },
    ]);
    const kept = await operator.call<{ webhooks: { waitingFor?: string }[] }>("admin/webhooks/kept", {
      state: "retrying",
    });
    expect(kept.webhooks.map(({ waitingFor }) => waitingFor)).toContain(`product:${product}`);
    await operator.call("admin/store/define", { id: product, product: LATE_PRODUCT.product });
    await vi.waitFor(async () => expect(await balance(cy, "GEM")).toBe(25), { timeout: 20_000, interval: 250 });
  });
});

describe("a player who scores", () => {
  test("sees rank, neighbours and the top of every period", async () => {
    const players = await Promise.all(["Di", "Ed", "Flo"].map(newcomer));
    for (const [i, player] of players.entries()) {
      const score = 100_000 + i;
      expect(
        await player.call<Submitted>("api/leaderboards/submit", { board: BOARD_ID, score, attempt: randomUUID() }),
      ).toMatchObject({
        bests: { daily: { score, improved: true }, allTime: { score, improved: true } },
      });
    }
    const [, ed] = players as [Player, Player, Player];
    for (const period of ["daily", "weekly", "monthly", "allTime"]) {
      const { rows } = await ed.call<Page>("api/leaderboards/page", { board: BOARD_ID, period });
      expect(rows.slice(0, 3).map(({ player, rank }) => [rank, player])).toEqual(
        [...players].reverse().map(({ uid }, i) => [i + 1, uid]),
      );
      const standing = await ed.call<Standing>("api/leaderboards/standing", { board: BOARD_ID, period, neighbours: 1 });
      expect(standing).toMatchObject({ rank: 2, score: 100_001 });
      expect(standing.neighbours.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    }
    expect((await ed.call<Page>("api/leaderboards/page", { board: BOARD_ID, period: "daily" })).rows[1]?.name).toBe(
      ed.name,
    );
  });
});

describe("a player who plays", () => {
  test("has a session whose result and log are there to be looked at", async () => {
    const gus = await newcomer("Gus");
    const game = `asteroids-${randomUUID()}`;
    const key = randomUUID();
    const { session, token, startedAt } = await gus.call<Started>("api/games/start", { game, board: BOARD_ID, key });
    expect(await gus.call<Started>("api/games/start", { game, board: BOARD_ID, key })).toMatchObject({
      session,
      token,
    });
    const hits = [{ at: 1.5, hit: "rock", "@by": [null, { ship: "ä€" }] }];
    await gus.call("api/games/append", { session, chunk: 0, events: hits });
    const events = { chunk: 1, events: ["over"] };
    const result = await gus.call<Result>("api/games/finish", { session, score: 1_200, events });
    expect(result).toMatchObject({ session, game, board: BOARD_ID, score: 1_200, startedAt });
    expect(await gus.call<Results>("api/games/results", { game })).toEqual({ results: [result] });
    expect(await operator.call<List>("admin/games/list", { game })).toEqual({
      results: [{ ...result, user: gus.uid }],
    });
    expect(await operator.call<Events>("admin/games/events", { session, limit: 5 })).toMatchObject({
      user: gus.uid,
      state: "finished",
      chunks: [{ events: hits }, { events: ["over"] }],
    });
  });
});

describe("an app is told with a typed failure", () => {
  const failure = async (action: string, input: object, player = ada) => {
    const error: unknown = await player.call(action, input).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FirebaseError);
    const { code, details } = error as FirebaseError & { details: unknown };
    return { code, details };
  };

  test("which field is wrong", async () => {
    expect(await failure("api/ledger/history", { currency: "COIN", limit: 101 })).toMatchObject({
      code: "functions/invalid-argument",
      details: { reason: "invalid-input", field: "limit" },
    });
    expect(await failure("api/leaderboards/submit", { board: "a/b", score: 1, attempt: "12345678" })).toMatchObject({
      details: { field: "board" },
    });
    expect(
      await failure("api/leaderboards/submit", { board: BOARD_ID, score: 1.5, attempt: "12345678" }),
    ).toMatchObject({ details: { field: "score" } });
  });

  test("what does not exist", async () => {
    expect(await failure("api/ledger/nothing", {})).toMatchObject({
      code: "functions/not-found",
      details: { reason: "unknown-action" },
    });
    expect(await failure("api/constructor/name", {})).toMatchObject({
      code: "functions/not-found",
      details: { reason: "unknown-action" },
    });
    expect(await failure("api/leaderboards/page", { board: "nowhere", period: "daily" })).toMatchObject({
      code: "functions/not-found",
      details: { reason: "unknown-board" },
    });
  });

  test("what is not allowed", async () => {
    expect(
      await failure("api/leaderboards/submit", { board: BOARD_ID, score: 10_000_000, attempt: randomUUID() }),
    ).toMatchObject({
      code: "functions/invalid-argument",
      details: { reason: "score-out-of-bounds", field: "score" },
    });
    expect(await failure("admin/store/define", LATE_PRODUCT)).toMatchObject({
      code: "functions/permission-denied",
      details: { reason: "not-an-admin" },
    });
    expect(
      await failure(
        "admin/store/define",
        { id: "x", product: { title: "x", grant: { coins: { DOUBLOON: 1 } } } },
        operator,
      ),
    ).toMatchObject({
      code: "functions/invalid-argument",
      details: { reason: "unknown-currency" },
    });
  });

  test("that nobody is signed in", async () => {
    const response = await fetch(
      `http://${connection.hosts.functions}/${connection.project}/us-central1/api/ledger/wallet`,
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ data: {} }),
      },
    );
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      error: { status: "UNAUTHENTICATED", details: { reason: "not-signed-in" } },
    });
  });

  test("nothing about what went wrong inside", async () => {
    await backend.firestore.doc("leaderboards/broken").set({ title: 7 });
    expect(await failure("api/leaderboards/page", { board: "broken", period: "daily" })).toEqual({
      code: "functions/internal",
      details: { reason: "internal" },
    });
  });
});

describe("a webhook", () => {
  const post = (body: string, headers: Record<string, string> = {}, path = "") =>
    fetch(`${connection.webhookUrl}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  const authorization = connection.secrets.webhookAuthorization;

  test("with the wrong header is answered 401", async () => {
    for (const headers of [{}, { authorization: "wrong" }]) expect((await post("{}", headers)).status).toBe(401);
  });

  test("with a malformed body is answered 400, naming the field", async () => {
    const response = await post(JSON.stringify({ event: { type: "RENEWAL", id: "x" } }), { authorization });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { reason: "invalid-input", field: "event.event_timestamp_ms" },
    });
    expect((await post("{", { authorization })).status).toBe(400);
  });

  test("of nobody we know is answered 404, and anything but POST 405", async () => {
    expect((await post("{}", { authorization }, "-of-somebody-else")).status).toBe(404);
    expect((await fetch(connection.webhookUrl)).status).toBe(405);
  });
});

test("apps cannot read or write the database directly", async () => {
  const { host, project } = { host: connection.hosts.firestore, project: connection.project };
  for (const path of ["accounts", "transactions", "catalog", "users"]) {
    const response = await fetch(`http://${host}/v1/projects/${project}/databases/(default)/documents/${path}/x`);
    expect(response.status).toBe(403);
  }
});
