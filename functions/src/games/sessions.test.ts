import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { appends, BOARD, finishes, GAME, starts } from "../../testing/games.ts";
import { now, setClock } from "../platform/clock.ts";
import { verifyToken } from "./index.ts";
import { MAX_OPEN, play, sessions } from "./records.ts";
import { MAX_PER_DAY } from "./start.ts";

const backend = useBackend();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let restoreClock: () => void = () => undefined;
afterEach(() => restoreClock());

/** As if time had passed since now. */
function later(millis: number): void {
  const at = now() + millis;
  restoreClock();
  restoreClock = setClock(at);
}

const stored = async (id: string) => (await sessions().doc(id).get()).data();

describe("starting", () => {
  test("opens a session and gives its token, for two hours if nothing else is asked for", async () => {
    later(0);
    const at = now();
    const { uid } = someone();
    const { session, token, startedAt, expiresAt } = await starts(uid);
    expect([startedAt, expiresAt]).toEqual([at, at + 2 * HOUR]);
    expect(verifyToken(token, { user: uid, board: BOARD })).toEqual({ session, startedAt, expiresAt });
    const record = await stored(session);
    expect(record).toMatchObject({ user: uid, game: GAME, board: BOARD, state: "open" });
    expect(record?.expiresAt.toMillis()).toBe(at + 7 * DAY);
    expect(await starts(uid, { lifetimeSeconds: 60 })).toMatchObject({ expiresAt: at + 60_000 });
  });

  test("happens once under a key, however often and however many at once ask", async () => {
    const { uid } = someone();
    const key = randomUUID();
    const all = await Promise.all(Array.from({ length: 8 }, () => starts(uid, { key })));
    const again = await starts(uid, { key });
    for (const one of all) expect(one).toEqual(again);
    expect((await play(uid).get()).data()).toMatchObject({ today: 1, latest: [{ session: again.session }] });
  });

  test("refuses a key that was used for something else, and takes the same key from somebody else", async () => {
    const [ada, bo] = [someone(), someone()];
    const key = randomUUID();
    const { session } = await starts(ada.uid, { key });
    for (const other of [{ game: "chess" }, { board: "other" }, { board: undefined }, { lifetimeSeconds: 60 }]) {
      await expect(starts(ada.uid, { key, ...other })).rejects.toMatchObject({ reason: "idempotency-key-reused" });
    }
    expect((await starts(bo.uid, { key })).session).not.toBe(session);
  });

  test.each([
    { lifetimeSeconds: 59 },
    { lifetimeSeconds: 86_401 },
    { game: "a/b" },
    { game: "__x__" },
    { key: "short" },
  ])("is refused for %j", async (request) => {
    await expect(starts(someone().uid, request)).rejects.toMatchObject({ reason: "invalid-input" });
  });

  test("costs 1 read and 2 writes, and again 2 reads", async () => {
    const { uid } = someone();
    const key = randomUUID();
    const { bill } = await backend.billed(() => starts(uid, { key }));
    expect(bill).toEqual({ reads: 1, writes: 2, deletes: 0 });
    expect((await backend.billed(() => starts(uid, { key }))).bill).toEqual({ reads: 2, writes: 0, deletes: 0 });
  });
});

describe("of a user's sessions", () => {
  const begin = async (uid: string, count: number) => {
    const begun = [];
    for (let i = 0; i < count; i++) begun.push((await starts(uid)).session);
    return begun;
  };
  const append = (uid: string, session: string) => appends(uid, { session, chunk: 0, events: [1] });

  test("five are open at a time: the next closes the oldest, and only that", async () => {
    const { uid } = someone();
    const [oldest = "", ...others] = await begin(uid, MAX_OPEN);
    const { bill } = await backend.billed(() => starts(uid));
    expect(bill).toEqual({ reads: 1 + MAX_OPEN, writes: 3, deletes: 0 });
    await expect(append(uid, oldest)).rejects.toMatchObject({ reason: "too-many-sessions" });
    await expect(finishes(uid, { session: oldest, score: 1 })).rejects.toMatchObject({ reason: "too-many-sessions" });
    for (const session of others) await append(uid, session);
    expect((await stored(oldest))?.state).toBe("expired");
  });

  test("those that are finished or have run out make room by themselves", async () => {
    const { uid } = someone();
    const begun = await begin(uid, MAX_OPEN);
    const [oldest = "", second = ""] = begun;
    await finishes(uid, { session: second, score: 1 });
    const sixth = await backend.billed(() => begin(uid, 1));
    expect(sixth.bill).toEqual({ reads: 1 + MAX_OPEN, writes: 2, deletes: 0 });
    expect((await stored(oldest))?.state).toBe("open");
    later(3 * HOUR);
    const afterwards = await backend.billed(() => begin(uid, 1));
    expect(afterwards.bill).toEqual({ reads: 1, writes: 2, deletes: 0 });
    for (const session of begun) expect((await stored(session))?.state).not.toBe("expired");
  });

  test("never more than five are open, however many are begun at once", async () => {
    const { uid } = someone();
    await Promise.all(Array.from({ length: 12 }, () => starts(uid)));
    const { docs } = await sessions().where("user", "==", uid).get();
    const open = docs.filter((document) => document.data().state === "open");
    expect([docs.length, open.length]).toEqual([12, MAX_OPEN]);
  });

  test("so many can be begun in a day, and again the next; what was begun is told even then", async () => {
    restoreClock = setClock(Date.UTC(2026, 4, 1, 23, 59, 30));
    const { uid } = someone();
    const key = randomUUID();
    const first = await starts(uid, { key });
    await play(uid).update({ today: MAX_PER_DAY });
    await expect(starts(uid)).rejects.toMatchObject({
      reason: "rate-limited",
      details: { limit: MAX_PER_DAY, remaining: 0, retryAfter: 30 },
    });
    expect(await starts(uid, { key })).toEqual(first);
    later(30_000);
    await starts(uid);
    expect((await play(uid).get()).data()).toMatchObject({ today: 1, day: "2026-05-02" });
  });
});

