import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Firestore as Client, FieldValue } from "@google-cloud/firestore";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { complaintOf, exit, up, usePrograms } from "../../harness.ts";
import { freePort } from "../../ports.ts";
import { Firestore } from "../firestore.ts";
import { DATABASE, PROJECT, useServer } from "../harness.ts";
import { startFirestore } from "../server.ts";
import { DamagedExport } from "./damage.ts";
import { writeEntity } from "./entity-writer.ts";
import { importExport } from "./import.ts";
import { LogWriter } from "./log-writer.ts";
import { writeKindsEntry, writeKindsMetadata } from "./metadata.ts";

const harness = useServer();
const start = usePrograms();
const folder = mkdtempSync(join(tmpdir(), "export-test-"));
const NAME = "firestore_export";
const overall = join(folder, NAME, `${NAME}.overall_export_metadata`);
const kinds = join(folder, NAME, "all_namespaces/all_kinds/all_namespaces_all_kinds.export_metadata");
const output = join(folder, NAME, "all_namespaces/all_kinds/output-0");

beforeEach(() => harness.server.firestore.clear());
beforeAll(() => void mkdirSync(join(folder, NAME, "all_namespaces/all_kinds"), { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

async function exportAll(database = DATABASE): Promise<void> {
  const body = { database, export_directory: folder, export_name: NAME };
  expect(await harness.http("POST", `/emulator/v1/projects/${PROJECT}:export`, body, {})).toEqual({
    status: 200,
    body: {},
  });
}

/** A client of a server that begins with the export. */
async function importAll(project = PROJECT, databaseId = "(default)"): Promise<Client> {
  const server = await startFirestore({ seed: { project, file: overall } });
  process.env.FIRESTORE_EMULATOR_HOST = `${server.host}:${server.port}`;
  const client = new Client({ projectId: project, databaseId });
  onTestFinished(async () => {
    await client.terminate();
    await server.close();
  });
  return client;
}

describe("an export", () => {
  test("takes documents along that lie below none, and no deleted ones", async () => {
    await harness.client.doc("a/b/c/d/e/f").set({ deep: true });
    await harness.client.doc("a/gone").set({ x: 1 });
    await harness.client.doc("a/gone").delete();
    await exportAll();
    const client = await importAll();
    expect((await client.collectionGroup("e").get()).docs.map(({ ref }) => ref.path)).toEqual(["a/b/c/d/e/f"]);
    expect((await client.collection("a").listDocuments()).map(({ path }) => path)).toEqual(["a/b"]);
  });

  test("takes vectors and a document of a megabyte along", async () => {
    const long = "é".repeat(500_000);
    await harness.client.doc("a/long").set({ long });
    await harness.client.doc("a/vector").set({ at: FieldValue.vector([1, 0.5]) });
    await exportAll();
    const client = await importAll();
    expect((await client.doc("a/long").get()).get("long") === long).toBe(true);
    expect((await client.doc("a/vector").get()).get("at")).toEqual(FieldValue.vector([1, 0.5]));
  });

  test("is of one database, to whose name it comes back", async () => {
    await harness.client.doc("a/default").set({});
    await harness.connect({ databaseId: "games" }).doc("a/named").set({});
    await exportAll(`projects/${PROJECT}/databases/games`);
    expect((await (await importAll(PROJECT, "games")).collection("a").get()).docs.map(({ id }) => id)).toEqual([
      "named",
    ]);
    expect((await (await importAll()).collection("a").get()).size).toBe(0);
  });

  test("goes into another project, where references lead to where they led", async () => {
    await harness.client.doc("a/b").set({ other: harness.client.doc("a/c") });
    await exportAll();
    const { _fieldsProto } = (await (await importAll("demo-other")).doc("a/b").get()) as unknown as {
      _fieldsProto: Record<string, { referenceValue: string }>;
    };
    expect(_fieldsProto.other?.referenceValue).toBe(`${DATABASE}/documents/a/c`);
  });

  test("is refused to a page, which could write anywhere", async () => {
    const { host, port } = harness.server;
    const response = await fetch(`http://${host}:${port}/emulator/v1/projects/${PROJECT}:export`, {
      method: "POST",
      headers: { origin: "http://localhost:5000" },
      body: JSON.stringify({ database: DATABASE, export_directory: folder, export_name: "of-a-page" }),
    });
    expect(response.status).toBe(400);
    expect(existsSync(join(folder, "of-a-page"))).toBe(false);
  });

  test("of nothing is one as well", async () => {
    await exportAll();
    expect(importExport(new Firestore(), PROJECT, overall)).toBe(0);
  });

  test.each([{}, { database: DATABASE, export_directory: folder, export_name: "../x" }, { database: "x" }])(
    "is refused that does not say what it is: %j",
    async (body) => {
      expect((await harness.http("POST", `/emulator/v1/projects/${PROJECT}:export`, body)).status).toBe(400);
    },
  );
});

/** An export of entities as they come, and what it says their number is. */
function writeExport(entities: Iterable<Uint8Array>, documents: number, path = "all_namespaces/all_kinds"): void {
  const log = new LogWriter(output);
  for (const entity of entities) log.append(entity);
  log.close();
  writeFileSync(kinds, writeKindsMetadata({ exportName: NAME, began: 1, ended: 2, files: ["output-0"] }));
  const file = `${path}/all_namespaces_all_kinds.export_metadata`;
  writeRecords(Buffer.from("3"), writeKindsEntry({ path: file, documents }, log.length));
}

function writeRecords(...records: readonly Uint8Array[]): void {
  const log = new LogWriter(overall);
  for (const record of records) log.append(record);
  log.close();
}

const document = (path: string, n: number) => writeEntity(`${DATABASE}/documents/${path}`, new Map([["n", BigInt(n)]]));

describe("an import", () => {
  test("makes thousands of documents, the last of a name in the place of those before, and bills nobody", () => {
    const entities = Array.from({ length: 3_000 }, (_, n) => document(`a/${n % 2_000}`, n));
    writeExport(entities, entities.length);
    const firestore = new Firestore();
    expect(importExport(firestore, PROJECT, overall)).toBe(3_000);
    const { database } = firestore.open(DATABASE);
    expect([...database.documentsBelow("")]).toHaveLength(2_000);
    expect(["a/7", "a/1999"].map((path) => database.get(path)?.fields.get("n"))).toEqual([2_007n, 1_999n]);
    expect(firestore.usage.total).toEqual({ reads: 0, writes: 0, deletes: 0 });
  });

  test("reads what an emulator on Windows has written", () => {
    writeExport([document("a/b", 1)], 1, "all_namespaces\\all_kinds");
    expect(importExport(new Firestore(), PROJECT, overall)).toBe(1);
  });
});

describe("a damaged export", () => {
  const good = () => writeExport([document("a/b", 1), document("a/c", 2)], 2);
  const attempt = () => {
    const firestore = new Firestore();
    return { firestore, run: () => importExport(firestore, PROJECT, overall) };
  };

  test.each<[complaint: string, damage: () => void]>([
    ["output-0, byte 0: Document name", () => writeExport([document("a/b/c", 1)], 1)],
    ["output-0, byte 0: Resource id", () => writeExport([document("a/__b__", 1)], 1)],
    [`${overall}: names 3 documents in`, () => writeExport([document("a/b", 1), document("a/c", 2)], 3)],
    [`${overall}, byte 0: is of format "4", not "3"`, () => writeRecords(Buffer.from("4"))],
    [`${overall}, byte 0: is of format "undefined"`, () => writeFileSync(overall, "")],
    [`${overall}, byte 8: `, () => writeRecords(Buffer.from("3"), Buffer.of(0x0a, 0xff))],
    ["outside", () => writeExport([], 0, "../../..")],
    ["no such file", () => writeExport([], 0, "elsewhere")],
    [`${kinds}, byte 0: `, () => writeFileSync(kinds, Buffer.of(0x12, 0xff))],
  ])("is refused: %s", (complaint, damage) => {
    good();
    damage();
    expect(attempt().run).toThrow(complaint);
  });

  test("leaves nothing behind, wherever the damage lies", () => {
    writeExport(
      Array.from({ length: 2_000 }, (_, n) => document(`a/${n}`, n)),
      2_000,
    );
    const bytes = readFileSync(output);
    bytes[bytes.length - 1] = 0;
    writeFileSync(output, bytes);
    const { firestore, run } = attempt();
    expect(run).toThrow(DamagedExport);
    expect([...firestore.open(DATABASE).database.documentsBelow("")]).toEqual([]);
  });

  test("is refused or read, whatever entities are", () => {
    const whole = document("a/b", 1);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const entity = Buffer.from(whole);
        for (const [at, byte] of changes) entity[at] = byte;
        writeExport([entity], 1);
        try {
          expect(attempt().run()).toBe(1);
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedExport);
        }
      }),
    );
  });
});

describe("the program", () => {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));

  test("begins with an export before it listens", async () => {
    await harness.client.doc("a/b").set({ n: 1 });
    await exportAll();
    const port = await freePort();
    start([main, "--port", String(port), "--project_id", PROJECT, "--seed_from_export", overall]);
    await up(port);
    const path = `/v1/projects/${PROJECT}/databases/(default)/documents/a/b`;
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    expect(await answer.json()).toMatchObject({ fields: { n: { integerValue: "1" } } });
  });

  test("ends with code 1 on a damaged one, and says where it is", async () => {
    writeExport([document("a/b", 1)], 1);
    const bytes = readFileSync(output);
    writeFileSync(output, bytes.subarray(0, 20));
    const child = start([main, "--port", "0", "--project_id", PROJECT, "--seed_from_export", overall]);
    const complaint = complaintOf(child);
    expect(await exit(child)).toBe(1);
    expect(await complaint).toBe(`${output}, byte 0: the file ends in the middle of this record\n`);
  });
});
