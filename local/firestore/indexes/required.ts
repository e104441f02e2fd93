import { databaseOf, type FieldPath } from "../model/path.ts";
import type { Query } from "../query/query.ts";
import { StatusError } from "../wire/status.ts";
import { IndexDefinitions } from "./definitions.ts";
import type { IndexesFile } from "./file.ts";
import { describeMissing, missingIndex } from "./missing.ts";
import { needsOf } from "./needs.ts";
import { serve } from "./serve.ts";

/**
 * The indexes that queries must make do with, by database. One that has none told here gets whatever index a query needs, as with Google's
 * emulator.
 */
export class RequiredIndexes {
  readonly #definitions = new Map<string, IndexDefinitions>();

  /**
   * Puts a database's indexes in the place of those it had.
   * @param scope the database's name, or a project's id for its default database
   */
  put(scope: string, file: IndexesFile): void {
    this.#definitions.set(databaseOf(scope), new IndexDefinitions(file));
  }

  /**
   * Refuses a query as production does: FAILED_PRECONDITION for want of an index, which the message names.
   * @param added the fields of sums and averages
   */
  check(query: Query, added: readonly FieldPath[] = []): void {
    const definitions = this.#definitions.get(query.database);
    if (!definitions) return;
    for (const needs of needsOf(query, added)) {
      if (serve(needs, definitions)) continue;
      const message = describeMissing(query.database, missingIndex(needs, definitions));
      throw new StatusError("FAILED_PRECONDITION", message);
    }
  }
}
