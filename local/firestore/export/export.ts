import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../store/clock.ts";
import type { Database } from "../store/database.ts";
import { isLive } from "../store/document.ts";
import { writeEntity } from "./entity-writer.ts";
import { LogWriter } from "./log-writer.ts";
import { ALL_KINDS, FORMAT_VERSION, OVERALL_SUFFIX, writeKindsEntry, writeKindsMetadata } from "./metadata.ts";

const OUTPUT_FILE = "output-0";

/**
 * Writes all documents of a database as Google's emulator does: `<folder>/<name>/<name>.overall_export_metadata` and what it names. Nothing
 * else happens meanwhile, so that the export is of one moment. What names the rest is written last: an export that failed cannot be imported.
 * @returns how many documents there were
 */
export function exportDatabase(database: Database, clock: Clock, folder: string, name: string): number {
  const root = join(folder, name);
  const kindsPath = `${ALL_KINDS.folder}/${ALL_KINDS.file}`;
  mkdirSync(join(root, ALL_KINDS.folder), { recursive: true });
  const began = clock.now();
  const { documents, bytes } = writeDocuments(database, join(root, ALL_KINDS.folder, OUTPUT_FILE));
  const metadata = { exportName: name, began, ended: clock.now(), files: [OUTPUT_FILE] };
  writeFileSync(join(root, kindsPath), writeKindsMetadata(metadata));
  writeLog(join(root, `${name}${OVERALL_SUFFIX}`), [
    Buffer.from(FORMAT_VERSION),
    writeKindsEntry({ path: kindsPath, documents }, bytes),
  ]);
  return documents;
}

function writeDocuments(database: Database, path: string): { documents: number; bytes: number } {
  const log = new LogWriter(path);
  let documents = 0;
  try {
    for (const document of database.documentsBelow("")) {
      if (!isLive(document.current)) continue;
      log.append(writeEntity(`${database.name}/documents/${document.path}`, document.current.fields));
      documents++;
    }
    return { documents, bytes: log.length };
  } finally {
    log.close();
  }
}

function writeLog(path: string, records: readonly Uint8Array[]): void {
  const log = new LogWriter(path);
  try {
    for (const record of records) log.append(record);
  } finally {
    log.close();
  }
}
