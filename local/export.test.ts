import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Firestore, GeoPoint, Timestamp } from "@google-cloud/firestore";
import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import {
  connectAuthEmulator,
  createUserWithEmailAndPassword,
  getAuth,
  signInWithEmailAndPassword,
  updateProfile,
} from "firebase/auth";
import {
  child,
  connectDatabaseEmulator,
  get,
  getDatabase,
  orderByPriority,
  query,
  ref,
  setPriority,
  setWithPriority,
} from "firebase/database";
import {
  connectStorageEmulator,
  ref as fileAt,
  getBytes,
  getMetadata,
  getStorage,
  uploadString,
} from "firebase/storage";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { exit } from "./harness.ts";
import { freePort } from "./ports.ts";

/** `--import`, `--export-on-exit` and `emulators:export` of the official CLI, with all that it can export, by official clients. */

const PROJECT = `demo-export-${process.pid}`;
const NAMESPACE = `${PROJECT}-default-rtdb`;
const CLI = fileURLToPath(new URL("cli.ts", import.meta.url));
/** On a machine with much else to do; some seconds otherwise. */
const START_MILLIS = 120_000;
const TEST_MILLIS = 4 * START_MILLIS;
const PRODUCTS = ["firestore", "database", "auth", "storage"] as const;

const folder = mkdtempSync(join(tmpdir(), "export-test-"));
const ports: Record<string, number> = {};

