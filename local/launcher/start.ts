import type { Invocations } from "../inspect/invocations.ts";
import { type InspectOptions, startInspect } from "../inspect/server.ts";
import type { SuiteClock } from "../time/clock.ts";
import { startTime } from "../time/start.ts";
import {
  type DatabaseConfig,
  forCli,
  type ProjectOptions,
  putIndexes,
  rulesArguments,
  watchRules,
} from "./databases.ts";
import { exportOf, replaceExport, require, warn } from "./inside.ts";
import { type Command, download } from "./programs.ts";

/** What happens beside the start of the emulators, and after it. */

const CONTROLLER = "emulator/controller.js";
/** Where time can be looked at and set, if nothing else is asked for. */
const TIME_PORT = 4_600;
/** Where one can look inside, if nothing else is asked for and the official UI is not there. */
const INSPECT_PORT = 4_000;

interface Registry {
  getInfo(emulator: string): { readonly host: string; readonly port: number } | undefined;
}

interface Extensions {
  /** Runs the Firestore server. */
  readonly firestoreProgram: Command;
  readonly clock: SuiteClock;
  readonly invocations: Invocations;
}

/** Each Firestore database has its own rules; once all emulators are up, schedules tick, TTL policies are in force, and one can look inside. */
export function extendStart({ firestoreProgram, clock, invocations }: Extensions): void {
  const databasesOf = exportOf("firestore/fsConfig.js", "getFirestoreConfig") as (
    project: string | undefined,
    options: ProjectOptions,
  ) => readonly DatabaseConfig[];
  const startAll = exportOf(CONTROLLER, "startAll") as (
    options: ProjectOptions,
    ...rest: unknown[]
  ) => Promise<unknown>;
  replaceExport(CONTROLLER, "startAll", async (options: ProjectOptions, ...rest: unknown[]) => {
    const databases = databasesOf(options.projectId, options);
    replaceExport("firestore/fsConfig.js", "getFirestoreConfig", () => forCli(databases));
    firestoreProgram.args.push(...rulesArguments(databases, options));
    const started = await startAll(options, ...rest);
    await goOn(databases, options, { clock, invocations });
    return started;
  });
}

/** What begins when all emulators are up. */
async function goOn(
  databases: readonly DatabaseConfig[],
  options: ProjectOptions,
  { clock, invocations }: Pick<Extensions, "clock" | "invocations">,
): Promise<void> {
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
  await tick(clock, hostOf("functions"), followers);
  const ui = EmulatorRegistry.getInfo("ui");
  await lookInside({
    invocations,
    host: EmulatorRegistry.getInfo("firestore")?.host ?? EmulatorRegistry.getInfo("functions")?.host ?? "127.0.0.1",
    port: Number(process.env.FIREBASE_INSPECT_PORT ?? (ui ? ui.port + 1 : INSPECT_PORT)),
    firestoreHost: firestore,
    databaseHost: database,
    project: options.projectId ?? "demo",
  });
}

/** The Emulator UI is downloaded when it is first wanted. Where that cannot be, everything else starts all the same. */
export function startWithoutMissingUi(): void {
  const startAll = exportOf(CONTROLLER, "startAll") as (...args: unknown[]) => Promise<unknown>;
  const shouldStart = exportOf(CONTROLLER, "shouldStart") as (options: unknown, emulator: string) => boolean;
  replaceExport(CONTROLLER, "startAll", async (options: ProjectOptions, showUi = true, ...rest: unknown[]) => {
    const isWanted = showUi && shouldStart(options, "ui");
    return startAll(options, isWanted && (await hasUi()), ...rest);
  });
}

async function hasUi(): Promise<boolean> {
  try {
    await download("ui");
    return true;
  } catch (error) {
    warn(`the Emulator UI is left out: ${(error as Error).message}`);
    return false;
  }
}

async function tick(clock: SuiteClock, functionsHost: string | undefined, followers: readonly string[]): Promise<void> {
  if (functionsHost === undefined) return;
  const port = Number(process.env.FIREBASE_TIME_PORT ?? TIME_PORT);
  const file = process.env.FIREBASE_CLOCK_FILE;
  try {
    const time = await startTime({ clock, functionsHost, followers, file, port, report: warn });
    const shutDown = exportOf(CONTROLLER, "cleanShutdown") as () => Promise<void>;
    replaceExport(CONTROLLER, "cleanShutdown", async () => {
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
    await startInspect(options);
    console.log(`firebase-local: look inside at http://${options.host}:${options.port}`);
  } catch (error) {
    warn(`there is no look inside, FIREBASE_INSPECT_PORT takes another port: ${(error as Error).message}`);
  }
}
