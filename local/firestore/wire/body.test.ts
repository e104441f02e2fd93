import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { DATABASE, useServer } from "../harness.ts";

/** Bodies and addresses as bytes: what they are made of, and what they come in. */
const harness = useServer();
const documents = `/v1/${DATABASE}/documents`;
const path = `${documents}/pets/rex`;

async function patch(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const { host, port } = harness.server;
  const response = await fetch(`http://${host}:${port}${path}`, {
    method: "PATCH",
    headers: { authorization: "Bearer owner", ...headers },
    body,
  });
  return { status: response.status, body: (await response.json()) as { fields?: unknown; error?: object } };
}
const value = async (json: string) => (await patch(`{"fields":{"a":${json}}}`)).body;

describe("values", () => {
  test.each([
    ['{"integerValue": 9007199254740993}', { integerValue: "9007199254740993" }],
    ['{"integerValue": -9223372036854775808}', { integerValue: "-9223372036854775808" }],
    ['{"integerValue": "9223372036854775807"}', { integerValue: "9223372036854775807" }],
    ['{"integerValue": 1.0}', { integerValue: "1" }],
    ['{"integerValue": "1e3"}', { integerValue: "1000" }],
    ['{"integer_value": "+5"}', { integerValue: "5" }],
    ['{"doubleValue": 9007199254740993}', { doubleValue: 9007199254740992 }],
    ['{"doubleValue": "NaN"}', { doubleValue: "NaN" }],
    ['{"doubleValue": "-Infinity"}', { doubleValue: "-Infinity" }],
    ['{"doubleValue": "1.5"}', { doubleValue: 1.5 }],
    ['{"booleanValue": "true"}', { booleanValue: true }],
    ['{"nullValue": "NULL_VALUE"}', { nullValue: null }],
    ['{"bytesValue": "-_8"}', { bytesValue: "+/8=" }],
    ['{"bytesValue": "+/8="}', { bytesValue: "+/8=" }],
    ['{"timestampValue": "2020-01-01T00:00:00.123456789+02:00"}', { timestampValue: "2019-12-31T22:00:00.123456Z" }],
    ['{"arrayValue": {"values": null}}', { arrayValue: {} }],
    ['{"mapValue": {"fields": {"b": {"string_value": "x"}}}}', { mapValue: { fields: { b: { stringValue: "x" } } } }],
  ])("in any of the forms of JSON are taken: %s", async (json, expected) => {
    expect(await value(json)).toMatchObject({ fields: { a: expected } });
  });

  test.each([
    '{"integerValue": 1.5}',
    '{"integerValue": "0x10"}',
    '{"integerValue": 9223372036854775808}',
    '{"integerValue": null}',
    '{"doubleValue": 1e400}',
    '{"doubleValue": "nan"}',
    '{"doubleValue": true}',
    '{"booleanValue": 1}',
    '{"stringValue": 5}',
    '{"stringValue": {"n": 12345678901234567890}}',
    '{"nullValue": "x"}',
    '{"bytesValue": "+_8"}',
    '{"bytesValue": "A"}',
    '{"timestampValue": "2020-01-01T00:00:00"}',
    '{"timestampValue": {"seconds": 1}}',
    '{"geoPointValue": {"lat": 1}}',
    '{"referenceValue": "x"}',
    '{"arrayValue": null}',
    '{"arrayValue": {"colour": 1}}',
    '{"mapValue": {"colour": 1}}',
    '{"mapValue": []}',
    '{"integerValue": 1, "stringValue": "x"}',
    '{"constructor": 1}',
    "null",
    '"x"',
    "[]",
  ])("that are none are refused: %s", async (json) => {
    expect(await value(json)).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
  });

  test("of a oneof come one by one", async () => {
    const both = { delete: `${DATABASE}/documents/a/b`, update: { name: `${DATABASE}/documents/a/b` } };
    expect((await harness.http("POST", `${documents}:commit`, { writes: [both] })).body).toMatchObject({
      error: { message: expect.stringContaining("oneof field 'operation' is already set. Cannot set 'update'") },
    });
  });
});