beforeAll(async () => {
  for (const name of [...PRODUCTS, "hub", "logging", "websocket"]) ports[name] = await freePort();
  const emulators: Record<string, unknown> = { ui: { enabled: false } };
  for (const name of [...PRODUCTS, "hub", "logging"]) emulators[name] = { host: "127.0.0.1", port: ports[name] };
  emulators.firestore = { host: "127.0.0.1", port: ports.firestore, websocketPort: ports.websocket };
  writeFileSync(
    join(folder, "storage.rules"),
    "service firebase.storage { match /b/{bucket}/o/{file=**} { allow read, write; } }",
  );
  const database = { rules: "database.rules.json" };
  writeFileSync(join(folder, database.rules), JSON.stringify({ rules: { ".read": true, ".write": "auth != null" } }));
  const config = { storage: { rules: "storage.rules" }, database, emulators };
  writeFileSync(join(folder, "firebase.json"), JSON.stringify(config));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string | null>;
  output(): string;
}

/** Runs the CLI; what it starts ends with it. */
function run(...args: string[]): Run {
  const child = spawn(process.execPath, [CLI, ...args, "--project", PROJECT], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  return { child, ended: exit(child), output: () => output };
}

async function start(products: readonly string[], ...args: string[]): Promise<Run> {
  const suite = run("emulators:start", "--only", products.join(), ...args);
  const isReady = () => expect(suite.output()).toContain("All emulators ready!");
  await vi.waitFor(isReady, { timeout: START_MILLIS, interval: 100 });
  return suite;
}

async function stop({ child, ended }: Run): Promise<void> {
  child.kill("SIGINT");
  expect(await ended).toBe(0);
}

/** An app on the emulators, and a server's client of Firestore, both closed with the test. */
function clients(): { app: FirebaseApp; firestore: Firestore } {
  const options = { projectId: PROJECT, apiKey: "key", storageBucket: `${PROJECT}.appspot.com` };
  const databaseURL = `http://127.0.0.1:${ports.database}?ns=${NAMESPACE}`;
  const app = initializeApp({ ...options, databaseURL }, `app-${Math.random()}`);
  connectAuthEmulator(getAuth(app), `http://127.0.0.1:${ports.auth}`, { disableWarnings: true });
  connectDatabaseEmulator(getDatabase(app), "127.0.0.1", ports.database as number);
  connectStorageEmulator(getStorage(app), "127.0.0.1", ports.storage as number);
  process.env.FIRESTORE_EMULATOR_HOST = `127.0.0.1:${ports.firestore}`;
  const firestore = new Firestore({ projectId: PROJECT });
  onTestFinished(async () => {
    await firestore.terminate();
    await deleteApp(app);
  });
  return { app, firestore };
}

const PROFILE = {
  name: "Ada",
  born: new Timestamp(-4_865_270_400, 0),
  seen: new Timestamp(1_700_000_000, 123_456_000),
  home: new GeoPoint(51.5, -0.1),
  scores: [1, 2.5, Number.NaN, null, { at: "noon", tags: [] }],
  key: Buffer.from([0, 255, 1]),
  nothing: {},
};
const LONG = "x".repeat(100_000);

async function writeAll(): Promise<void> {
  const { app, firestore } = clients();
  const { user } = await createUserWithEmailAndPassword(getAuth(app), "ada@example.com", "secret-password");
  await updateProfile(user, { displayName: "Ada" });
  await firestore.doc("users/ada").set({ ...PROFILE, friend: firestore.doc("users/bo") });
  await firestore.doc("rooms/one/messages/first").set({ text: LONG });
  const board = ref(getDatabase(app), "board");
  await setWithPriority(child(board, "late"), { score: 1 }, 2);
  await setWithPriority(child(board, "early"), "plain", 1);
  await setPriority(board, "top");
  const metadata = { contentType: "text/x-note", customMetadata: { mood: "good" } };
  await uploadString(fileAt(getStorage(app), "notes/ä b.txt"), "hello", "raw", metadata);
}

async function expectAll(): Promise<void> {
  const { app, firestore } = clients();
  const { user } = await signInWithEmailAndPassword(getAuth(app), "ada@example.com", "secret-password");
  expect(user.displayName).toBe("Ada");
  const friend = firestore.doc("users/bo");
  expect((await firestore.doc("users/ada").get()).data()).toEqual({ ...PROFILE, friend });
  expect((await friend.get()).data()).toEqual({ name: "Bo" });
  expect((await firestore.doc("rooms/one/messages/first").get()).data()).toEqual({ text: LONG });
  expect((await firestore.collection("rooms").listDocuments()).map(({ path }) => path)).toEqual(["rooms/one"]);
  const board = await get(query(ref(getDatabase(app), "board"), orderByPriority()));
  expect(board.exportVal()).toEqual({
    ".priority": "top",
    early: { ".value": "plain", ".priority": 1 },
    late: { score: 1, ".priority": 2 },
  });
  const file = fileAt(getStorage(app), "notes/ä b.txt");
  expect(Buffer.from(await getBytes(file)).toString()).toBe("hello");
  expect(await getMetadata(file)).toMatchObject({ contentType: "text/x-note", customMetadata: { mood: "good" } });
}

test("what was written comes back when the suite starts with what it exported", { timeout: TEST_MILLIS }, async () => {
  const first = await start(PRODUCTS, "--export-on-exit", "saved");
  await writeAll();
  const asked = run("emulators:export", "asked", "--force");
  expect([await asked.ended, asked.output()]).toEqual([0, expect.stringContaining("Export complete")]);
  await clients().firestore.doc("users/bo").set({ name: "Bo" });
  await stop(first);
  expect(first.output()).toContain("Export complete");
  const exported = JSON.parse(readFileSync(join(folder, "saved/firebase-export-metadata.json"), "utf8"));
  expect(Object.keys(exported).sort()).toEqual(["version", ...PRODUCTS].sort());

  const second = await start(PRODUCTS, "--import", "saved");
  await expectAll();
  await stop(second);
});

test("what is exported while the suite runs is of that moment", { timeout: TEST_MILLIS }, async () => {
  const suite = await start(["firestore"], "--import", "asked");
  const documents = await clients().firestore.collection("users").get();
  expect(documents.docs.map(({ id }) => id)).toEqual(["ada"]);
  await stop(suite);
});

test("an export of which a byte was changed stops the suite, which says where", { timeout: TEST_MILLIS }, async () => {
  const output = join(folder, "saved/firestore_export/all_namespaces/all_kinds/output-0");
  const bytes = readFileSync(output);
  bytes[50] = (bytes[50] as number) ^ 1;
  writeFileSync(output, bytes);
  const suite = run("emulators:start", "--only", "firestore", "--import", "saved");
  expect(await suite.ended).toBe(1);
  expect(suite.output()).toContain("Firestore Emulator has exited with code: 1");
  const log = readFileSync(join(folder, "firestore-debug.log"), "utf8");
  expect(log).toContain(`${output}, byte 0: the checksum is not that of the record`);
});
