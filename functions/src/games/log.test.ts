import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { appends, finishes, GAME, starts } from "../../testing/games.ts";
import { now, setClock } from "../platform/clock.ts";
import { parseInput } from "../platform/endpoint.ts";
import { timestamp } from "../platform/firestore.ts";
import { EventsRequest } from "./contract.ts";
import { readLog } from "./read-log.ts";
import { chunkId, chunks, sessions } from "./records.ts";

const backend = useBackend();
const operator = someone();
const log = async (request: object) => readLog(operator, parseInput(EventsRequest, request));

let restoreClock: () => void = () => undefined;
afterEach(() => restoreClock());

describe("a part of the log", () => {
  test("is kept once for its number, and repeated is answered as before, even when the session is over", async () => {
    const { uid } = someone();
    const { session } = await starts(uid);
    const request = { session, chunk: 0, events: [{ at: 1, hits: 2 }, "end"] };
    const first = await Promise.all(Array.from({ length: 5 }, () => appends(uid, request)));
    await finishes(uid, { session, score: 1 });
    const again = await appends(uid, { ...request, events: [{ hits: 2, at: 1 }, "end"] });
    for (const one of first) expect(one).toEqual(again);
    expect((await chunks(session).get()).size).toBe(1);
  });

  test("is refused with other events than before, and of a session that is over or another's", async () => {
    const [ada, bo] = [someone(), someone()];
    const { session } = await starts(ada.uid);
    await appends(ada.uid, { session, chunk: 3, events: [1] });
    const refused = (uid: string, chunk: number, events: unknown[]) =>
      appends(uid, { session, chunk, events }).then(
        () => undefined,
        ({ reason }: { reason: string }) => reason,
      );
    expect(await refused(ada.uid, 3, [2])).toBe("chunk-differs");
    expect(await refused(bo.uid, 3, [1])).toBe("unknown-session");
    restoreClock = setClock(now() + 7_200_000);
    expect(await refused(ada.uid, 4, [1])).toBe("session-expired");
    expect(await refused(ada.uid, 3, [1])).toBeUndefined();
    restoreClock();
    await finishes(ada.uid, { session, score: 1 });
    expect(await refused(ada.uid, 4, [1])).toBe("session-finished");
  });

  test("is bounded in what it holds and how many there are, even if it compresses to nothing", async () => {
    const { uid } = someone();
    const { session } = await starts(uid);
    const bomb = Array.from({ length: 100 }, () => "0".repeat(10_000));
    await expect(appends(uid, { session, chunk: 0, events: bomb })).rejects.toMatchObject({
      reason: "chunk-too-large",
    });
    for (const wrong of [
      { chunk: 100, events: [1] },
      { chunk: -1, events: [1] },
      { chunk: 0, events: [] },
      { chunk: 0, events: Array(10_001).fill(0) },
    ]) {
      await expect(appends(uid, { session, ...wrong })).rejects.toMatchObject({ reason: "invalid-input" });
    }
    await appends(uid, { session, chunk: 99, events: [1] });
    expect((await chunks(session).get()).docs.map(({ id }) => id)).toEqual(["99"]);
  });

  test("costs 2 reads and 1 write, and again 2 reads", async () => {
    const { uid } = someone();
    const { session } = await starts(uid);
    const act = () => appends(uid, { session, chunk: 0, events: [1] });
    expect((await backend.billed(act)).bill).toEqual({ reads: 2, writes: 1, deletes: 0 });
    expect((await backend.billed(act)).bill).toEqual({ reads: 2, writes: 0, deletes: 0 });
  });
});

describe("what operators see of a session", () => {
  test("is all that happened, in order, page by page", async () => {
    const { uid } = someone();
    const { session } = await starts(uid);
    const numbers = [0, 1, 2, 9, 10, 11];
    for (const chunk of numbers.toReversed()) await appends(uid, { session, chunk, events: [{ chunk }] });
    await finishes(uid, { session, score: 40, events: { chunk: 99, events: ["end"] } });
    const seen: unknown[] = [];
    let cursor: number | undefined;
    for (let page = 0; page < 10; page++) {
      const { result, bill } = await backend.billed(() => log({ session, limit: 2, cursor }));
      expect(result).toMatchObject({ user: uid, game: GAME, state: "finished", score: 40 });
      expect(bill.reads).toBe(1 + Math.max(1, result.chunks.length));
      seen.push(...result.chunks.flatMap(({ events }) => events));
      cursor = result.nextCursor;
      if (cursor === undefined) break;
    }
    expect(seen).toEqual([...numbers.map((chunk) => ({ chunk })), "end"]);
  });

  test("is refused for what is no session, and says of one that has run out that it has", async () => {
    await expect(log({ session: "nothing" })).rejects.toMatchObject({ reason: "unknown-session" });
    const { session } = await starts(someone().uid);
    restoreClock = setClock(now() + 7_200_000);
    expect(await log({ session })).toMatchObject({ state: "expired", chunks: [] });
  });

  test("is nothing that was left from an earlier session under the same key, and that is in nobody's way", async () => {
    const { uid } = someone();
    const key = "the same key";
    const { session } = await starts(uid, { key });
    await appends(uid, { session, chunk: 0, events: ["old"] });
    await appends(uid, { session, chunk: 1, events: ["old"] });
    await sessions().doc(session).delete();
    restoreClock = setClock(now() + 8 * 86_400_000);
    expect((await starts(uid, { key })).session).toBe(session);
    await appends(uid, { session, chunk: 1, events: ["new"] });
    expect((await log({ session, limit: 5 })).chunks).toMatchObject([{ chunk: 1, events: ["new"] }]);
  });

  test("fails where somebody has put a bomb, instead of unfolding it", async () => {
    const { session, startedAt } = await starts(someone().uid);
    const at = timestamp(startedAt);
    await chunks(session)
      .doc(chunkId(0))
      .set({ print: "", zipped: gzipSync(Buffer.alloc(100_000_000)), at, startedAt: at, keptUntil: at });
    await expect(log({ session })).rejects.toMatchObject({ code: "ERR_BUFFER_TOO_LARGE" });
  });
});
