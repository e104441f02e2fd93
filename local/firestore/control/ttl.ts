import type { Firestore } from "../firestore.ts";
import type { IndexesFile } from "../indexes/file.ts";
import { databaseOf } from "../model/path.ts";
import { Timestamp } from "../model/value.ts";
import { parseQuery } from "../query/query.ts";
import { runQuery } from "../query/run.ts";
import type { Write } from "../wire/messages.ts";

/** `StructuredQuery.FieldFilter.Operator` */
const LESS_THAN_OR_EQUAL = 2;
const SWEEP_MILLIS = 30_000;
const PAGE = 500;
const MAX_PAGES = 1_000;

/**
 * TTL policies: documents are deleted some time after the time in their field. Production takes up to a day; here it is looked
 * at every half a minute, and whenever the clock is moved. Source: https://firebase.google.com/docs/firestore/ttl
 */
export class TimeToLive {
  readonly #firestore: Firestore;
  readonly #report: (message: string) => void;
  readonly #policies = new Map<string, readonly { collectionGroup: string; fieldPath: string }[]>();
  readonly #timer: NodeJS.Timeout;

  constructor(firestore: Firestore, report: (message: string) => void) {
    this.#firestore = firestore;
    this.#report = report;
    this.#timer = setInterval(() => void this.sweep(), SWEEP_MILLIS).unref();
  }

  /**
   * Puts a database's policies in the place of those it had.
   * @param scope the database's name, or a project's id for its default database
   */
  put(scope: string, { fieldOverrides }: Pick<IndexesFile, "fieldOverrides">): void {
    this.#policies.set(
      databaseOf(scope),
      fieldOverrides.filter(({ ttl }) => ttl),
    );
  }

  /** Deletes what has outlived its time. Never throws: what cannot be deleted now is reported, and tried again. */
  async sweep(): Promise<void> {
    for (const [database, policies] of this.#policies) {
      for (const policy of policies) {
        await this.#delete(database, policy).catch((error: Error) =>
          this.#report(`TTL of ${policy.collectionGroup}.${policy.fieldPath}: ${error.message}`),
        );
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #delete(
    name: string,
    { collectionGroup, fieldPath }: { collectionGroup: string; fieldPath: string },
  ): Promise<void> {
    const { database, transactions } = this.#firestore.open(name);
    const query = parseQuery(`${name}/documents`, {
      from: [{ collectionId: collectionGroup, allDescendants: true }],
      where: {
        fieldFilter: {
          field: { fieldPath },
          op: LESS_THAN_OR_EQUAL,
          value: Timestamp.fromMicros(this.#firestore.clock.now()),
        },
      },
      limit: { value: PAGE },
    });
    for (let page = 0; page < MAX_PAGES; page++) {
      const { documents } = runQuery(database, query);
      const writes = documents.map(({ path }): Write => ({ delete: `${name}/documents/${path}` }));
      if (writes.length === 0) return;
      await transactions.commit(undefined, writes);
      this.#firestore.usage.add({ reads: 0, writes: 0, deletes: writes.length });
    }
  }
}
