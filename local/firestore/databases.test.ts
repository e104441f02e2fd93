import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { PROJECT, useServer } from "./harness.ts";
import { startFirestore } from "./server.ts";

/** Named databases: what is in one, and what holds in it, is nothing to another. */
const harness = useServer();
const documents = (database: string) => `/v1/projects/${PROJECT}/databases/${database}/documents`;
const control = (database: string, action: string) => `/emulator/v1/projects/${PROJECT}/databases/${database}${action}`;
const letting = (collection: string) => ({
  rules: {
    files: [
      {
        content: `rules_version = '2'; service cloud.firestore { match /databases/{d}/documents/${collection}/{id} { allow read; } }`,
      },
    ],
  },
});
const asApp = async (database: string, path: string) =>
  (await harness.http("GET", `${documents(database)}/${path}`, undefined, {})).status;

test("a database is there when it is first named, with its own documents", async () => {
  const [one, other] = [harness.connect({ databaseId: "one" }), harness.connect({ databaseId: "other" })];
  await one.doc("rooms/a").set({ n: 1 });
  expect((await one.doc("rooms/a").get()).data()).toEqual({ n: 1 });
  expect((await other.doc("rooms/a").get()).exists).toBe(false);
  expect((await harness.client.doc("rooms/a").get()).exists).toBe(false);
});

test("clearing a database leaves the others as they are", async () => {
  for (const databaseId of ["one", "other"]) await harness.connect({ databaseId }).doc("rooms/b").set({});
  expect((await harness.http("DELETE", control("one", "/documents"))).status).toBe(200);
  expect((await harness.http("GET", `${documents("one")}/rooms/b`)).status).toBe(404);
  expect((await harness.http("GET", `${documents("other")}/rooms/b`)).status).toBe(200);
});

test("rules of a project hold in all its databases but those with rules of their own", async () => {
  expect(await asApp("one", "rooms/none")).toBe(404);
  await harness.http("PUT", `/emulator/v1/projects/${PROJECT}:securityRules`, letting("rooms"), {});
  await harness.http("PUT", control("one", ":securityRules"), letting("orders"), {});
  expect([await asApp("other", "rooms/none"), await asApp("other", "orders/none")]).toEqual([404, 403]);
  expect([await asApp("one", "rooms/none"), await asApp("one", "orders/none")]).toEqual([403, 404]);
  const coverage = await harness.http("GET", control("one", ":ruleCoverage"), undefined, {});
  expect(JSON.stringify(coverage.body)).toContain("/orders/{id}");
});

test("rules of a database that cannot be are refused, and so is a database that cannot be", async () => {
  const bad = { rules: { files: [{ content: "nonsense" }] } };
  expect((await harness.http("PUT", control("one", ":securityRules"), bad, {})).status).toBe(400);
  expect((await harness.http("PUT", control("%zz", ":securityRules"), letting("rooms"), {})).status).toBe(400);
  expect((await harness.http("PUT", control("a%2Fb", ":securityRules"), letting("rooms"), {})).status).toBe(400);
});

test("indexes of one database are required in no other", async () => {
  const fieldOverrides = [{ collectionGroup: "rooms", fieldPath: "note", indexes: [] }];
  await harness.http("PUT", control("strict", "/indexes?enforce=true"), { indexes: [], fieldOverrides });
  const query = "/rooms?orderBy=note";
  expect((await harness.http("GET", `${documents("strict")}${query}`)).body).toMatchObject({
    error: {
      status: "FAILED_PRECONDITION",
      message: expect.stringContaining(`/project/${PROJECT}/firestore/databases/strict/indexes`),
    },
  });
  expect((await harness.http("GET", `${documents("other")}${query}`)).status).toBe(200);
  expect((await harness.http("GET", `${documents("(default)")}${query}`)).status).toBe(200);
});

test("a function hears of the database that it was written for", async () => {
  const heard: string[] = [];
  const functions = createServer((request, response) => {
    heard.push(request.url ?? "");
    response.end();
  });
  await new Promise<void>((resolve) => functions.listen(0, "127.0.0.1", resolve));
  const { port } = functions.address() as AddressInfo;
  const server = await startFirestore({ functionsHost: `127.0.0.1:${port}` });
  onTestFinished(async () => {
    await server.close();
    functions.close();
  });
  const at = `http://127.0.0.1:${server.port}`;
  for (const database of ["one", "(default)"]) {
    const trigger = {
      eventType: "google.cloud.firestore.document.v1.written",
      database,
      document: { value: "rooms/{id}" },
    };
    const url = `${at}/emulator/v1/projects/${PROJECT}/eventarcTrigger?eventarcTriggerId=on-${database}`;
    await fetch(url, { method: "POST", body: JSON.stringify(trigger) });
  }
  for (const database of ["other", "one"]) {
    await fetch(`${at}${documents(database)}/rooms?documentId=a`, { method: "POST", body: "{}" });
  }
  await vi.waitFor(() => expect(heard).toEqual([`/functions/projects/${PROJECT}/triggers/on-one`]));
});
