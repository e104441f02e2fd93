import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { CreateGroup } from "../identity/contract.ts";
import { createGroup, joinGroup } from "../identity/groups.ts";
import { myProfile } from "../identity/own.ts";
import { ban } from "../identity/sanction.ts";
import { forgetAll } from "../platform/cache.ts";
import { PageRequest, StandingRequest, SubmitRequest } from "./contract.ts";
import { page } from "./page.ts";
import { boards } from "./records.ts";
import { Board, BoardSettings } from "./settings.ts";
import { standing } from "./standing.ts";
import { submit } from "./submit.ts";
import { withdraw } from "./withdraw.ts";

useBackend();

const SETTINGS = { title: "Clans", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000, owner: "group" };

test("a group plays by all who are in it, is shown by its name, and nobody plays who is in none", async () => {
  const board = `board-${randomUUID()}`;
  await boards()
    .doc(board)
    .set(Board.parse({ ...SETTINGS, policy: "sum" }));
  const [ada, bo, cy] = [someone("Ada"), someone("Bo"), someone("Cy")];
  for (const caller of [ada, bo, cy]) await myProfile(caller);
  const { group } = await createGroup(ada, CreateGroup.parse({ key: randomUUID(), name: "Foxes", isOpen: true }));
  await joinGroup(bo, { group });
  forgetAll();
  const score = (caller: typeof ada, points: number) =>
    submit(caller, SubmitRequest.parse({ board, score: points, attempt: randomUUID() }));
  await score(ada, 10);
  expect((await score(bo, 5)).bests.daily).toMatchObject({ score: 15, improved: true });
  await expect(score(cy, 5)).rejects.toMatchObject({ reason: "not-in-a-group" });
  const { rows } = await page(cy, PageRequest.parse({ board, period: "daily" }));
  expect(rows).toMatchObject([{ rank: 1, player: group, name: "Foxes", score: 15 }]);
  const stands = await standing(bo, StandingRequest.parse({ board, period: "daily" }));
  expect(stands).toMatchObject({ rank: 1, of: 1, score: 15 });
  await ban(someone(), { user: bo.uid, note: "a bot" });
  await expect(score(bo, 5)).rejects.toMatchObject({ reason: "user-banned" });
  expect(await standing(bo, StandingRequest.parse({ board, period: "daily" }))).toEqual(stands);
  await expect(withdraw(bo, { board })).rejects.toMatchObject({ reason: "invalid-input" });
});

test.each([
  ["scopes", { scopes: ["country"] }],
  ["sessions", { session: "required" }],
  ["prizes", { prizes: [{ period: "daily", from: 1, to: 1, reward: { coins: { COIN: 1 } } }] }],
])("a board of groups has no %s, which are players'", (_, more) => {
  const parsed = BoardSettings.safeParse({ ...SETTINGS, ...more });
  expect(parsed.error?.issues.map(({ path }) => path.join("."))).toContain("owner");
});
