import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  assertFails,
  assertSucceeds,
  initializeTestEnvironment,
  type RulesTestEnvironment,
} from "@firebase/rules-unit-testing";
import * as fc from "fast-check";
import { doc, setDoc } from "firebase/firestore";
import {
  deleteObject,
  getBytes,
  getMetadata,
  list,
  listAll,
  ref,
  updateMetadata,
  uploadBytes,
  uploadBytesResumable,
  uploadString,
} from "firebase/storage";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { exit } from "../harness.ts";
import { freePort } from "../ports.ts";

/** Storage of the official CLI, as it runs with our program for its rules, by official clients. */

const PROJECT = "demo-files";
const BUCKET = `${PROJECT}.appspot.com`;
const RULES = `rules_version = '2';
service firebase.storage {
  match /b/{bucket}/o {
    function user(id) { return firestore.get(/databases/(default)/documents/users/$(id)).data; }
    match /avatars/{uid} {
      allow get, list;
      allow create: if request.auth.uid == uid && request.resource.size < 100
        && request.resource.contentType.matches('image/.*') && request.time < resource.timeCreated + duration.value(1, 'h');
      allow create: if request.auth.uid == uid && resource == null && request.resource.metadata.consent == 'yes';
      allow update: if request.auth.uid == uid && request.resource.metadata.keys().hasOnly(['consent'])
        && request.resource.md5Hash == resource.md5Hash && resource.generation is int;
      allow delete: if request.auth.token.admin == true;
    }
    match /albums/{uid}/{rest=**} {
      allow write;
      allow list: if request.auth.uid == uid && !('query' in request);
    }
    match /inbox/{file} { allow create: if file == request.resource.name.split('/')[1]; }
    match /clubs/{club}/{file} {
      allow read: if request.auth.uid in user(club).members;
      allow create: if firestore.exists(/databases/(default)/documents/users/$(club)) && user(request.auth.uid).age >= 18;
      allow update: if user('one').age + user('two').age + user('three').age > 0;
    }
  }
}`;

const folder = mkdtempSync(join(tmpdir(), "storage-test-"));
let environment: RulesTestEnvironment;
let stop: () => Promise<unknown>;
let output = "";
let origin = "";

const as = (uid: string, claims: Record<string, unknown> = {}) =>
  environment.authenticatedContext(uid, claims).storage(`gs://${BUCKET}`);
const nobody = () => environment.unauthenticatedContext().storage(`gs://${BUCKET}`);
const given = (path: string, data: object) =>
  environment.withSecurityRulesDisabled((context) => setDoc(doc(context.firestore(), path), data));
const bytes = (text: string) => new TextEncoder().encode(text);
const PNG = { contentType: "image/png", customMetadata: { consent: "yes" } };

