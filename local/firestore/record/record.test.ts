import { beforeEach, describe, expect, test, vi } from "vitest";
import type { RequestRecord } from "../../inspect/requests.ts";
import { unsignedToken } from "../../tokens.ts";
import { DATABASE, PROJECT, useServer } from "../harness.ts";

const RULES = `rules_version = "2";
service cloud.firestore {
  match /databases/{database}/documents {
    function isOwner(owner) { return request.auth.uid == owner; }
    match /users/{user} {
      allow read: if isOwner(user);
      allow write: if isOwner(user) && exists(/databases/$(database)/documents/open/now);
    }
    match /open/{id} { allow read; }
  }
}`;

const harness = useServer({ rules: { [PROJECT]: RULES } });
const ada = { authorization: `Bearer ${unsignedToken({ sub: "ada", secret: "hush" })}` };
const documents = `/v1/${DATABASE}/documents`;
let seen = 0;

beforeEach(async () => {
  seen = (await list()).at(-1)?.id ?? seen;
});

async function list(query = ""): Promise<RequestRecord[]> {
  const { body } = await harness.http("GET", `/emulator/v1/requests?after=${seen}&${query}`);
  return (body as { requests: RequestRecord[] }).requests;
}

describe("a request", () => {
  test("is written down with who asked, what for, what came of it, the bill and the rule that allowed it", async () => {
    await harness.client.doc("open/now").set({});
    const writes = [{ update: { name: `${DATABASE}/documents/users/ada`, fields: { pin: { stringValue: "1234" } } } }];
    await harness.http("POST", `${documents}:commit`, { writes }, ada);
    await harness.http("GET", `${documents}/users/ada`, undefined, ada);
    await harness.http("GET", `${documents}/open/now`, undefined, {});
    expect(await list()).toMatchObject([
      { via: "gRPC", method: "Commit", subject: "open/now", by: "server", bill: { reads: 0, writes: 1, deletes: 0 } },
      {
        via: "REST",
        method: "Commit",
        database: DATABASE,
        subject: "users/ada",
        by: "user",
        user: "ada",
        status: "OK",
        // What the rules look up is part of it.
        bill: { reads: 1, writes: 1, deletes: 0 },
        rule: "L7: allow write: if isOwner(user) && exists(/databases/$(database)/documents/open/now)",
      },
      { method: "GetDocument", bill: { reads: 1 }, rule: "L6: allow read: if isOwner(user)" },
      { method: "GetDocument", by: "nobody", rule: "L9: allow read" },
    ]);
  });

  test("that is denied is written down with why", async () => {
    await harness.http("GET", `${documents}/users/bo`, undefined, ada);
    expect(await list("denied")).toMatchObject([
      {
        subject: "users/bo",
        user: "ada",
        status: "PERMISSION_DENIED",
        isDenied: true,
        bill: { reads: 0 },
        rule: `false for 'get' @ L6\nL6: request.auth.uid == owner, where request.auth.uid is "ada" and owner is "bo"`,
      },
    ]);
  });

  test("that fails is written down with its status, and is not among those denied", async () => {
    await harness.http("GET", `${documents}/users/missing`);
    expect(await list()).toMatchObject([{ status: "NOT_FOUND", isDenied: false, bill: { reads: 1 } }]);
    expect(await list("denied")).toEqual([]);
  });

  test("leaves neither what was written or asked for nor a token behind", async () => {
    await harness.client.doc("users/bo").set({ pin: "1234" });
    await harness.client.collection("users").where("pin", "==", "1234").get();
    await harness.http("GET", `${documents}/users/ada`, undefined, ada);
    expect(await list()).toMatchObject([{}, { subject: "users where pin == …" }, { user: "ada" }]);
    expect(JSON.stringify(await list())).not.toMatch(/1234|hush/);
  });

  test("for many documents names the first, and its bill is put down to each kind of path", async () => {
    const before = await bills();
    const batch = harness.client.batch();
    batch.set(harness.client.doc("shops/a/items/1"), {});
    batch.set(harness.client.doc("shops/a/items/2"), {});
    batch.delete(harness.client.doc("shops/a"));
    await batch.commit();
    expect(await list()).toMatchObject([{ subject: "shops/a/items/1 and 2 more", bill: { writes: 2, deletes: 1 } }]);
    const after = await bills();
    expect(before.paths).not.toContainEqual(expect.objectContaining({ path: "shops" }));
    expect(after.paths).toContainEqual({ path: "shops/{}/items", requests: 1, reads: 0, writes: 2, deletes: 0 });
    expect(after.paths).toContainEqual({ path: "shops", requests: 0, reads: 0, writes: 0, deletes: 1 });
    expect(after.total.writes - before.total.writes).toBe(2);
  });

  test("can be found by part of its path and by user", async () => {
    await harness.http("GET", `${documents}/users/ada`, undefined, ada);
    await harness.http("GET", `${documents}/open/now`, undefined, {});
    await harness.http("GET", `${documents}/open/later`);
    const subjects = async (query: string) => (await list(query)).map(({ subject }) => subject);
    expect(await subjects("path=users/")).toEqual(["users/ada"]);
    expect(await subjects("user=ada")).toEqual(["users/ada"]);
    expect(await subjects("user=nobody")).toEqual(["open/now"]);
    expect(await subjects("user=server")).toEqual(["open/later"]);
    expect(await subjects("limit=1")).toEqual(["open/later"]);
  });

  test("that cannot be made sense of is written down all the same", async () => {
    const nonsense = { structuredQuery: { from: [{ collectionId: "a/b" }, { collectionId: "c" }] } };
    expect((await harness.http("POST", `${documents}:runQuery`, nonsense)).status).toBe(400);
    expect(await list()).toMatchObject([{ method: "RunQuery", status: "INVALID_ARGUMENT" }]);
  });
});

