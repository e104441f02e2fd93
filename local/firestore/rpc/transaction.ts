import type { Firestore } from "../firestore.ts";
import type { BeginTransactionRequest, RollbackRequest } from "../wire/messages.ts";
import { invalidArgument, StatusError } from "../wire/status.ts";

export async function beginTransaction(
  firestore: Firestore,
  { database, options }: BeginTransactionRequest,
): Promise<{ transaction: Uint8Array }> {
  return { transaction: firestore.open(database).transactions.begin(options).id };
}

/** Ends a transaction. Rolling back one that has ended already, by a commit, a conflict or its time, is no error. */
export async function rollback(firestore: Firestore, { database, transaction: id }: RollbackRequest): Promise<object> {
  if (!id || id.length === 0) throw invalidArgument("The request has no transaction.");
  const { transactions } = firestore.open(database);
  try {
    transactions.rollback(transactions.find(id));
  } catch (error) {
    if (!(error instanceof StatusError && error.status === "ABORTED")) throw error;
  }
  return {};
}
