import { randomUUID } from "node:crypto";
import { deleteApp, initializeApp } from "firebase/app";
import { connectFunctionsEmulator, getFunctions, httpsCallable } from "firebase/functions";
import { describe, expect, test, vi } from "vitest";
import { unsignedToken } from "../../../local/tokens.ts";
import { someone, useBackend } from "../../testing/backend.ts";
import { finishes, starts } from "../../testing/games.ts";
import { tellBoards } from "../../testing/people.ts";
import {
  type Fields,
  honest,
  isRatio,
  NOON,
  newBoard,
  type Refused,
  type Scene,
  useRefusals,
} from "../../testing/refusals.ts";
import { MAX_OPEN } from "../games/records.ts";
import { signToken } from "../games/token.ts";
import { myProfile } from "../identity/own.ts";
import { ban } from "../identity/sanction.ts";
import { SubmitRequest } from "./contract.ts";
import { submit } from "./submit.ts";

vi.hoisted(() => {
  // As the functions emulator sets them; the SDK looks when it is loaded.
  process.env.FIREBASE_DEBUG_MODE = "true";
  process.env.FIREBASE_DEBUG_FEATURES = JSON.stringify({ skipTokenVerification: true });
});

/** What boards refuse, each as it comes over the wire, with its reason; and nothing changes, neither in Firestore nor in Redis. */
const refusals = useRefusals(useBackend());
const { call, clock, expectRefused, expectUnchanged, testAll } = refusals;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const OLGA = someone("Olga");

const int64 = (value: string) => `{"@type":"type.googleapis.com/google.protobuf.Int64Value","value":"${value}"}`;
/** Numbers that are none, as JSON and the protocol of callable functions can carry them. */
const NO_NUMBERS = {
  "above all numbers": "1e999",
  "below all numbers": "-1e999",
  "NaN as a text": '"NaN"',
  "Infinity as a text": '"Infinity"',
  "NaN as a 64-bit number": int64("NaN"),
  "a 64-bit number that is infinite": int64("1e999"),
  "a number as a text": '"50"',
  null: "null",
  "a list": "[50]",
  "not whole": "0.5",
  "not safe": "9007199254740992",
  "not safe, below": "-9007199254740992",
  "very large": "1.7976931348623157e308",
};

describe.each([
  ["score", {}],
  ["subscore", { subscore: "descending" }],
  ["of", { policy: "ratio" }],
  ["playedAt", {}],
])("%s", (field, settings) => {
  testAll(
    Object.fromEntries(
      Object.entries(NO_NUMBERS).map(([name, value]) => [
        name,
        {
          settings,
          reason: "invalid-input",
          field,
          fields: { of: isRatio(settings) ? "5" : undefined, [field]: value },
        },
      ]),
    ),
  );
});

describe("out of range:", () => {
  const settings = { minScore: -10, maxScore: 1_000, subscore: "descending", minSubscore: 0, maxSubscore: 60 };
  const reason = "score-out-of-bounds";
  testAll({
    "a score above the board's": { reason, field: "score", settings, fields: { score: "1001" } },
    "a score below the board's": { reason, field: "score", settings, fields: { score: "-11" } },
    "a subscore above the board's": { reason, field: "subscore", settings, fields: { subscore: "61" } },
    "a subscore below the board's": { reason, field: "subscore", settings, fields: { subscore: "-1" } },
    "a sum that is no safe number": {
      reason,
      field: "score",
      settings: { policy: "sum", maxScore: Number.MAX_SAFE_INTEGER },
      fields: { score: String(Number.MAX_SAFE_INTEGER) },
    },
    "a stake of nothing": { reason: "invalid-input", field: "of", settings: { policy: "ratio" }, fields: { of: "0" } },
  });
});

describe("what the board does not rank:", () => {
  testAll({
    "a score that is not there": { reason: "invalid-input", field: "score", fields: { score: undefined } },
    "a subscore where there is none": { reason: "invalid-input", field: "subscore", fields: { subscore: "1" } },
    "a stake where there is none": { reason: "invalid-input", field: "of", fields: { of: "5" } },
    "a ratio without a stake": { reason: "invalid-input", field: "of", settings: { policy: "ratio" }, fields: {} },
  });
});

