import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Firestore } from "@google-cloud/firestore";
import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import { connectFirestoreEmulator, doc, getDoc, getFirestore, setDoc, setLogLevel } from "firebase/firestore";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { exit } from "../harness.ts";
import { freePort } from "../ports.ts";

/** A project with two databases in its firebase.json, under the official CLI. */
const PROJECT = "demo-two";
setLogLevel("silent");

const letting = (collection: string) => `rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents/${collection}/{id} { allow read, write; }
}`;
const FILES = {
  "firestore.rules": letting("rooms"),
  "orders.rules": letting("orders"),
  "firestore.indexes.json": JSON.stringify({ indexes: [], fieldOverrides: [] }),
  "orders.indexes.json": JSON.stringify({
    indexes: [],
    fieldOverrides: [{ collectionGroup: "orders", fieldPath: "expiresAt", ttl: true, indexes: [] }],
  }),
};

const folder = mkdtempSync(join(tmpdir(), "databases-test-"));
let app: FirebaseApp;
let port: number;
let child: ChildProcess;
let output = "";

beforeAll(async () => {
  port = await freePort();
  const [websocketPort, hub, logging] = [await freePort(), await freePort(), await freePort()];
  const at = (at: number) => ({ host: "127.0.0.1", port: at });
  const config = {
    firestore: [
      { database: "(default)", rules: "firestore.rules", indexes: "firestore.indexes.json" },
      { database: "orders", rules: "orders.rules", indexes: "orders.indexes.json" },
    ],
    emulators: {
      firestore: { ...at(port), websocketPort },
      hub: at(hub),
      logging: at(logging),
      ui: { enabled: false },
    },
  };
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
  writeFileSync(join(folder, "firebase.json"), JSON.stringify(config));
  const args = [
    "emulators:start",
    "--project",
    PROJECT,
    "--config",
    join(folder, "firebase.json"),
    "--only",
    "firestore",
  ];
  child = spawn(process.execPath, [fileURLToPath(new URL("../cli.ts", import.meta.url)), ...args], {
    cwd: folder,
    env: { ...process.env, FIRESTORE_INDEXES: "enforced" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  await vi.waitFor(() => expect(output).toContain("All emulators ready"), { timeout: 30_000, interval: 100 });
  app = initializeApp({ projectId: PROJECT, apiKey: "none" });
}, 40_000);

afterAll(async () => {
  const ended = exit(child);
  child.kill("SIGINT");
  await Promise.all([ended, deleteApp(app)]);
  rmSync(folder, { recursive: true });
}, 20_000);

const connected = new Map<string, ReturnType<typeof getFirestore>>();
/** What an app that nobody is signed in to sees of a database. */
function appOn(database: string): ReturnType<typeof getFirestore> {
  const known = connected.get(database);
  if (known) return known;
  const firestore = getFirestore(app, database);
  connectFirestoreEmulator(firestore, "127.0.0.1", port);
  connected.set(database, firestore);
  return firestore;
}

function serverOn(databaseId: string): Firestore {
  return new Firestore({
    projectId: PROJECT,
    databaseId,
    host: `127.0.0.1:${port}`,
    ssl: false,
    customHeaders: { authorization: "Bearer owner" },
  });
}

const isDenied = (attempt: Promise<unknown>) =>
  attempt.then(
    () => false,
    ({ code }) => code === "permission-denied",
  );

test("each database lets apps do what its own rules say, and no more", async () => {
  await setDoc(doc(appOn("(default)"), "rooms/a"), { n: 1 });
  await setDoc(doc(appOn("orders"), "orders/a"), { n: 2 });
  expect(await isDenied(setDoc(doc(appOn("(default)"), "orders/a"), {}))).toBe(true);
  expect(await isDenied(setDoc(doc(appOn("orders"), "rooms/a"), {}))).toBe(true);
  expect((await getDoc(doc(appOn("orders"), "orders/a"))).data()).toEqual({ n: 2 });
});

test("the CLI does not warn of rules that are in force", () => {
  expect(output).not.toContain("does not support multiple databases");
  expect(output).not.toContain("rules file");
});

test("each database has the indexes and TTL policies of its own file", async () => {
  const [rooms, orders] = [serverOn("(default)"), serverOn("orders")];
  try {
    for (const database of [rooms, orders]) await database.doc("orders/old").set({ expiresAt: new Date(0) });
    const clock = `http://127.0.0.1:${port}/emulator/v1/clock`;
    await fetch(clock, { method: "PUT", body: JSON.stringify({ offset: 1 }) });
    expect((await rooms.doc("orders/old").get()).exists).toBe(true);
    expect((await orders.doc("orders/old").get()).exists).toBe(false);
  } finally {
    await Promise.all([rooms.terminate(), orders.terminate()]);
  }
  const list = async (database: string) => {
    const documents = `http://127.0.0.1:${port}/v1/projects/${PROJECT}/databases/${database}/documents`;
    return (await fetch(`${documents}/orders?orderBy=expiresAt`, { headers: { authorization: "Bearer owner" } }))
      .status;
  };
  expect(await list("(default)")).toBe(200);
  expect(await list("orders")).toBe(400);
});

test("a database's rules are in force soon after their file was changed, and those before while it is wrong", async () => {
  writeFileSync(join(folder, "orders.rules"), "nonsense");
  await vi.waitFor(() => expect(output).toContain("Error compiling rules"), { timeout: 10_000 });
  await setDoc(doc(appOn("orders"), "orders/b"), {});
  writeFileSync(join(folder, "orders.rules"), letting("parcels"));
  await vi.waitFor(() => expect(output).toContain('the rules of database "orders" are updated'), { timeout: 10_000 });
  await setDoc(doc(appOn("orders"), "parcels/a"), {});
  expect(await isDenied(setDoc(doc(appOn("orders"), "orders/c"), {}))).toBe(true);
});
