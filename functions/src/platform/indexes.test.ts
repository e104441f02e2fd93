import { expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { audit } from "./audit.ts";
import type { Query } from "./firestore.ts";

useBackend();

test("a query that has its index in firestore.indexes.json is answered here", async () => {
  expect(await listen(audit().where("subject", "==", "ada").orderBy("at", "desc"))).toBe(0);
});

test.each([
  ["of several fields", () => audit().where("subject", "==", "ada").orderBy("at"), "requires an index"],
  ["of a field that is exempt", () => audit().orderBy("note"), "requires a COLLECTION_ASC index"],
])("a query without its index fails here as in production: %s", async (_, query, reason) => {
  await expect(listen(query())).rejects.toThrow(reason);
});

/** Listeners are refused at once; a client tries other queries for seconds. */
function listen(query: Query<unknown>): Promise<number> {
  return new Promise((resolve, reject) => {
    const stop = query.onSnapshot(({ size }) => {
      stop();
      resolve(size);
    }, reject);
  });
}
