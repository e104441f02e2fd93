import { describe, expect, test } from "vitest";
import { DATABASE, useServer } from "../harness.ts";

/**
 * Every method of the service over REST, as its discovery document lists them (`firestore.projects.…` left out of the names).
 * Source: https://firestore.googleapis.com/$discovery/rest?version=v1
 */
const harness = useServer();
const V1 = `/v1/${DATABASE}`;
const DOCUMENTS = `${V1}/documents`;
const NAME = `${DATABASE}/documents`;
const ROOMS = { from: [{ collectionId: "rooms" }] };
const write = (path: string) => ({ update: { name: `${NAME}/${path}`, fields: {} } });

type Row = readonly [method: string, verb: string, path: string, body: unknown, answer: unknown];

const SERVED: readonly Row[] = [
  ["createDocument", "POST", "/rooms?documentId=a", {}, { name: `${NAME}/rooms/a` }],
  ["createDocument", "POST", "/rooms/a/seats?documentId=1", {}, { name: `${NAME}/rooms/a/seats/1` }],
  ["get", "GET", "/rooms/a", undefined, { name: `${NAME}/rooms/a` }],
  ["get", "GET", "/rooms/a/seats/1", undefined, { name: `${NAME}/rooms/a/seats/1` }],
  ["list", "GET", "/rooms", undefined, { documents: [{ name: `${NAME}/rooms/a` }] }],
  ["listDocuments", "GET", "/rooms/a/seats", undefined, { documents: [{ name: `${NAME}/rooms/a/seats/1` }] }],
  ["patch", "PATCH", "/rooms/b", { fields: { n: { integerValue: 1 } } }, { fields: { n: { integerValue: "1" } } }],
  ["commit", "POST", ":commit", { writes: [write("rooms/c")] }, { writeResults: [{ updateTime: expect.any(String) }] }],
  ["batchWrite", "POST", ":batchWrite", { writes: [write("rooms/d")] }, { status: [{}] }],
  ["delete", "DELETE", "/rooms/d", undefined, {}],
  [
    "batchGet",
    "POST",
    ":batchGet",
    { documents: [`${NAME}/rooms/a`, `${NAME}/rooms/d`] },
    [{ found: { name: `${NAME}/rooms/a` } }, { missing: `${NAME}/rooms/d` }],
  ],
  ["runQuery", "POST", ":runQuery", { structuredQuery: { ...ROOMS, limit: 1 } }, [{ document: expect.anything() }]],
  ["runQuery", "POST", "/rooms/a:runQuery", { structuredQuery: { from: [{ collectionId: "seats" }] } }, [{}]],
  [
    "runAggregationQuery",
    "POST",
    ":runAggregationQuery",
    { structuredAggregationQuery: { structuredQuery: ROOMS, aggregations: [{ alias: "all", count: {} }] } },
    [{ result: { aggregateFields: { all: { integerValue: "3" } } } }],
  ],
  [
    "runAggregationQuery",
    "POST",
    "/rooms/a:runAggregationQuery",
    {
      structuredAggregationQuery: {
        structuredQuery: { from: [{ collectionId: "seats" }] },
        aggregations: [{ alias: "all", count: {} }],
      },
    },
    [{ result: { aggregateFields: { all: { integerValue: "1" } } } }],
  ],
  [
    "partitionQuery",
    "POST",
    ":partitionQuery",
    { structuredQuery: { from: [{ collectionId: "rooms", allDescendants: true }] }, partitionCount: 1 },
    { partitions: [{ before: true }] },
  ],
  ["listCollectionIds", "POST", ":listCollectionIds", {}, { collectionIds: ["rooms"] }],
  ["listCollectionIds", "POST", "/rooms/a:listCollectionIds", {}, { collectionIds: ["seats"] }],
  ["beginTransaction", "POST", ":beginTransaction", {}, { transaction: expect.any(String) }],
];

describe("what is about documents is answered", () => {
  test.each(SERVED)("documents.%s: %s %s", async (_, verb, path, body, answer) => {
    expect(await harness.http(verb, `${DOCUMENTS}${path}`, body)).toMatchObject({ status: 200, body: answer });
  });

  test("documents.rollback", async () => {
    const { body } = await harness.http("POST", `${DOCUMENTS}:beginTransaction`, { options: { readWrite: {} } });
    expect(await harness.http("POST", `${DOCUMENTS}:rollback`, body)).toEqual({ status: 200, body: {} });
  });
});

