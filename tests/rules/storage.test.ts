import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  assertFails,
  assertSucceeds,
  initializeTestEnvironment,
  type RulesTestEnvironment,
} from "@firebase/rules-unit-testing";
import { deleteObject, getBytes, getMetadata, listAll, ref, updateMetadata, uploadString } from "firebase/storage";
import { deleteApp, initializeApp } from "firebase-admin/app";
import { getStorage } from "firebase-admin/storage";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/suite.ts";

/** Files are for functions alone. */
const PROJECT = "demo-rules-of-the-product";
const BUCKET = `${PROJECT}.appspot.com`;
const FILE = "games/s1/replay.bin";
let environment: RulesTestEnvironment;
let app: ReturnType<typeof initializeApp>;

beforeAll(async () => {
  const { storage } = inject("suite").hosts;
  const [host = "", port = ""] = storage.split(":");
  const rules = readFileSync(join(root, "storage.rules"), "utf8");
  environment = await initializeTestEnvironment({ projectId: PROJECT, storage: { host, port: Number(port), rules } });
  process.env.FIREBASE_STORAGE_EMULATOR_HOST = storage;
  app = initializeApp({ projectId: PROJECT, storageBucket: BUCKET }, "storage-rules");
  await getStorage(app).bucket().file(FILE).save("moves", { resumable: false });
});
afterAll(async () => {
  await environment.cleanup();
  await deleteApp(app);
});

describe("Storage", () => {
  test.each(["ada", "olga", "nobody"])("is closed to apps, for %s", async (name) => {
    const context =
      name === "nobody"
        ? environment.unauthenticatedContext()
        : environment.authenticatedContext(name, { admin: name === "olga" });
    const storage = context.storage(`gs://${BUCKET}`);
    const file = ref(storage, FILE);
    await assertFails(getBytes(file));
    await assertFails(getMetadata(file));
    await assertFails(updateMetadata(file, { contentType: "text/html" }));
    await assertFails(uploadString(file, "other moves"));
    await assertFails(uploadString(ref(storage, `users/${name}/avatar.png`), "x"));
    await assertFails(deleteObject(file));
    await assertFails(listAll(ref(storage)));
    await assertFails(listAll(ref(storage, "games/s1")));
  });

  test("is open to servers", async () => {
    const file = getStorage(app).bucket().file(FILE);
    expect((await assertSucceeds(file.download()))[0].toString()).toBe("moves");
  });
});
