import { randomUUID } from "node:crypto";
import { describe, expect } from "vitest";
import { SubmitRequest } from "../../functions/src/leaderboards/contract.ts";
import { defineBoard } from "../../functions/src/leaderboards/define.ts";
import { BoardSettings } from "../../functions/src/leaderboards/settings.ts";
import { submit } from "../../functions/src/leaderboards/submit.ts";
import { setClock } from "../../functions/src/platform/clock.ts";
import { testPath } from "./crash.ts";
import { OPERATOR, somebody, testBooks, useStage } from "./stage.ts";

/** How a season ends, while the function dies at each of its calls of Firestore. */
const money = useStage();
const stage = money.serving("seasonTasks", false);
const DAY_MILLIS = 86_400_000;

interface Ended {
  readonly board: string;
  readonly season: string;
  /** The first two have a prize. */
  readonly players: readonly string[];
}

const PRIZES = [100, 40, 0];

/** A day of a board that is over, with the three who have played. */
async function ended(): Promise<Ended> {
  const yesterday = new Date(Date.now() - DAY_MILLIS).toISOString().slice(0, 10);
  const restore = setClock(Date.parse(`${yesterday}T12:00:00Z`));
  const board = `board-${randomUUID()}`;
  const players = PRIZES.map(() => somebody().uid);
  const prizes = [1, 2].map((rank) => ({
    period: "daily",
    from: rank,
    to: rank,
    reward: { coins: { COIN: PRIZES[rank - 1] } },
  }));
  const settings = { title: "Cup", timeZone: "Etc/UTC", minScore: 0, maxScore: 10, periods: ["daily"], prizes };
  try {
    await defineBoard({ uid: OPERATOR }, { id: board, board: BoardSettings.parse(settings) });
    for (const [i, uid] of players.entries()) {
      await submit({ uid }, SubmitRequest.parse({ board, score: 9 - i, attempt: randomUUID() }));
    }
  } finally {
    restore();
  }
  return { board, season: `daily-${yesterday}`, players };
}

const standings = (players: readonly string[]) => Promise.all(players.map((uid) => money.standing(uid)));
const pathOf = ({ board, season }: Ended) => `leaderboards/${board}/seasons/${season}`;

describe("closing a season", () => {
  testPath("its page is kept, each prize is given once, and the event is told once", {
    stage,
    passes: ["Commit"],
    path: {
      prepare: ended,
      act: (on, { board }) => on.run({ board, period: "daily" }),
      halfway: async ({ players }) => {
        for (const [i, stands] of (await standings(players)).entries()) {
          const paid = { coins: { COIN: PRIZES[i] }, kinds: ["prize"] };
          expect(PRIZES[i] === 0 ? [{}] : [{}, paid]).toContainEqual(stands);
        }
      },
      end: async (subject) => {
        expect(await standings(subject.players)).toEqual(
          PRIZES.map((coins) => (coins === 0 ? {} : { coins: { COIN: coins }, kinds: ["prize"] })),
        );
        const document = money.firestore.doc(pathOf(subject));
        const [season, page, events] = await Promise.all([
          document.get(),
          document.collection("pages").doc("0").get(),
          money.firestore.collection("outbox").get(),
        ]);
        expect(season.data()).toMatchObject({ state: "closed", players: 3, kept: 3, given: 2, failed: 0 });
        expect(page.get("rows").map((row: { player: string }) => row.player)).toEqual(subject.players);
        const told = events.docs.filter((event) => event.get("data.board") === subject.board);
        expect(told.map((event) => event.get("type"))).toEqual(["season.closed"]);
      },
    },
  });
});

testBooks();
