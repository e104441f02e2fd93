import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import type * as Sdk from "firebase/firestore";
import { afterEach, describe, expect, test, vi } from "vitest";
import { PROJECT } from "../harness.ts";
import { type FirestoreServer, startFirestore } from "../server.ts";
import { FIRESTORE_FILE } from "./page.ts";

/** The browser's build of the SDK, in Node: what its streams need of a browser is `fetch`, and Node has it. */
const sdk = (await import(pathToFileURL(FIRESTORE_FILE).href)) as typeof Sdk;
const { connectFirestoreEmulator, doc, initializeFirestore, onSnapshot, setDoc, setLogLevel } = sdk;
setLogLevel("silent");

const closing: (() => Promise<unknown>)[] = [];
let apps = 0;
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
});

describe("the SDK of browsers", () => {
  for (const experimentalForceLongPolling of [false, true]) {
    test(`writes and listens ${experimentalForceLongPolling ? "by long polls" : "by streams"}`, async () => {
      const server = await start();
      const [one, other] = [connect(server.port, { experimentalForceLongPolling }), connect(server.port)];
      const heard = listen(one, "rooms/a");
      await vi.waitFor(() => expect(heard).toEqual([undefined]));
      await setDoc(doc(other, "rooms/a"), { n: 1 });
      await vi.waitFor(() => expect(heard).toEqual([undefined, { n: 1 }]));
    });
  }

  test("finds out by itself whether a proxy holds answers back, and that there is none", async () => {
    const server = await start();
    const heard = listen(connect(server.port, { experimentalAutoDetectLongPolling: true }), "rooms/a");
    await vi.waitFor(() => expect(heard).toEqual([undefined]));
  });

  test("gets through a proxy that holds every answer back until its end", async () => {
    const server = await start();
    const heard = listen(
      connect(await startProxy(server.port), { experimentalAutoDetectLongPolling: true }),
      "rooms/a",
    );
    await vi.waitFor(() => expect(heard).toEqual([undefined]), { timeout: 5_000 });
    await setDoc(doc(connect(server.port), "rooms/a"), { n: 1 });
    await vi.waitFor(() => expect(heard).toEqual([undefined, { n: 1 }]), { timeout: 5_000 });
  });

  test("finds a server that was started anew, and brings what it has written meanwhile", async () => {
    // From its second try on it waits for a time that is left to chance.
    vi.spyOn(Math, "random").mockReturnValue(0);
    const before = await start();
    const client = connect(before.port);
    const heard = listen(client, "rooms/a");
    await setDoc(doc(client, "rooms/a"), { n: 1 });
    await before.close();
    const written = setDoc(doc(client, "rooms/a"), { n: 2 });
    await start(before.port);
    await written;
    listen(connect(before.port), "rooms/a");
    await setDoc(doc(connect(before.port), "rooms/a"), { n: 3 });
    await vi.waitFor(() => expect(heard.at(-1)).toEqual({ n: 3 }), { timeout: 15_000 });
  });
});

async function start(port = 0): Promise<FirestoreServer> {
  const server = await startFirestore({ port });
  closing.push(() => server.close().catch(() => undefined));
  return server;
}

/** A way to a server that passes answers on when they are whole. */
async function startProxy(target: number): Promise<number> {
  const proxy = createServer(async (request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const { method = "GET", url = "/" } = request;
    const body = method === "GET" ? null : await text(request);
    const answer = await fetch(`http://127.0.0.1:${target}${url}`, { method, body, signal: gone.signal }).catch(
      () => undefined,
    );
    const whole = await answer?.text().catch(() => undefined);
    if (answer && whole !== undefined) response.writeHead(answer.status).end(whole);
    else response.destroy();
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return (proxy.address() as AddressInfo).port;
}

function connect(port: number, settings: Sdk.FirestoreSettings = {}): Sdk.Firestore {
  const app: FirebaseApp = initializeApp({ projectId: PROJECT, apiKey: "key" }, `browser-${++apps}`);
  closing.unshift(() => deleteApp(app));
  const firestore = initializeFirestore(app, settings);
  connectFirestoreEmulator(firestore, "127.0.0.1", port);
  return firestore;
}

function listen(client: Sdk.Firestore, path: string): unknown[] {
  const heard: unknown[] = [];
  onSnapshot(doc(client, path), (snapshot) => {
    if (!snapshot.metadata.hasPendingWrites) heard.push(snapshot.data());
  });
  return heard;
}
