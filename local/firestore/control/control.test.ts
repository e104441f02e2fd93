import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { FieldValue } from "@google-cloud/firestore";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DATABASE, PROJECT, useServer } from "../harness.ts";

const control = `/emulator/v1/projects/${PROJECT}`;

/** Stands in for the functions emulator: takes events and answers with a status. */
class Functions {
  readonly events: { path: string; type: string | undefined; event: Record<string, unknown> }[] = [];
  status = 200;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let text = "";
      request.setEncoding("utf8");
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        this.events.push({ path: request.url ?? "", type: request.headers["content-type"], event: JSON.parse(text) });
        response.writeHead(this.status).end();
      });
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
  }
}

const functions = await new Functions().listen();
afterAll(() => functions.close());
const harness = useServer({ functionsHost: functions.host });
const doc = (path: string) => harness.client.doc(path);

describe("triggers", () => {
  const register = (key: string, kind: string, value: string, matchType = "PATH_PATTERN") =>
    harness.http("POST", `${control}/eventarcTrigger?eventarcTriggerId=${key}`, {
      eventType: `google.cloud.firestore.document.v1.${kind}`,
      database: "(default)",
      namespace: "(default)",
      document: { value, matchType },
    });
  const delivered = async (count: number) => {
    await vi.waitFor(() => expect(functions.events.length).toBeGreaterThanOrEqual(count), { timeout: 5_000 });
    return functions.events.map(({ path, event }) => [path.split("/").at(-1), event.document]);
  };

  beforeEach(() => {
    functions.events.length = 0;
    functions.status = 200;
  });

  test("get an event for each change that they ask for, in the form that firebase-functions decodes", async () => {
    expect((await register("us-central1-onItem-0", "written", "items/{id}")).status).toBe(200);
    await doc("items/ö").set({ n: 1, nested: { a: 1, b: 1 } });
    await delivered(1);
    await doc("items/ö").update({ n: 2, "nested.a": FieldValue.increment(1) });
    await delivered(2);
    await doc("items/ö").delete();
    await delivered(3);
    const [created, updated, deleted] = functions.events;
    expect(created).toMatchObject({
      path: `/functions/projects/${PROJECT}/triggers/us-central1-onItem-0`,
      type: "application/cloudevents+json; charset=utf-8",
      event: {
        specversion: "1.0",
        type: "google.cloud.firestore.document.v1.written",
        source: `//firestore.googleapis.com/${DATABASE}`,
        subject: "documents/items/ö",
        document: "items/ö",
        project: PROJECT,
        database: "(default)",
        namespace: "(default)",
        datacontenttype: "application/json",
        data: { value: { name: `${DATABASE}/documents/items/ö`, fields: { n: { integerValue: "1" } } } },
      },
    });
    expect(created?.event.data).not.toHaveProperty("oldValue");
    expect(updated?.event.data).toMatchObject({
      value: { fields: { n: { integerValue: "2" } } },
      oldValue: { fields: { n: { integerValue: "1" } } },
      updateMask: { fieldPaths: ["n", "nested.a"] },
    });
    expect(deleted?.event.data).not.toHaveProperty("value");
    expect(deleted?.event.data).toHaveProperty("oldValue");
    expect(new Set(functions.events.map(({ event }) => event.id)).size).toBe(3);
  });

  test("hear only of their own paths and kinds", async () => {
    await register("created", "created", "rooms/{room}/messages/{message}");
    await register("deep", "written", "rooms/{rest=**}");
    await register("exact", "updated", "rooms/one", "EXACT");
    await register("other", "written", "room/{id}");
    await doc("rooms/one").set({ n: 1 });
    await doc("rooms/one").set({ n: 1 });
    await doc("rooms/one").set({ n: 2 });
    await doc("rooms/one/messages/hi").set({});
    const events = await delivered(5);
    expect(events.sort()).toEqual([
      ["created", "rooms/one/messages/hi"],
      ["deep", "rooms/one"],
      ["deep", "rooms/one"],
      ["deep", "rooms/one/messages/hi"],
      ["exact", "rooms/one"],
    ]);
  });

  test("of the first generation are registered their own way", async () => {
    const answer = await harness.http("PUT", `${control}/triggers/first-gen`, {
      eventTrigger: {
        resource: `${DATABASE}/documents/old/{id}`,
        eventType: "providers/cloud.firestore/eventTypes/document.create",
        service: "firestore.googleapis.com",
      },
    });
    expect(answer).toEqual({ status: 200, body: {} });
    await doc("old/a").set({});
    expect(await delivered(1)).toEqual([["first-gen", "old/a"]]);
  });

  test("are dropped when the functions emulator no longer knows them", async () => {
    await register("gone", "written", "gone/{id}");
    functions.status = 404;
    await doc("gone/a").set({});
    await delivered(1);
    functions.status = 200;
    await doc("gone/b").set({});
    await register("marker", "written", "marker/{id}");
    await doc("marker/a").set({});
    expect(await delivered(2)).toEqual([
      ["gone", "gone/a"],
      ["marker", "marker/a"],
    ]);
  });

  test("that are not as they should be are refused with 400", async () => {
    expect((await register("bad", "painted", "items/{id}")).status).toBe(400);
    expect((await harness.http("PUT", `${control}/triggers/bad`, { eventTrigger: {} })).status).toBe(400);
    expect((await harness.http("POST", `${control}/eventarcTrigger`, {})).status).toBe(400);
  });
});