const GROUP = `${V1}/collectionGroups/rooms`;
const NOT_SERVED: readonly (readonly [method: string, verb: string, path: string])[] = [
  ["databases.documents.listen", "POST", `${DOCUMENTS}:listen`],
  ["databases.documents.write", "POST", `${DOCUMENTS}:write`],
  ["databases.documents.executePipeline", "POST", `${DOCUMENTS}:executePipeline`],
  ["databases.create", "POST", "/v1/projects/demo-test/databases"],
  ["databases.list", "GET", "/v1/projects/demo-test/databases"],
  ["databases.restore", "POST", "/v1/projects/demo-test/databases:restore"],
  ["databases.clone", "POST", "/v1/projects/demo-test/databases:clone"],
  ["databases.get", "GET", V1],
  ["databases.patch", "PATCH", V1],
  ["databases.delete", "DELETE", V1],
  ["databases.exportDocuments", "POST", `${V1}:exportDocuments`],
  ["databases.importDocuments", "POST", `${V1}:importDocuments`],
  ["databases.bulkDeleteDocuments", "POST", `${V1}:bulkDeleteDocuments`],
  ["databases.collectionGroups.indexes.create", "POST", `${GROUP}/indexes`],
  ["databases.collectionGroups.indexes.list", "GET", `${GROUP}/indexes`],
  ["databases.collectionGroups.indexes.get", "GET", `${GROUP}/indexes/x`],
  ["databases.collectionGroups.indexes.delete", "DELETE", `${GROUP}/indexes/x`],
  ["databases.collectionGroups.fields.list", "GET", `${GROUP}/fields`],
  ["databases.collectionGroups.fields.get", "GET", `${GROUP}/fields/x`],
  ["databases.collectionGroups.fields.patch", "PATCH", `${GROUP}/fields/x`],
  ["databases.operations.list", "GET", `${V1}/operations`],
  ["databases.operations.get", "GET", `${V1}/operations/x`],
  ["databases.operations.delete", "DELETE", `${V1}/operations/x`],
  ["databases.operations.cancel", "POST", `${V1}/operations/x:cancel`],
  ["databases.backupSchedules.create", "POST", `${V1}/backupSchedules`],
  ["databases.backupSchedules.list", "GET", `${V1}/backupSchedules`],
  ["databases.backupSchedules.get", "GET", `${V1}/backupSchedules/x`],
  ["databases.backupSchedules.patch", "PATCH", `${V1}/backupSchedules/x`],
  ["databases.backupSchedules.delete", "DELETE", `${V1}/backupSchedules/x`],
  ["databases.userCreds.create", "POST", `${V1}/userCreds`],
  ["databases.userCreds.list", "GET", `${V1}/userCreds`],
  ["databases.userCreds.get", "GET", `${V1}/userCreds/x`],
  ["databases.userCreds.delete", "DELETE", `${V1}/userCreds/x`],
  ["databases.userCreds.enable", "POST", `${V1}/userCreds/x:enable`],
  ["databases.userCreds.disable", "POST", `${V1}/userCreds/x:disable`],
  ["databases.userCreds.resetPassword", "POST", `${V1}/userCreds/x:resetPassword`],
  ["locations.list", "GET", "/v1/projects/demo-test/locations"],
  ["locations.get", "GET", "/v1/projects/demo-test/locations/nam5"],
  ["locations.backups.list", "GET", "/v1/projects/demo-test/locations/nam5/backups"],
  ["locations.backups.get", "GET", "/v1/projects/demo-test/locations/nam5/backups/x"],
  ["locations.backups.delete", "DELETE", "/v1/projects/demo-test/locations/nam5/backups/x"],
];

describe("what needs two directions, pipelines, and what administers databases is UNIMPLEMENTED", () => {
  test.each(NOT_SERVED)("%s: %s %s", async (_, verb, path) => {
    expect(await harness.http(verb, path, verb === "POST" || verb === "PATCH" ? {} : undefined)).toMatchObject({
      status: 501,
      body: { error: { code: 501, status: "UNIMPLEMENTED", message: expect.any(String) } },
    });
  });
});

describe("what no method is", () => {
  test.each([
    ["GET", "/v1/colours"],
    ["PUT", `${DOCUMENTS}/rooms/a`],
    ["POST", `${DOCUMENTS}:paint`],
    ["GET", DOCUMENTS],
    ["GET", `${V1}/colours`],
    ["GET", "//"],
    ["GET", "/%"],
  ])("is NOT_FOUND: %s %s", async (verb, path) => {
    expect(await harness.http(verb, path, verb === "GET" ? undefined : {})).toMatchObject({
      status: 404,
      body: { error: { code: 404, status: "NOT_FOUND" } },
    });
  });
});
