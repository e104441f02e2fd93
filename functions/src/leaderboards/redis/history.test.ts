import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type * as z from "zod";
import { useBackend } from "../../../testing/backend.ts";
import { hasRedis, type RedisServer, startRedis } from "../../../testing/redis.ts";
import { profiles } from "../../identity/records.ts";
import { forget, forgetAll } from "../../platform/cache.ts";
import { setClock } from "../../platform/clock.ts";
import { timestamp } from "../../platform/firestore.ts";
import { disconnect, setRedisTimeout } from "../../platform/redis.ts";
import { boardOf, cacheKey } from "../board.ts";
import { PageRequest, RanksRequest, type Row, StandingRequest } from "../contract.ts";
import { defineBoard } from "../define.ts";
import { count } from "../histogram.ts";
import { page } from "../page.ts";
import { seasonAt } from "../periods.ts";
import type { Scope } from "../place.ts";
import { setExactBound } from "../rank.ts";
import { ranks } from "../ranks.ts";
import { boards, histograms } from "../records.ts";
import { BoardSettings } from "../settings.ts";
import { standing } from "../standing.ts";
import { store } from "../store.ts";
import { withdraw } from "../withdraw.ts";
import { rebuild } from "./rebuild.ts";
import { BoardTask } from "./tasks.ts";

/** Random histories of a board against a plain sorted array, with Redis, without it, and while it is built. */

const DAY = 86_400_000;
const BEGIN = Date.parse("2026-11-20T10:00:00Z");
const PERIODS = ["daily", "allTime"] as const;
const COUNTRIES = ["DE", "FR"];
const BOUND = 10;
const RUNS = Number(process.env.RUNS ?? 5);
const countryOf = (player: number) => COUNTRIES[player % COUNTRIES.length] ?? "";
const PLAYERS = Array.from({ length: 30 }, (_, i) => `player-${String(i).padStart(2, "0")}`);

type Period = (typeof PERIODS)[number];
type Settings = z.output<typeof BoardSettings>;

interface Submitted {
  readonly player: string;
  readonly score: number;
  readonly sub: number;
  readonly of: number;
  readonly country: string;
  readonly at: number;
}

