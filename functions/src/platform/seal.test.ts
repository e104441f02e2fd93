import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { forgetAll } from "./cache.ts";
import { firestore, timestamp, transact } from "./firestore.ts";
import { dataKey, destroyKey, keys } from "./keys/data-keys.ts";
import { Sealed, seal, sealerFor, unseal } from "./seal.ts";

const backend = useBackend({
  SEALING_KEYS: `2026:${Buffer.alloc(32, "a key").toString("base64")}`,
});

const PLACE = "webhooks/revenuecat_1#body";

/** What release 0.1 wrote for "ada" at PLACE, with the key of the house above. */
const WRAPPED = "-Y6v-Jbe_8v9eh9duLjYEuXzIFv2tuoymsNsOYOIUcuTsS2Jm_pvmCuCVzoMNqGOYAdaCP4ZLYGWuy7O";
const SEALED: Sealed = {
  v: 1,
  iv: "COG_hHFJBa0ywfyV",
  data: "Q9HO62KA-NWm8OWhV4siDT9v2om-jTbxsDBzqUuKhCnvEGli1XLvkQ",
  tag: "4SXg7e3o64E_Ro9a7L12XQ",
};

/** The same text with one character changed to the next of the alphabet. */
function withAnother(text: string, index: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const next = alphabet[(alphabet.indexOf(text[index] ?? "") + 1) % alphabet.length];
  return `${text.slice(0, index)}${next}${text.slice(index + 1)}`;
}

describe("what is sealed", () => {
  test("opens as it was, whatever JSON it is, and by way of a document, too", async () => {
    const { uid } = someone();
    const sealer = await sealerFor(uid);
    const document = firestore().doc(`sealed/${uid}`);
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, place) => {
        const sealed = sealer.seal(place, value as never);
        expect(Sealed.parse(JSON.parse(JSON.stringify(sealed)))).toEqual(sealed);
        expect(sealer.unseal(place, sealed)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    await document.set({ name: await seal(uid, `${document.path}#name`, { given: "Ada", born: null }) });
    forgetAll();
    const kept = Sealed.parse((await document.get()).get("name"));
    expect(await unseal(uid, `${document.path}#name`, kept)).toEqual({ given: "Ada", born: null });
  });

  test("opens at its place only, and for its user only", async () => {
    const [ada, bo, cy] = [someone(), someone(), someone()];
    const sealed = await seal(ada.uid, PLACE, "Ada");
    await seal(bo.uid, PLACE, "Bo");
    expect(await unseal(ada.uid, PLACE, sealed)).toBe("Ada");
    for (const place of ["webhooks/revenuecat_2#body", "webhooks/revenuecat_1#outcome", "", `${PLACE} `]) {
      await expect(unseal(ada.uid, place, sealed)).rejects.toMatchObject({ name: "Unsealable" });
    }
    await expect(unseal(bo.uid, PLACE, sealed)).rejects.toMatchObject({ name: "Unsealable" });
    await expect(unseal(cy.uid, PLACE, sealed)).rejects.toThrow(`${cy.uid} has no key`);
  });

  test("does not open with any bit flipped, any character changed or anything cut off", async () => {
    const sealer = await sealerFor(someone().uid);
    const field = fc.constantFrom("iv", "data", "tag");
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), field, fc.nat(), fc.nat(7), (value, part, at, bit) => {
        const sealed = sealer.seal(PLACE, value);
        const bytes = Buffer.from(sealed[part], "base64url");
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        const changed = [
          bytes.toString("base64url"),
          withAnother(sealed[part], at % sealed[part].length),
          `${sealed[part]}=`,
          bytes.subarray(0, index).toString("base64url"),
        ];
        for (const text of changed) expect(() => sealer.unseal(PLACE, { ...sealed, [part]: text })).toThrow("changed");
      }),
      { numRuns: 300 },
    );
    const sealed = sealer.seal(PLACE, "Ada");
    expect(() => sealer.unseal(PLACE, { ...sealed, v: 2 as 1 })).toThrow("changed");
    // Every length of tag that AES-GCM as such knows, were it only looked at for as long as it is.
    for (const length of [4, 8, 12, 13, 14, 15]) {
      const tag = Buffer.from(sealed.tag, "base64url").subarray(0, length).toString("base64url");
      expect(() => sealer.unseal(PLACE, { ...sealed, tag })).toThrow("changed");
    }
  });

  test("never looks the same twice", async () => {
    const sealer = await sealerFor(someone().uid);
    const sealed = Array.from({ length: 200 }, () => sealer.seal(PLACE, "Ada"));
    for (const part of ["iv", "data", "tag"] as const) expect(new Set(sealed.map((one) => one[part])).size).toBe(200);
  });

  test("may be 512 KiB, which a document has room for, and no more", async () => {
    const { uid } = someone();
    const value = "x".repeat(512 * 1024 - 2);
    const sealed = Sealed.parse(await seal(uid, PLACE, value));
    await firestore().doc(`sealed/${uid}`).set({ sealed });
    expect(await unseal(uid, PLACE, sealed)).toBe(value);
    await expect(seal(uid, PLACE, `${value}x`)).rejects.toMatchObject({ reason: "value-too-large" });
    // It is bytes that count.
    await expect(seal(uid, PLACE, "ä".repeat(256 * 1024))).rejects.toMatchObject({ reason: "value-too-large" });
  });

  test("by an earlier release opens for ever", async () => {
    const at = timestamp(Date.UTC(2026, 10, 21));
    await keys().doc("ada").set({ state: "active", kek: "2026", wrapped: WRAPPED, createdAt: at, wrappedAt: at });
    expect(await unseal("ada", PLACE, SEALED)).toEqual({ name: "Ada", email: "ada@example.com" });
  });
});

