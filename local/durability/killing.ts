import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { exit } from "../harness.ts";
import { answers, freePort } from "../ports.ts";
import { filesOf, temporary } from "./harness.ts";

/** For tests: servers in processes of their own that are killed while clients write, again and again on the same directory. */

/** Kills of a test; more by `RUNS=50`. */
const RUNS = Number(process.env.RUNS ?? 10);
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

/** What is tested: the function that starts a server, in its module, and clients of it. */
interface Tested {
  readonly module: string;
  readonly start: string;
  connect(port: number): Clients;
  /** How much the clients have heard of so far. */
  acknowledged(): number;
}

/** Tests that what a server has acknowledged outlasts it; every second of its lives makes snapshots all the time. */
export function testKills(claim: string, { module, start, connect, acknowledged }: Tested): void {
  test(claim, { timeout: 60_000 + RUNS * 10_000 }, async () => {
    const directory = temporary();
    const program = (port: number, run: number) => [
      "--input-type=module",
      "--eval",
      `import { ${start} as start } from ${JSON.stringify(module)};
       const data = { directory: ${JSON.stringify(directory)}, rollBytes: ${run % 2 === 0 ? 1 << 30 : 10_000} };
       await start({ port: ${port}, data });`,
    ];
    const { kills, complaints } = await killRepeatedly(program, connect);
    expect(kills).toBe(RUNS);
    expect(acknowledged()).toBeGreaterThan(RUNS);
    expect(complaints.filter((line) => !line.includes("a write was cut short"))).toEqual([]);
    console.log(
      `${kills} kills, ${acknowledged()} acknowledged, ${complaints.length} tails cut, ${filesOf(directory)}`,
    );
  });
}

/**
 * Starts a server, has clients check and write, kills it, and begins again. Returns what the servers complained of.
 * @param program what to run on a port
 */
async function killRepeatedly(
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