/** What everybody must agree with: all submissions, and nothing else. */
class Model {
  readonly #settings: Settings;
  #all: Submitted[] = [];
  /** When anything happened that can move ranks. */
  readonly changes: number[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  add(one: Submitted): void {
    this.#all.push(one);
    this.changes.push(one.at);
  }

  remove(player: string, at: number): void {
    this.#all = this.#all.filter((one) => one.player !== player);
    this.changes.push(at);
  }

  /** Players by rank. */
  ranked(period: Period, scope: Scope, now: number) {
    const day = Math.floor(now / DAY);
    const season = this.#all.filter(({ at }) => period === "allTime" || Math.floor(at / DAY) === day);
    const rows = [...Map.groupBy(season, ({ player }) => player)].map(([player, submitted]) => ({
      ...this.#reached(submitted),
      player,
      // The country is that of the first score of a season.
      country: submitted[0]?.country ?? "",
      count: submitted.length,
    }));
    const { policy, minimumSample } = this.#settings;
    return rows
      .filter(({ count: times }) => policy !== "ratio" || times >= minimumSample)
      .filter(({ country }) => scope.kind === "global" || scope.id === country)
      .sort((a, b) => this.#compare(a, b) || a.at - b.at || (a.player < b.player ? -1 : 1));
  }

  #compare(a: { score: number; sub: number }, b: { score: number; sub: number }): number {
    const { order, subscore } = this.#settings;
    const byScore = order === "ascending" ? a.score - b.score : b.score - a.score;
    if (byScore !== 0 || subscore === "none") return byScore;
    return subscore === "ascending" ? a.sub - b.sub : b.sub - a.sub;
  }

  #reached(submitted: readonly Submitted[]): { score: number; sub: number; at: number } {
    const [first] = submitted as [Submitted];
    const last = submitted.at(-1) ?? first;
    const sum = submitted.reduce((all, { score }) => all + score, 0);
    switch (this.#settings.policy) {
      case "best":
        return submitted.reduce((best, one) => (this.#compare(one, best) < 0 ? one : best));
      case "last":
        return last;
      case "ratio": {
        const parts = Math.round((sum / submitted.reduce((all, { of }) => all + of, 0)) * 1_000_000);
        return { ...last, score: parts };
      }
      case "decrement":
        return { ...last, score: 0 - sum };
      default:
        return { ...last, score: sum };
    }
  }
}

const settings = fc
  .record({
    policy: fc.constantFrom("best", "last", "sum", "increment", "decrement", "ratio"),
    order: fc.constantFrom("ascending", "descending"),
    subscore: fc.constantFrom("none", "ascending", "descending"),
  })
  .map((chosen) =>
    BoardSettings.parse({
      ...chosen,
      title: "A board",
      timeZone: "Etc/UTC",
      minScore: chosen.policy === "increment" || chosen.policy === "decrement" ? 0 : -5,
      maxScore: 5,
      minimumSample: 2,
      periods: [...PERIODS],
      scopes: ["country"],
      pageSize: 7,
    }),
  );

type Step =
  | { kind: "submit"; many: { player: number; score: number; sub: number; of: number }[] }
  | { kind: "withdraw"; player: number }
  | { kind: "wait"; millis: number }
  | { kind: "wipe" | "task" };

const submitting: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant("submit" as const),
  many: fc.array(
    fc.record({
      player: fc.nat({ max: PLAYERS.length - 1 }),
      score: fc.integer({ min: 0, max: 5 }),
      sub: fc.integer({ min: -2, max: 2 }),
      of: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 5, maxLength: 25 },
  ),
});
const ordinary: fc.Arbitrary<Step>[] = [
  submitting,
  fc.record({ kind: fc.constant("withdraw" as const), player: fc.nat({ max: PLAYERS.length - 1 }) }),
  fc.record({ kind: fc.constant("wait" as const), millis: fc.constantFrom(1, 700_000, DAY) }),
];
const calm = fc.array(fc.oneof(...ordinary), { minLength: 4, maxLength: 12 });
const rough = fc.array(
  fc.oneof(
    ...ordinary,
    submitting,
    fc.constant<Step>({ kind: "wipe" }),
    fc.constant<Step>({ kind: "task" }),
    fc.constant<Step>({ kind: "task" }),
  ),
  { minLength: 6, maxLength: 20 },
);

describe.skipIf(!hasRedis)(`a board${hasRedis ? "" : " (skipped: redis-server is not installed)"}`, () => {
  const backend = useBackend();
  let server: RedisServer;
  let client: Redis;
  let time = BEGIN;
  let restore = () => {};

  beforeAll(async () => {
    server = await startRedis();
    setRedisTimeout(10_000);
    client = new Redis(server.port);
    const at = timestamp(BEGIN);
    const rest = { state: "active" as const, version: 1, createdAt: at, updatedAt: at };
    await Promise.all(
      PLAYERS.map((id, i) =>
        profiles()
          .doc(id)
          .set({ handle: id, country: countryOf(i), ...rest }),
      ),
    );
  });
  afterEach(async () => {
    restore();
    process.env.REDIS_URL = "";
    await disconnect();
  });
  afterAll(() => {
    client.disconnect();
    server.kill();
  });

  /** A new board whose clock starts anew. */
  async function begin(given: Settings, withRedis: boolean): Promise<{ id: string; model: Model }> {
    restore();
    time = BEGIN;
    const resetClock = setClock(() => time);
    const resetBound = setExactBound(BOUND);
    restore = () => {
      resetClock();
      resetBound();
    };
    process.env.REDIS_URL = withRedis ? server.url : "";
    const id = `board-${randomUUID()}`;
    await defineBoard({ uid: "operator" }, { id, board: given });
    // What a board says is read once in a while.
    await boardOf(id);
    return { id, model: new Model(given) };
  }

  /** Lets the slots of seasons that are over be used again, as closing them does. */
  async function closeOver(id: string): Promise<void> {
    const { number } = seasonAt("daily", time, await boardOf(id));
    await boards()
      .doc(id)
      .update({ closedThrough: { daily: number - 1 } });
    await forget(cacheKey(id));
    await boardOf(id);
  }

  async function take(id: string, model: Model, given: Settings, step: Step): Promise<void> {
    switch (step.kind) {
      case "submit":
        return await submitAll(id, model, given, step.many);
      case "withdraw": {
        const uid = PLAYERS[step.player] ?? "";
        time++;
        await withdraw({ uid }, { board: id });
        return model.remove(uid, time);
      }
      case "wait":
        time += step.millis;
        return await closeOver(id);
      case "wipe":
        await client.flushall();
        return;
      case "task":
        return await runOne(id);
    }
  }

  async function submitAll(id: string, model: Model, given: Settings, many: (Step & { kind: "submit" })["many"]) {
    const board = await boardOf(id);
    const waiting: Promise<unknown>[] = [];
    // A player's second submission of the same moment has to come after the first.
    for (const round of [...Map.groupBy(many, ({ player }) => player).values()].flat()) {
      time += round.score % 2;
      const { score, sub, of } = round;
      const [player, country] = [PLAYERS[round.player] ?? "", countryOf(round.player)];
      const entering = {
        player,
        attempt: randomUUID(),
        score,
        at: time,
        now: time,
        ...(given.policy === "ratio" ? { of } : {}),
        ...(given.subscore === "none" ? {} : { sub }),
      };
      model.add({ player, score, sub, of, country, at: time });
      waiting.push(store({ id, board, entering, caller: { uid: player } }) ?? Promise.reject());
    }
    await Promise.all(waiting);
  }

  const done = new Set<string>();

  /** One task of the board, in small steps. */
  async function runOne(id: string): Promise<void> {
    const next = backend.tasks.find(({ name, data }) => !done.has(name) && (data as { board: string }).board === id);
    if (!next) return;
    done.add(next.name);
    const task = BoardTask.parse(next.data);
    if (task.kind === "rebuild") await rebuild(task, { pageSize: 4, pagesATask: 2 });
    if (task.kind === "count") await count(task, BOUND, 6);
    forgetAll();
  }

  const views = PERIODS.flatMap((period) =>
    [{ kind: "global" as const }, { kind: "country" as const, id: "DE" }].map((scope) => ({ period, scope })),
  );

  /** All pages of a view. */
  async function turned(id: string, view: (typeof views)[number]): Promise<Row[]> {
    const rows: Row[] = [];
    let cursor: string | undefined;
    for (let i = 0; i < PLAYERS.length; i++) {
      const shown = await page(
        { uid: "reader" },
        PageRequest.parse({ board: id, ...view, ...(cursor === undefined ? {} : { cursor }) }),
      );
      rows.push(...shown.rows);
      cursor = shown.nextCursor;
      if (cursor === undefined) break;
    }
    return rows;
  }

  const face = (rows: readonly (Omit<Row, "rank" | "name"> | { player: string; score: number; at: number })[]) =>
    rows.map(({ player, score, at }) => [player, score, at]);

  /** What everybody sees is what the model says. @param slack by how much ranks above the bound may be off */
  async function agree(id: string, model: Model, view: (typeof views)[number], slack: number): Promise<void> {
    const expected = model.ranked(view.period, view.scope, time);
    const rows = await turned(id, view);
    expect(face(rows)).toEqual(face(expected));
    expect(rows.map(({ rank }) => rank)).toEqual(expected.map((_, i) => i + 1));
    const named = await ranks({ uid: "reader" }, RanksRequest.parse({ board: id, ...view, players: PLAYERS }));
    expect(named.rows.map(({ player }) => player)).toEqual(
      PLAYERS.filter((id) => expected.some((o) => o.player === id)),
    );
    const at = new Map(expected.map(({ player }, i) => [player, i + 1]));
    for (const row of named.rows) isRight(row.rank, at.get(row.player), { slack, isExact: !row.approximate });
    for (const [i, { player, score }] of [...expected.entries()].filter(([place]) => place % 4 === 1)) {
      const request = StandingRequest.parse({ board: id, ...view, neighbours: 3 });
      const stands = await standing({ uid: player }, request);
      const around = expected.slice(Math.max(0, i - 3), i + 4);
      expect(stands).toMatchObject({ score, bests: { [view.period]: { score } } });
      expect(face(stands.neighbours)).toEqual(face(around));
      const isExact = !stands.approximate;
      isRight(stands.rank, i + 1, { slack, isExact: isExact || i < BOUND });
      isRight(stands.of, expected.length, { slack, isExact: isExact || expected.length < BOUND });
      const first = stands.neighbours[0]?.rank ?? 0;
      expect(stands.neighbours.map(({ rank }) => rank - first)).toEqual(around.map((_, place) => place));
    }
  }

  function isRight(
    given: number | undefined,
    right: number | undefined,
    { slack, isExact }: { slack: number; isExact: boolean },
  ) {
    if (isExact) expect(given).toBe(right);
    else expect(Math.abs((given ?? 0) - (right ?? 0))).toBeLessThanOrEqual(slack);
  }

  test("of any kind, with Redis: every page, rank and neighbourhood is right, and costs no read", async () => {
    await fc.assert(
      fc.asyncProperty(settings, calm, async (given, steps) => {
        const { id, model } = await begin(given, true);
        for (const step of steps) {
          await take(id, model, given, step);
          const { bill } = await backend.billed(async () => {
            for (const view of views) await agree(id, model, view, 0);
          });
          expect(bill.reads).toBe(0);
        }
      }),
      { numRuns: RUNS },
    );
  }, 300_000);

  test("of any kind, while Redis is wiped and built again between submissions: right all the time, ranks above the bound within the error", async () => {
    await fc.assert(
      fc.asyncProperty(settings, rough, async (given, steps) => {
        const { id, model } = await begin(given, true);
        for (const [i, step] of steps.entries()) {
          await take(id, model, given, step);
          for (const view of views.slice(i % 2, (i % 2) + 2))
            await agree(id, model, view, await slackOf(id, model, view));
        }
        // Once all tasks have run, Redis answers again.
        time += 700_000;
        for (const view of views) await agree(id, model, view, await slackOf(id, model, view));
        for (let i = 0; i < 200; i++) await runOne(id);
        await boardOf(id);
        const { bill } = await backend.billed(async () => {
          for (const view of views) await agree(id, model, view, 0);
        });
        expect(bill.reads).toBe(0);
      }),
      { numRuns: RUNS },
    );
  }, 300_000);

  test("of any kind, without Redis: pages and neighbourhoods right, ranks above the bound within the error", async () => {
    await fc.assert(
      fc.asyncProperty(settings, rough, async (given, steps) => {
        const { id, model } = await begin(given, false);
        for (const [i, step] of steps.entries()) {
          await take(id, model, given, step);
          for (const view of views.slice(i % 2, (i % 2) + 2))
            await agree(id, model, view, await slackOf(id, model, view));
        }
      }),
      { numRuns: RUNS },
    );
  }, 300_000);

  /** How many submissions and withdrawals there were since the view was counted; all, if it never was. */
  async function slackOf(id: string, model: Model, { period, scope }: (typeof views)[number]): Promise<number> {
    const season = period === "allTime" ? "all" : new Date(time).toISOString().slice(0, 10);
    const suffix = scope.kind === "global" ? "" : `:c:${scope.id}`;
    const since = (await histograms(id).doc(`${period}-${season}${suffix}`).get()).data()?.done?.since.toMillis();
    return since === undefined ? PLAYERS.length : model.changes.filter((at) => at >= since).length;
  }
});