describe("a body", () => {
  test.each([
    ["nothing", ""],
    ["fields that are null", '{"fields": null}'],
    ["times of a document that was read", '{"create_time": "2020-01-01T00:00:00Z", "updateTime": null}'],
    ["a mark of the order of bytes", "\ufeff{}"],
  ])("may have %s", async (_, body) => {
    expect((await patch(body)).status).toBe(200);
  });

  test.each([
    ["half of it", "{"],
    ["an array", "[]"],
    ["null", "null"],
    ["something behind it", "{} x"],
    ["brackets without end", "[".repeat(100_000)],
    ["times that are none", '{"createTime": "x"}'],
    ["another name", '{"colour": 1}'],
    ["bytes that are no UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ])("is refused with %s", async (_, body) => {
    expect(await patch(body)).toMatchObject({ status: 400, body: { error: { status: "INVALID_ARGUMENT" } } });
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8"])(
    "is JSON, whatever it says: %s",
    async (type) => {
      expect((await patch("{}", { "content-type": type })).status).toBe(200);
    },
  );

  test.each(["application/x-protobuf", "multipart/form-data", "application/grpc-web"])(
    "that says it is no JSON is refused: %s",
    async (type) => {
      expect((await patch("{}", { "content-type": type })).status).toBe(400);
    },
  );

  test("may be compressed, up to what a request may hold", async () => {
    const gzip = { "content-encoding": "gzip" };
    expect((await patch(gzipSync('{"fields":{"a":{"integerValue":7}}}'), gzip)).body).toMatchObject({
      fields: { a: { integerValue: "7" } },
    });
    expect((await patch(gzipSync(" ".repeat(11 * 1024 * 1024)), gzip)).status).toBe(400);
    expect((await patch("{}", gzip)).status).toBe(400);
    expect((await patch("{}", { "content-encoding": "br" })).status).toBe(501);
  });

  test("of a method that takes none is not looked at", async () => {
    await patch("{}");
    // The client of this runtime sends no body with GET.
    expect(await raw(`GET ${path} HTTP/1.1\r\ncontent-length: 1\r\n\r\n{`)).toContain(" 200 ");
  });
});

describe("an answer", () => {
  test("is compressed for whom that is worth it", async () => {
    await patch(JSON.stringify({ fields: { long: { stringValue: "x".repeat(5_000) } } }));
    const get = async (encoding: string) => {
      const { host, port } = harness.server;
      const headers = { authorization: "Bearer owner", "accept-encoding": encoding };
      const response = await fetch(`http://${host}:${port}${path}`, { headers });
      expect(await response.json()).toMatchObject({ fields: { long: { stringValue: "x".repeat(5_000) } } });
      return response.headers.get("content-encoding");
    };
    expect(await get("gzip, deflate")).toBe("gzip");
    expect(await get("identity")).toBe(null);
    expect(await get("gzip;q=0, identity")).toBe(null);
  });

  test("to HEAD has the headers alone", async () => {
    await patch("{}");
    const head = await raw(`HEAD ${path} HTTP/1.1\r\n\r\n`);
    expect(head).toContain(" 200 ");
    expect(head).toMatch(/\r\n\r\n$/);
  });
});

describe("an address", () => {
  test("may be percent-encoded, and name the server", async () => {
    await harness.client.doc("odd/grün").set({});
    const whole = `http://firestore.googleapis.com${documents}/odd/gr%C3%BCn`;
    expect(await raw(`GET ${whole} HTTP/1.1\r\n\r\n`)).toContain(`${DATABASE}/documents/odd/grün`);
  });

  test("is taken as it is: dots do not lead upwards", async () => {
    expect(await raw(`DELETE ${documents}/a/b/../c HTTP/1.1\r\n\r\n`)).toContain(" 400 ");
    expect(await raw(`DELETE ${documents}/a/%2E%2E HTTP/1.1\r\n\r\n`)).toContain(" 400 ");
  });

  test("that is wrongly encoded is refused", async () => {
    for (const id of ["%zz", "%ff"]) expect((await harness.http("GET", `${documents}/a/${id}`)).status).toBe(400);
    expect(await raw(`GET ${documents}/a/grün HTTP/1.1\r\n\r\n`)).toContain(" 400 ");
  });

  test("may be called with another verb than that of the request", async () => {
    await patch('{"fields":{"n":{"integerValue":1}}}');
    const as = (verb: string) => ({ authorization: "Bearer owner", "x-http-method-override": verb });
    expect((await harness.http("POST", path, undefined, as("GET"))).body).toMatchObject({ name: path.slice(4) });
    const patched = await harness.http("POST", path, { fields: {} }, as("patch"));
    expect(patched).toMatchObject({ status: 200, body: { name: path.slice(4) } });
    expect((await harness.http("POST", path, {}, as("PUT"))).status).toBe(404);
  });
});

/** What the server answers to a request that is written out, up to the end of the connection. */
async function raw(request: string): Promise<string> {
  const { host, port } = harness.server;
  const socket = connect(port, host);
  socket.end(request.replace("\r\n", "\r\nhost: localhost\r\nauthorization: Bearer owner\r\nconnection: close\r\n"));
  return await text(socket);
}
