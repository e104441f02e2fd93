import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DATABASE, useServer } from "../harness.ts";
import { framed } from "./frame.ts";
import { fromJson } from "./json.ts";
import { type Method, methods } from "./protocol.ts";
import { Code } from "./status.ts";

/** Requests that are nearly right, and bytes that are nothing: whoever sends them is told what is wrong with them, and nobody else notices. */
const harness = useServer({ transactions: { waitMillis: 20, idleMillis: 200 } });
const PARENT = `${DATABASE}/documents`;
const DOCUMENTS = `/v1/${PARENT}`;

const FIELDS = {
  text: { stringValue: "x" },
  number: { integerValue: "1" },
  at: { timestampValue: "2026-01-01T00:00:00Z" },
  list: { arrayValue: { values: [{ doubleValue: 1.5 }, { nullValue: null }] } },
  map: { mapValue: { fields: { deep: { bytesValue: "AAA=" } } } },
  place: { geoPointValue: { latitude: 1, longitude: 2 } },
  link: { referenceValue: `${PARENT}/rooms/a` },
};
const QUERY = {
  from: [{ collectionId: "rooms", allDescendants: true }],
  where: {
    compositeFilter: {
      op: "AND",
      filters: [
        { fieldFilter: { field: { fieldPath: "number" }, op: "GREATER_THAN", value: { integerValue: "0" } } },
        { unaryFilter: { op: "IS_NOT_NULL", field: { fieldPath: "number" } } },
      ],
    },
  },
  orderBy: [{ field: { fieldPath: "number" }, direction: "DESCENDING" }],
  select: { fields: [{ fieldPath: "text" }] },
  startAt: { values: [{ integerValue: "9" }], before: true },
  offset: 1,
  limit: 3,
};

interface Sample {
  readonly method: string;
  readonly verb: string;
  readonly path: string;
  /** Of the body over REST. */
  readonly body: unknown;
  /** What the path says of the request. */
  readonly rest: object;
}

const sample = (method: string, path: string, body: unknown, rest: object = { database: DATABASE }): Sample => ({
  method,
  verb: "POST",
  path,
  body,
  rest,
});

const SAMPLES: readonly Sample[] = [
  sample("Commit", ":commit", {
    writes: [
      { update: { name: `${PARENT}/rooms/a`, fields: FIELDS }, updateMask: { fieldPaths: ["text", "map.deep"] } },
      { delete: `${PARENT}/rooms/b`, currentDocument: { exists: true } },
      {
        transform: {
          document: `${PARENT}/rooms/c`,
          fieldTransforms: [
            { fieldPath: "n", increment: { integerValue: "1" } },
            { fieldPath: "at", setToServerValue: "REQUEST_TIME" },
          ],
        },
      },
    ],
  }),
  sample("BatchWrite", ":batchWrite", { writes: [{ update: { name: `${PARENT}/rooms/d`, fields: FIELDS } }] }),
  sample("BatchGetDocuments", ":batchGet", { documents: [`${PARENT}/rooms/a`], mask: { fieldPaths: ["text"] } }),
  sample("RunQuery", ":runQuery", { structuredQuery: QUERY }, { parent: PARENT }),
  sample(
    "RunAggregationQuery",
    ":runAggregationQuery",
    {
      structuredAggregationQuery: {
        structuredQuery: { from: QUERY.from },
        aggregations: [
          { alias: "all", count: { upTo: "5" } },
          { alias: "sum", sum: { field: { fieldPath: "number" } } },
        ],
      },
    },
    { parent: PARENT },
  ),
  sample(
    "PartitionQuery",
    ":partitionQuery",
    { structuredQuery: { from: QUERY.from }, partitionCount: "3", pageSize: 2 },
    { parent: PARENT },
  ),
  sample("ListCollectionIds", ":listCollectionIds", { pageSize: 2, pageToken: "" }, { parent: PARENT }),
  sample("BeginTransaction", ":beginTransaction", { options: { readOnly: { readTime: "2026-01-01T00:00:00Z" } } }),
  sample("Rollback", ":rollback", { transaction: "AAAA" }),
  sample("CreateDocument", "/rooms", { fields: FIELDS }, { parent: PARENT, collectionId: "rooms" }),
];

