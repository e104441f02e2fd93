import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { vi } from "vitest";
import { exit } from "../harness.ts";
import { answers, freePort } from "../ports.ts";

/** For tests: servers in processes of their own that are killed while clients write, again and again on the same directory. */

/** Kills of a test; more by `RUNS=50`. */
export const RUNS = Number(process.env.RUNS ?? 10);
const LONGEST_LIFE_MILLIS = 700;
/** A start is given so long: on a busy machine it is long. */
const START_MILLIS = 30_000;

/** What clients do to a server until it is killed under them. */
export interface Clients {
  /** Writes until `isOver`, and keeps what was acknowledged in mind. Rejects, or never ends, when the server goes; both is fine. */
  write(run: number, isOver: () => boolean): Promise<unknown>;
  /** Whether all that was acknowledged so far is there; throws if not. */
  check(): Promise<void>;
  /** @param wasKilled whether there is no server any more */
  close(wasKilled: boolean): Promise<void>;
}

/**
 * Starts a server, has clients check and write, kills it, and begins again. Returns what the servers complained of.
 * @param program what to run on a port; every second one should make snapshots all the time
 */
export async function killRepeatedly(
  program: (port: number, run: number) => readonly string[],
  connect: (port: number) => Clients,
): Promise<{ readonly kills: number; readonly complaints: string[] }> {
  const complaints: string[] = [];
  let kills = 0;
  for (; kills <= RUNS; kills++) {
    const port = await freePort();
    const child = spawn(process.execPath, program(port, kills), { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr?.on("data", (chunk: Buffer) => complaints.push(chunk.toString()));
    try {
      await answering(child, port);
      const clients = connect(port);
      await clients.check();
      if (kills < RUNS) await writeAndKill(clients, kills, child);
      await clients.close(kills < RUNS);
    } finally {
      child.kill("SIGKILL");
    }
  }
  return { kills: kills - 1, complaints };
}

async function writeAndKill(clients: Clients, run: number, child: ChildProcess): Promise<void> {
  let isOver = false;
  const writing = clients.write(run, () => isOver).catch(() => undefined);
  // Some are killed in their first writes, others in the middle of snapshots.
  await sleep(5 + Math.random() * LONGEST_LIFE_MILLIS);
  const ended = exit(child);
  child.kill("SIGKILL");
  await ended;
  isOver = true;
  await Promise.race([writing, sleep(100)]);
}

async function answering(child: ChildProcess, port: number): Promise<void> {
  const ended = exit(child).then((code) => {
    throw new Error(`the server ended with ${code} instead of opening its data`);
  });
  ended.catch(() => undefined);
  const up = vi.waitUntil(() => answers(port), { timeout: START_MILLIS });
  await Promise.race([up, ended]);
}
