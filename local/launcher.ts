import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type DatabaseConfig,
  forCli,
  type ProjectOptions,
  putIndexes,
  rulesArguments,
  watchRules,
} from "./databases.ts";
import { type FunctionsEmulator, recordInvocations } from "./inspect/functions.ts";
import { Invocations } from "./inspect/invocations.ts";
import { type InspectOptions, startInspect } from "./inspect/server.ts";
import { type Application, guard } from "./storage/guard.ts";
import { type QueueConfig, ScheduledTaskQueue } from "./tasks/queue.ts";
import { SuiteClock } from "./time/clock.ts";
import { startTime } from "./time/start.ts";

/**
 * Runs the official command line tool with our programs in the place of the Java ones, in one process and without touching
 * node_modules. Everything here leans on the inside of firebase-tools: its version is pinned exactly, and each step throws
 * if what it finds is not what it was written for.
 */

const require = createRequire(import.meta.url);

/** Emulators that firebase-tools would run with Java, and what runs in their place. */
const SUBSTITUTES: Readonly<Record<string, string>> = {
  firestore: fileAt("firestore/main"),
  database: fileAt("database/main"),
  storage: fileAt("storage/main"),
};
const COMPILE_CACHE = fileAt("compile-cache");

/** Those that keep their data where FIREBASE_LOCAL_DATA says, each in a folder of its own. */
const KEEPERS = ["firestore", "database"];

/** TypeScript here, and JavaScript once built, as this file. */
function fileAt(path: string): string {
  return fileURLToPath(new URL(`./${path}${extname(import.meta.url)}`, import.meta.url));
}

/** The suite's time, which tasks and schedules go by. */
const clock = new SuiteClock({ report: warn });

class SuiteTaskQueue extends ScheduledTaskQueue {
  constructor(key: string, config: QueueConfig) {
    super(key, config, clock);
  }
}

/** Where firebase-tools keeps the programs it downloads. What stands in for some of them must not be found there without us. */
const OFFICIAL_DOWNLOADS = join(homedir(), ".cache", "firebase", "emulators");

const invocations = new Invocations();

/** Where time can be looked at and set, if nothing else is asked for. */
const TIME_PORT = 4_600;
/** Where one can look inside, if nothing else is asked for and the official UI is not there. */
const INSPECT_PORT = 4_000;

interface Command {
  binary: string;
  args: string[];
}

interface DownloadableEmulators {
  get(name: string): { readonly instance: ChildProcess | null };
  getDownloadDetails(name: string): { downloadPath: string };
  downloadIfNecessary(name: string): Promise<Command>;
}

/** Changes firebase-tools as loaded in this process. Call before anything else loads it. */
export async function substitute(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "firebase-local-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  process.env.FIREBASE_EMULATORS_PATH = join(
    process.env.FIREBASE_EMULATORS_PATH ?? OFFICIAL_DOWNLOADS,
    "firebase-local",
  );
  // Functions then write their manifest to a file; asking each for it over HTTP takes seconds.
  process.env.FIREBASE_FUNCTIONS_DISCOVERY_OUTPUT_PATH ??= folder;
  // Each request that runs at the same time has a Node process of its own; the official default is fifty.
  process.env.FUNCTIONS_EMULATOR_PARALLEL ??= String(2 * availableParallelism());
  const emulators = require("firebase-tools/lib/emulator/downloadableEmulators.js") as DownloadableEmulators;
  const programs = new Map<string, Command>();
  for (const [name, program] of Object.entries(SUBSTITUTES)) {
    programs.set(name, await replaceProgram(emulators, name, program));
  }
  passOnComplaints(emulators);
  replaceExport("emulator/taskQueue.js", "TaskQueue", SuiteTaskQueue);
  keepFilesIn(join(folder, "files"));
  recordInvocations(functionsEmulator(), invocations);
  guardStorage();
  extendStart(programs.get("firestore") as Command);
  startWithoutMissingUi(emulators);
  replaceExport("deploy/functions/runtimes/node/versioning.js", "getLatestSDKVersion", () => undefined);
  validateWhenAsked();
}