const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    null,
    -1,
    Number.MAX_VALUE,
    2 ** 53,
    "",
    "\ud800",
    "__proto__",
    "constructor",
    "(default)",
    "9223372036854775808",
    PARENT,
    DATABASE,
    `${PARENT}/rooms`,
    `${PARENT}/rooms/`,
    `${PARENT}/__a__/b`,
    "a..b",
    "`",
    "AND",
    "2026-13-01T00:00:00Z",
    [],
    {},
    [[]],
    { values: {} },
    { stringValue: "x" },
    { mapValue: { fields: { __name__: { nullValue: null } } } },
  ),
);

/** Changes one place of a JSON value: takes it away, puts something else there, or gives it another name. */
function mutate(json: unknown, [choice, ...choices]: readonly number[], replacement: unknown): unknown {
  if (choice === undefined || typeof json !== "object" || json === null || Object.keys(json).length === 0) {
    return replacement;
  }
  const keys = Object.keys(json);
  const key = keys[choice % keys.length] as string;
  const value = (json as Record<string, unknown>)[key];
  const changed = mutate(value, choices, replacement);
  if (Array.isArray(json)) return json.map((item, i) => (String(i) === key ? changed : item));
  const entries = Object.entries(json).filter(([name]) => name !== key);
  if (choice % 7 === 0 && choices.length === 0) return Object.fromEntries(entries);
  const name = choice % 5 === 0 && choices.length === 0 ? String(replacement) : key;
  return Object.fromEntries([...entries, [name, changed]]);
}

const choices = fc.array(fc.nat({ max: 60 }), { maxLength: 8 });
const mutated = fc
  .tuple(fc.constantFrom(...SAMPLES), fc.array(fc.tuple(choices, strange), { maxLength: 3 }))
  .map(([of, changes]) => ({ ...of, body: changes.reduce((body, [at, by]) => mutate(body, at, by), of.body) }));

describe("a request over REST that is nearly right", () => {
  const addition = fc.oneof(
    fc.constant(""),
    fc.webPath(),
    fc.constantFrom("/%00", "/a%2Fb", "//", "/a:b", ":commit", "/..", "/%ff", "/a/b/c/d/e"),
  );
  const query = fc.oneof(
    fc.constant(""),
    fc.webQueryParameters(),
    fc.constantFrom(
      "fields=*",
      "fields=((",
      "alt=proto",
      "mask.fieldPaths=a",
      "mask=1",
      "updateMask.fieldPaths=`",
      "currentDocument.exists=true",
      "pageToken=AAAA",
      "orderBy=a%20desc,",
      "transaction=AAAA",
      "readTime=2026-01-01T00:00:00Z",
      "structuredQuery.limit=1",
      "document.fields=x",
      "writes.update=x",
      "mask=x&mask.fieldPaths=a",
      "structuredQuery=x&structuredQuery.limit=1",
      "options.readOnly=x",
      "access_token=x",
      "__proto__.x=1",
    ),
  );
  const headers = fc.record(
    {
      "content-type": fc.constantFrom("application/json", "text/plain", "application/x-protobuf", ";"),
      "content-encoding": fc.constantFrom("identity", "gzip", "deflate", "x"),
      "x-http-method-override": fc.constantFrom("GET", "PATCH", "DELETE", "x"),
      "accept-encoding": fc.constantFrom("gzip", "br", "*", ""),
      authorization: fc.constantFrom("Bearer owner", "Bearer x", "x", "Bearer e30.e30."),
    },
    { requiredKeys: [] },
  );
  const verb = fc.constantFrom("POST", "POST", "POST", "PATCH", "PUT", "DELETE");

  test("is answered with JSON that says whose fault it is, and never with 500", async () => {
    await fc.assert(
      fc.asyncProperty(mutated, verb, addition, query, headers, async ({ path, body }, verb, addition, query, more) => {
        const all = { authorization: "Bearer owner", ...more };
        const answer = await harness.http(verb, `${DOCUMENTS}${path}${addition}?${query}`, body ?? "null", all);
        expect([200, 400, 401, 403, 404, 409, 501]).toContain(answer.status);
        expect(typeof answer.body).toBe("object");
        if (answer.status === 200) return;
        const [told] = [answer.body].flat() as { error: { code: number; status: string; message: string } }[];
        expect(told?.error).toMatchObject({
          code: answer.status,
          status: expect.any(String),
          message: expect.any(String),
        });
      }),
      { numRuns: 400 },
    );
    expect(harness.reports.splice(0)).toEqual([]);
  });

  test("goes for documents as for queries: GET and DELETE", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("GET", "DELETE"), addition, query, headers, async (verb, path, query, more) => {
        const all = { authorization: "Bearer owner", ...more };
        const { status, body } = await harness.http(verb, `${DOCUMENTS}/rooms${path}?${query}`, undefined, all);
        expect([200, 400, 401, 403, 404, 409, 501]).toContain(status);
        expect(typeof body).toBe("object");
      }),
      { numRuns: 400 },
    );
    expect(harness.reports.splice(0)).toEqual([]);
  });
});

