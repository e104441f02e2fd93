import { get, limitToLast, orderByKey, query, ref, set } from "firebase/database";
import { describe, expect, test, vi } from "vitest";
import { follow, useDatabase } from "./harness.ts";
import { ADMIN } from "./security.ts";

const harness = useDatabase();

describe("rules", () => {
  test("tell who may read and write, by the token of the client", async () => {
    await harness.rules({ users: { $uid: { ".read": "auth.uid === $uid", ".write": "auth.uid === $uid" } } });
    const [ada, nobody] = [harness.connect({ sub: "ada" }), harness.connect()];
    await set(ref(ada, "users/ada"), { name: "Ada" });
    expect((await get(ref(ada, "users/ada"))).val()).toEqual({ name: "Ada" });
    await expect(set(ref(ada, "users/bob"), 1)).rejects.toThrow("PERMISSION_DENIED: Permission denied");
    await expect(set(ref(nobody, "users/ada"), 1)).rejects.toThrow("PERMISSION_DENIED: Permission denied");
    await expect(get(ref(nobody, "users/ada"))).rejects.toThrow("Permission denied");
    const refused = follow(ref(nobody, "users/ada"));
    await vi.waitFor(() => expect(refused.errors).toHaveLength(1));
    expect(refused.errors[0]).toContain("permission_denied at /users/ada");
  });

  test("that change take back what may no longer be read", async () => {
    const client = harness.connect();
    const [plain, limited] = [
      follow(ref(client, "secrets")),
      follow(query(ref(client, "list"), orderByKey(), limitToLast(2))),
    ];
    await vi.waitFor(() => expect([plain.values, limited.values]).toEqual([[null], [null]]));
    await harness.rules({ list: { ".read": false }, secrets: { ".read": false } });
    await vi.waitFor(() => expect([plain.errors, limited.errors].flat()).toHaveLength(2));
    harness.database.write({ path: [], puts: [{ path: ["secrets"], json: "s" }] }, ADMIN);
    await expect(set(ref(client, "x"), 1)).rejects.toThrow("PERMISSION_DENIED");
    expect(plain.values).toEqual([null]);
  });

  test("that look at data take back what a write forbids, before anything more of it is sent", async () => {
    await harness.rules({ room: { ".read": "root.child('members').child(auth.uid).exists()" } });
    const write = (path: string[], json: unknown) =>
      harness.database.write({ path: [], puts: [{ path, json }] }, ADMIN);
    write(["members", "ada"], true);
    const followed = follow(ref(harness.connect({ sub: "ada" }), "room"));
    await vi.waitFor(() => expect(followed.values).toEqual([null]));
    write(["members", "ada"], null);
    write(["room", "message"], "secret");
    await vi.waitFor(() => expect(followed.errors).toHaveLength(1));
    expect(followed.values).toEqual([null]);
  });
});
