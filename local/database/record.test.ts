import { get, limitToLast, orderByChild, query, ref, set } from "firebase/database";
import { describe, expect, test } from "vitest";
import type { RequestRecord } from "../inspect/requests.ts";
import { NAMESPACE, OWNER, useDatabase } from "./harness.ts";
import { ADMIN } from "./security.ts";

const harness = useDatabase();

async function list(parameters = ""): Promise<RequestRecord[]> {
  const { body } = await harness.http("GET", `/.inspect/requests.json?${parameters}`);
  return (body as { requests: RequestRecord[] }).requests;
}

describe("a request", () => {
  test("is written down with who asked and what for, but not what was written", async () => {
    await harness.rules({ ".read": true, ".write": true, rooms: { ".indexOn": "price" } });
    const client = harness.connect({ sub: "ada", secret: "hush" });
    await set(ref(client, "rooms/a"), { pin: "1234" });
    await get(query(ref(client, "rooms"), orderByChild("price"), limitToLast(5)));
    await harness.http("GET", "/rooms/a.json", undefined, OWNER);
    expect(await list()).toMatchObject([
      { service: "database", via: "WebSocket", method: "set", database: NAMESPACE, subject: "/rooms/a", user: "ada" },
      { method: "get", subject: "/rooms by price limit 5", by: "user", status: "ok" },
      { via: "REST", method: "GET", subject: "/rooms/a", by: "server" },
    ]);
    expect(JSON.stringify(await list())).not.toMatch(/1234|hush/);
  });

  test("that is denied is written down with the rules that denied it, of which callers are told nothing", async () => {
    await harness.rules({ users: { $uid: { ".read": "auth.uid === $uid" } } });
    await expect(get(ref(harness.connect({ sub: "bo", secret: "hush" }), "users/ada"))).rejects.toThrow(
      "Permission denied",
    );
    const answer = await harness.http("PUT", "/users/bo.json", 1);
    expect(answer).toMatchObject({ status: 401, body: { error: "Permission denied" } });
    const denied = await list("denied");
    expect(denied).toMatchObject([
      { method: "get", subject: "/users/ada", user: "bo", status: "permission_denied", isDenied: true },
      { method: "PUT", subject: "/users/bo", by: "nobody", isDenied: true },
    ]);
    expect(denied[0]?.rule).toContain('auth.uid = "bo"');
    expect(denied[0]?.rule).toContain("No .read rule allowed the operation.");
    expect(denied[1]?.rule).toContain("No .write rule allowed the operation.");
    expect(denied[0]?.rule).not.toContain("hush");
  });
});

test("the tree can be walked through, some children at a time", async () => {
  const children = Object.fromEntries(Array.from({ length: 130 }, (_, i) => [`k${String(i).padStart(3, "0")}`, i]));
  const json = { list: children, text: "x".repeat(5_000), flag: true };
  harness.database.write({ path: [], puts: [{ path: [], json }] }, ADMIN);
  const at = async (parameters: string) => (await harness.http("GET", `/.inspect/tree.json?${parameters}`)).body;
  expect(await at("path=/")).toEqual({
    children: [
      { key: "flag", value: true },
      { key: "list", size: 130 },
      { key: "text", value: `${"x".repeat(1_000)}…` },
    ],
  });
  expect(await at("path=/list")).toMatchObject({ children: { length: 100 }, hasMore: true });
  const rest = await at("path=/list&after=k099");
  expect(rest).toMatchObject({ children: { length: 30, 0: { key: "k100", value: 100 } } });
  expect(rest).not.toHaveProperty("hasMore");
  expect(await at("path=/nothing")).toEqual({ value: null });
  expect(await list()).toEqual([]);
});
