import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { hasRedis, type RedisServer, startRedis } from "../../testing/redis.ts";
import * as cache from "../platform/cache.ts";
import { deliver, outbox } from "../platform/outbox.ts";
import { disconnect } from "../platform/redis.ts";
import { acceptFriend, askFriend } from "./friends.ts";
import { friendsOf, profileOf, subscribers } from "./index.ts";
import { myProfile, updateProfile } from "./own.ts";
import { profiles } from "./records.ts";

const backend = useBackend();

/** What another instance, which has kept nothing yet, gives for how many reads. */
async function elsewhere<T>(ask: () => Promise<T>): Promise<{ result: T; reads: number }> {
  cache.forgetAll();
  const { result, bill } = await backend.billed(ask);
  return { result, reads: bill.reads };
}

describe.skipIf(!hasRedis)("with Redis", () => {
  let redis: RedisServer | undefined;
  beforeAll(async () => {
    redis = await startRedis();
    process.env.REDIS_URL = redis.url;
  });
  afterAll(async () => {
    await disconnect();
    process.env.REDIS_URL = "";
    redis?.kill();
  });

  test("a profile that one instance has read costs the others nothing, until it changes", async () => {
    const { uid } = someone();
    await myProfile({ uid });
    expect((await elsewhere(() => profileOf(uid))).reads).toBe(2);
    expect((await elsewhere(() => profileOf(uid))).reads).toBe(0);
    await updateProfile({ uid }, { country: "NO" });
    expect(await elsewhere(() => profileOf(uid))).toMatchObject({ result: { country: "NO" }, reads: 2 });
  });

  test("what was changed by one that was killed before it could say so is seen when the event is delivered", async () => {
    const { uid } = someone();
    await myProfile({ uid });
    expect(await profileOf(uid)).toMatchObject({ state: "active" });
    const event = (await outbox().where("type", "==", "profile.changed").get()).docs.find(
      (document) => document.data().data.user === uid,
    );
    await profiles().doc(uid).update({ state: "banned" });
    expect((await elsewhere(() => profileOf(uid))).result).toMatchObject({ state: "active" });
    await deliver(event?.id ?? "", subscribers);
    expect((await elsewhere(() => profileOf(uid))).result).toMatchObject({ state: "banned" });
  });

  test("friends that one instance has read cost the others nothing, until there are others", async () => {
    const [ada, bo] = [someone(), someone()];
    await Promise.all([myProfile(ada), myProfile(bo)]);
    expect(await elsewhere(() => friendsOf(ada.uid))).toEqual({ result: [], reads: 1 });
    expect(await elsewhere(() => friendsOf(ada.uid))).toEqual({ result: [], reads: 0 });
    await askFriend(bo, { user: ada.uid });
    await acceptFriend(ada, { user: bo.uid });
    expect(await elsewhere(() => friendsOf(ada.uid))).toEqual({ result: [bo.uid], reads: 1 });
  });

  test("that is gone, all is answered all the same, for the reads", async () => {
    const { uid } = someone();
    await myProfile({ uid });
    redis?.kill();
    vi.spyOn(console, "warn").mockReturnValue(undefined);
    expect((await elsewhere(() => profileOf(uid))).reads).toBe(2);
    expect((await elsewhere(() => profileOf(uid))).reads).toBe(2);
    expect((await elsewhere(() => friendsOf(uid))).result).toEqual([]);
  });
});
