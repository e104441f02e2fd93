import { assertFails, assertSucceeds, initializeTestEnvironment } from "@firebase/rules-unit-testing";
import { get, ref, set } from "firebase/database";
import { describe, expect, onTestFinished, test } from "vitest";
import { NAMESPACE, OWNER, useDatabase } from "../harness.ts";

const harness = useDatabase();

describe("rules", () => {
  test("are put by the owner and come back as they were given", async () => {
    const source = '{\n  // everybody\n  "rules": { ".read": true }\n}';
    expect((await harness.http("PUT", "/.settings/rules.json", source)).status).toBe(401);
    expect(await harness.http("PUT", "/.settings/rules.json", source, OWNER)).toMatchObject({
      status: 200,
      body: { status: "ok" },
    });
    const { port } = harness.server;
    const answer = await fetch(`http://127.0.0.1:${port}/.settings/rules.json?ns=${NAMESPACE}`, { headers: OWNER });
    expect(await answer.text()).toBe(source);
    expect(await harness.http("PUT", "/a.json", 1)).toMatchObject({ status: 401 });
  });

  test("that cannot be understood are refused with where they are wrong, and those before stay in force", async () => {
    await harness.rules({ ".read": true });
    const wrong = await harness.http("PUT", "/.settings/rules.json", '{"rules":{\n".write": "foo" }}', OWNER);
    expect(wrong).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^2:\d+: /) } });
    expect(await harness.http("GET", "/.settings/rules.json", undefined, OWNER)).toMatchObject({
      body: { rules: { ".read": true } },
    });
  });

  test("belong to one database", async () => {
    await harness.rules({ ".read": false, ".write": false });
    expect((await fetch(`http://127.0.0.1:${harness.server.port}/a.json?ns=other`)).status).toBe(200);
    expect((await harness.http("GET", "/a.json")).status).toBe(401);
  });

  test("are tested by the official library", async () => {
    const environment = await initializeTestEnvironment({
      projectId: "demo",
      database: {
        host: "127.0.0.1",
        port: harness.server.port,
        rules: JSON.stringify({ rules: { $uid: { ".read": "auth.uid === $uid", ".write": "auth.uid === $uid" } } }),
      },
    });
    onTestFinished(() => environment.cleanup());
    const ada = environment.authenticatedContext("ada").database();
    const nobody = environment.unauthenticatedContext().database();
    await ada.ref("ada").set(1);
    await expect(set(ref(ada as never, "bob"), 1)).rejects.toThrow("PERMISSION_DENIED");
    await expect(get(ref(nobody as never, "ada"))).rejects.toThrow("Permission denied");
    await environment.withSecurityRulesDisabled(async (context) => {
      expect((await context.database().ref("ada").get()).val()).toBe(1);
    });
    await environment.clearDatabase();
    expect((await ada.ref("ada").get()).val()).toBeNull();
  });
});

describe("the coverage of rules", () => {
  test("says what tests of the official library evaluated, as data and as a page", async () => {
    const rules = JSON.stringify({ rules: { $uid: { ".read": "auth.uid === $uid" } } });
    const { port } = harness.server;
    const environment = await initializeTestEnvironment({
      projectId: "demo",
      database: { host: "127.0.0.1", port, rules },
    });
    onTestFinished(() => environment.cleanup());
    const ada = environment.authenticatedContext("ada").database();
    await assertSucceeds(ada.ref("ada").get());
    await assertFails(ada.ref("bob").get());
    await environment.withSecurityRulesDisabled(async (context) => {
      await context.database().ref("bob").get();
    });
    const report = await fetch(`http://127.0.0.1:${port}/.inspect/coverage.json?ns=demo`);
    expect(await report.json()).toMatchObject({
      rules,
      report: {
        $uid: {
          ".read": {
            text: "auth.uid === $uid",
            "location-start": "0:27",
            "location-end": "0:43",
            values: [
              { value: true, count: 1 },
              { value: false, count: 1 },
            ],
          },
        },
      },
    });
    const page = await fetch(`http://127.0.0.1:${port}/.inspect/coverage?ns=demo`);
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain('title="true ×1, false ×1"');
  });

  test("starts anew with new rules, and is there for a database without any", async () => {
    await harness.rules({ ".read": "now > 0" });
    await harness.http("GET", "/a.json");
    const values = async () => {
      const { body } = await harness.http("GET", "/.inspect/coverage.json");
      return (body as { report: { ".read": { values: unknown[] } } }).report[".read"].values;
    };
    expect(await values()).toEqual([{ value: true, count: 1 }]);
    await harness.rules({ ".read": "now > 0" });
    expect(await values()).toEqual([]);
    const { port } = harness.server;
    const other = await fetch(`http://127.0.0.1:${port}/.inspect/coverage.json?ns=other`);
    expect(await other.json()).toMatchObject({ report: { ".read": { text: "true", values: [] } } });
  });
});

describe("the emulator's surface", () => {
  test("lists databases and knows no settings that it does not keep", async () => {
    await harness.http("PUT", "/a.json", 1);
    expect(await harness.http("GET", "/.inspect/databases.json", undefined, OWNER)).toMatchObject({
      body: [{ name: NAMESPACE }],
    });
    expect((await harness.http("GET", "/.settings/other.json", undefined, OWNER)).status).toBe(404);
  });

  test("lets pages of other origins ask", async () => {
    const answer = await fetch(`http://127.0.0.1:${harness.server.port}/a.json?ns=x`, {
      method: "OPTIONS",
      headers: { origin: "http://localhost:3000", "access-control-request-headers": "x-firebase-gmpid" },
    });
    expect(answer.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
    expect(answer.headers.get("access-control-allow-headers")).toBe("x-firebase-gmpid");
  });
});