describe("sealing", () => {
  test("costs a read and a write the first time, a read in a while, and otherwise nothing", async () => {
    const { uid } = someone();
    const first = await backend.billed(() => seal(uid, PLACE, "Ada"));
    expect(first.bill).toEqual({ reads: 1, writes: 1, deletes: 0 });
    const more = async () => {
      for (let i = 0; i < 10; i++) await unseal(uid, PLACE, await seal(uid, PLACE, i));
    };
    expect((await backend.billed(more)).bill).toEqual({ reads: 0, writes: 0, deletes: 0 });
    forgetAll();
    expect((await backend.billed(more)).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });

  test("inside a transaction asks nobody", async () => {
    const { uid } = someone();
    const sealer = await sealerFor(uid);
    const document = firestore().doc(`sealed/${uid}`);
    const place = `${document.path}#notes`;
    const note = (text: string) =>
      transact(async (tx) => {
        const known = (await tx.get(document)).get("notes");
        const notes = known ? (sealer.unseal(place, Sealed.parse(known)) as string[]) : [];
        tx.set(document, { notes: sealer.seal(place, [...notes, text]) });
      });
    expect((await backend.billed(() => note("one"))).bill).toEqual({ reads: 1, writes: 1, deletes: 0 });
    await note("two");
    expect(await unseal(uid, place, (await document.get()).get("notes"))).toEqual(["one", "two"]);
  });

  test("is refused for ids that would lead elsewhere", async () => {
    const sealed = await seal(someone().uid, PLACE, 1);
    for (const uid of ["", ".", "a/b/c", "__x__", "system:mint", "x".repeat(129)]) {
      await expect(seal(uid, PLACE, 1)).rejects.toMatchObject({ reason: "unsupported-uid" });
      await expect(unseal(uid, PLACE, sealed)).rejects.toMatchObject({ reason: "unsupported-uid" });
      await expect(destroyKey(uid)).rejects.toMatchObject({ reason: "unsupported-uid" });
    }
  });

  test("shows neither keys nor what was sealed, in errors or by being looked at", async () => {
    const { uid } = someone();
    const secret = randomBytes(12).toString("hex");
    const sealer = await sealerFor(uid);
    const sealed = sealer.seal(PLACE, { secret });
    const error = await unseal(uid, "elsewhere", sealed).catch((thrown: unknown) => thrown);
    const known = await dataKey(uid);
    const shown = inspect([known, sealer, sealed, error], { depth: 9, showHidden: true }) + JSON.stringify(known);
    expect(shown).toContain("Unsealable");
    expect(shown).not.toContain(secret);
    for (const encoding of ["hex", "base64", "base64url"] as const) {
      expect(shown).not.toContain(known.key?.export().toString(encoding));
    }
  });
});

describe("a user whose key was destroyed", () => {
  test("has nothing left of what was sealed, here at once and elsewhere when it looks again", async () => {
    const { uid } = someone();
    const sealer = await sealerFor(uid);
    const sealed = sealer.seal(PLACE, "Ada");
    await destroyKey(uid);
    expect(await unseal(uid, PLACE, sealed)).toBeUndefined();
    forgetAll();
    expect(await unseal(uid, PLACE, sealed)).toBeUndefined();
  });

  test("has nothing sealed any more, whether they ever had or not", async () => {
    const [ada, bo] = [someone(), someone()];
    await seal(ada.uid, PLACE, "Ada");
    for (const { uid } of [ada, bo]) {
      await destroyKey(uid);
      await expect(seal(uid, PLACE, 1)).rejects.toMatchObject({ reason: "user-erased" });
      forgetAll();
      await expect(sealerFor(uid)).rejects.toMatchObject({ reason: "user-erased" });
      expect((await keys().doc(uid).get()).data()).toEqual({ state: "destroyed", destroyedAt: expect.anything() });
    }
  });

  test("costs one read in a while to be found so", async () => {
    const { uid } = someone();
    const sealed = await seal(uid, PLACE, "Ada");
    expect((await backend.billed(() => destroyKey(uid))).bill).toEqual({ reads: 1, writes: 1, deletes: 0 });
    const look = async () => {
      for (let i = 0; i < 5; i++) expect(await unseal(uid, PLACE, sealed)).toBeUndefined();
    };
    expect((await backend.billed(look)).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });
});
