import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./process.ts";

const PROGRAM = fileURLToPath(new URL("process.ts", import.meta.url));

/** Runs jobs at the same time, each in a process of its own, on the Firestore of this one's environment. Throws if one of them fails. */
export async function inProcesses(jobs: readonly object[]): Promise<Outcome[]> {
  return await Promise.all(jobs.map(inProcess));
}

function inProcess(job: object): Promise<Outcome> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(job)], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const line = text.trim().split("\n").at(-1) ?? "";
      if (code === 0) resolve(JSON.parse(line) as Outcome);
      else reject(new Error(`a process ended with ${code}: ${text}`));
    });
  });
}
