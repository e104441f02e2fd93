import type { Query } from "firebase-admin/firestore";
import { expect, test } from "vitest";
import { useBackend } from "./backend.ts";

/** The suite has the indexes of firestore.indexes.json, and no others: what works here does not fail for want of one on launch day. */
const backend = useBackend();

/** Whether a query is served, or why not. */
function listen(query: Query): Promise<"served"> {
  return new Promise((resolve, reject) => {
    const stop = query.onSnapshot(() => {
      stop();
      resolve("served");
    }, reject);
  });
}

test("a query that has no index in the project's file is refused, with what to add to it", async () => {
  const holds = backend.firestore.collection("holds").where("state", "==", "active");
  expect(await listen(holds.orderBy("expiresAt"))).toBe("served");
  await expect(listen(holds.orderBy("expiresAt", "desc"))).rejects.toThrow(
    '{"collectionGroup":"holds","queryScope":"COLLECTION","fields":[{"fieldPath":"state","order":"ASCENDING"},{"fieldPath":"expiresAt","order":"DESCENDING"}]}',
  );
});