describe("the usage meter", () => {
  const bill = async (action: () => Promise<unknown>) => {
    const { mark } = (await harness.http("POST", `${control}/usage:mark`)).body as { mark: string };
    await action();
    return (await harness.http("GET", `${control}/usage?since=${mark}`)).body;
  };
  const cost = (reads: number, writes = 0, deletes = 0) => ({ reads, writes, deletes });

  beforeAll(async () => {
    const batch = harness.client.batch();
    for (let i = 0; i < 25; i++) batch.set(doc(`meter/${i}`), { i });
    await batch.commit();
  });

  test("counts a read for each document looked up, found or missing", async () => {
    expect(await bill(() => harness.client.getAll(doc("meter/0"), doc("meter/1"), doc("meter/none")))).toEqual(cost(3));
  });

  test("counts a read for each document of a query, and one if there are none", async () => {
    const meter = harness.client.collection("meter");
    expect(await bill(() => meter.where("i", "<", 10).get())).toEqual(cost(10));
    expect(await bill(() => meter.where("i", "<", 0).get())).toEqual(cost(1));
    expect(await bill(() => meter.orderBy("i").limit(3).get())).toEqual(cost(3));
    expect(await bill(() => meter.orderBy("i").offset(5).limit(3).get())).toEqual(cost(8));
  });

  test("counts a read for each thousand entries of an aggregation", async () => {
    const many = harness.client.collection("many");
    for (let from = 0; from < 1_500; from += 500) {
      const batch = harness.client.batch();
      for (let i = from; i < from + 500; i++) batch.set(many.doc(`d${i}`), { i });
      await batch.commit();
    }
    expect(await bill(() => many.count().get())).toEqual(cost(2));
    expect(await bill(() => many.where("i", "<", 1_000).count().get())).toEqual(cost(1));
    expect(await bill(() => many.where("i", "<", 0).count().get())).toEqual(cost(1));
  });

  test("counts writes and deletes, those included that change nothing", async () => {
    const writes = async () => {
      const batch = harness.client.batch();
      batch.set(doc("meter/w"), { n: 1 });
      batch.update(doc("meter/w"), { n: FieldValue.increment(1) });
      batch.delete(doc("meter/none"));
      await batch.commit();
    };
    expect(await bill(writes)).toEqual(cost(0, 2, 1));
    expect(await bill(() => doc("meter/w").set({ n: 2 }))).toEqual(cost(0, 1));
  });

  test("does not count what was refused", async () => {
    expect(
      await bill(() =>
        doc("meter/w")
          .create({})
          .catch(() => undefined),
      ),
    ).toEqual(cost(0));
  });

  test("counts a read for a list of collections", async () => {
    expect(await bill(() => harness.client.listCollections())).toEqual(cost(1));
  });

  test("does not know marks that it has not given", async () => {
    expect((await harness.http("GET", `${control}/usage?since=nothing`)).status).toBe(400);
  });
});

describe("the control surface", () => {
  test("is healthy at its root", async () => {
    expect(await harness.http("GET", "/")).toEqual({ status: 200, body: "Ok\n" });
  });

  test("takes security rules as rules-unit-testing sends them", async () => {
    const rules = JSON.stringify({ rules: { files: [{ content: "rules_version = '2';" }] } });
    const answer = await harness.http("PUT", `${control}:securityRules`, rules, { "content-type": "text/plain" });
    expect(answer).toEqual({ status: 200, body: {} });
    expect((await harness.http("PUT", `${control}:securityRules`, {})).status).toBe(400);
  });

  test("says of rules that cannot be where each mistake is, in the emulator's form", async () => {
    const rules = { files: [{ content: "rules_version = '2';\nservice cloud.firestore {\n  allow;\n}" }] };
    const { status, body } = await harness.http("PUT", `${control}:securityRules`, { rules });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: { status: "INVALID_ARGUMENT", message: expect.stringMatching(/^Error compiling rules:\nL3:\d+ \S/) },
    });
  });

  test("clears a database", async () => {
    await doc("clear/a/deep/b").set({ n: 1 });
    await harness.http("DELETE", `${control}/databases/(default)/documents`);
    expect(await harness.client.listCollections()).toEqual([]);
    expect((await harness.client.collectionGroup("deep").get()).empty).toBe(true);
  });

  test("deletes a document or a collection with all below, for the Emulator UI", async () => {
    for (const path of ["below/a", "below/a/deep/b", "below/c/deep/d", "beside/a"]) await doc(path).set({});
    const documents = `${control}/databases/(default)/documents`;
    expect(await harness.http("DELETE", `${documents}/below/a`)).toEqual({ status: 200, body: {} });
    const left = async () => (await harness.client.collectionGroup("deep").get()).docs.map(({ ref }) => ref.path);
    expect(await left()).toEqual(["below/c/deep/d"]);
    expect((await doc("below/a").get()).exists).toBe(false);
    await harness.http("DELETE", `${documents}/below`);
    expect(await left()).toEqual([]);
    expect((await doc("beside/a").get()).exists).toBe(true);
    expect((await harness.http("DELETE", `${documents}/__reserved__/a`)).status).toBe(400);
  });

  test("is reset in all projects at once", async () => {
    const other = harness.connect({ projectId: "demo-other" });
    await Promise.all([doc("reset/a").set({}), other.doc("reset/a").set({})]);
    expect(await harness.http("POST", "/reset")).toEqual({ status: 200, body: "Resetting...\n" });
    expect((await doc("reset/a").get()).exists).toBe(false);
    expect((await other.doc("reset/a").get()).exists).toBe(false);
  });

  test("answers 404 where there is nothing", async () => {
    expect((await harness.http("GET", `${control}/nothing`)).status).toBe(404);
  });
});
