import { setTimeout as sleep } from "node:timers/promises";
import { get, limitToLast, orderByKey, query, ref, set } from "firebase/database";
import { describe, expect, test, vi } from "vitest";
import { unsignedToken } from "../tokens.ts";
import { follow, NAMESPACE, useDatabase } from "./harness.ts";
import { ADMIN } from "./security.ts";

const harness = useDatabase();

describe("rules", () => {
  test("tell who may read and write, by the token of the client", async () => {
    await harness.rules({ users: { $uid: { ".read": "auth.uid === $uid", ".write": "auth.uid === $uid" } } });
    const [ada, nobody] = [harness.connect({ sub: "ada" }), harness.connect()];
    await set(ref(ada, "users/ada"), { name: "Ada" });
    expect((await get(ref(ada, "users/ada"))).val()).toEqual({ name: "Ada" });
    await expect(set(ref(ada, "users/bob"), 1)).rejects.toThrow("PERMISSION_DENIED: Permission denied");
    await expect(set(ref(nobody, "users/ada"), 1)).rejects.toThrow("PERMISSION_DENIED: Permission denied");
    await expect(get(ref(nobody, "users/ada"))).rejects.toThrow("Permission denied");
    const refused = follow(ref(nobody, "users/ada"));
    await vi.waitFor(() => expect(refused.errors).toHaveLength(1));
    expect(refused.errors[0]).toContain("permission_denied at /users/ada");
  });

  test("that change take back what may no longer be read", async () => {
    const client = harness.connect();
    const [plain, limited] = [
      follow(ref(client, "secrets")),
      follow(query(ref(client, "list"), orderByKey(), limitToLast(2))),
    ];
    await vi.waitFor(() => expect([plain.values, limited.values]).toEqual([[null], [null]]));
    await harness.rules({ list: { ".read": false }, secrets: { ".read": false } });
    await vi.waitFor(() => expect([plain.errors, limited.errors].flat()).toHaveLength(2));
    harness.database.write({ path: [], puts: [{ path: ["secrets"], json: "s" }] }, ADMIN);
    await expect(set(ref(client, "x"), 1)).rejects.toThrow("PERMISSION_DENIED");
    expect(plain.values).toEqual([null]);
  });

  test("that look at data take back what a write forbids, before anything more of it is sent", async () => {
    await harness.rules({ room: { ".read": "root.child('members').child(auth.uid).exists()" } });
    const write = (path: string[], json: unknown) =>
      harness.database.write({ path: [], puts: [{ path, json }] }, ADMIN);
    write(["members", "ada"], true);
    const followed = follow(ref(harness.connect({ sub: "ada" }), "room"));
    await vi.waitFor(() => expect(followed.values).toEqual([null]));
    write(["members", "ada"], null);
    write(["room", "message"], "secret");
    await vi.waitFor(() => expect(followed.errors).toHaveLength(1));
    expect(followed.values).toEqual([null]);
  });
});

describe("a token that runs out", () => {
  /** As the Auth emulator makes them: unsigned, good for so many seconds. */
  const tokenFor = (uid: string, seconds: number) =>
    unsignedToken({ sub: uid, exp: Math.floor(Date.now() / 1_000) + seconds });

  test("is said to be revoked, and the connection ends, with what was to be written then", async () => {
    await harness.rules({ ".read": "auth.uid === 'ada'", ".write": "auth.uid === 'ada'" });
    const client = await harness.raw();
    expect(await client.ask("auth", { cred: tokenFor("ada", 2) })).toMatchObject({ s: "ok" });
    await client.ask("o", { p: "/left", d: true });
    expect(await client.ask("q", { p: "/room", h: "" })).toMatchObject({ s: "ok" });
    await client.closed;
    expect(client.messages.at(-1)).toMatchObject({ d: { a: "ac", b: { s: "expired_token" } } });
    await vi.waitFor(() => expect(harness.database.root.at(["left"]).leaf).toBe(true));
  });

  test("in time for a new one goes unnoticed", async () => {
    await harness.rules({ ".read": "auth.uid === 'ada'" });
    const client = await harness.raw();
    await client.ask("auth", { cred: tokenFor("ada", 2) });
    await client.ask("auth", { cred: tokenFor("ada", 3_600) });
    await sleep(2_200);
    expect(await client.ask("g", { p: "/room" })).toMatchObject({ s: "ok" });
  });

  test("ends an event stream with auth_revoked", async () => {
    await harness.rules({ ".read": "auth.uid === 'ada'" });
    const url = `http://127.0.0.1:${harness.server.port}/room.json?ns=${NAMESPACE}&auth=${tokenFor("ada", 2)}`;
    const response = await fetch(url, { headers: { accept: "text/event-stream" } });
    expect(await response.text()).toMatch(/event: put[\s\S]*event: auth_revoked/);
  });

  test("that has run out long ago is one of a test, and is good", async () => {
    await harness.rules({ ".read": "auth.uid === 'ada'" });
    const client = await harness.raw();
    expect(await client.ask("auth", { cred: tokenFor("ada", -3_600) })).toMatchObject({ s: "ok" });
    expect(await client.ask("g", { p: "/room" })).toMatchObject({ s: "ok" });
  });
});
