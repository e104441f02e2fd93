import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type FunctionsEmulator, recordInvocations } from "../inspect/functions.ts";
import { Invocations } from "../inspect/invocations.ts";
import { type Application, guard } from "../storage/guard.ts";
import { type QueueConfig, ScheduledTaskQueue } from "../tasks/queue.ts";
import { SuiteClock } from "../time/clock.ts";
import { changed, exportOf, replaceExport, require, warn } from "./inside.ts";
import { replacePrograms } from "./programs.ts";
import { extendStart, startWithoutMissingUi } from "./start.ts";

/**
 * Runs the official command line tool with our programs in the place of the Java ones, in one process and without touching
 * node_modules.
 */

/** The suite's time, which tasks and schedules go by. */
const clock = new SuiteClock({ report: warn });

class SuiteTaskQueue extends ScheduledTaskQueue {
  constructor(key: string, config: QueueConfig) {
    super(key, config, clock);
  }
}

/** Changes firebase-tools as loaded in this process. Call before anything else loads it. */
export async function substitute(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "firebase-local-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  // Functions then write their manifest to a file; asking each for it over HTTP takes seconds.
  process.env.FIREBASE_FUNCTIONS_DISCOVERY_OUTPUT_PATH ??= folder;
  // Each request that runs at the same time has a Node process of its own; the official default is fifty.
  process.env.FUNCTIONS_EMULATOR_PARALLEL ??= String(2 * availableParallelism());
  const invocations = new Invocations();
  const firestoreProgram = await replacePrograms();
  replaceExport("emulator/taskQueue.js", "TaskQueue", SuiteTaskQueue);
  keepFilesIn(join(folder, "files"));
  recordInvocations(functionsEmulator(), invocations);
  guardStorage();
  validateWhenAsked();
  extendStart({ firestoreProgram, clock, invocations });
  startWithoutMissingUi();
  replaceExport("deploy/functions/runtimes/node/versioning.js", "getLatestSDKVersion", () => undefined);
}

/** Starts the command line tool with the arguments of this process. */
export function run(): void {
  // The version is pinned: that there is a newer one is nothing that who runs this could act on.
  process.env.NO_UPDATE_NOTIFIER ??= "1";
  require("firebase-tools/lib/bin/firebase.js");
}

/** All Storage emulators of a machine keep files in one folder, and one that stops deletes it. Each gets a folder of its own. */
function keepFilesIn(folder: string): void {
  const emulator = exportOf("emulator/storage/index.js", "StorageEmulator") as { prototype: Record<string, unknown> };
  if (typeof emulator.prototype.getPersistenceTmpDir !== "function") {
    throw changed("keeps files where it did");
  }
  emulator.prototype.getPersistenceTmpDir = () => folder;
}

function functionsEmulator(): FunctionsEmulator {
  const { prototype } = exportOf("emulator/functionsEmulator.js", "FunctionsEmulator") as {
    prototype: FunctionsEmulator;
  };
  if (typeof prototype.handleHttpsTrigger !== "function") {
    throw changed("calls functions as it did");
  }
  return prototype;
}

/** What is malformed is refused, and does not end the suite. */
function guardStorage(): void {
  const createApp = exportOf("emulator/storage/server.js", "createApp") as (...args: unknown[]) => Promise<Application>;
  replaceExport("emulator/storage/server.js", "createApp", async (...args: unknown[]) => {
    const application = await createApp(...args);
    guard(application, warn);
    return application;
  });
}

/** The Auth emulator else compiles what each of its requests and answers must be like before it takes the first: most of the suite's start. */
function validateWhenAsked(): void {
  const ofAuth = createRequire(require.resolve("firebase-tools/lib/emulator/auth/server.js"));
  const exegesis = ofAuth("exegesis-express") as Record<string, unknown>;
  const { middleware } = exegesis;
  if (typeof middleware !== "function") {
    throw changed("has its Auth emulator made by exegesis");
  }
  exegesis.middleware = (document: unknown, options: object) =>
    middleware(document, { ...options, lazyCompileValidationSchemas: true });
}
