import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import type * as Sdk from "firebase/firestore";
import { afterEach, expect, test, vi } from "vitest";
import { PROJECT, useServer } from "../harness.ts";

/** The browser's build of the SDK, in Node: what it needs of a browser for its streams is `fetch`. */
const build = new URL("index.esm.js", import.meta.resolve("@firebase/firestore"));
const { connectFirestoreEmulator, doc, getDoc, initializeFirestore, onSnapshot, setDoc, setLogLevel } = (await import(build.href)) as typeof Sdk;
setLogLevel("silent");

const harness = useServer();
const apps: FirebaseApp[] = [];
afterEach(() => Promise.all(apps.splice(0).map(deleteApp)));

function connect(settings: Sdk.FirestoreSettings): Sdk.Firestore {
  const app = initializeApp({ projectId: PROJECT, apiKey: "key" }, `app-${Math.random()}`);
  apps.push(app);
  const firestore = initializeFirestore(app, settings);
  connectFirestoreEmulator(firestore, harness.server.host, harness.server.port);
  return firestore;
}

test("x", async () => {
  const db = connect({});
  const heard: unknown[] = [];
  onSnapshot(doc(db, "rooms/a"), (s) => heard.push(s.data()));
  await vi.waitFor(() => expect(heard.length).toBe(1), 3000);
  await setDoc(doc(db, "rooms/a"), { n: 1 });
  await vi.waitFor(() => expect(heard.at(-1)).toEqual({ n: 1 }));
  console.log(heard);
  expect((await getDoc(doc(db, "rooms/a"))).data()).toEqual({ n: 1 });
});
