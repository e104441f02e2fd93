import type { PathBill, RequestBill, RequestRecord } from "./requests.ts";

/** Where what is looked at comes from: the emulators' own surfaces. */

const TIMEOUT_MILLIS = 5_000;

export interface SourcesOptions {
  /** `host:port`; undefined where that emulator does not run. */
  readonly firestoreHost: string | undefined;
  readonly databaseHost: string | undefined;
  readonly project: string;
}

export type Service = RequestRecord["service"];

export interface FirestoreBill {
  readonly total: RequestBill;
  readonly paths: readonly PathBill[];
}

export interface DatabaseUsage {
  readonly bytesDown: number;
  readonly connections: number;
}

/** An emulator has said what is wrong with a request. */
export class SourceError extends Error {}

export class Sources {
  readonly #firestore: string | undefined;
  readonly #database: string | undefined;
  readonly #namespace: string;

  constructor({ firestoreHost, databaseHost, project }: SourcesOptions) {
    this.#firestore = firestoreHost && `http://${firestoreHost}/emulator/v1`;
    this.#database = databaseHost && `http://${databaseHost}/.inspect`;
    this.#namespace = `${project}-default-rtdb`;
  }

  async requests(service: Service, parameters: Readonly<Record<string, string>>): Promise<RequestRecord[]> {
    const path = service === "firestore" ? "requests" : "requests.json";
    const { requests } = await this.#ask(service, path, parameters, { requests: [] as RequestRecord[] });
    return requests;
  }

  firestoreBill(): Promise<FirestoreBill> {
    return this.#ask("firestore", "bills", {}, { total: { reads: 0, writes: 0, deletes: 0 }, paths: [] });
  }

  /** Of all Realtime Databases together. */
  async databaseUsage(): Promise<DatabaseUsage> {
    const names = await this.#namespaces();
    const none = { bytesDown: 0, connections: 0 };
    const usages = await Promise.all(names.map((ns) => this.#ask("database", "usage.json", { ns }, none)));
    return {
      bytesDown: usages.reduce((sum, { bytesDown }) => sum + bytesDown, 0),
      connections: usages.reduce((sum, { connections }) => sum + connections, 0),
    };
  }

  async databases(): Promise<{ firestore: string[]; database: string[] }> {
    const [{ databases }, names] = await Promise.all([
      this.#ask("firestore", "databases", {}, { databases: [] as string[] }),
      this.#namespaces(),
    ]);
    return { firestore: databases, database: names };
  }

  /** @param database `projects/p/databases/d` */
  documents(database: string, parameters: Readonly<Record<string, string>>): Promise<object> {
    return this.#ask("firestore", `${database.split("/").map(encodeURIComponent).join("/")}/browse`, parameters, {});
  }

  tree(parameters: Readonly<Record<string, string>>): Promise<object> {
    return this.#ask("database", "tree.json", parameters, {});
  }

  async #namespaces(): Promise<string[]> {
    const databases = await this.#ask("database", "databases.json", {}, [] as { name: string }[]);
    return databases.map(({ name }) => name);
  }

  /** @param absent the answer where that emulator does not run */
  async #ask<Answer>(
    service: Service,
    path: string,
    parameters: Readonly<Record<string, string>>,
    absent: Answer,
  ): Promise<Answer> {
    const base = service === "firestore" ? this.#firestore : this.#database;
    if (base === undefined) return absent;
    // An emulator of Realtime Databases makes whichever is named.
    const query = new URLSearchParams(service === "database" ? { ns: this.#namespace, ...parameters } : parameters);
    const response = await fetch(`${base}/${path}?${query}`, { signal: AbortSignal.timeout(TIMEOUT_MILLIS) });
    if (!response.ok) throw new SourceError(await response.text());
    return (await response.json()) as Answer;
  }
}
