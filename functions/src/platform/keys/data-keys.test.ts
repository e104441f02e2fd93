import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { now, setClock } from "../clock.ts";
import { firestore } from "../firestore.ts";
import { dataKey, destroyKey, existingKey, keys } from "./data-keys.ts";

const backend = useBackend();

/** The module as another instance of the function has it: with nothing in memory yet. */
async function anotherInstance(): Promise<typeof import("./data-keys.ts")> {
  vi.resetModules();
  return await import("./data-keys.ts");
}

const bytes = ({ key }: { key: { export(): Buffer } | undefined }) => key?.export().toString("hex");

describe("a user's key", () => {
  test("is one, however many ask for it at once, and they pay for one", async () => {
    const { uid } = someone();
    const { result, bill } = await backend.billed(() => Promise.all(Array.from({ length: 50 }, () => dataKey(uid))));
    expect(new Set(result.map(bytes)).size).toBe(1);
    expect(bill).toEqual({ reads: 1, writes: 1, deletes: 0 });
  });

  test("is one, whichever of many instances makes it", async () => {
    const instances = [await anotherInstance(), await anotherInstance(), await anotherInstance()];
    for (let round = 0; round < 10; round++) {
      const { uid } = someone();
      const made = await Promise.all(instances.flatMap(({ dataKey }) => Array.from({ length: 5 }, () => dataKey(uid))));
      expect(new Set(made.map(bytes)).size).toBe(1);
      expect(bytes(await (await anotherInstance()).dataKey(uid))).toBe(bytes(made[0] ?? { key: undefined }));
    }
  });

  test("is one, also if somebody only looks for it at the same time", async () => {
    for (let round = 0; round < 10; round++) {
      const { uid } = someone();
      // Asks anew in the very moment in which it is answered, and so before who has waited with it makes a key.
      const looks = async () => {
        for (let i = 0; i < 20; i++) await existingKey(uid);
      };
      const [, made, again] = await Promise.all([looks(), dataKey(uid), pause(round).then(() => dataKey(uid))]);
      expect(bytes(made)).toMatch(/^[0-9a-f]{64}$/);
      expect(bytes(again)).toBe(bytes(made));
    }
  });

  test("is not made by looking for it", async () => {
    const { uid } = someone();
    const { result, bill } = await backend.billed(() => existingKey(uid));
    expect(result).toBeUndefined();
    expect(bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
    expect((await keys().doc(uid).get()).exists).toBe(false);
  });

  test("is another for each user", async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => dataKey(someone().uid)));
    expect(new Set(made.map(bytes)).size).toBe(20);
  });

  test("does not open as another user's, nor with any part of it changed", async () => {
    const [ada, bo] = [someone(), someone()];
    await dataKey(ada.uid);
    const record = (await keys().doc(ada.uid).get()).data();
    if (record?.state !== "active") throw new Error("there is a key");
    await keys().doc(bo.uid).set(record);
    await expect(dataKey(bo.uid)).rejects.toThrow(`keys/${bo.uid} does not open`);
    for (const at of [0, 20, 79]) {
      const changed = record.wrapped[at] === "A" ? "B" : "A";
      const wrapped = `${record.wrapped.slice(0, at)}${changed}${record.wrapped.slice(at + 1)}`;
      await keys()
        .doc(bo.uid)
        .set({ ...record, wrapped });
      await expect(existingKey(bo.uid)).rejects.toMatchObject({ name: "Unsealable" });
    }
  });
});

describe("a key that is destroyed", () => {
  test("leaves a stone behind with the time, which a second time does not move", async () => {
    const { uid } = someone();
    await dataKey(uid);
    const at = now();
    const restore = setClock(at);
    await destroyKey(uid);
    setClock(at + 1_000);
    await destroyKey(uid);
    restore();
    const raw = (await firestore().doc(`keys/${uid}`).get()).data();
    expect(Object.keys(raw ?? {}).sort()).toEqual(["destroyedAt", "state"]);
    expect(raw?.destroyedAt.toMillis()).toBe(at);
  });

  test("while it is made by others is destroyed in the end, and for everybody who looks", async () => {
    for (let round = 0; round < 10; round++) {
      const { uid } = someone();
      const other = await anotherInstance();
      await Promise.all([dataKey(uid), other.destroyKey(uid), other.dataKey(uid)]);
      expect((await keys().doc(uid).get()).get("state")).toBe("destroyed");
      expect(await other.existingKey(uid)).toEqual({ key: undefined });
      expect(await (await anotherInstance()).dataKey(uid)).toEqual({ key: undefined });
    }
  });

  test("may be one that nobody could read", async () => {
    const { uid } = someone();
    await firestore().doc(`keys/${uid}`).set({ state: "active", wrapped: 5 });
    await expect(dataKey(uid)).rejects.toThrow(`keys/${uid} is not as it should be`);
    await destroyKey(uid);
    expect(await dataKey(uid)).toEqual({ key: undefined });
  });
});
