import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { type Kms, startKms } from "../../../testing/kms.ts";
import { forgetAll } from "../cache.ts";
import { seal, unseal } from "../seal.ts";
import { keys } from "./data-keys.ts";
import { rewrapKeys } from "./rewrap.ts";
import { currentKek } from "./wrap.ts";

useBackend();
let kms: Kms;

beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms.close());
beforeEach(() => {
  Object.assign(process.env, kms.settings);
  kms.requests.length = 0;
});

const PLACE = "users/ada#address";
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

describe("with a key in Cloud KMS", () => {
  test("a user's key is wrapped and unwrapped there, bound to the user, once in a while", async () => {
    const { uid } = someone();
    const sealed = await seal(uid, PLACE, "Main Street 1");
    forgetAll();
    expect(await unseal(uid, PLACE, sealed)).toBe("Main Street 1");
    await unseal(uid, PLACE, await seal(uid, PLACE, "again"));
    const record = (await keys().doc(uid).get()).data();
    expect(record).toMatchObject({ kek: `${kms.key}/cryptoKeyVersions/1` });
    const asked = {
      method: "POST",
      authorization: "Bearer token-of-the-service-account",
    };
    const additionalAuthenticatedData = base64(["pot-of-gold/key", uid]);
    expect(kms.requests).toEqual([
      {
        ...asked,
        path: `/v1/${kms.key}:encrypt`,
        body: { plaintext: expect.stringMatching(/^[\w+/]{43}=$/), additionalAuthenticatedData },
      },
      {
        ...asked,
        path: `/v1/${kms.key}:decrypt`,
        body: { ciphertext: record?.state === "active" && record.wrapped, additionalAuthenticatedData },
      },
    ]);
  });

  test("what SEALING_KEYS wrapped before opens, and moves there", async () => {
    const { uid } = someone();
    process.env.SEALING_KMS_KEY = "";
    const sealed = await seal(uid, PLACE, "before");
    process.env.SEALING_KMS_KEY = kms.key;
    forgetAll();
    expect(await unseal(uid, PLACE, sealed)).toBe("before");
    expect(await rewrapKeys({ limit: 100 })).toMatchObject({ rewrapped: 1, failed: 0, remaining: 0 });
    forgetAll();
    expect(await unseal(uid, PLACE, sealed)).toBe("before");
    expect((await keys().doc(uid).get()).get("kek")).toBe(`${kms.key}/cryptoKeyVersions/1`);
  });

  test("a new version that it has there is noticed, and keys move to it", async () => {
    const { uid } = someone();
    const sealed = await seal(uid, PLACE, "before");
    kms.rotate();
    const kek = await currentKek();
    expect(kek).toBe(`${kms.key}/cryptoKeyVersions/2`);
    const { rewrapped, remaining } = await rewrapKeys({ limit: 100 });
    expect([rewrapped > 0, remaining]).toEqual([true, 0]);
    expect((await keys().doc(uid).get()).get("kek")).toBe(kek);
    forgetAll();
    expect(await unseal(uid, PLACE, sealed)).toBe("before");
  });

  test("a key that was changed, or is another user's, does not open", async () => {
    const [ada, bo] = [someone(), someone()];
    const sealed = await seal(ada.uid, PLACE, 1);
    const record = (await keys().doc(ada.uid).get()).data();
    if (record?.state !== "active") throw new Error("there is a key");
    await keys().doc(bo.uid).set(record);
    await expect(unseal(bo.uid, PLACE, sealed)).rejects.toMatchObject({ name: "Unsealable" });
    await keys()
      .doc(ada.uid)
      .update({ wrapped: Buffer.from("nonsense").toString("base64") });
    forgetAll();
    await expect(unseal(ada.uid, PLACE, sealed)).rejects.toMatchObject({ name: "Unsealable" });
  });

  test("no other key is asked, whatever a document names", async () => {
    const { uid } = someone();
    const sealed = await seal(uid, PLACE, 1);
    forgetAll();
    kms.requests.length = 0;
    for (const kek of ["projects/evil/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1", `${kms.key}2/x`]) {
      await keys().doc(uid).update({ kek });
      await expect(unseal(uid, PLACE, sealed)).rejects.toThrow("not of SEALING_KMS_KEY");
    }
    expect(kms.requests).toEqual([]);
    await keys().doc(uid).delete();
  });
});

describe("Cloud KMS", () => {
  test("is asked again when it stumbles", async () => {
    kms.refusals.push({ code: 503, status: "UNAVAILABLE" }, { code: 429, status: "RESOURCE_EXHAUSTED" });
    const { uid } = someone();
    await seal(uid, PLACE, 1);
    expect(kms.requests).toHaveLength(3);
    expect(kms.refusals).toEqual([]);
  });

  test("that is down leaves no key behind and can be asked later", async () => {
    const { uid } = someone();
    process.env.SEALING_KMS_URL = "http://127.0.0.1:1";
    await expect(seal(uid, PLACE, 1)).rejects.toMatchObject({ code: "unavailable", reason: "sealing-unavailable" });
    expect((await keys().doc(uid).get()).exists).toBe(false);
    process.env.SEALING_KMS_URL = kms.settings.SEALING_KMS_URL;
    expect(await unseal(uid, PLACE, await seal(uid, PLACE, 1))).toBe(1);
  });

  test("that refuses is not asked again, and its word for it is told", async () => {
    kms.refusals.push({ code: 403, status: "PERMISSION_DENIED" });
    await expect(seal(someone().uid, PLACE, 1)).rejects.toThrow("Cloud KMS does not encrypt: PERMISSION_DENIED");
    expect(kms.requests).toHaveLength(1);
    const { uid } = someone();
    const sealed = await seal(uid, PLACE, 1);
    forgetAll();
    kms.refusals.push({ code: 400, status: "FAILED_PRECONDITION" });
    await expect(unseal(uid, PLACE, sealed)).rejects.toThrow("Cloud KMS does not decrypt: FAILED_PRECONDITION");
  });
});