describe("a request to the emulator's own surface that is nearly right", () => {
  const project = "/emulator/v1/projects/demo-nonsense";
  const paths = fc.constantFrom(
    `${project}:securityRules`,
    `${project}:ruleCoverage`,
    `${project}:ruleCoverage.html`,
    `${project}/indexes?enforce=true`,
    `${project}/databases/other/indexes`,
    `${project}/databases/a%2Fb:securityRules`,
    `${project}/databases/%zz/documents`,
    `${project}/databases/(default)/documents/a%2F%2Fb`,
    `${project}/databases/(default)/documents/a/..`,
    `${project}/eventarcTrigger?eventarcTriggerId=x`,
    `${project}/triggers/x`,
    `${project}/usage?since=x`,
    `${project}/usage:mark`,
    "/emulator/v1/colours",
  );
  const bodies = fc
    .tuple(
      fc.constantFrom<unknown>(
        { rules: { files: [{ name: "firestore.rules", content: "service cloud.firestore {}" }] } },
        {
          indexes: [
            { collectionGroup: "rooms", queryScope: "COLLECTION", fields: [{ fieldPath: "a", order: "ASCENDING" }] },
          ],
          fieldOverrides: [{ collectionGroup: "rooms", fieldPath: "a", ttl: true, indexes: [] }],
        },
        { eventType: "google.cloud.firestore.document.v1.written", database: "x", document: { value: "rooms/{id}" } },
      ),
      choices,
      strange,
    )
    .map(([body, at, by]) => mutate(body, at, by));

  test("is refused or taken, and no more", async () => {
    const verbs = fc.constantFrom("GET", "PUT", "POST", "DELETE");
    await fc.assert(
      fc.asyncProperty(verbs, paths, bodies, async (verb, path, body) => {
        const { status } = await harness.http(verb, path, verb === "GET" ? undefined : (body ?? "null"), {});
        expect([200, 400, 404]).toContain(status);
      }),
      { numRuns: 300 },
    );
    // Policies that cannot be followed are taken and reported.
    expect(harness.reports.splice(0).filter((report) => !report.startsWith("TTL of "))).toEqual([]);
  });
});

describe("a message over gRPC that is nearly right", () => {
  const edit = fc.tuple(fc.nat(), fc.constantFrom("flip", "cut", "insert", "double"), fc.uint8Array({ maxLength: 6 }));
  const allowed = [
    Code.OK,
    Code.INVALID_ARGUMENT,
    Code.NOT_FOUND,
    Code.ALREADY_EXISTS,
    Code.FAILED_PRECONDITION,
    Code.ABORTED,
    Code.UNIMPLEMENTED,
  ];

  test("is refused for what is wrong with it, and never is INTERNAL", async () => {
    const client = connectHttp2(`http://${harness.server.host}:${harness.server.port}`);
    try {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...SAMPLES), fc.array(edit, { maxLength: 4 }), async (of, edits) => {
          const bytes = edits.reduce((bytes, [at, kind, with_]) => edited(bytes, at, kind, with_), bytesOf(of));
          expect(allowed).toContain(await callOver(client, of.method, framed(bytes)));
        }),
        { numRuns: 500 },
      );
      // Frames that are none: compressed that are not, of another length, cut.
      const frame = fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc
          .uint8Array({ maxLength: 40 })
          .map((bytes) => Buffer.concat([Buffer.from([1, 0, 0, 0, bytes.length]), bytes])),
        fc
          .uint8Array({ maxLength: 40 })
          .map((bytes) => Buffer.concat([Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), bytes])),
      );
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...SAMPLES), frame, async ({ method }, bytes) => {
          expect([...allowed, Code.RESOURCE_EXHAUSTED]).toContain(await callOver(client, method, bytes));
        }),
        { numRuns: 300 },
      );
    } finally {
      client.destroy();
    }
    expect(harness.reports.splice(0)).toEqual([]);
  });
});