describe("when it was played:", () => {
  const late = { late: { acceptSeconds: 60 } };
  const played = (at: number): Fields => ({ playedAt: String(at) });
  const MIDNIGHT = NOON + 12 * HOUR;
  testAll({
    "in the future": { reason: "score-in-the-future", field: "playedAt", fields: played(NOON + HOUR) },
    "at the end of time": {
      reason: "score-in-the-future",
      field: "playedAt",
      fields: played(Number.MAX_SAFE_INTEGER),
    },
    "at its beginning": { reason: "too-late", field: "playedAt", fields: played(Number.MIN_SAFE_INTEGER) },
    "on the day before": { reason: "too-late", field: "playedAt", fields: played(NOON - DAY) },
    "on the day before, and sent a moment after it takes no more": {
      reason: "too-late",
      field: "playedAt",
      settings: late,
      fields: async () => {
        clock.time = MIDNIGHT + MINUTE;
        return played(MIDNIGHT - 1);
      },
    },
    "eight days ago, where all days count": {
      reason: "too-late",
      field: "playedAt",
      settings: { periods: ["allTime"] },
      fields: played(NOON - 8 * DAY),
    },
  });
});

describe("an attempt", () => {
  testAll({
    "that had another score": {
      reason: "attempt-reused",
      field: "attempt",
      fields: { attempt: '"first-attempt"', score: "51" },
    },
    "that had another subscore": {
      reason: "attempt-reused",
      field: "attempt",
      settings: { subscore: "ascending" },
      fields: { attempt: '"first-attempt"', subscore: "1" },
    },
    "that waits for its review with another score": {
      reason: "attempt-reused",
      field: "attempt",
      settings: { review: { beyond: 100 } },
      fields: async ({ board, ada }) => {
        const attempt = '"second-attempt"';
        await call("submit", honest(board, { attempt, score: "900" }), ada);
        return { attempt, score: "901" };
      },
    },
    "that is one too many": {
      reason: "attempts-used-up",
      settings: { attempts: { period: "daily", max: 1 } },
      fields: {},
    },
    "too many that somebody would have to look at": {
      reason: "attempts-used-up",
      settings: { attempts: { period: "daily", max: 1 }, review: { beyond: 100 } },
      fields: { score: "900" },
    },
    "too short to be told from others": { reason: "invalid-input", field: "attempt", fields: { attempt: '"1234567"' } },
    "too long": { reason: "invalid-input", field: "attempt", fields: { attempt: JSON.stringify("a".repeat(65)) } },
    "with half a character": { reason: "invalid-input", field: "attempt", fields: { attempt: '"attempt \\ud800"' } },
  });
});

