import { deleteApp, initializeApp } from "firebase-admin/app";
import { type Database, getDatabaseWithUrl } from "firebase-admin/database";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { NAMESPACE, useDatabase } from "./harness.ts";

const harness = useDatabase();
let apps = 0;

beforeEach(() => {
  vi.stubEnv("FIREBASE_DATABASE_EMULATOR_HOST", `127.0.0.1:${harness.server.port}`);
});

function connect(databaseAuthVariableOverride?: object | null): Database {
  const override = databaseAuthVariableOverride === undefined ? {} : { databaseAuthVariableOverride };
  const credential = { getAccessToken: async () => ({ access_token: "owner", expires_in: 3_600 }) };
  const app = initializeApp({ projectId: "demo", credential, ...override }, `admin-${++apps}`);
  onTestFinished(() => deleteApp(app));
  return getDatabaseWithUrl(`https://${NAMESPACE}.firebaseio.com`, app);
}

describe("the server SDK", () => {
  test("is bound by no rules", async () => {
    await harness.rules({ ".read": false, ".write": false });
    const place = connect().ref("a");
    await place.set({ n: 1 });
    expect((await place.once("value")).val()).toEqual({ n: 1 });
    await place.child("n").transaction((n: number) => n + 1);
    expect((await place.get()).val()).toEqual({ n: 2 });
  });

  test("may ask to be bound as somebody, or as nobody", async () => {
    await harness.rules({ $uid: { ".write": "auth.uid === $uid && auth.token.role === 'player'" } });
    await connect({ uid: "ada", token: { role: "player" } })
      .ref("ada")
      .set(1);
    await expect(
      connect({ uid: "ada", token: { role: "player" } })
        .ref("bob")
        .set(1),
    ).rejects.toThrow("PERMISSION_DENIED");
    await expect(connect({ uid: "ada" }).ref("ada").set(1)).rejects.toThrow("PERMISSION_DENIED");
    await expect(connect(null).ref("ada").set(1)).rejects.toThrow("PERMISSION_DENIED");
  });

  test("may say more of whom it is bound as than a token could", async () => {
    await harness.rules({ ".write": "auth.role === 'referee' && auth.uid === 'ada'" });
    await connect({ uid: "ada", role: "referee" }).ref("a").set(1);
    await expect(connect({ uid: "ada", role: "player" }).ref("a").set(1)).rejects.toThrow("PERMISSION_DENIED");
  });

  test("puts rules, and gets them as they were and without comments", async () => {
    const source = '{ // all\n  "rules": { ".read": true, "a": { ".indexOn": ["b", /* c */ ".value"], } } }';
    const database = connect();
    await database.setRules(source);
    expect(await database.getRules()).toBe(source);
    expect(await database.getRulesJSON()).toEqual({ rules: { ".read": true, a: { ".indexOn": ["b", ".value"] } } });
    await expect(database.setRules('{"rules":{".read":"foo"}}')).rejects.toThrow("1:20: ");
  });

  test("is of the time that the server was set to", async () => {
    const setClock = async (state: object) => {
      const url = `http://127.0.0.1:${harness.server.port}/.inspect/clock.json?ns=${NAMESPACE}`;
      return (await fetch(url, { method: "PUT", body: JSON.stringify(state) })).status;
    };
    await harness.rules({ ".read": "now < 2208988800000", ".write": true });
    const then = Date.parse("2040-01-01T00:00:00Z");
    expect(await setClock({ offset: 0, frozenAt: then })).toBe(200);
    await connect().ref("at").set({ ".sv": "timestamp" });
    expect((await connect().ref("at").get()).val()).toBe(then);
    await expect(connect({ uid: "ada" }).ref("at").get()).rejects.toThrow(/permission denied/i);
    expect(await setClock({ offset: 0 })).toBe(200);
    expect((await connect({ uid: "ada" }).ref("at").get()).val()).toBe(then);
    expect(await setClock({ offset: "soon" })).toBe(400);
  });

  test("reads and changes rules", async () => {
    const database = connect();
    expect(await database.getRulesJSON()).toEqual({ rules: { ".read": true, ".write": true } });
    await database.setRules({ rules: { ".read": "auth != null" } });
    expect(await database.getRulesJSON()).toEqual({ rules: { ".read": "auth != null" } });
    await expect(database.setRules('{"rules": {".read": "nonsense("}}')).rejects.toThrow(/1:\d+: /);
  });
});
