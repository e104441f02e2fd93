import type { ChildProcess } from "node:child_process";
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Bill } from "../../local/firestore/usage.ts";
import { root } from "../../scripts/suite.ts";
import { percentile, residentOf, rounded } from "../local/program.ts";
import type { Load, Outcome } from "./load.ts";
import { cpuSecondsOf, type DatabaseProcess, runLoad } from "./processes.ts";

/** How the functions are measured that are served as Cloud Run does. `BENCH_SECONDS=<number>` measures for another time than ten seconds. */
export const CONNECTIONS = 32;
export const MEASURED_MILLIS = 1_000 * Number(process.env.BENCH_SECONDS ?? 10);
/** For each process, so that all have as much behind them: after a thousand credits one takes 600 µs of CPU, after 25,000 it takes 240. */
export const WARM_UP_MILLIS = MEASURED_MILLIS / 2;
export const LATENCIES_MILLIS = [0, 8];

/** Builds the production bundle. */
export function buildBundle(): void {
  // Otherwise Google's client looks for a metadata server first.
  process.env.METADATA_SERVER_DETECTION ??= "none";
  const built = spawnSync(process.execPath, [join(root, "functions/build/build.ts")], { stdio: "inherit" });
  if (built.status !== 0) throw new Error("The functions could not be built.");
}

/** What is measured: a load on functions that are served. */
export interface Measuring {
  /** For saying what has failed. */
  readonly name: string;
  readonly database: DatabaseProcess;
  readonly served: readonly { readonly process: ChildProcess; readonly port: number }[];
  readonly load: Pick<Load, "requests" | "users">;
}

export interface Measured {
  readonly outcome: Outcome;
  /** How many a second, and p50, p95 and p99 in milliseconds. */
  readonly speed: readonly number[];
  /** Microseconds of all processes of a kind for each request. */
  readonly cpu: { readonly functions: number; readonly database: number; readonly load: number };
  readonly megabytes: { readonly functions: number; readonly database: number };
  /** Billed operations for each request. */
  readonly bill: Pick<Bill, "reads" | "writes">;
}

/** Loads the functions and looks at their processes when the measured time begins and when it ends. */
export async function measure({ name, database, served, load }: Measuring): Promise<Measured> {
  const cpu = { functions: 0, database: 0, load: 0 };
  const megabytes = { functions: 0, database: 0 };
  const bills: Promise<Bill>[] = [];
  const warmUpMillis = WARM_UP_MILLIS * served.length;
  const ports = served.map(({ port }) => port);
  const outcome = await runLoad(
    { ...load, ports, connections: CONNECTIONS, warmUpMillis, millis: MEASURED_MILLIS },
    (phase, pid) => {
      const sign = phase === "measured" ? 1 : -1;
      for (const { process } of served) cpu.functions += sign * cpuSecondsOf(process.pid);
      cpu.database += sign * cpuSecondsOf(database.process.pid);
      cpu.load += sign * cpuSecondsOf(pid);
      bills.push(database.billed());
      if (phase === "measuring") return;
      megabytes.functions = served.reduce((sum, { process }) => sum + residentOf(process.pid), 0);
      megabytes.database = residentOf(database.process.pid);
    },
  );
  if (outcome.firstError) console.error(`  ${name}: ${outcome.firstError}`);
  const [before, after] = await Promise.all(bills);
  const { millis } = outcome;
  const each = (sum: number) => sum / Math.max(1, millis.length);
  const microsEach = (seconds: number) => Math.round(each(seconds * 1e6));
  const billed = (what: "reads" | "writes") => rounded(each((after?.[what] ?? 0) - (before?.[what] ?? 0)), 2);
  return {
    outcome,
    speed: speedOf(millis, MEASURED_MILLIS),
    cpu: { functions: microsEach(cpu.functions), database: microsEach(cpu.database), load: microsEach(cpu.load) },
    megabytes,
    bill: { reads: billed("reads"), writes: billed("writes") },
  };
}

/** Over what {@link speedOf} gives. */
export const SPEED_COLUMNS = ["a second", "p50 ms", "p95 ms", "p99 ms"];

/** How many a second, and p50, p95 and p99 in milliseconds. @param millis of each that was answered @param measured milliseconds in all */
export function speedOf(millis: readonly number[], measured: number, digits = 1): number[] {
  const shares = [0.5, 0.95, 0.99].map((share) => rounded(percentile(millis, share), digits));
  return [Math.round(millis.length / (measured / 1_000)), ...shares];
}

/** What stands below a table. */
export function circumstances(): string {
  return `${CONNECTIONS} connections that are kept; ${MEASURED_MILLIS / 1_000} s after ${WARM_UP_MILLIS / 1_000} s of warm-up for each process; ${cpus().length} cores for all of it.`;
}
