import { beforeAll, expect, test, vi } from "vitest";
import type { Friends, PublicProfile, Related } from "../../functions/src/identity/contract.ts";
import type { Player } from "../../scripts/player.ts";
import { seed } from "../../scripts/seed.ts";
import { useBackend } from "../backend.ts";

/** People who meet through their apps, and what operators do about them, with everything behind it running. */
const backend = useBackend();
const { connection, newcomer } = backend;
let operator: Player;

beforeAll(async () => {
  operator = await newcomer("Olga");
  await seed(connection, operator);
});

const profile = (player: Player) => player.call<PublicProfile>("api/identity/profile");
const friends = async (player: Player) =>
  (await player.call<Friends>("api/identity/friends")).users.map(({ user }) => user);

test("two find each other, become friends and play in one group, until one of them is erased", async () => {
  const [ada, bo] = await Promise.all([newcomer("Ada"), newcomer("Bo")]);
  expect(await profile(ada)).toMatchObject({ user: ada.uid, handle: ada.name, state: "active" });
  await profile(bo);
  const { user } = await bo.call<PublicProfile>("api/identity/find", { handle: ada.name.toUpperCase() });
  expect(user).toBe(ada.uid);
  await bo.call<Related>("api/identity/askFriend", { user });
  await ada.call<Related>("api/identity/acceptFriend", { user: bo.uid });
  expect([await friends(ada), await friends(bo)]).toEqual([[bo.uid], [ada.uid]]);
  const { group } = await ada.call<{ group: string }>("api/identity/createGroup", { key: "ours", name: "Foxes" });
  await bo.call("api/identity/joinGroup", { group });

  await operator.call("admin/identity/erase", { user: ada.uid, note: "asked for it" });
  await vi.waitFor(async () => expect(await friends(bo)).toEqual([]), 30_000);
  await expect(profile(ada)).rejects.toMatchObject({ details: { reason: "user-erased" } });
  const { firestore } = backend;
  expect((await firestore.doc(`groups/${group}`).get()).data()).toMatchObject({ owner: bo.uid, members: 1 });
  await vi.waitFor(async () => expect((await firestore.doc(`relations/${ada.uid}`).get()).exists).toBe(false), 30_000);
});

test("who is banned hears so, and who is not an operator bans nobody", async () => {
  const [cy, di] = await Promise.all([newcomer("Cy"), newcomer("Di")]);
  await Promise.all([profile(cy), profile(di)]);
  const sanction = { user: cy.uid, note: "plays with a script" };
  await expect(di.call("admin/identity/ban", sanction)).rejects.toMatchObject({ details: { reason: "not-an-admin" } });
  await operator.call("admin/identity/ban", sanction);
  expect(await profile(cy)).toMatchObject({ state: "banned" });
  await expect(cy.call("api/identity/askFriend", { user: di.uid })).rejects.toMatchObject({
    details: { reason: "user-banned" },
  });
});
