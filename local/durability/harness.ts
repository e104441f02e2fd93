import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Data, openData, type State } from "./data.ts";

/** For tests: directories, and a state that is small enough to be compared. */

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
