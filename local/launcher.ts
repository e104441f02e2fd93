import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ScheduledTaskQueue } from "./tasks/queue.ts";

/**
 * Runs the official command line tool with our programs in the place of the Java ones, in one process and without touching
 * node_modules. Everything here leans on the inside of firebase-tools: its version is pinned exactly, and each step throws
 * if what it finds is not what it was written for.
 */

const require = createRequire(import.meta.url);

/** Emulators that firebase-tools would run with Java, and what runs in their place. */
const SUBSTITUTES: Readonly<Record<string, string>> = {
  firestore: fileURLToPath(new URL("./firestore/main.ts", import.meta.url)),
};

interface Command {
  binary: string;
  args: string[];
}

interface DownloadableEmulators {
  getDownloadDetails(name: string): { downloadPath: string };
  downloadIfNecessary(name: string): Promise<Command>;
}

/** Changes firebase-tools as loaded in this process. Call before anything else loads it. */
export async function substitute(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "firebase-local-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  process.env.FIREBASE_EMULATORS_PATH = folder;
  // Functions then write their manifest to a file; asking each for it over HTTP takes seconds.
  process.env.FIREBASE_FUNCTIONS_DISCOVERY_OUTPUT_PATH ??= folder;
  // Each request that runs at the same time has a Node process of its own; the official default is fifty.
  process.env.FUNCTIONS_EMULATOR_PARALLEL ??= String(2 * availableParallelism());
  const emulators = require("firebase-tools/lib/emulator/downloadableEmulators.js") as DownloadableEmulators;
  for (const [name, program] of Object.entries(SUBSTITUTES)) await replaceProgram(emulators, name, program);
  replaceExport("emulator/taskQueue.js", "TaskQueue", ScheduledTaskQueue);
  replaceExport("deploy/functions/runtimes/node/versioning.js", "getLatestSDKVersion", () => undefined);
}

/** Starts the command line tool with the arguments of this process. */
export function run(): void {
  require("firebase-tools/lib/bin/firebase.js");
}

/** The live command entry of a program is answered only once its download exists, so an empty file stands in for it. */
async function replaceProgram(emulators: DownloadableEmulators, name: string, program: string): Promise<void> {
  const { downloadPath } = emulators.getDownloadDetails(name);
  mkdirSync(dirname(downloadPath), { recursive: true });
  writeFileSync(downloadPath, "");
  const command = await emulators.downloadIfNecessary(name);
  if (command?.binary !== "java" || !Array.isArray(command.args)) {
    throw new Error(`firebase-tools no longer runs its ${name} emulator as "java <args>": look at launcher.ts again.`);
  }
  command.binary = process.execPath;
  command.args = [program];
}

function replaceExport(path: string, name: string, replacement: unknown): void {
  const module = require(`firebase-tools/lib/${path}`) as Record<string, unknown>;
  if (typeof module[name] !== "function") {
    throw new Error(`firebase-tools no longer exports ${name} from ${path}: look at launcher.ts again.`);
  }
  module[name] = replacement;
}
