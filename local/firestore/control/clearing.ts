import type { Firestore } from "../firestore.ts";
import { checkSegment } from "../model/path.ts";
import { isLive } from "../store/document.ts";
import type { Write } from "../wire/messages.ts";

/** Deletes made in one commit. */
const PAGE = 500;

/**
 * Deletes a document, or all of a collection, with everything below: what the Emulator UI asks for. Triggers hear of it.
 * @param path below the root: `users/ada` or `users`
 */
export async function deleteBelow(firestore: Firestore, name: string, path: string): Promise<void> {
  for (const segment of path.split("/")) checkSegment(segment);
  const { database, transactions } = firestore.open(name);
  const paths = new Set(database.get(path) ? [path] : []);
  for (const document of database.documentsBelow(path)) if (isLive(document.current)) paths.add(document.path);
  const writes = [...paths].map((found): Write => ({ delete: `${name}/documents/${found}` }));
  for (let at = 0; at < writes.length; at += PAGE) await transactions.commit(undefined, writes.slice(at, at + PAGE));
}
