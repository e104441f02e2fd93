import type { Firestore, OpenDatabase } from "../firestore.ts";
import { type FieldPath, parseFieldPath } from "../model/path.ts";
import { type Fields, isMap, Timestamp, type Value } from "../model/value.ts";
import type { LiveVersion, Snapshot } from "../store/document.ts";
import type { Transaction } from "../transactions/transactions.ts";
import type { WireDocument } from "../wire/codec.ts";
import type { Consistency, DocumentMask } from "../wire/messages.ts";

/** The state of a database that one read request sees. */
export interface View extends OpenDatabase {
  readonly transaction: Transaction | undefined;
  /** The id of a transaction that the request itself has begun. */
  readonly begun: Uint8Array | undefined;
  /** In microseconds, for reads of a past state. */
  readonly at: number | undefined;
}

/** Opens the state that a request asks for: now, in a transaction, in one that it begins, or at a time in the past. */
export function openView(firestore: Firestore, databaseName: string, consistency: Consistency): View {
  const open = firestore.open(databaseName);
  const { transaction: id, newTransaction, readTime } = consistency;
  if (id && id.length > 0) {
    const transaction = open.transactions.find(id);
    return { ...open, transaction, begun: undefined, at: transaction.readTime };
  }
  if (newTransaction) {
    const transaction = open.transactions.begin(newTransaction);
    return { ...open, transaction, begun: transaction.id, at: transaction.readTime };
  }
  const at = readTime?.toMicros();
  if (at !== undefined) open.database.checkReadTime(at);
  return { ...open, transaction: undefined, begun: undefined, at };
}

/** The time of the state that a view shows, for the answer. */
export function readTimeOf(view: View): Timestamp {
  return Timestamp.fromMicros(view.at ?? view.database.tick());
}

export function toWire(database: string, { path, version }: Snapshot, paths?: readonly FieldPath[]): WireDocument {
  return {
    name: `${database}/documents/${path}`,
    fields: paths ? select(version.fields, paths) : version.fields,
    createTime: Timestamp.fromMicros(version.createTime),
    updateTime: Timestamp.fromMicros(version.updateTime),
  };
}

/** The paths of a mask, or undefined where there is none and everything is wanted. */
export function maskPaths(mask: DocumentMask | undefined): readonly FieldPath[] | undefined {
  return mask ? (mask.fieldPaths ?? []).map(parseFieldPath) : undefined;
}

export function liveDocument(database: string, path: string, version: LiveVersion, mask?: DocumentMask): WireDocument {
  return toWire(database, { path, version }, maskPaths(mask));
}

/** The part of a document's fields that lies at the given paths. */
function select(fields: Fields, paths: readonly FieldPath[]): Fields {
  const selected = new Map<string, Value>();
  for (const path of paths) copyAt(fields, selected, path);
  return selected;
}

function copyAt(from: Fields, to: Map<string, Value>, [first, ...rest]: FieldPath): void {
  const value = first === undefined ? undefined : from.get(first);
  if (first === undefined || value === undefined) return;
  if (rest.length === 0) {
    to.set(first, value);
  } else if (isMap(value)) {
    const known = to.get(first);
    if (known === value) return;
    const nested = new Map(isMap(known) ? known : []);
    copyAt(value, nested, rest);
    to.set(first, nested);
  }
}
