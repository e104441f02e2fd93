import { expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { writeDown } from "../platform/audit.ts";
import { parseInput } from "../platform/endpoint.ts";
import { transact } from "../platform/firestore.ts";
import type { AuditPage } from "./contract.ts";
import { audit } from "./endpoint.ts";

useBackend();

const list = async (input: unknown) =>
  (await audit.list.run({ uid: "olga" }, parseInput(audit.list.input, input))) as AuditPage;

test("operators, and nobody else, read what was done, page by page, and nobody can change it through an action", async () => {
  expect(audit.list.access).toBe("admin");
  expect(Object.keys(audit)).toEqual(["list"]);
  for (const key of ["1", "2", "3"]) {
    await transact(async (tx) => writeDown(tx, { key, by: "paul", action: "test", subject: "things/1", note: key }));
  }
  const first = await list({ limit: 2 });
  const rest = await list({ limit: 2, cursor: first.nextCursor });
  expect([...first.deeds, ...rest.deeds].map(({ note }) => note).sort()).toEqual(["1", "2", "3"]);
  expect(rest.nextCursor).toBeUndefined();
  await expect(list({ cursor: "nothing" })).rejects.toMatchObject({ details: { field: "cursor" } });
});
