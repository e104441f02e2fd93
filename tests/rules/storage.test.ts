import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assertFails, initializeTestEnvironment, type RulesTestEnvironment } from "@firebase/rules-unit-testing";
import { deleteObject, getBytes, getMetadata, listAll, ref, updateMetadata, uploadString } from "firebase/storage";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/suite.ts";

/** Files are for functions alone. */
const PROJECT = "demo-rules-of-the-product";
const BUCKET = `${PROJECT}.appspot.com`;
const FILE = "games/s1/replay.bin";
let environment: RulesTestEnvironment;
let files: string;
/** What servers come with. */
const authorization = "Bearer owner";

beforeAll(async () => {
  const { storage } = inject("suite").hosts;
  const [host = "", port = ""] = storage.split(":");
  const rules = readFileSync(join(root, "storage.rules"), "utf8");
  environment = await initializeTestEnvironment({ projectId: PROJECT, storage: { host, port: Number(port), rules } });
  files = `http://${storage}`;
  const upload = `${files}/upload/storage/v1/b/${BUCKET}/o?uploadType=media&name=${encodeURIComponent(FILE)}`;
  const { status } = await fetch(upload, { method: "POST", headers: { authorization }, body: "moves" });
  expect(status).toBe(200);
});
afterAll(() => environment.cleanup());

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
    const file = `${files}/download/storage/v1/b/${BUCKET}/o/${encodeURIComponent(FILE)}?alt=media`;
    expect(await (await fetch(file, { headers: { authorization } })).text()).toBe("moves");
  });
});
