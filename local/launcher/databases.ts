import { readFileSync, watchFile } from "node:fs";

/** What firebase.json says of each Firestore database, for the server: the CLI knows one database, and gives indexes to no emulator. */

const WATCH_MILLIS = 500;
const DEFAULT_DATABASE = "(default)";

/** Of the CLI's options, what files of databases are found by. */
export interface ProjectOptions {
  readonly projectId?: string;
  readonly config: { path(file: string): string };
}

/** A database as the CLI reads it from firebase.json; paths are relative to the project. */
export interface DatabaseConfig {
  readonly database: string;
  readonly rules?: string;
  readonly indexes?: string;
}

/** The one that the CLI is to know: it starts the server with its rules and watches them. */
export function forCli(databases: readonly DatabaseConfig[]): readonly DatabaseConfig[] {
  if (databases.length < 2) return databases;
  return [databases.find(({ database }) => database === DEFAULT_DATABASE) ?? { database: DEFAULT_DATABASE }];
}

/** The server's arguments for the databases that the CLI does not know: `--rules`, `orders=/project/orders.rules`. */
export function rulesArguments(databases: readonly DatabaseConfig[], { config }: ProjectOptions): string[] {
  return withOwnRules(databases).flatMap(({ database, rules }) => ["--rules", `${database}=${config.path(rules)}`]);
}

/** Puts the rules of the databases that the CLI does not know into force whenever they change, until the process ends. */
export function watchRules(
  databases: readonly DatabaseConfig[],
  { projectId, config }: ProjectOptions,
  { host, report }: { host: string; report: (message: string) => void },
): void {
  for (const { database, rules } of withOwnRules(databases)) {
    const file = config.path(rules);
    watchFile(file, { interval: WATCH_MILLIS, persistent: false }, async () => {
      const path = `/emulator/v1/projects/${projectId}/databases/${database}:securityRules`;
      const complaint = await put(`http://${host}${path}`, () => ({
        rules: { files: [{ name: file, content: readFileSync(file, "utf8") }] },
      }));
      report(complaint ? `${file}: ${complaint}` : `${file}: the rules of database "${database}" are updated.`);
    });
  }
}

/**
 * Gives the server the indexes of each database: their TTL policies mean something to it, and if they are enforced, a query that needs
 * another index is refused.
 */
export async function putIndexes(
  databases: readonly DatabaseConfig[],
  { projectId, config }: ProjectOptions,
  { host, enforce, report }: { host: string; enforce: boolean; report: (message: string) => void },
): Promise<void> {
  for (const { database, indexes } of databases) {
    if (indexes === undefined) continue;
    const path = `/emulator/v1/projects/${projectId}/databases/${database}/indexes?enforce=${enforce}`;
    const complaint = await put(`http://${host}${path}`, () => JSON.parse(readFileSync(config.path(indexes), "utf8")));
    if (complaint) report(`${indexes}: ${complaint}`);
  }
}

function withOwnRules(databases: readonly DatabaseConfig[]): { database: string; rules: string }[] {
  const known = forCli(databases);
  return databases.flatMap(({ database, rules }) =>
    rules === undefined || known.some((one) => one.database === database) ? [] : [{ database, rules }],
  );
}

/** Returns what is wrong, if anything is. */
async function put(url: string, content: () => unknown): Promise<string | undefined> {
  try {
    const response = await fetch(url, { method: "PUT", body: JSON.stringify(content()) });
    return response.ok ? undefined : await response.text();
  } catch (error) {
    return (error as Error).message;
  }
}
