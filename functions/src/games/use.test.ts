import { afterEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { BOARD, finishes, starts } from "../../testing/games.ts";
import { now, setClock } from "../platform/clock.ts";
import { transact } from "../platform/firestore.ts";
import { prepareUse } from "./index.ts";
import { MAX_OPEN, sessions } from "./records.ts";
import type { Use } from "./use.ts";

const backend = useBackend();

let restoreClock: () => void = () => undefined;
afterEach(() => restoreClock());

/** What a leaderboard does when a score comes with a token. */
const uses = (token: string, use: Partial<Use> & { user: string }) =>
  transact(async (tx) => {
    const { write, ...prepared } = await prepareUse(tx, token, { board: BOARD, score: 10, attempt: "attempt", ...use });
    write();
    return prepared;
  });

describe("a token", () => {
  test("is used once, of twenty at once", async () => {
    const { uid: user } = someone();
    const { token, session } = await starts(user);
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => uses(token, { user, attempt: `attempt ${i}` })),
    );
    const won = all.findIndex(({ status }) => status === "fulfilled");
    expect((await sessions().doc(session).get()).data()?.use?.attempt).toBe(`attempt ${won}`);
    all.forEach((one, i) => {
      if (i !== won) expect(one).toMatchObject({ reason: { reason: "session-used" } });
    });
  });

  test("used by the same attempt again is told so, and nothing more is written, even after it has run out", async () => {
    const { uid: user } = someone();
    const { token, session, startedAt } = await starts(user);
    expect(await uses(token, { user })).toEqual({ session, startedAt, isRepeated: false });
    restoreClock = setClock(now() + 86_400_000);
    expect(await uses(token, { user })).toEqual({ session, startedAt, isRepeated: true });
    await expect(uses(token, { user, score: 11 })).rejects.toMatchObject({ reason: "attempt-reused" });
    await expect(uses(token, { user, attempt: "another" })).rejects.toMatchObject({ reason: "token-expired" });
  });

  test("of a finished session goes with its score, and tells when it was finished", async () => {
    const { uid: user } = someone();
    const { token, session } = await starts(user);
    const { finishedAt } = await finishes(user, { session, score: 10 });
    await expect(uses(token, { user, score: 11 })).rejects.toMatchObject({ reason: "score-differs" });
    expect(await uses(token, { user })).toMatchObject({ finishedAt });
  });

  test("that was used leaves a session that can be finished with that score only", async () => {
    const { uid: user } = someone();
    const { token, session } = await starts(user);
    await uses(token, { user });
    await expect(finishes(user, { session, score: 11 })).rejects.toMatchObject({ reason: "score-differs" });
    await finishes(user, { session, score: 10 });
    expect(await uses(token, { user })).toMatchObject({ isRepeated: true });
  });

  test("is refused by what it says before, and by what its session says after the session is read", async () => {
    const [{ uid: user }, bo] = [someone(), someone()];
    const { token, session } = await starts(user);
    const refused = async (from: string, use: object = {}) => {
      const refusal = { reason: "" };
      const { bill } = await backend.billed(() =>
        uses(from, { user, ...use }).catch((error: { reason: string }) =>
          Object.assign(refusal, { reason: error.reason }),
        ),
      );
      return [refusal.reason, bill.reads];
    };
    expect(await refused(`${token}A`)).toEqual(["token-invalid", 0]);
    expect(await refused(token, { user: bo.uid })).toEqual(["token-foreign", 0]);
    expect(await refused(token, { board: "other" })).toEqual(["token-foreign", 0]);
    for (let i = 0; i < MAX_OPEN; i++) await starts(user);
    expect(await refused(token)).toEqual(["too-many-sessions", 1]);
    await sessions().doc(session).delete();
    expect(await refused(token)).toEqual(["unknown-session", 1]);
    restoreClock = setClock(now() + 7_200_000);
    expect(await refused(token)).toEqual(["token-expired", 1]);
  });

  test("is not good for a later session under the same key", async () => {
    const { uid: user } = someone();
    const request = { key: "the same key" };
    const { token, session } = await starts(user, request);
    await sessions().doc(session).delete();
    restoreClock = setClock(now() + 1_000);
    const { token: later } = await starts(user, request);
    await expect(uses(token, { user })).rejects.toMatchObject({ reason: "unknown-session" });
    await uses(later, { user });
  });

  test("costs 1 read and 1 write to use, and again 1 read", async () => {
    const { uid: user } = someone();
    const { token } = await starts(user);
    const act = () => uses(token, { user });
    expect((await backend.billed(act)).bill).toEqual({ reads: 1, writes: 1, deletes: 0 });
    expect((await backend.billed(act)).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });
});
