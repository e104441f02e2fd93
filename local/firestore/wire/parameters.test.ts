import { beforeAll, describe, expect, test } from "vitest";
import { unsignedToken } from "../../tokens.ts";
import { DATABASE, PROJECT, useServer } from "../harness.ts";

/** What a query string can say, besides what the method takes. */
const harness = useServer();
const documents = `/v1/${DATABASE}/documents`;
const name = `${DATABASE}/documents/pets/rex`;
const get = async (query: string, headers?: Record<string, string>) =>
  await harness.http("GET", `${documents}/pets/rex?${query}`, undefined, headers);

beforeAll(async () => {
  await harness.client.doc("pets/rex").set({ name: "Rex", legs: 4, at: { x: 1, y: 2 } });
});

describe("system parameters", () => {
  test.each([
    "alt=json",
    "$alt=json",
    "%24alt=json%3Benum-encoding=int",
    "$.xgafv=2",
    "key=abc",
    "callback=show",
    "quotaUser=me",
    "uploadType=media",
    "upload_protocol=raw",
    "prettyPrint=true",
  ])("%s changes nothing", async (query) => {
    expect((await get(query)).body).toEqual((await get("")).body);
  });

  test("prettyPrint=false leaves out what is only for people", async () => {
    const at = `http://${harness.server.host}:${harness.server.port}${documents}/pets/rex`;
    const headers = { authorization: "Bearer owner" };
    const plain = await (await fetch(`${at}?prettyPrint=false`, { headers })).text();
    const pretty = await (await fetch(at, { headers })).text();
    expect(plain).not.toContain("\n");
    expect(pretty).toContain('\n  "name": ');
    expect(JSON.parse(pretty)).toEqual(JSON.parse(plain));
  });

  test.each(["media", "sse", "xml"])("alt=%s is refused: answers are JSON", async (alt) => {
    expect(await get(`alt=${alt}`)).toMatchObject({ status: 400, body: { error: { status: "INVALID_ARGUMENT" } } });
  });

  test("alt=proto is UNIMPLEMENTED", async () => {
    expect(await get("alt=proto")).toMatchObject({ status: 501, body: { error: { status: "UNIMPLEMENTED" } } });
  });

  test("a token in the query string stands in for the header, which comes first", async () => {
    const rules =
      "rules_version = '2'; service cloud.firestore { match /databases/{d}/documents/pets/{id} { allow read: if request.auth.uid == 'ada'; } }";
    harness.server.firestore.rules.put(PROJECT, rules);
    expect((await get("", {})).status).toBe(403);
    expect((await get(`access_token=${unsignedToken({ sub: "ada" })}`, {})).status).toBe(200);
    expect((await get(`oauth_token=${unsignedToken({ sub: "bo" })}`, {})).status).toBe(403);
    const authorization = `Bearer ${unsignedToken({ sub: "bo" })}`;
    expect((await get(`access_token=${unsignedToken({ sub: "ada" })}`, { authorization })).status).toBe(403);
    expect((await get("access_token=nonsense", {})).status).toBe(401);
  });
});

describe("fields", () => {
  const selected = async (fields: string) => (await get(`fields=${encodeURIComponent(fields)}`)).body;
  const coordinates = { mapValue: { fields: { x: { integerValue: "1" } } } };

  test.each([
    ["name", { name }],
    ["name,fields/legs", { name, fields: { legs: { integerValue: "4" } } }],
    ["fields(name,legs)", { fields: { name: { stringValue: "Rex" }, legs: { integerValue: "4" } } }],
    ["fields/at/mapValue/fields/x", { fields: { at: coordinates } }],
    ["fields.at.mapValue(fields(x))", { fields: { at: coordinates } }],
    ["fields/*/stringValue", { fields: { name: { stringValue: "Rex" }, legs: {}, at: {} } }],
    ["fields/colour", { fields: {} }],
  ])("%s gives that and no more", async (fields, expected) => {
    expect(await selected(fields)).toEqual(expected);
  });

  test("select from each element of a list and of a stream", async () => {
    const list = await harness.http("GET", `${documents}/pets?$fields=documents(name)`);
    expect(list.body).toEqual({ documents: [{ name }] });
    const query = { structuredQuery: { from: [{ collectionId: "pets" }] } };
    const stream = await harness.http("POST", `${documents}:runQuery?fields=document/name`, query);
    expect(stream.body).toEqual([{ document: { name } }]);
  });

  test.each([
    "colour",
    "name/first",
    "fields/x/colour",
    "fields(",
    "a)b",
    ",",
    "constructor",
    `fields${"(x".repeat(3_000)}`,
  ])("%s is refused", async (fields) => {
    expect(await selected(fields)).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
  });
});

describe("parameters of a method", () => {
  test.each(["mask.fieldPaths=legs", "mask.field_paths=legs"])("have both of their names: %s", async (query) => {
    expect((await get(query)).body).toMatchObject({ fields: { legs: { integerValue: "4" } } });
  });

  test("that are repeated are all taken", async () => {
    const { body } = await get("mask.fieldPaths=legs&mask.fieldPaths=name");
    expect(Object.keys((body as { fields: object }).fields).sort()).toEqual(["legs", "name"]);
  });

  test.each([
    ["colour=red", "Unknown name \"colour\": Cannot bind query parameter. Field 'colour' could not be found"],
    ["mask.colour=red", 'Unknown name "mask.colour": Cannot bind query parameter.'],
    ["mask.fieldPaths.x=red", 'Unknown name "mask.fieldPaths.x"'],
    ["__proto__=1", 'Unknown name "__proto__"'],
    ["mask=x&mask.fieldPaths=legs", 'Unknown name "mask.fieldPaths"'],
    ["constructor.name=1", 'Unknown name "constructor.name"'],
    [
      "readTime=yesterday",
      "Invalid value at 'readTime' (type.googleapis.com/google.protobuf.Timestamp), \"yesterday\"",
    ],
    ["mask=x", "Invalid value at 'mask' (type.googleapis.com/google.firestore.v1.DocumentMask)"],
    ["transaction=*", "Invalid value at 'transaction' (TYPE_BYTES), \"*\""],
  ])("are refused if they are unknown or of another type: %s", async (query, message) => {
    expect(await get(query)).toMatchObject({
      status: 400,
      body: {
        error: {
          status: "INVALID_ARGUMENT",
          message: expect.stringContaining(message),
          details: [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [expect.anything()] }],
        },
      },
    });
  });

  test("of a list are refused if they are no numbers and no truths", async () => {
    for (const query of ["pageSize=x", "pageSize=1.5", "pageSize=3000000000", "showMissing=maybe"]) {
      expect((await harness.http("GET", `${documents}/pets?${query}`)).status).toBe(400);
    }
  });
});