test("a listener is written down as it begins, and with the bill of each of its snapshots", async () => {
  const rooms = harness.client.collection("rooms");
  await rooms.doc("a").set({ city: "Rome" });
  const sizes: number[] = [];
  const stop = rooms.where("city", "==", "Rome").onSnapshot(({ size }) => sizes.push(size));
  await vi.waitFor(() => expect(sizes).toEqual([1]));
  await rooms.doc("b").set({ city: "Rome" });
  await vi.waitFor(() => expect(sizes).toEqual([1, 2]));
  stop();
  const subject = "rooms where city == …";
  expect((await list()).filter(({ via, method }) => via === "gRPC" && method !== "Commit")).toMatchObject([
    { method: "Listen", subject, bill: { reads: 1 } },
    { method: "Snapshot", subject, bill: { reads: 1 } },
  ]);
});

describe("the last requests", () => {
  test("are kept, and those that were denied for longer", async () => {
    await harness.http("GET", `${documents}/users/bo`, undefined, ada);
    const reads = Array.from({ length: 2_100 }, () => harness.client.doc("open/now").get());
    await Promise.all(reads);
    const all = await list("limit=2000");
    expect(all).toHaveLength(2_000);
    expect(await list("denied")).toMatchObject([{ subject: "users/bo" }]);
  }, 30_000);
});

describe("documents", () => {
  const browse = async (query: string) => (await harness.http("GET", `/emulator/v1/${DATABASE}/browse?${query}`)).body;

  test("can be walked through, missing ones with others below them too, without a bill and without a trace", async () => {
    await harness.client.doc("shelves/gone/books/one").set({ title: "Emma" });
    const before = await bills();
    const kept = await list();
    expect(await browse("path=shelves")).toMatchObject({
      documents: [{ name: `${DATABASE}/documents/shelves/gone` }],
    });
    expect(await browse("path=shelves/gone")).toEqual({ collectionIds: ["books"] });
    expect(await browse("path=shelves/gone/books/one")).toMatchObject({
      document: { fields: { title: { stringValue: "Emma" } } },
    });
    expect(await browse("")).toMatchObject({ collectionIds: expect.arrayContaining(["shelves"]) });
    expect(await bills()).toEqual(before);
    expect(await list()).toEqual(kept);
  });

  test("come page by page", async () => {
    const batch = harness.client.batch();
    for (let i = 0; i < 30; i++) batch.set(harness.client.doc(`many/${String(i).padStart(2, "0")}`), {});
    await batch.commit();
    const first = (await browse("path=many")) as { documents: unknown[]; nextPageToken: string };
    expect(first.documents).toHaveLength(25);
    const second = await browse(`path=many&pageToken=${first.nextPageToken}`);
    expect(second).toMatchObject({ documents: { length: 5 } });
  });
});

interface Bills {
  readonly total: { readonly writes: number };
  readonly paths: readonly { readonly path: string }[];
}

async function bills(): Promise<Bills> {
  return (await harness.http("GET", "/emulator/v1/bills")).body as Bills;
}
