import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import * as z from "zod";
import { endWithParent, fail, text } from "../program.ts";
import { parseRules } from "../rules/rules.ts";
import { IndexesFile } from "./indexes/file.ts";
import { startFirestore } from "./server.ts";

/**
 * The program that stands in for Google's Firestore emulator, with the same command line:
 *
 *     node local/firestore/main.ts --host 127.0.0.1 --port 8080 --project_id demo --rules firestore.rules --indexes firestore.indexes.json --latency 8 --data .data/firestore
 *
 * Rules and indexes of a named database come with its id: `--rules orders=orders.rules`.
 */
/** Source of ids: https://firebase.google.com/docs/firestore/manage-databases#database_id */
const OF_DATABASE = /^(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])=(.+)$/s;

const { values } = parseArgs({
  strict: false,
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8080" },
    project_id: { type: "string" },
    rules: { type: "string", multiple: true },
    indexes: { type: "string", multiple: true },
    functions_emulator: { type: "string" },
    seed_from_export: { type: "string" },
    data: { type: "string" },
    latency: { type: "string", default: process.env.FIRESTORE_LATENCY ?? "0" },
  },
});

const seedFile = text(values.seed_from_export);
const directory = text(values.data);
const project = text(values.project_id);
const indexesFiles = filesOf(values.indexes);
if (indexesFiles.length > 0 && !project) fail("--indexes needs --project_id");
if (seedFile && !project) fail("--seed_from_export needs --project_id");
const server = await startFirestore({
  host: text(values.host) ?? "127.0.0.1",
  port: Number(text(values.port)),
  latencyMillis: Number((text(values.latency) ?? "0").replace(/ms$/, "")),
  functionsHost: text(values.functions_emulator),
  ...(directory ? { data: { directory } } : {}),
  rules: await contentOf(filesOf(values.rules), readRules),
  ...(seedFile && project ? { seed: { project, file: seedFile } } : {}),
  indexes: await contentOf(indexesFiles, readIndexes),
}).catch((error: Error) => fail(error.message));
console.log(`Firestore is listening on ${server.host}:${server.port}`);
endWithParent(server);

interface DatabaseFile {
  /** The id of the database that it is for; absent: the project's. */
  readonly database: string | undefined;
  readonly path: string;
}

/** What an option names: `firestore.rules`, or `orders=orders.rules` for a database. */
function filesOf(option: unknown): DatabaseFile[] {
  const given = (Array.isArray(option) ? option : [option]).map((value) => text(value));
  return given
    .filter((value) => value !== undefined)
    .map((value) => {
      const [, database, path] = OF_DATABASE.exec(value) ?? [];
      return { database, path: path ?? value };
    });
}

/** Reads files, by what they are for: the project's id, or a database's name. */
async function contentOf<Content>(
  files: readonly DatabaseFile[],
  read: (path: string) => Promise<Content>,
): Promise<Record<string, Content>> {
  if (!project) return {};
  const entries = files.map(async ({ database, path }) => {
    const scope = database === undefined ? project : `projects/${project}/databases/${database}`;
    return [scope, await read(path)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function readRules(file: string): Promise<string> {
  const source = await readFile(file, "utf8").catch((error: Error) => fail(`${file}: ${error.message}`));
  try {
    parseRules(source);
  } catch (error) {
    fail(`${file}: ${(error as Error).message}`);
  }
  return source;
}

async function readIndexes(file: string): Promise<IndexesFile> {
  try {
    return IndexesFile.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    return fail(`${file}: ${error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message}`);
  }
}