/** Starts the command line tool with the arguments of this process. */
export function run(): void {
  // The version is pinned: that there is a newer one is nothing that who runs this could act on.
  process.env.NO_UPDATE_NOTIFIER ??= "1";
  require("firebase-tools/lib/bin/firebase.js");
}

/** The live command entry of a program is answered only once its download exists, so an empty file stands in for it. */
async function replaceProgram(emulators: DownloadableEmulators, name: string, program: string): Promise<Command> {
  const { downloadPath } = emulators.getDownloadDetails(name);
  mkdirSync(dirname(downloadPath), { recursive: true });
  writeFileSync(downloadPath, "");
  const command = await emulators.downloadIfNecessary(name);
  const jar = Array.isArray(command?.args) ? command.args.indexOf("-jar") : -1;
  if (command?.binary !== "java" || jar < 0) {
    throw new Error(`firebase-tools no longer runs its ${name} emulator as "java -jar": look at launcher.ts again.`);
  }
  command.binary = process.execPath;
  // What stands behind the jar is meant for the program.
  command.args = [
    "--import",
    pathToFileURL(COMPILE_CACHE).href,
    program,
    ...command.args.slice(jar + 2),
    ...keeping(name),
  ];
  return command;
}

function keeping(name: string): string[] {
  const data = process.env.FIREBASE_LOCAL_DATA;
  return data && KEEPERS.includes(name) ? ["--data", resolve(data, name)] : [];
}

/** What a program complains of, such as a line of its rules, would otherwise only be in its log. */
function passOnComplaints(emulators: DownloadableEmulators): void {
  const path = "emulator/downloadableEmulators.js";
  const start = exportOf(path, "start") as (name: string, ...rest: unknown[]) => Promise<unknown>;
  replaceExport(path, "start", async (name: string, ...rest: unknown[]) => {
    await start(name, ...rest);
    emulators.get(name).instance?.stderr?.on("data", (chunk) => warn(`${name}: ${String(chunk).trimEnd()}`));
  });
}

/** All Storage emulators of a machine keep files in one folder, and one that stops deletes it. Each gets a folder of its own. */
function keepFilesIn(folder: string): void {
  const emulator = exportOf("emulator/storage/index.js", "StorageEmulator") as { prototype: Record<string, unknown> };
  if (typeof emulator.prototype.getPersistenceTmpDir !== "function") {
    throw new Error("firebase-tools no longer keeps files where it did: look at launcher.ts again.");
  }
  emulator.prototype.getPersistenceTmpDir = () => folder;
}

function functionsEmulator(): FunctionsEmulator {
  const { prototype } = exportOf("emulator/functionsEmulator.js", "FunctionsEmulator") as {
    prototype: FunctionsEmulator;
  };
  if (typeof prototype.handleHttpsTrigger !== "function") {
    throw new Error("firebase-tools no longer calls functions as it did: look at launcher.ts again.");
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
    throw new Error("firebase-tools no longer has its Auth emulator made by exegesis: look at launcher.ts again.");
  }
  exegesis.middleware = (document: unknown, options: object) =>
    middleware(document, { ...options, lazyCompileValidationSchemas: true });
}

interface Registry {
  getInfo(emulator: string): { readonly host: string; readonly port: number } | undefined;
}

