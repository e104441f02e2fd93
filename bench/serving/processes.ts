import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bill } from "../../local/firestore/usage.ts";
import { answers, freePort } from "../../local/ports.ts";
import { localSecrets, root } from "../../scripts/suite.ts";
import { PROJECT } from "../local/program.ts";
import type { AnswerOfDatabase, AskedOfDatabase } from "./database.ts";
import type { Load, Outcome, Told } from "./load.ts";

const START_TIMEOUT_MILLIS = 30_000;
/** Of what the kernel counts the time of processes in: 100 a second on every Linux there is. */
const TICKS_PER_SECOND = 100;

/** What ends with this process, however that ends. */
const started = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of started) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** A database server that is up. */
export interface DatabaseProcess {
  readonly process: ChildProcess;
  readonly port: number;
  readonly queuePort: number;
  setLatency(latencyMillis: number): void;
  /** Makes a leaderboard with so many players. */
  fill(players: number): Promise<void>;
  /** What was billed since it was started. */
  billed(): Promise<Bill>;
}

export async function startDatabase(latencyMillis: number): Promise<DatabaseProcess> {
  const child = fork(here("database.ts"), [String(latencyMillis)], { execArgv: profiling() });
  const [ports] = (await once(child, "message")) as [{ port: number; queuePort: number }];
  return {
    process: child,
    ...ports,
    setLatency: (millis) => void child.send({ latencyMillis: millis } satisfies AskedOfDatabase),
    fill: async (players) => {
      await ask(child, { players });
    },
    billed: async () => {
      const answer = await ask(child, { what: "bill" });
      if (!("bill" in answer)) throw new Error("the database was asked two things at a time");
      return answer.bill;
    },
  };
}

async function ask(child: ChildProcess, asked: AskedOfDatabase): Promise<AnswerOfDatabase> {
  child.send(asked);
  const [answer] = (await once(child, "message")) as [AnswerOfDatabase];
  return answer;
}

/** The settings of a deployed function, with the database here and tokens taken at their word. */
export function settings({ port, queuePort }: DatabaseProcess): Record<string, string> {
  return {
    NODE_ENV: "production",
    GCLOUD_PROJECT: PROJECT,
    FIREBASE_CONFIG: JSON.stringify({ projectId: PROJECT }),
    FIRESTORE_EMULATOR_HOST: `127.0.0.1:${port}`,
    CLOUD_TASKS_EMULATOR_HOST: `127.0.0.1:${queuePort}`,
    METADATA_SERVER_DETECTION: "none",
    LEDGER_KEYS: localSecrets().ledgerKeys,
    GAME_KEYS: localSecrets().gameKeys,
    REGION: "us-central1",
    REDIS_URL: "",
    ENFORCE_APP_CHECK: "false",
    FIREBASE_DEBUG_MODE: "true",
    FIREBASE_DEBUG_FEATURES: JSON.stringify({ skipTokenVerification: true }),
  };
}

/** The production bundle, served as Cloud Run serves it: the functions framework with one function as its target. */
export async function serve(
  target: string,
  database: DatabaseProcess,
  more: Record<string, string> = {},
): Promise<{ process: ChildProcess; port: number }> {
  const port = await freePort();
  const framework = createRequire(import.meta.url).resolve("@google-cloud/functions-framework");
  const args = [`--target=${target}`, "--signature-type=http", `--source=${join(root, "functions/dist")}`];
  const child = spawn(process.execPath, [...profiling(), join(framework, "../main.js"), ...args, `--port=${port}`], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: process.env.PATH, ...settings(database), ...more },
  });
  started.add(child);
  const until = Date.now() + START_TIMEOUT_MILLIS;
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > until) throw new Error("the functions are not served");
    await sleep(20);
  }
  return { process: child, port };
}

/** A bare server that always answers with this JSON. */
export async function serveBare(body: string): Promise<{ process: ChildProcess; port: number }> {
  const child = fork(here("bare.ts"), { execArgv: profiling() });
  started.add(child);
  child.send(body);
  const [port] = (await once(child, "message")) as [number];
  return { process: child, port };
}

/** Runs a load from a process of its own; calls back when the measured time begins and ends. */
export async function runLoad(
  load: Load,
  onPhase: (phase: "measuring" | "measured", pid: number | undefined) => void,
): Promise<Outcome> {
  const child = fork(here("load.ts"), { execArgv: [] });
  child.send(load);
  return await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the load ended with status ${code}`)));
    child.on("message", (told: Told) => {
      if ("phase" in told) onPhase(told.phase, child.pid);
      else resolve(told.result);
    });
  });
}

/** CPU time that a process has taken so far, in seconds. Source: `man 5 proc_pid_stat`, utime and stime */
export function cpuSecondsOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in brackets, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Ends a process as Cloud Run does, so that it can write its profile. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  if (child.connected) child.disconnect();
  else child.kill("SIGTERM");
  await exit;
  started.delete(child);
}

/** `BENCH_PROFILE=<folder>`: where processes leave their CPU profiles. */
function profiling(): string[] {
  const folder = process.env.BENCH_PROFILE;
  return folder ? ["--cpu-prof", `--cpu-prof-dir=${folder}`] : [];
}
