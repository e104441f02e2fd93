import { beforeEach, describe, expect, test, vi } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { startKms } from "../../../testing/kms.ts";
import { forgetAll } from "../cache.ts";
import { firestore } from "../firestore.ts";
import { log } from "../log.ts";
import { type Sealed, seal, unseal } from "../seal.ts";
import { destroyKey, keys } from "./data-keys.ts";
import { RewrapCursor, rewrapKeys } from "./rewrap.ts";

const backend = useBackend();

const PLACE = "users/ada#address";
const OLD = `old:${Buffer.alloc(32, "old").toString("base64")}`;
const NEW = `new:${Buffer.alloc(32, "new").toString("base64")}`;

/** Users with something sealed, while OLD was the key of the house. */
let sealed: Map<string, Sealed>;
beforeEach(async () => {
  await firestore().recursiveDelete(firestore().collection("keys"));
  Object.assign(process.env, { SEALING_KEYS: OLD, SEALING_KMS_KEY: "" });
  sealed = new Map();
  for (let i = 0; i < 7; i++) {
    const { uid } = someone();
    sealed.set(uid, await seal(uid, PLACE, `address of ${uid}`));
  }
  process.env.SEALING_KEYS = `${NEW},${OLD}`;
});

async function expectAllOpen(): Promise<void> {
  forgetAll();
  for (const [uid, one] of sealed) expect(await unseal(uid, PLACE, one)).toBe(`address of ${uid}`);
}

describe("rotation", () => {
  test("goes page by page to the end, and what was sealed before opens at every step", async () => {
    await expectAllOpen();
    const pages = [];
    let cursor: string | undefined;
    do {
      const page = await rewrapKeys({ limit: 3, cursor });
      pages.push([page.kek, page.rewrapped, page.failed, page.remaining]);
      cursor = page.nextCursor === undefined ? undefined : RewrapCursor.parse(page.nextCursor);
      await expectAllOpen();
    } while (cursor !== undefined);
    expect(pages).toEqual([
      ["new", 3, 0, 4],
      ["new", 3, 0, 1],
      ["new", 1, 0, 0],
    ]);
    process.env.SEALING_KEYS = NEW;
    await expectAllOpen();
  });

  test("that was broken off goes on where it was, without being told where", async () => {
    await rewrapKeys({ limit: 4 });
    expect(await rewrapKeys({ limit: 100 })).toEqual({ kek: "new", rewrapped: 3, failed: 0, remaining: 0 });
    expect(await rewrapKeys({ limit: 100 })).toEqual({ kek: "new", rewrapped: 0, failed: 0, remaining: 0 });
  });

  test("by two at once harms nothing", async () => {
    const [one, two] = await Promise.all([rewrapKeys({ limit: 100 }), rewrapKeys({ limit: 100 })]);
    expect(one.rewrapped + two.rewrapped).toBe(7);
    process.env.SEALING_KEYS = NEW;
    await expectAllOpen();
  });

  test("costs a read and a write a key, and a read to count what remains", async () => {
    const { bill } = await backend.billed(() => rewrapKeys({ limit: 5 }));
    expect(bill).toEqual({ reads: 6, writes: 5, deletes: 0 });
  });

  test("passes over destroyed keys and over those that do not open, which it counts and comes past", async () => {
    const [lost = "", spoiled = "", gone = ""] = [...sealed.keys()].sort();
    const kept = (await keys().doc(spoiled).get()).data();
    await keys().doc(lost).update({ kek: "lost" });
    await firestore().doc(`keys/${spoiled}`).update({ wrapped: "nonsense" });
    await destroyKey(gone);
    const logged = vi.spyOn(log, "error");
    const first = await rewrapKeys({ limit: 2 });
    const lines = logged.mock.calls.map(([, error, fields]) => ({ told: String(error), uid: fields?.uid }));
    logged.mockRestore();
    expect(lines.map(({ uid }) => uid).sort()).toEqual([lost, spoiled].sort());
    for (const { told } of lines)
      expect(told).toMatch(/^Unsealable: keys\/[\w-]+ (is wrapped by "lost"|does not open)/);
    expect(first).toMatchObject({ rewrapped: 0, failed: 2, remaining: 6, nextCursor: expect.any(String) });
    const rest = await rewrapKeys({ limit: 100, cursor: first.nextCursor });
    expect(rest).toEqual({ kek: "new", rewrapped: 4, failed: 0, remaining: 2 });
    if (kept) await keys().doc(spoiled).set(kept);
    await keys().doc(lost).update({ kek: "old" });
    expect(await rewrapKeys({ limit: 100 })).toMatchObject({ rewrapped: 2, failed: 0, remaining: 0 });
    for (const [uid, one] of sealed) {
      expect(await unseal(uid, PLACE, one)).toBe(uid === gone ? undefined : `address of ${uid}`);
    }
  });

  test("does not bring a key back that is destroyed while it is being wrapped", async () => {
    const [uid = ""] = sealed.keys();
    const kms = await startKms();
    Object.assign(process.env, kms.settings);
    let encryptions = 0;
    // The first only asks for the version.
    kms.onEncrypt = async () => {
      if (++encryptions === 2) await destroyKey(uid);
    };
    expect(await rewrapKeys({ limit: 100 })).toMatchObject({ rewrapped: 6, failed: 0, remaining: 0 });
    expect((await keys().doc(uid).get()).get("state")).toBe("destroyed");
    kms.close();
  });
});

test.each(["", "/", "ada", "ada/", "/old", "../old", "__x__/old", "a".repeat(1_001)])(
  "a page cannot begin after %j",
  (text) => {
    expect(RewrapCursor.safeParse(text).success).toBe(false);
  },
);
