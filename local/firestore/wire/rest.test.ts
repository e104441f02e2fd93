import { connect } from "node:net";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import * as fc from "fast-check";
import { PassThroughClient } from "google-auth-library";
import { describe, expect, test } from "vitest";
import { sayAll } from "../../harness.ts";
import { DATABASE, useServer } from "../harness.ts";

const harness = useServer();
const documents = `/v1/${DATABASE}/documents`;

describe("REST", () => {
  test("makes, reads, changes and deletes a document", async () => {
    const created = await harness.http("POST", `${documents}/pets?documentId=rex`, {
      fields: { legs: { integerValue: 4 } },
    });
    expect(created.body).toMatchObject({
      name: `${DATABASE}/documents/pets/rex`,
      fields: { legs: { integerValue: "4" } },
    });
    const changed = await harness.http("PATCH", `${documents}/pets/rex?updateMask.fieldPaths=name`, {
      fields: { name: { stringValue: "Rex" }, legs: { integerValue: "3" } },
    });
    expect(changed.body).toMatchObject({ fields: { legs: { integerValue: "4" }, name: { stringValue: "Rex" } } });
    const masked = await harness.http("GET", `${documents}/pets/rex?mask.fieldPaths=name`);
    expect((masked.body as { fields: object }).fields).toEqual({ name: { stringValue: "Rex" } });
    expect(await harness.http("DELETE", `${documents}/pets/rex?currentDocument.exists=true`)).toEqual({
      status: 200,
      body: {},
    });
    expect(await harness.http("GET", `${documents}/pets/rex`)).toMatchObject({
      status: 404,
      body: {
        error: { code: 404, status: "NOT_FOUND", message: `Document "${DATABASE}/documents/pets/rex" not found.` },
      },
    });
  });

  test("makes up an id of twenty letters and digits where none is given", async () => {
    const { body } = await harness.http("POST", `${documents}/pets`, {});
    expect((body as { name: string }).name).toMatch(/\/documents\/pets\/[A-Za-z0-9]{20}$/);
  });

  test("takes ids with any character in them", async () => {
    const id = "a:b c/ü?#%".replace("/", "_");
    const path = `${documents}/odd/${encodeURIComponent(id)}`;
    await harness.http("PATCH", path, { fields: {} });
    expect(await harness.http("GET", path)).toMatchObject({ body: { name: `${DATABASE}/documents/odd/${id}` } });
    expect((await harness.client.doc(`odd/${id}`).get()).exists).toBe(true);
  });

  test("answers streaming methods with an array, errors included", async () => {
    const query = { structuredQuery: { from: [{ collectionId: "nobody" }] } };
    expect((await harness.http("POST", `${documents}:runQuery`, query)).body).toEqual([
      { readTime: expect.any(String) },
    ]);
    const refused = await harness.http("POST", `${documents}:runQuery`, { structuredQuery: { limit: -1 } });
    expect(refused).toMatchObject({ status: 400, body: [{ error: { code: 400, status: "INVALID_ARGUMENT" } }] });
  });

  test.each([
    ["a name that the message does not have", { fields: {}, colour: 1 }, "colour"],
    ["a value of no type", { fields: { a: {} } }, "fields.a"],
    ["a value of two types", { fields: { a: { integerValue: "1", stringValue: "1" } } }, "fields.a"],
    ["a type that there is not", { fields: { a: { colourValue: "red" } } }, "colourValue"],
    [
      "an integer that is too large",
      { fields: { a: { integerValue: "9223372036854775808" } } },
      "fields.a.integerValue",
    ],
    ["a time that is none", { fields: { a: { timestampValue: "yesterday" } } }, "fields.a.timestampValue"],
    ["bytes that are not base64", { fields: { a: { bytesValue: "~" } } }, "fields.a.bytesValue"],
    ["an element that is wrong", { fields: { a: { arrayValue: { values: [{ booleanValue: "yes" }] } } } }, "values[0]"],
  ])("refuses %s and says where", async (_, body, place) => {
    const answer = await harness.http("PATCH", `${documents}/bad/a`, body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(place);
  });

  test("refuses what is not JSON, what is no method, and what is no token", async () => {
    expect((await harness.http("PATCH", `${documents}/bad/a`, "{")).status).toBe(400);
    expect((await harness.http("PUT", `${documents}/bad/a`, {})).status).toBe(404);
    expect(await harness.http("GET", `${documents}/bad/a`, undefined, { authorization: "Bearer x" })).toMatchObject({
      status: 401,
      body: { error: { status: "UNAUTHENTICATED" } },
    });
  });

  test("serves the official client with preferRest", async () => {
    const client = harness.connect({ preferRest: true, authClient: new PassThroughClient() });
    await client.doc("rest/a").set({ when: new Date(1), n: 1, list: [1, { deep: null }] });
    expect((await client.doc("rest/a").get()).data()).toMatchObject({ n: 1, list: [1, { deep: null }] });
    const found = await client.collection("rest").where("n", "==", 1).get();
    expect(found.docs.map(({ id }) => id)).toEqual(["a"]);
    await client.runTransaction(async (tx) => {
      const { n } = (await tx.get(client.doc("rest/a"))).data() as { n: number };
      tx.update(client.doc("rest/a"), { n: n + 1 });
    });
    expect((await client.doc("rest/a").get()).get("n")).toBe(2);
  });
});

describe("bad input", () => {
  test("never crashes the server, whatever the URL and the body", async () => {
    const verb = fc.constantFrom("GET", "POST", "PATCH", "DELETE");
    const place = fc.oneof(
      fc.constantFrom(
        ":commit",
        ":runQuery",
        ":batchGet",
        ":batchWrite",
        ":beginTransaction",
        ":rollback",
        "/a/b",
        "/a",
        "/a/b:listCollectionIds",
        ":partitionQuery",
        ":runAggregationQuery",
      ),
      fc.webPath(),
    );
    const name = fc.constantFrom(
      "writes",
      "update",
      "delete",
      "name",
      "fields",
      "structuredQuery",
      "from",
      "where",
      "transaction",
      "documents",
      "x",
    );
    const body = fc.oneof(
      fc.json(),
      fc.dictionary(name, fc.jsonValue()),
      fc.dictionary(name, fc.array(fc.dictionary(name, fc.jsonValue()))),
    );
    await fc.assert(
      fc.asyncProperty(verb, place, body, async (method, path, content) => {
        const { status } = await harness.http(
          method,
          `${documents}${path}`,
          method === "GET" || method === "DELETE" ? undefined : content,
        );
        expect([200, 400, 404, 409, 501]).toContain(status);
      }),
      { numRuns: 200 },
    );
    expect(harness.reports).toEqual([]);
  });

  test("over gRPC is refused with INVALID_ARGUMENT, whatever the bytes", async () => {
    const method = fc.constantFrom(...UNARY);
    await fc.assert(
      fc.asyncProperty(method, fc.uint8Array({ maxLength: 60 }), async (name, bytes) => {
        expect([0, 3, 5]).toContain(await call(name, bytes));
      }),
      { numRuns: 300 },
    );
    for (const name of UNARY) expect(await call(name, new Uint8Array())).toBe(3);
    expect(harness.reports).toEqual([]);
  });

  test("larger than a request may be is refused, over both", async () => {
    const large = "x".repeat(10 * 1024 * 1024);
    expect(await call("Commit", Buffer.from(large))).toBe(3);
    expect((await harness.http("PATCH", `${documents}/bad/a`, { fields: { a: { stringValue: large } } })).status).toBe(
      400,
    );
  });

  test("far larger than that is heard out, since clients say everything before they listen", async () => {
    const { host, port } = harness.server;
    const answer = await sayAll("PATCH", `http://${host}:${port}${documents}/bad/a`, "x".repeat(40 * 1024 * 1024));
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
  });

  test("that is no HTTP at all only closes its own connection", async () => {
    const { host, port } = harness.server;
    for (const noise of [
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense that is no frame",
      "\u0000\u0001\u0002",
      "PRI * HTTP/2.1\r\n\r\n",
    ]) {
      await new Promise((resolve) => {
        const socket = connect(port, host, () => socket.write(noise));
        socket.on("error", () => undefined);
        socket.once("close", resolve);
        setTimeout(() => socket.destroy(), 200);
      });
    }
    expect(await harness.http("GET", "/")).toEqual({ status: 200, body: "Ok\n" });
  });

  test("with a token that is none is unauthenticated over gRPC", async () => {
    for (const method of ["GetDocument", "RunQuery"]) expect(await call(method, new Uint8Array(), "Bearer x")).toBe(16);
  });
});

const UNARY = [
  "GetDocument",
  "Commit",
  "BatchWrite",
  "CreateDocument",
  "UpdateDocument",
  "DeleteDocument",
  "BeginTransaction",
  "Rollback",
  "ListDocuments",
  "ListCollectionIds",
  "PartitionQuery",
];

/** Calls a method with any bytes; answers with the status code. */
async function call(method: string, bytes: Uint8Array, authorization = "Bearer owner"): Promise<number> {
  const { host, port } = harness.server;
  const client = new Client(`${host}:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("authorization", authorization);
  const identity = (buffer: Buffer) => buffer;
  try {
    return await new Promise((resolve) => {
      const path = `/google.firestore.v1.Firestore/${method}`;
      client.makeUnaryRequest(path, identity, identity, Buffer.from(bytes), metadata, (error) =>
        resolve(error?.code ?? 0),
      );
    });
  } finally {
    client.close();
  }
}