beforeAll(async () => {
  const [storage, firestore, hub, logging] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const at = (port: number | undefined) => ({ host: "127.0.0.1", port });
  const emulators = {
    storage: at(storage),
    firestore: { ...at(firestore), websocketPort: await freePort() },
    hub: at(hub),
    logging: at(logging),
    ui: { enabled: false },
  };
  origin = `http://127.0.0.1:${storage}`;
  writeFileSync(join(folder, "storage.rules"), RULES);
  const config = join(folder, "firebase.json");
  writeFileSync(config, JSON.stringify({ storage: { rules: "storage.rules" }, emulators }));
  const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
  const args = ["emulators:start", "--project", PROJECT, "--config", config, "--only", "storage,firestore"];
  const child = spawn(process.execPath, [cli, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  stop = () => {
    const ended = exit(child);
    child.kill("SIGINT");
    return ended;
  };
  await vi.waitFor(() => expect(output).toContain("All emulators ready!"), { timeout: 30_000 });
  environment = await initializeTestEnvironment({
    projectId: PROJECT,
    storage: { ...at(storage), port: storage },
    firestore: { ...at(firestore), port: firestore },
  });
}, 40_000);
beforeEach(() => environment.clearStorage());
afterAll(async () => {
  await environment.cleanup();
  expect(await stop()).toBe(0);
  rmSync(folder, { recursive: true });
});

describe("a file", () => {
  test("is uploaded, described, read and deleted by whom rules let", async () => {
    const mine = ref(as("ada"), "avatars/ada");
    await assertFails(uploadBytes(ref(as("bo"), "avatars/ada"), bytes("x"), PNG));
    await assertFails(uploadBytes(ref(nobody(), "avatars/ada"), bytes("x"), PNG));
    await assertSucceeds(uploadBytes(mine, bytes("picture"), PNG));
    expect(new TextDecoder().decode(await getBytes(ref(nobody(), "avatars/ada")))).toBe("picture");
    expect(await getMetadata(mine)).toMatchObject({ size: 7, contentType: "image/png" });
    await assertFails(deleteObject(mine));
    await assertSucceeds(deleteObject(ref(as("eve", { admin: true }), "avatars/ada")));
    await expect(getMetadata(mine)).rejects.toMatchObject({ code: "storage/object-not-found" });
  });

  test("is overwritten by `create`, with `resource` saying what was there", async () => {
    const mine = ref(as("ada"), "avatars/ada");
    await uploadBytes(mine, bytes("1"), PNG);
    await assertSucceeds(uploadBytes(mine, bytes("2"), { contentType: "image/gif" }));
    await assertFails(uploadBytes(mine, bytes("3"), { ...PNG, contentType: "text/plain" }));
    await assertFails(uploadBytes(mine, new Uint8Array(100), { contentType: "image/gif" }));
    expect(new TextDecoder().decode(await getBytes(mine))).toBe("2");
  });

  test("keeps its bytes while its metadata changes", async () => {
    const mine = ref(as("ada"), "avatars/ada");
    await uploadBytes(mine, bytes("picture"), PNG);
    await assertSucceeds(updateMetadata(mine, { customMetadata: { consent: "no" } }));
    await assertFails(updateMetadata(mine, { customMetadata: { other: "x" } }));
    await assertFails(updateMetadata(ref(as("bo"), "avatars/ada"), { customMetadata: { consent: "x" } }));
    const { md5Hash, customMetadata } = await getMetadata(mine);
    expect(md5Hash).toBe(createHash("md5").update("picture").digest("base64"));
    expect(customMetadata).toEqual({ consent: "no" });
  });

  test("may be large, sent in parts, and be named in any script", async () => {
    const name = "inbox/Größe 名前 & 🎈.bin";
    const large = new Uint8Array(600_000).fill(7);
    await assertSucceeds(uploadBytesResumable(ref(as("ada"), name), large).then((snapshot) => snapshot));
    await assertFails(getBytes(ref(as("ada"), name)));
    await assertSucceeds(uploadString(ref(as("ada"), "inbox/text"), "text"));
  });
});

describe("a list", () => {
  test("is allowed by a rule for the folder and for whatever is in it, and ends at the next slash", async () => {
    const db = as("ada");
    for (const name of ["albums/ada/1", "albums/ada/2", "albums/ada/old/3"]) await uploadString(ref(db, name), "x");
    const { items, prefixes } = await assertSucceeds(listAll(ref(db, "albums/ada")));
    expect(items.map(({ name }) => name)).toEqual(["1", "2"]);
    expect(prefixes.map(({ name }) => name)).toEqual(["old"]);
    const page = await list(ref(db, "albums/ada"), { maxResults: 1 });
    expect(page.items).toHaveLength(1);
    await assertFails(listAll(ref(as("bo"), "albums/ada")));
    await assertSucceeds(listAll(ref(nobody(), "avatars")));
    await assertFails(listAll(ref(db, "inbox")));
    await assertFails(listAll(ref(db)));
  });
});

describe("documents of Firestore", () => {
  test("decide by get() and exists()", async () => {
    await given("users/chess", { members: ["ada"] });
    await given("users/ada", { age: 18 });
    await given("users/bo", { age: 17 });
    await assertSucceeds(uploadString(ref(as("ada"), "clubs/chess/rules"), "no takebacks"));
    await assertFails(uploadString(ref(as("bo"), "clubs/chess/rules"), "x"));
    await assertFails(uploadString(ref(as("ada"), "clubs/none/rules"), "x"));
    await assertSucceeds(getBytes(ref(as("ada"), "clubs/chess/rules")));
    await assertFails(getBytes(ref(as("bo"), "clubs/chess/rules")));
    await given("users/chess", { members: ["bo"] });
    await assertSucceeds(getBytes(ref(as("bo"), "clubs/chess/rules")));
  });

  test("are looked up for each of many requests at the same time", async () => {
    await given("users/chess", { members: ["ada"] });
    await given("users/ada", { age: 18 });
    await uploadString(ref(as("ada"), "clubs/chess/rules"), "x");
    const names = Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? "ada" : `u${i}`));
    const outcomes = await Promise.allSettled(names.map((uid) => getBytes(ref(as(uid), "clubs/chess/rules"))));
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual(names.map((uid) => uid === "ada"));
  });

  test("are two at most for a request", async () => {
    await given("users/chess", { members: ["ada"] });
    for (const id of ["ada", "one", "two", "three"]) await given(`users/${id}`, { age: 20 });
    const file = ref(as("ada"), "clubs/chess/rules");
    await uploadString(file, "x");
    await assertFails(updateMetadata(file, { contentType: "text/html" }));
    expect(output).toContain("Maximum of 2 document access calls has been reached. for 'update'");
  });
});