describe("metadata", () => {
  const metadata = (json: string): Refused => ({
    reason: "invalid-input",
    field: "metadata",
    fields: { metadata: json },
  });
  const within = (json: string): Refused => ({ ...metadata(json), field: expect.stringMatching(/^metadata/) });
  testAll({
    "larger than a kilobyte": metadata(JSON.stringify({ a: "é".repeat(510) })),
    "that is a text": metadata('"fast"'),
    "that is a list": metadata("[1]"),
    "that is null": metadata("null"),
    "with an infinite number": within('{"a":1e999}'),
    "with a 64-bit number that is none": within(`{"a":${int64("fast")}}`),
    "with something of another type": within('{"a":{"@type":"type.googleapis.com/google.protobuf.Any"}}'),
    "with lists in lists, which no document has": within('{"a":[[1]]}'),
    "deeper than a document may be": within(`{"a":${'{"a":'.repeat(20)}1${"}".repeat(20)}}`),
    "as deep as a stack": within(`{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
    "as deep as a stack, with a 64-bit number in it": within(
      `{"a":${"[".repeat(50_000)}${int64("7")}${"]".repeat(50_000)}}`,
    ),
    "with a name that is empty": within('{"":1}'),
    "with a name that is reserved": within('{"a":{"__name__":1}}'),
    "with the name of a prototype": within('{"a":{"__proto__":{"isAdmin":true}}}'),
    "with half a character": within('{"a":"\\ud800"}'),
  });
});

describe("a session's token", () => {
  const settings = { session: "required" };
  const field = "session";
  /** Of a session that Ada has just begun, or somebody else, or for another board. */
  const tokenOf = async ({ board, ada }: Scene, of: { user?: string; board?: string } = {}) => {
    const started = await starts(of.user ?? ada, { board: of.board ?? board });
    clock.time += MINUTE;
    return started;
  };
  const signed = (token: string): Fields => ({ session: JSON.stringify(token) });
  /** A token with something else in one of its parts. */
  const changed = (token: string, part: number, change: (text: string) => string): Fields =>
    signed(
      token
        .split(".")
        .with(part, change(token.split(".")[part] ?? ""))
        .join("."),
    );
  const richer = (claims: string): string => {
    const [user, board, session, startedAt] = JSON.parse(Buffer.from(claims, "base64url").toString());
    return Buffer.from(JSON.stringify([user, board, session, startedAt, NOON + 9 * DAY])).toString("base64url");
  };
  const jwt = (claims: Readonly<Record<string, unknown>>): Fields => signed(unsignedToken(claims));

  testAll({
    "that is not there": { reason: "session-required", field, settings, fields: {} },
    "where the board wants none": {
      reason: "invalid-input",
      field,
      fields: async (scene) => signed((await tokenOf(scene)).token),
    },
    "that has been used": {
      reason: "session-used",
      settings,
      fields: async (scene) => {
        const { token } = await tokenOf(scene);
        await call("submit", honest(scene.board, { ...signed(token), score: "60" }), scene.ada);
        return { ...signed(token), score: "70" };
      },
    },
    "that has been used by the same attempt with another score": {
      reason: "attempt-reused",
      settings,
      fields: async (scene) => {
        const { token } = await tokenOf(scene);
        const attempt = '"second-attempt"';
        await call("submit", honest(scene.board, { ...signed(token), attempt, score: "60" }), scene.ada);
        return { ...signed(token), attempt, score: "70" };
      },
    },
    "for an attempt of another session": {
      reason: "attempt-reused",
      settings,
      fields: async (scene) => ({ ...signed((await tokenOf(scene)).token), attempt: '"first-attempt"', score: "70" }),
    },
    "that has run out": {
      reason: "token-expired",
      field,
      settings,
      fields: async (scene) => {
        const { token, expiresAt } = await tokenOf(scene);
        clock.time = expiresAt;
        return signed(token);
      },
    },
    "of a session that was closed for others": {
      reason: "too-many-sessions",
      settings,
      fields: async (scene) => {
        const { token } = await tokenOf(scene);
        for (let i = 0; i < MAX_OPEN; i++) await tokenOf(scene);
        return signed(token);
      },
    },
    "of a session that was finished with another score": {
      reason: "score-differs",
      field: "score",
      settings,
      fields: async (scene) => {
        const { token, session } = await tokenOf(scene);
        await finishes(scene.ada, { session, score: 40 });
        return signed(token);
      },
    },
    "of another board": {
      reason: "token-foreign",
      field,
      settings,
      fields: async (scene) => signed((await tokenOf(scene, { board: await newBoard(settings) })).token),
    },
    "of another player": {
      reason: "token-foreign",
      field,
      settings,
      fields: async (scene) => signed((await tokenOf(scene, { user: someone().uid })).token),
    },
    "signed with another key": {
      reason: "token-invalid",
      field,
      settings,
      fields: async (scene) => {
        const { token: _, ...claims } = await tokenOf(scene);
        const keys = process.env.GAME_KEYS;
        process.env.GAME_KEYS = `tests:${Buffer.alloc(32, "another key").toString("base64")}`;
        const forged = signToken({ ...claims, user: scene.ada, board: scene.board });
        process.env.GAME_KEYS = keys;
        return signed(forged);
      },
    },
    "with other claims": {
      reason: "token-invalid",
      field,
      settings,
      fields: async (scene) => changed((await tokenOf(scene)).token, 1, richer),
    },
    "without a signature": {
      reason: "token-invalid",
      field,
      settings,
      fields: async (scene) => changed((await tokenOf(scene)).token, 3, () => ""),
    },
    "with a key of no name": {
      reason: "token-invalid",
      field,
      settings,
      fields: async (scene) => changed((await tokenOf(scene)).token, 2, () => "none"),
    },
    "that is a JWT of the algorithm `none`": {
      reason: "token-invalid",
      field,
      settings,
      fields: async (scene) => {
        const { token: _, ...claims } = await tokenOf(scene);
        return jwt({ ...claims, sub: scene.ada, board: scene.board });
      },
    },
    "longer than any": { reason: "invalid-input", field, settings, fields: signed("A".repeat(2_001)) },
    "with a time of the app's own": {
      reason: "invalid-input",
      field: "playedAt",
      settings,
      fields: async (scene) => ({ ...signed((await tokenOf(scene)).token), playedAt: String(clock.time) }),
    },
    "for more than anybody scores in the time": {
      reason: "implausible-score",
      field: "score",
      settings: { ...settings, maxPerSecond: 1 },
      fields: async (scene) => ({ ...signed((await tokenOf(scene)).token), score: "61" }),
    },
  });
});

describe("a board", () => {
  const TIMES = { opensAt: NOON, closesAt: NOON + HOUR, startsAt: NOON + HOUR, endsAt: NOON + 2 * HOUR };
  const tournament = { periods: ["custom"], tournament: TIMES };
  /** Ada joins, and sends a score at a time. */
  const entered =
    ({ at, playedAt }: { at?: number; playedAt?: number } = {}) =>
    async ({ board, ada }: Scene): Promise<Fields> => {
      const { error } = await call("join", { board: JSON.stringify(board) }, ada);
      expect(error).toBeUndefined();
      clock.time = at ?? clock.time;
      return playedAt === undefined ? {} : { playedAt: String(playedAt) };
    };
  testAll({
    "that there is not": { reason: "unknown-board", fields: { board: '"nowhere"' } },
    "whose name is a path": { reason: "invalid-input", field: "board", fields: { board: '"../users"' } },
    "of groups, of somebody who is in none": {
      reason: "not-in-a-group",
      settings: { owner: "group" },
      isNew: true,
      fields: {},
    },
    "that is a tournament which has not begun": {
      reason: "tournament-not-on",
      settings: tournament,
      isNew: true,
      fields: entered(),
    },
    "that is a tournament which is over": {
      reason: "tournament-not-on",
      settings: tournament,
      isNew: true,
      fields: entered({ at: TIMES.endsAt }),
    },
    "that is a tournament, for a score from before it": {
      reason: "tournament-not-on",
      settings: tournament,
      isNew: true,
      fields: entered({ at: TIMES.startsAt, playedAt: TIMES.startsAt - 1 }),
    },
    "that is a tournament, of who is not in it": {
      reason: "not-entered",
      settings: { ...tournament, review: { beyond: 100 } },
      isNew: true,
      fields: async () => {
        clock.time = TIMES.startsAt;
        return { score: "900" };
      },
    },
    "that is a league, whose other periods do not take the score": {
      reason: "too-late",
      field: "playedAt",
      settings: {
        periods: ["weekly", "daily"],
        league: { period: "weekly", tiers: 2, size: 2, promote: 1, demote: 1 },
      },
      isNew: true,
      fields: { playedAt: String(NOON - DAY) },
    },
  });
});

describe("who plays", () => {
  testAll({
    "is banned": {
      reason: "user-banned",
      fields: async ({ ada }) => {
        await myProfile({ uid: ada });
        await ban(OLGA, { user: ada, note: "a bot" });
        await tellBoards();
        return {};
      },
    },
    "is banned and has not played here": {
      reason: "user-banned",
      isNew: true,
      settings: { review: { beyond: 10 } },
      fields: async ({ ada }) => {
        await myProfile({ uid: ada });
        await ban(OLGA, { user: ada, note: "a bot" });
        return {};
      },
    },
  });

  test("is not signed in", async () => {
    const board = await newBoard();
    await expectRefused({ board, fields: honest(board) }, { reason: "not-signed-in" });
  });

  test("has an id that no path can hold", async () => {
    const board = await newBoard();
    await expectRefused({ board, fields: honest(board), uid: "../ada" }, { reason: "unsupported-uid" });
  });
});

test("NaN is neither sent by the Firebase SDK nor read as JSON", async () => {
  const app = initializeApp({ projectId: "demo-modules", apiKey: "local" }, "refusals");
  const functions = getFunctions(app);
  connectFunctionsEmulator(functions, "127.0.0.1", refusals.port);
  const board = await newBoard();
  await expectUnchanged(board, async () => {
    const sent = httpsCallable(
      functions,
      "api/leaderboards/submit",
    )({ board, score: Number.NaN, attempt: randomUUID() });
    await expect(sent).rejects.toThrow("cannot be encoded");
    expect(await call("submit", honest(board, { score: "NaN" }), someone().uid)).toMatchObject({ status: 400 });
  });
  await deleteApp(app);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5, 2 ** 53])(
  "%d is refused of whoever calls the function itself, too",
  async (number) => {
    const all = { minScore: Number.MIN_SAFE_INTEGER, maxScore: Number.MAX_SAFE_INTEGER };
    const board = await newBoard({ ...all, subscore: "ascending" });
    await expectUnchanged(board, async () => {
      for (const wrong of [{ score: number }, { score: 1, subscore: number }]) {
        const submission = { board, attempt: randomUUID(), ...wrong };
        expect(SubmitRequest.safeParse(submission).success).toBe(false);
        await expect(submit(someone(), submission)).rejects.toMatchObject({ reason: "score-out-of-bounds" });
      }
    });
  },
);
