import { documentPath } from "../model/path.ts";
import { parseQuery } from "../query/query.ts";
import type { Target } from "../wire/messages.ts";
import { methods } from "../wire/protocol.ts";
import { invalidArgument } from "../wire/status.ts";
import type { Subject } from "./view.ts";

const MAX_DOCUMENTS = 1_000;

/** What a target listens to. Refuses what a query could not be. */
export function subjectOf(database: string, { query, documents }: Target): Subject {
  if (query) {
    const parsed = parseQuery(query.parent, query.structuredQuery);
    if (parsed.database !== database) throw invalidArgument("A target names another database than its stream.");
    return { query: parsed };
  }
  const names = documents?.documents ?? [];
  if (names.length === 0) throw invalidArgument("A target must have a query or documents.");
  if (names.length > MAX_DOCUMENTS) throw invalidArgument(`A target can name at most ${MAX_DOCUMENTS} documents.`);
  return { paths: names.map((name) => documentPath(name, database)) };
}

/** A text that is the same for targets that listen to the same. */
export function keyOf({ query, documents }: Target): string {
  return Buffer.from(targetType.encode({ query, documents }).finish()).toString("latin1");
}

const targetType = (methods.get("Listen") as NonNullable<ReturnType<typeof methods.get>>).request.root.lookupType(
  "google.firestore.v1.Target",
);
