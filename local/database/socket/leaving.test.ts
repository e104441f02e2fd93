import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { goOffline, limitToLast, onChildAdded, onDisconnect, orderByKey, query, ref, set } from "firebase/database";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startWire } from "../../harness.ts";
import { useDatabase } from "../harness.ts";

const harness = useDatabase();

describe("a client whose connection is cut", () => {
  test("comes back and has seen every child once", async () => {
    const wire = await startWire(harness.server.port);
    const reader = harness.connect({ sub: "reader" }, wire.port);
    const writer = harness.connect();
    const seen: string[] = [];
    onChildAdded(query(ref(reader, "log"), orderByKey(), limitToLast(50)), ({ key }) => seen.push(String(key)));
    const add = (n: number) => set(ref(writer, `log/${n}`), { n });
    for (let n = 0; n < 5; n++) await add(n);
    await vi.waitFor(() => expect(seen).toHaveLength(5));
    wire.cut();
    for (let n = 5; n < 10; n++) await add(n);
    await vi.waitFor(() => expect(seen).toHaveLength(10), { timeout: 15_000 });
    await add(10);
    await vi.waitFor(() => expect(seen).toHaveLength(11));
    expect(seen).toEqual(Array.from({ length: 11 }, (_, n) => String(n)));
  });

  test("writes what it wrote meanwhile, once", async () => {
    const wire = await startWire(harness.server.port);
    const client = harness.connect({ sub: "writer" }, wire.port);
    await set(ref(client, "n"), 1);
    wire.cut();
    await set(ref(client, "n"), 2);
    expect(harness.database.root.child("n").leaf).toBe(2);
  });
});

describe("onDisconnect", () => {
  const PRESENCE = `
    import { initializeApp } from "firebase/app";
    import * as db from "firebase/database";
    const app = initializeApp({ databaseURL: process.argv[1] });
    const me = db.ref(db.getDatabase(app), "presence/me");
    await db.onDisconnect(me).update({ online: false, left: db.serverTimestamp() });
    await db.set(me, { online: true });
    console.log("ready");
  `;

  test("happens when a client is killed with -9", async () => {
    const url = `http://127.0.0.1:${harness.server.port}?ns=${harness.database.name}`;
    const player = spawn(process.execPath, ["--input-type=module", "--eval", PRESENCE, url], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void player.kill("SIGKILL"));
    await new Promise((resolve) => player.stdout.once("data", resolve));
    const me = () => harness.database.root.at(["presence", "me"]);
    expect(me().child("online").leaf).toBe(true);
    player.kill("SIGKILL");
    await vi.waitFor(() => expect(me().child("online").leaf).toBe(false), { timeout: 5_000 });
    expect(Math.abs(Number(me().child("left").leaf) - Date.now())).toBeLessThan(5_000);
  });

  test("happens when a client leaves, but for what it has cancelled", async () => {
    const client = harness.connect();
    await set(ref(client), { a: 1, b: { x: 1, y: 1 } });
    await onDisconnect(ref(client, "a")).set("gone");
    await onDisconnect(ref(client, "b")).update({ x: "gone", y: "gone" });
    await onDisconnect(ref(client, "b/y")).cancel();
    goOffline(client);
    await vi.waitFor(() => expect(harness.database.root.child("a").leaf).toBe("gone"));
    expect(harness.database.root.at(["b", "x"]).leaf).toBe("gone");
    expect(harness.database.root.at(["b", "y"]).leaf).toBe(1);
  });

  test("is refused where rules do not let the client write, then and at the end", async () => {
    await harness.rules({ open: { ".write": "!data.parent().child('locked').exists()" }, locked: { ".write": true } });
    const client = harness.connect();
    await expect(onDisconnect(ref(client, "closed")).set(1)).rejects.toThrow("PERMISSION_DENIED");
    await onDisconnect(ref(client, "open")).set(1);
    await set(ref(client, "locked"), true);
    goOffline(client);
    await vi.waitFor(() => expect(harness.database.usage.total.connections).toBe(0));
    expect(harness.database.root.child("open").isEmpty).toBe(true);
  });
});
