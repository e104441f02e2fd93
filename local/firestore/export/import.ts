import { readFileSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Firestore } from "../firestore.ts";
import { checkDocument } from "../model/limits.ts";
import { documentPath } from "../model/path.ts";
import type { Mutation } from "../store/database.ts";
import { DamagedExport } from "./damage.ts";
import { readEntity } from "./entity-reader.ts";
import { readLog } from "./log-reader.ts";
import { FORMAT_VERSION, type KindsEntry, readKindsEntries, readOutputFiles } from "./metadata.ts";

/** Metadata names some thousand files at most. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024;
const BATCH_DOCUMENTS = 500;
const BATCH_BYTES = 4 * 1024 * 1024;

/**
 * Reads an export of Google's emulator, of production or of ours into a project, over documents that are there already. Each document goes
 * to the database that its key names; the project of the key does not matter. Synchronous, and not billed.
 *
 * All of it is read once before the first document is made: of an export that is damaged nothing is imported.
 * @param file ends in `.overall_export_metadata`
 * @returns how many documents there were; throws {@link DamagedExport}
 */
export function importExport(firestore: Firestore, project: string, file: string): number {
  let count = 0;
  for (const _document of documentsOf(project, file)) count++;
  const batches = new Batches(firestore);
  for (const document of documentsOf(project, file)) batches.add(document);
  batches.flush();
  return count;
}

interface ImportedDocument extends Mutation {
  /** `projects/p/databases/d` */
  readonly database: string;
}

function* documentsOf(project: string, file: string): Generator<ImportedDocument> {
  for (const entry of readOverall(file)) {
    let count = 0;
    for (const output of outputsOf(file, entry)) {
      for (const { at, bytes } of readLog(output)) {
        yield named(output, at, () => toDocument(project, bytes));
        count++;
      }
    }
    if (count === entry.documents) continue;
    throw new DamagedExport(
      file,
      undefined,
      `names ${entry.documents} documents in ${entry.path}, of which ${count} are there`,
    );
  }
}

function readOverall(file: string): KindsEntry[] {
  checkSize(file);
  const [version, ...entries] = Array.from(readLog(file), ({ at, bytes }) => ({ at, bytes: Buffer.from(bytes) }));
  const found = version?.bytes.toString("latin1", 0, 10);
  if (found !== FORMAT_VERSION) throw new DamagedExport(file, 0, `is of format "${found}", not "${FORMAT_VERSION}"`);
  return entries.flatMap(({ at, bytes }) => named(file, at, () => readKindsEntries(bytes)));
}

/** The files with the documents of an entry. */
function outputsOf(file: string, entry: KindsEntry): string[] {
  // Windows leans its slashes the other way.
  const metadata = inside(dirname(file), entry.path.replaceAll("\\", "/"));
  checkSize(metadata);
  const names = named(metadata, 0, () => readOutputFiles(readFileSync(metadata)));
  return names.map((name) => inside(dirname(metadata), name));
}

function checkSize(file: string): void {
  if (statSync(file).size <= MAX_METADATA_BYTES) return;
  throw new DamagedExport(file, undefined, `has more than ${MAX_METADATA_BYTES} bytes`);
}

/** A file of the folder; no export has a reason to name others. */
function inside(folder: string, name: string): string {
  const path = join(folder, name);
  if (relative(folder, path).split(sep)[0] === "..")
    throw new DamagedExport(folder, undefined, `names ${path}, outside`);
  return path;
}

/** Says of whatever is wrong with a record where it is. */
function named<T>(file: string, at: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new DamagedExport(file, at, (error as Error).message);
  }
}

function toDocument(project: string, bytes: Buffer): ImportedDocument {
  const { database: id, path, fields } = readEntity(bytes);
  const database = `projects/${project}/databases/${id}`;
  const name = `${database}/documents/${path}`;
  return { database, path: documentPath(name, database), fields, bytes: checkDocument(name, path, fields) };
}

/** Makes documents in commits of some hundred. */
class Batches {
  readonly #firestore: Firestore;
  /** By path: a commit may name a document only once. */
  readonly #mutations = new Map<string, Mutation>();
  #database = "";
  #bytes = 0;

  constructor(firestore: Firestore) {
    this.#firestore = firestore;
  }

  add({ database, ...mutation }: ImportedDocument): void {
    const isFull = this.#mutations.size >= BATCH_DOCUMENTS || this.#bytes >= BATCH_BYTES;
    if (isFull || database !== this.#database) this.flush();
    this.#database = database;
    this.#mutations.set(mutation.path, mutation);
    this.#bytes += mutation.bytes;
  }

  flush(): void {
    if (this.#mutations.size === 0) return;
    const { database } = this.#firestore.open(this.#database);
    database.apply([...this.#mutations.values()], database.tick());
    this.#mutations.clear();
    this.#bytes = 0;
  }
}
