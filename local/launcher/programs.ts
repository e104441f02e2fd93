import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { changed, exportOf, replaceExport, require, warn } from "./inside.ts";

/** Our programs in the place of those that firebase-tools would download, and run with Java. */

const DOWNLOADS = "emulator/downloadableEmulators.js";
/** Where firebase-tools keeps the programs it downloads. What stands in for some of them must not be found there without us. */
const OFFICIAL_DOWNLOADS = join(homedir(), ".cache", "firebase", "emulators");
const PROGRAMS = ["firestore", "database", "storage"] as const;
/** Those that keep their data where FIREBASE_LOCAL_DATA says, each in a folder of its own. */
const KEEPERS: readonly string[] = ["firestore", "database"];

/** What is run; changed in place. */
export interface Command {
  binary: string;
  args: string[];
}

interface DownloadableEmulators {
  get(name: string): { readonly instance: ChildProcess | null };
  getDownloadDetails(name: string): { downloadPath: string };
  downloadIfNecessary(name: string): Promise<Command>;
}

/** Returns the command that runs the Firestore server. */
export async function replacePrograms(): Promise<Command> {
  process.env.FIREBASE_EMULATORS_PATH = join(
    process.env.FIREBASE_EMULATORS_PATH ?? OFFICIAL_DOWNLOADS,
    "firebase-local",
  );
  const [firestore] = await Promise.all(PROGRAMS.map(replaceProgram));
  passOnComplaints();
  return firestore as Command;
}

/** Downloads a program, unless it is there. */
export async function download(name: string): Promise<void> {
  await downloads().downloadIfNecessary(name);
}

/** The live command entry of a program is answered only once its download exists, so an empty file stands in for it. */
async function replaceProgram(name: string): Promise<Command> {
  const { downloadPath } = downloads().getDownloadDetails(name);
  mkdirSync(dirname(downloadPath), { recursive: true });
  writeFileSync(downloadPath, "");
  const command = await downloads().downloadIfNecessary(name);
  const jar = Array.isArray(command?.args) ? command.args.indexOf("-jar") : -1;
  if (command?.binary !== "java" || jar < 0) throw changed(`runs its ${name} emulator as "java -jar"`);
  const cache = pathToFileURL(fileAt("compile-cache")).href;
  command.binary = process.execPath;
  // What stands behind the jar is meant for the program.
  command.args = ["--import", cache, fileAt(`${name}/main`), ...command.args.slice(jar + 2), ...keeping(name)];
  return command;
}

function keeping(name: string): string[] {
  const data = process.env.FIREBASE_LOCAL_DATA;
  return data && KEEPERS.includes(name) ? ["--data", resolve(data, name)] : [];
}

/** What a program complains of, such as a line of its rules, would otherwise only be in its log. */
function passOnComplaints(): void {
  const start = exportOf(DOWNLOADS, "start") as (name: string, ...rest: unknown[]) => Promise<unknown>;
  replaceExport(DOWNLOADS, "start", async (name: string, ...rest: unknown[]) => {
    await start(name, ...rest);
    downloads()
      .get(name)
      .instance?.stderr?.on("data", (chunk) => warn(`${name}: ${String(chunk).trimEnd()}`));
  });
}

function downloads(): DownloadableEmulators {
  return require(`firebase-tools/lib/${DOWNLOADS}`) as DownloadableEmulators;
}

/** TypeScript here, and JavaScript once built, as this file. */
function fileAt(path: string): string {
  return fileURLToPath(new URL(`../${path}${extname(import.meta.url)}`, import.meta.url));
}