describe("bytes that are no request", () => {
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const start = fc.constantFrom(
    Buffer.alloc(0),
    preface,
    Buffer.concat([preface, settings]),
    preface.subarray(0, 20),
    Buffer.from(`GET ${DOCUMENTS}/a/b HTTP/1.1\r\nhost: x\r\n`),
    Buffer.from(`POST ${DOCUMENTS}:commit HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`),
    Buffer.from(`POST ${DOCUMENTS}:commit HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{"writes":`),
  );
  const frame = fc
    .tuple(fc.nat({ max: 12 }), fc.nat({ max: 255 }), fc.nat({ max: 9 }), fc.uint8Array({ maxLength: 30 }))
    .map(([type, flags, stream, payload]) =>
      Buffer.concat([Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream]), payload]),
    );

  test("close their own connection at most", async () => {
    await fc.assert(
      fc.asyncProperty(start, fc.array(fc.oneof(fc.uint8Array({ maxLength: 60 }), frame), { maxLength: 4 }), send),
      { numRuns: 300 },
    );
    expect(await harness.http("GET", "/")).toEqual({ status: 200, body: "Ok\n" });
    expect((await harness.client.doc("rooms/none").get()).exists).toBe(false);
    expect(harness.reports.splice(0)).toEqual([]);
  });
});

/** The sample as its protocol buffer. */
function bytesOf({ method, body, rest }: Sample): Buffer {
  const { request } = methods.get(method) as Method;
  const json = method === "CreateDocument" ? { ...rest, document: body } : { ...(body as object), ...rest };
  return Buffer.from(request.encode(fromJson(request, json) as object).finish());
}

function edited(bytes: Buffer, place: number, kind: string, with_: Uint8Array): Buffer {
  const at = bytes.length === 0 ? 0 : place % bytes.length;
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  if (kind === "cut") return Buffer.concat([before, after.subarray(1 + with_.length)]);
  if (kind === "insert") return Buffer.concat([before, with_, after]);
  if (kind === "double") return Buffer.concat([before, after, after]);
  return Buffer.concat([before, Buffer.from([(after[0] ?? 0) ^ (1 << (place % 8))]), after.subarray(1)]);
}

/** Calls a method with whatever bytes; resolves with the status that the call ends with. */
function callOver(client: ReturnType<typeof connectHttp2>, method: string, body: Uint8Array): Promise<number> {
  const stream = client.request({
    ":method": "POST",
    ":path": `/google.firestore.v1.Firestore/${method}`,
    "content-type": "application/grpc",
    "grpc-encoding": "gzip",
    te: "trailers",
    authorization: "Bearer owner",
  });
  return new Promise((resolve, reject) => {
    const told = (headers: Record<string, unknown>) => {
      if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
    };
    stream.on("response", told);
    stream.on("trailers", told);
    stream.on("error", reject);
    stream.once("close", () => reject(new Error("The call ended without a status.")));
    stream.resume();
    stream.end(body);
  });
}

function send(start: Uint8Array, parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(harness.server.port, harness.server.host);
    socket.on("error", () => undefined);
    socket.once("close", () => resolve());
    socket.resume();
    for (const part of [start, ...parts]) socket.write(part);
    socket.end();
    setTimeout(() => socket.destroy(), 30);
  });
}
