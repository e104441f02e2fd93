import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { complaintOf } from "../harness.ts";
import { type Data, openData, type State } from "./data.ts";

/** For tests: directories, programs that keep data in them, and a state that is small enough to be compared. */

/** A directory of its own, until the test ends. */
export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "durability-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The files of a directory, without the lock. */
export function filesOf(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name !== "lock")
    .sort();
}

/** A server's program where no file can have more than 64 KB, until the test ends. */
export function startOnSmallDisk(main: string, { port, directory }: { port: number; directory: string }): ChildProcess {
  // In units of 1,024 bytes, and without the signal that would end the program.
  const command = `trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`;
  const args = ["-c", command, process.execPath, main, "--port", String(port), "--data", directory];
  const child = spawn("bash", args, { stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** What a server's program complains of, and ends with, when a byte of the first log is another where a text begins. */
export async function startDamaged(
  main: string,
  { directory, at }: { directory: string; at: string },
): Promise<{ code: number | null; complaint: string }> {
  const log = join(directory, "log-000001");
  const bytes = readFileSync(log);
  bytes[bytes.indexOf(at)] = 0;
  writeFileSync(log, bytes);
  const args = [main, "--port", "0", "--data", directory];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  const complaint = await complaintOf(child);
  return { code: child.exitCode, complaint };
}

/** Names and their values, which change one by one: `{"a":1}` is a record. */
export class Notes implements State {
  readonly values = new Map<string, unknown>();

  restore(record: Uint8Array): void {
    for (const [name, value] of Object.entries(JSON.parse(Buffer.from(record).toString())))
      this.values.set(name, value);
  }

  snapshot(): Iterator<Uint8Array> {
    return [...this.values].map(([name, value]) => recordOf(name, value)).values();
  }
}

/** Notes in a directory. */
export class Kept {
  readonly notes = new Notes();
  readonly reports: string[] = [];
  readonly data: Data;

  private constructor(data: Data, notes: Notes, reports: string[]) {
    this.data = data;
    this.notes = notes;
    this.reports = reports;
  }

  static async open(directory: string, rollBytes?: number): Promise<Kept> {
    const notes = new Notes();
    const reports: string[] = [];
    const data = await openData({
      directory,
      server: "notes",
      state: notes,
      report: (message) => reports.push(message),
      ...(rollBytes === undefined ? {} : { rollBytes }),
    });
    return new Kept(data, notes, reports);
  }

  /** Resolves when it is on disk. */
  async put(name: string, value: unknown): Promise<void> {
    this.notes.values.set(name, value);
    this.data.append(recordOf(name, value));
    await this.data.settled();
  }
}

export function recordOf(name: string, value: unknown): Buffer {
  return Buffer.from(JSON.stringify({ [name]: value }));
}
