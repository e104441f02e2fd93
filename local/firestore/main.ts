import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import * as z from "zod";
import { endWithParent, fail, text } from "../program.ts";
import { RulesSyntaxError } from "../rules/rules.ts";
import { IndexesFile } from "./indexes/file.ts";
import { startFirestore } from "./server.ts";

/**
 * The program that stands in for Google's Firestore emulator, with the same command line:
 *
 *     node local/firestore/main.ts --host 127.0.0.1 --port 8080 --project_id demo --rules firestore.rules --indexes firestore.indexes.json --latency 8
 */
const { values } = parseArgs({
  strict: false,
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "8080" },
    project_id: { type: "string" },
    rules: { type: "string" },
    indexes: { type: "string" },
    functions_emulator: { type: "string" },
    seed_from_export: { type: "string" },
    latency: { type: "string", default: process.env.FIRESTORE_LATENCY ?? "0" },
  },
});

if (text(values.seed_from_export)) fail("importing an export (--seed_from_export) is not supported");
const rulesFile = text(values.rules);
const indexesFile = text(values.indexes);
const project = text(values.project_id);
if (indexesFile && !project) fail("--indexes needs --project_id");
const server = await startFirestore({
  host: text(values.host) ?? "127.0.0.1",
  port: Number(text(values.port)),
  latencyMillis: Number((text(values.latency) ?? "0").replace(/ms$/, "")),
  functionsHost: text(values.functions_emulator),
  ...(rulesFile && project ? { rules: { [project]: await readFile(rulesFile, "utf8") } } : {}),
  ...(indexesFile && project ? { indexes: { [project]: await readIndexes(indexesFile) } } : {}),
}).catch((error: Error) => fail(error instanceof RulesSyntaxError ? `${rulesFile}: ${error.message}` : error.message));
console.log(`Firestore is listening on ${server.host}:${server.port}`);
endWithParent(server);

async function readIndexes(file: string): Promise<IndexesFile> {
  try {
    return IndexesFile.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    return fail(`${file}: ${error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message}`);
  }
}