describe("finishing", () => {
  test("closes a session with its score, and tells the same however often it is asked", async () => {
    const { uid } = someone();
    const { session, startedAt } = await starts(uid);
    later(5_000);
    const request = { session, score: 1_200, events: { chunk: 0, events: [{ at: 5, hit: "rock" }] } };
    const result = await finishes(uid, request);
    expect(result).toEqual({ session, game: GAME, board: BOARD, score: 1_200, startedAt, finishedAt: now() });
    later(3 * DAY);
    expect(await finishes(uid, request)).toEqual(result);
  });

  test("refuses another score and other events than it was finished with", async () => {
    const { uid } = someone();
    const { session } = await starts(uid);
    await finishes(uid, { session, score: 7 });
    await expect(finishes(uid, { session, score: 8 })).rejects.toMatchObject({ reason: "score-differs" });
    const more = { chunk: 0, events: [1] };
    await expect(finishes(uid, { session, score: 7, events: more })).rejects.toMatchObject({ reason: "chunk-differs" });
  });

  test("keeps what was sent of the log: its last part cannot replace another, and the session stays open", async () => {
    const { uid } = someone();
    const { session } = await starts(uid);
    const events = { chunk: 0, events: ["kept"] };
    await appends(uid, { session, ...events });
    const other = { session, score: 1, events: { chunk: 0, events: ["other"] } };
    await expect(finishes(uid, other)).rejects.toMatchObject({ reason: "chunk-differs" });
    expect((await stored(session))?.state).toBe("open");
    await finishes(uid, { session, score: 1, events });
  });

  test("by many at once with scores of their own leaves one score", async () => {
    const { uid } = someone();
    const { session } = await starts(uid);
    const all = await Promise.allSettled(Array.from({ length: 8 }, (_, score) => finishes(uid, { session, score })));
    const [won, ...others] = all.filter(({ status }) => status === "fulfilled");
    expect(others).toEqual([]);
    expect(won).toMatchObject({ value: { score: (await stored(session))?.score } });
    for (const one of all.filter((other) => other !== won)) {
      expect(one).toMatchObject({ reason: { reason: "score-differs" } });
    }
  });

  test("is for a session of one's own that lasts", async () => {
    const [ada, bo] = [someone(), someone()];
    const { session } = await starts(ada.uid);
    await expect(finishes(bo.uid, { session, score: 1 })).rejects.toMatchObject({ reason: "unknown-session" });
    await expect(finishes(ada.uid, { session: "nothing", score: 1 })).rejects.toMatchObject({
      reason: "unknown-session",
    });
    later(2 * HOUR);
    await expect(finishes(ada.uid, { session, score: 1 })).rejects.toMatchObject({ reason: "session-expired" });
  });

  test("costs 1 read and 1 write, and again 1 read; as much more with events", async () => {
    const { uid } = someone();
    const [one, two] = [await starts(uid), await starts(uid)];
    const finish = () => finishes(uid, { session: one.session, score: 1 });
    expect((await backend.billed(finish)).bill).toEqual({ reads: 1, writes: 1, deletes: 0 });
    expect((await backend.billed(finish)).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
    const whole = () => finishes(uid, { session: two.session, score: 1, events: { chunk: 0, events: [1] } });
    expect((await backend.billed(whole)).bill).toEqual({ reads: 2, writes: 2, deletes: 0 });
    expect((await backend.billed(whole)).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });
});