/** Each Firestore database has its own rules; once all emulators are up, schedules tick, TTL policies are in force, and one can look inside. */
function extendStart(firestoreProgram: Command): void {
  const databasesOf = exportOf("firestore/fsConfig.js", "getFirestoreConfig") as (
    project: string | undefined,
    options: ProjectOptions,
  ) => readonly DatabaseConfig[];
  const startAll = exportOf("emulator/controller.js", "startAll") as (
    options: ProjectOptions,
    ...rest: unknown[]
  ) => Promise<unknown>;
  replaceExport("emulator/controller.js", "startAll", async (options: ProjectOptions, ...rest: unknown[]) => {
    const databases = databasesOf(options.projectId, options);
    replaceExport("firestore/fsConfig.js", "getFirestoreConfig", () => forCli(databases));
    firestoreProgram.args.push(...rulesArguments(databases, options));
    const started = await startAll(options, ...rest);
    const { EmulatorRegistry } = require("firebase-tools/lib/emulator/registry.js") as { EmulatorRegistry: Registry };
    const hostOf = (name: string) => {
      const info = EmulatorRegistry.getInfo(name);
      return info && `${info.host}:${info.port}`;
    };
    const firestore = hostOf("firestore");
    if (firestore !== undefined) {
      const enforce = process.env.FIRESTORE_INDEXES === "enforced";
      await putIndexes(databases, options, { host: firestore, enforce, report: warn });
      watchRules(databases, options, { host: firestore, report: warn });
    }
    const database = hostOf("database");
    const followers = [
      ...(firestore ? [`http://${firestore}/emulator/v1/clock`] : []),
      ...(process.env.FIREBASE_TIME_FOLLOWERS?.split(",") ?? []),
      ...(database ? [`http://${database}/.inspect/clock.json?ns=${options.projectId ?? "demo"}-default-rtdb`] : []),
    ];
    await tick(hostOf("functions"), followers);
    const ui = EmulatorRegistry.getInfo("ui");
    await lookInside({
      host: EmulatorRegistry.getInfo("firestore")?.host ?? EmulatorRegistry.getInfo("functions")?.host ?? "127.0.0.1",
      port: Number(process.env.FIREBASE_INSPECT_PORT ?? (ui ? ui.port + 1 : INSPECT_PORT)),
      firestoreHost: firestore,
      databaseHost: database,
      project: options.projectId ?? "demo",
    });
    return started;
  });
}

/** The Emulator UI is downloaded when it is first wanted. Where that cannot be, everything else starts all the same. */
function startWithoutMissingUi(emulators: DownloadableEmulators): void {
  const controller = "emulator/controller.js";
  const startAll = exportOf(controller, "startAll") as (...args: unknown[]) => Promise<unknown>;
  const shouldStart = exportOf(controller, "shouldStart") as (options: unknown, emulator: string) => boolean;
  replaceExport(controller, "startAll", async (options: ProjectOptions, showUi = true, ...rest: unknown[]) => {
    const isWanted = showUi && shouldStart(options, "ui");
    return startAll(options, isWanted && (await isThere()), ...rest);
  });

  async function isThere(): Promise<boolean> {
    try {
      await emulators.downloadIfNecessary("ui");
      return true;
    } catch (error) {
      warn(`the Emulator UI is left out: ${(error as Error).message}`);
      return false;
    }
  }
}

async function tick(functionsHost: string | undefined, followers: readonly string[]): Promise<void> {
  if (functionsHost === undefined) return;
  const port = Number(process.env.FIREBASE_TIME_PORT ?? TIME_PORT);
  const file = process.env.FIREBASE_CLOCK_FILE;
  try {
    const time = await startTime({ clock, functionsHost, followers, file, port, report: warn });
    const shutDown = exportOf("emulator/controller.js", "cleanShutdown") as () => Promise<void>;
    replaceExport("emulator/controller.js", "cleanShutdown", async () => {
      await time.close();
      await shutDown();
    });
  } catch (error) {
    const hint =
      (error as NodeJS.ErrnoException).code === "EADDRINUSE" ? ", another is taken with FIREBASE_TIME_PORT" : "";
    warn(`schedules do not tick: ${(error as Error).message}${hint}`);
  }
}

async function lookInside(options: InspectOptions & { readonly host: string; readonly port: number }): Promise<void> {
  try {
    await startInspect({ ...options, invocations });
    console.log(`firebase-local: look inside at http://${options.host}:${options.port}`);
  } catch (error) {
    warn(`there is no look inside, FIREBASE_INSPECT_PORT takes another port: ${(error as Error).message}`);
  }
}

function warn(message: string): void {
  console.error(`firebase-local: ${message}`);
}

function exportOf(path: string, name: string): unknown {
  const module = require(`firebase-tools/lib/${path}`) as Record<string, unknown>;
  if (typeof module[name] !== "function") {
    throw new Error(`firebase-tools no longer exports ${name} from ${path}: look at launcher.ts again.`);
  }
  return module[name];
}

function replaceExport(path: string, name: string, replacement: unknown): void {
  exportOf(path, name);
  (require(`firebase-tools/lib/${path}`) as Record<string, unknown>)[name] = replacement;
}
