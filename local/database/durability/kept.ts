import { type Data, type Keeping, openData } from "../../durability/data.ts";
import { RequestError } from "../model/failure.ts";
import type { Node } from "../model/node.ts";
import type { Change } from "../store/commit.ts";
import { commitRecord, recordsOf, restore } from "./records.ts";

/**
 * Nothing that is not on disk gets out: writes are made in memory at once, so that they share a write to disk, and whatever tells of them
 * (answers, pushes to listeners, events of functions) waits until that is done.
 */
export class Keeper {
  #data: Data | undefined;

  /** Brings back what a directory keeps, and keeps there what is written from now on. Throws a DataError. */
  async open(keeping: Keeping, databases: Databases, report: (message: string) => void): Promise<void> {
    const state = {
      restore: (record: Uint8Array) => restore(record, databases.database),
      snapshot: () => recordsOf(databases.roots()),
    };
    this.#data = await openData({ ...keeping, server: "database", state, report });
  }

  /** Whether anything is kept. */
  get isKeeping(): boolean {
    return this.#data !== undefined;
  }

  /** Refuses whatever is asked for while what is written cannot be kept. */
  check(): void {
    if (this.#data?.refusal) throw refused(this.#data.refusal);
  }

  append(name: string, changes: readonly Change[]): void {
    this.#data?.append(commitRecord(name, changes));
  }

  /** Calls `act` when all that was written so far is on disk: at once if it is. Calls `fail` if it never will be. */
  whenSettled(act: () => void, fail: () => void = () => undefined): void {
    if (this.#data) this.#data.whenSettled((error) => (error ? fail() : act()));
    else act();
  }

  /** Resolves when all that was written so far is on disk; undefined if it is. Rejects with a {@link RequestError} if it never will be. */
  settled(): Promise<void> | undefined {
    return this.#data?.settled()?.catch((error: Error) => {
      throw refused(error.message);
    });
  }

  async close(): Promise<void> {
    await this.#data?.close();
  }
}

/** The databases of a server, by their names. */
interface Databases {
  readonly database: (name: string) => { root: Node };
  readonly roots: () => ReadonlyMap<string, Node>;
}

function refused(message: string): RequestError {
  return new RequestError("unavailable", message, 503);
}
