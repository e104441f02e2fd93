import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Firestore } from "@google-cloud/firestore";
import { answers, freePort } from "../../local/ports.ts";

export const PROJECT = "demo-bench";

/** A server of the suite in a process of its own, as the CLI starts it. */
export interface Program {
  readonly port: number;
  /** From the start to the first answer. */
  readonly millis: number;
  readonly process: ChildProcess;
}

/** @param path below local/, as `firestore/main.ts` */
export async function startProgram(path: string, args: readonly string[] = []): Promise<Program> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [...programArguments(path), "--port", String(port), ...args], {
    stdio: "ignore",
  });
  while (!(await answers(port))) await sleep(2);
  return { port, millis: performance.now() - began, process: child };
}

/** What Node is started with for a program of the suite, as the launcher does it. */
export function programArguments(path: string): string[] {
  const local = new URL("../../local/", import.meta.url);
  return ["--import", new URL("compile-cache.ts", local).href, fileURLToPath(new URL(path, local))];
}

/** Resident memory of a process in MB. */
export function residentOf(pid: number | undefined): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  return Math.round(Number(kilobytes) / 1024);
}

/** The official client on a server, as a server. */
export function connect(port: number): Firestore {
  return new Firestore({
    projectId: PROJECT,
    host: `127.0.0.1:${port}`,
    ssl: false,
    customHeaders: { Authorization: "Bearer owner" },
  });
}

/** The value below which a share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
