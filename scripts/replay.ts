import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { type Replayed, replay, withDistinctIds } from "./recorded.ts";
import { localSecrets } from "./suite.ts";
import { table } from "./table.ts";

/**
 * Posts recorded webhook bodies to a running backend as the vendor would, and prints what became of each:
 *
 *     npm run replay -- path/to/file-or-folder [--distinct-ids] [--url URL] [--authorization VALUE]
 *
 * Safe to repeat: what was carried out before is recognised. The authorization is taken from the environment variable
 * REVENUECAT_WEBHOOK_AUTHORIZATION if it is not given, and is the local suite's otherwise.
 */
const LOCAL_URL = "http://127.0.0.1:5001/demo-pot-of-gold/us-central1/webhooks/revenuecat";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: "string", default: LOCAL_URL },
    authorization: { type: "string" },
    "distinct-ids": { type: "boolean", default: false },
  },
});

const missing = positionals.filter((path) => !existsSync(path));
const files = missing.length > 0 ? [] : positionals.flatMap(filesAt);
if (files.length === 0) {
  for (const path of missing) console.error(`There is no ${path}.`);
  if (missing.length === 0 && positionals.length > 0) console.error(`No JSON files in ${positionals.join(", ")}.`);
  console.error("usage: npm run replay -- <file-or-folder> [--distinct-ids] [--url URL] [--authorization VALUE]");
  process.exit(1);
}
const authorization =
  values.authorization ?? process.env.REVENUECAT_WEBHOOK_AUTHORIZATION ?? localSecrets().webhookAuthorization;
const outcomes: Replayed[] = [];
for (const file of files) {
  const name = basename(file, ".json");
  const body = readFileSync(file, "utf8");
  outcomes.push(
    await replay(name, values["distinct-ids"] ? withDistinctIds(body, name) : body, { url: values.url, authorization }),
  );
}
console.log(
  table(
    ["file", "type", "status", "state", "outcome"],
    outcomes.map(({ name, type, status, state, outcome }) => [name, type, status, state, outcome]),
  ),
);
process.exitCode = outcomes.every(({ status }) => status === 200) ? 0 : 1;

/** The JSON files at a path, in order. */
function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(path, name));
}