test("servers are not subject to rules", async () => {
  const emulator = `http://127.0.0.1:${environment.emulators.storage?.port}`;
  const call = (verb: string, path: string, more: RequestInit = {}) =>
    fetch(emulator + path, {
      method: verb,
      ...more,
      headers: { authorization: "Bearer owner", "content-type": "application/json" },
    });
  const name = "secret/report.txt";
  const [all, file] = [`/storage/v1/b/${BUCKET}/o`, `/storage/v1/b/${BUCKET}/o/${encodeURIComponent(name)}`];
  await call("POST", `/upload${all}?uploadType=media&name=${encodeURIComponent(name)}`, { body: "all of it" });
  expect(await (await call("GET", `/download${file}?alt=media`)).text()).toBe("all of it");
  const changed = await call("PATCH", `/b/${BUCKET}/o/${encodeURIComponent(name)}`, {
    body: JSON.stringify({ metadata: { by: "cron" } }),
  });
  expect(await changed.json()).toMatchObject({ name, metadata: { by: "cron" } });
  expect(await (await call("GET", `${all}?prefix=secret/`)).json()).toMatchObject({ items: [{ name }] });
  await assertFails(getBytes(ref(as("ada"), name)));
  await call("DELETE", file);
  expect((await call("GET", file)).status).toBe(404);
});

test("a denial says in the CLI's output what came of which rule", async () => {
  await assertFails(uploadBytes(ref(as("bo"), "avatars/ada"), bytes("x"), PNG));
  await vi.waitFor(() => expect(output).toContain(`where request.auth.uid is "bo" and uid is "ada"`));
});

describe("rules", () => {
  const load = (rules: string) => {
    const { host = "", port = 0 } = environment.emulators.storage ?? {};
    return initializeTestEnvironment({ projectId: PROJECT, storage: { host, port, rules } });
  };

  test("that are none are refused, and shut everybody out", async () => {
    await expect(load("service firebase.storage {\n match /b/{b}/o { allow read: if ; } }")).rejects.toThrow();
    await vi.waitFor(() => expect(output).toMatch(/Unexpected ';'.* in storage\.rules:2/));
    await assertFails(getBytes(ref(nobody(), "avatars/ada")));
    await load(RULES);
    await assertSucceeds(uploadBytes(ref(as("ada"), "avatars/ada"), bytes("x"), PNG));
  });

  test("of version 1 allow no lists, and are in force at once, as are those after", async () => {
    await load("service firebase.storage { match /b/{b}/o/{file=**} { allow read; } }");
    await assertFails(listAll(ref(nobody(), "avatars")));
    await assertFails(uploadBytes(ref(as("ada"), "avatars/ada"), bytes("x"), PNG));
    await load(RULES);
    await assertSucceeds(listAll(ref(nobody(), "avatars")));
  });
});

describe("a request that is malformed", () => {
  test.each([
    ["an upload of nothing named", "/upload/storage/v1/b/x/o?uploadType=media"],
    ["parts without a boundary", `/v0/b/${BUCKET}/o?uploadType=multipart&name=a`],
  ])("is refused, and the suite goes on: %s", async (_, path) => {
    const { status } = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { "content-type": "multipart/related" },
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    await assertSucceeds(uploadBytes(ref(as("ada"), "avatars/ada"), bytes("picture"), PNG));
  });

  test("ends nothing, however it is put together", async () => {
    const file = fc.constantFrom(
      "",
      "/a",
      "/a%2Fb",
      "/..",
      "/%00",
      "/a/acl",
      "/a/copyTo/b/x/o/y",
      "/a/rewriteTo/b/x/o/y",
    );
    const base = fc.constantFrom(
      `/v0/b/${BUCKET}/o`,
      `/storage/v1/b/${BUCKET}/o`,
      "/upload/storage/v1/b/x/o",
      "/b/x/o",
    );
    const query = fc.constantFrom(
      "",
      "name=a",
      "uploadType=media",
      "uploadType=multipart&name=a",
      "uploadType=resumable&name=a",
      "upload_id=x",
      "alt=media",
      "pageToken=%",
    );
    const headers = fc.record(
      {
        "content-type": fc.constantFrom("application/json", "multipart/related", "multipart/related; boundary=x", ";"),
        "x-goog-upload-protocol": fc.constantFrom("resumable", "multipart"),
        "x-goog-upload-command": fc.constantFrom("start", "upload", "upload, finalize", "query", "cancel", "x"),
        "x-goog-upload-offset": fc.constantFrom("-1", "x"),
        range: fc.constantFrom("bytes=5-1", "bytes=x"),
        "content-range": fc.constantFrom("bytes */*", "x"),
        authorization: fc.constantFrom("Bearer owner", "x", "Firebase e30.e30."),
      },
      { requiredKeys: [] },
    );
    const verb = fc.constantFrom("POST", "POST", "PUT", "PATCH", "DELETE");
    const body = fc.oneof(fc.string(), fc.json(), fc.constantFrom("--x\r\n\r\n--x--", '{"metadata":null}'));
    await fc.assert(
      fc.asyncProperty(verb, base, file, query, headers, body, async (method, base, file, query, headers, body) => {
        const answer = await fetch(`${origin}${base}${file}?${query}`, { method, headers, body });
        await answer.body?.cancel();
        expect([200, 201, 204, 400, 403, 404, 412, 415, 501]).toContain(answer.status);
      }),
      { numRuns: 200 },
    );
  });
});
