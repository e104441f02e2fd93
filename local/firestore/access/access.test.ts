import {
  assertFails,
  assertSucceeds,
  initializeTestEnvironment,
  type RulesTestEnvironment,
  type TokenOptions,
} from "@firebase/rules-unit-testing";
import type { FirebaseError } from "firebase/app";
import {
  collection,
  collectionGroup,
  deleteDoc,
  doc,
  getCountFromServer,
  getDoc,
  getDocs,
  limit,
  onSnapshot,
  query,
  runTransaction,
  serverTimestamp,
  setDoc,
  updateDoc,
  where,
  writeBatch,
} from "firebase/firestore";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { unsignedToken } from "../../tokens.ts";
import { useServer } from "../harness.ts";

/** Security rules as apps meet them, through Google's own library for testing rules. */
const harness = useServer();
const PROJECT_ID = "demo-rules";
let environment: RulesTestEnvironment;

const RULES = `rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents {
    function isOwner(owner) { return request.auth != null && request.auth.uid == owner; }
    match /users/{uid} {
      allow get: if isOwner(uid) || resource.data.public == true;
      allow list: if request.query.limit <= 10 && resource.data.public == true;
      allow create: if isOwner(uid) && request.resource.data.keys().hasOnly(['name', 'public', 'at']);
      allow update: if isOwner(uid) && !request.resource.data.diff(resource.data).affectedKeys().hasAny(['name']);
      match /notes/{rest=**} {
        allow read, write: if isOwner(uid);
      }
    }
    match /rooms/{room} {
      allow get, list: if exists(/databases/$(database)/documents/rooms/$(room)/members/$(request.auth.uid));
      match /messages/{message} {
        allow read: if get(/databases/$(database)/documents/rooms/$(room)).data.open == true;
        allow create: if request.resource.data.at == request.time
          && getAfter(/databases/$(database)/documents/rooms/$(room)).data.last == message;
      }
    }
    match /{path=**}/posts/{post} {
      allow read: if resource.data.author == request.auth.uid;
    }
    match /letterboxes/{id} { allow write: if true; }
    match /signs/{id} { allow update: if request.auth != null; }
    match /admins/{id} { allow read, write: if request.auth.token.admin == true; }
  }
}`;

const as = (uid: string, claims: TokenOptions = {}) => environment.authenticatedContext(uid, claims).firestore();
const nobody = () => environment.unauthenticatedContext().firestore();
const given = (write: (db: ReturnType<typeof nobody>) => Promise<unknown>) =>
  environment.withSecurityRulesDisabled(async (context) => {
    await write(context.firestore());
  });

beforeAll(async () => {
  const { host, port } = harness.server;
  environment = await initializeTestEnvironment({ projectId: PROJECT_ID, firestore: { host, port, rules: RULES } });
});
beforeEach(() => environment.clearFirestore());
afterAll(() => environment.cleanup());

describe("a document", () => {
  test("is read by whom the rules let, whether it is there or not", async () => {
    await given((db) => setDoc(doc(db, "users/ada"), { name: "Ada", public: false }));
    await assertSucceeds(getDoc(doc(as("ada"), "users/ada")));
    await assertSucceeds(getDoc(doc(as("bo"), "users/bo")));
    await assertFails(getDoc(doc(as("bo"), "users/ada")));
    await assertFails(getDoc(doc(as("bo"), "users/nobody")));
    await given((db) => updateDoc(doc(db, "users/ada"), { public: true }));
    await assertSucceeds(getDoc(doc(nobody(), "users/ada")));
  });

  test("is written as the rules allow, judged by what it will be", async () => {
    const ada = doc(as("ada"), "users/ada");
    await assertFails(setDoc(doc(as("bo"), "users/ada"), { name: "Bo" }));
    await assertFails(setDoc(ada, { name: "Ada", admin: true }));
    await assertSucceeds(setDoc(ada, { name: "Ada", public: false, at: serverTimestamp() }));
    await assertSucceeds(updateDoc(ada, { public: true }));
    await assertFails(updateDoc(ada, { name: "Eve" }));
    await assertFails(deleteDoc(ada));
    expect((await getDoc(ada)).data()).toMatchObject({ name: "Ada", public: true });
  });

  test("that nobody may know of is not given away by a precondition", async () => {
    await expect(updateDoc(doc(as("bo"), "users/ada"), { public: true })).rejects.toMatchObject({
      code: "permission-denied",
    });
  });

  test("below a recursive wildcard, and by a claim of the token", async () => {
    await assertSucceeds(setDoc(doc(as("ada"), "users/ada/notes/1/parts/2"), {}));
    await assertFails(setDoc(doc(as("bo"), "users/ada/notes/1/parts/2"), {}));
    await assertSucceeds(setDoc(doc(as("eve", { admin: true }), "admins/eve"), {}));
    await assertFails(setDoc(doc(as("eve"), "admins/eve"), {}));
  });
});

describe("a query", () => {
  test("passes only if what it asks for proves that all it could give may be read", async () => {
    await given((db) => setDoc(doc(db, "users/ada"), { public: true }));
    const users = collection(nobody(), "users");
    await assertSucceeds(getDocs(query(users, where("public", "==", true), limit(10))));
    await assertFails(getDocs(query(users, where("public", "==", true))));
    await assertFails(getDocs(query(users, where("public", "==", true), limit(11))));
    await assertFails(getDocs(query(users, limit(1))));
    await assertSucceeds(getCountFromServer(query(users, where("public", "==", true), limit(10))));
    await assertFails(getCountFromServer(users));
  });

  test("of a collection group is judged by the rule that covers it wherever it lies", async () => {
    await given((db) => setDoc(doc(db, "blogs/x/posts/1"), { author: "ada" }));
    const mine = (uid: string, author: string) =>
      getDocs(query(collectionGroup(as(uid), "posts"), where("author", "==", author)));
    expect((await assertSucceeds(mine("ada", "ada"))).size).toBe(1);
    await assertFails(mine("bo", "ada"));
    await assertFails(getDocs(collectionGroup(as("ada"), "posts")));
  });
});

describe("a commit", () => {
  test("is judged as a whole: its writes see each other through getAfter", async () => {
    const db = as("ada");
    await given((admin) => setDoc(doc(admin, "rooms/r"), { open: true, last: "" }));
    await given((admin) => setDoc(doc(admin, "rooms/r/members/ada"), {}));
    await assertFails(setDoc(doc(db, "rooms/r/messages/m1"), { at: serverTimestamp() }));
    const batch = writeBatch(db);
    batch.set(doc(db, "rooms/r/messages/m1"), { at: serverTimestamp() });
    batch.update(doc(db, "rooms/r"), { last: "m1" });
    // The room itself may not be written, so nothing of it is.
    await assertFails(batch.commit());
    await given((admin) => updateDoc(doc(admin, "rooms/r"), { last: "m1" }));
    await assertSucceeds(setDoc(doc(db, "rooms/r/messages/m1"), { at: serverTimestamp() }));
    await assertFails(setDoc(doc(db, "rooms/r/messages/m1"), { at: new Date() }));
  });

  test("of a transaction that reads what it does not write is checked, and goes through", async () => {
    const db = as("ada");
    await given((admin) => setDoc(doc(admin, "users/ada"), { name: "Ada", public: true }));
    await runTransaction(db, async (transaction) => {
      await transaction.get(doc(db, "users/ada"));
      transaction.set(doc(db, "users/ada/notes/1"), {});
    });
    expect((await getDoc(doc(db, "users/ada/notes/1"))).exists()).toBe(true);
  });
});

describe("a listener", () => {
  const states = (path: string, uid = "bo") => {
    const seen: string[] = [];
    onSnapshot(
      doc(as(uid), path),
      (snapshot) => seen.push(snapshot.exists() ? "there" : "not there"),
      (error) => seen.push(error.code),
    );
    return seen;
  };

  test("is refused where the rules do not let it read", async () => {
    const seen = states("users/ada");
    await vi.waitFor(() => expect(seen).toEqual(["permission-denied"]));
  });

  test("is cut when the document is no longer one it may read", async () => {
    await given((db) => setDoc(doc(db, "users/ada"), { public: true }));
    const seen = states("users/ada");
    await vi.waitFor(() => expect(seen).toEqual(["there"]));
    await given((db) => updateDoc(doc(db, "users/ada"), { public: false }));
    await vi.waitFor(() => expect(seen).toEqual(["there", "permission-denied"]));
  });

  test("is cut when a document that the rules look up says so", async () => {
    await given((db) => setDoc(doc(db, "rooms/r/members/bo"), {}));
    const seen = states("rooms/r");
    await vi.waitFor(() => expect(seen).toEqual(["not there"]));
    await given((db) => deleteDoc(doc(db, "rooms/r/members/bo")));
    await vi.waitFor(() => expect(seen).toEqual(["not there", "permission-denied"]));
  });

  test("is cut when the rules change", async () => {
    const seen = states("users/bo");
    await vi.waitFor(() => expect(seen).toEqual(["not there"]));
    const put = (content: string) =>
      harness.http("PUT", `/emulator/v1/projects/${PROJECT_ID}:securityRules`, { rules: { files: [{ content }] } });
    await put("rules_version = '2'; service cloud.firestore { }");
    await vi.waitFor(() => expect(seen).toEqual(["not there", "permission-denied"]));
    await put(RULES);
  });
});

describe("a denial", () => {
  test("says what came of each rule as the emulator does, and below which expression and which value it was", async () => {
    const error = (await getDoc(doc(as("bo"), "users/ada")).catch((thrown: unknown) => thrown)) as FirebaseError;
    expect(error.code).toBe("permission-denied");
    expect(error.message).toMatch(/^\nNull value error. for 'get' @ L6\nL6: .*"bo"/);
  });
});

describe("documents that rules look up", () => {
  test("are billed as reads", async () => {
    await given((db) => setDoc(doc(db, "rooms/r"), { open: true }));
    await given((db) => setDoc(doc(db, "rooms/r/messages/m"), {}));
    const { usage } = harness.server.firestore;
    const db = as("ada");
    const mark = usage.mark();
    await getDoc(doc(db, "rooms/r/messages/m"));
    expect(usage.since(mark)).toEqual({ reads: 2, writes: 0, deletes: 0 });
  });
});

describe("rules that cannot be", () => {
  const upload = (content: string, more: object = {}) =>
    harness.http(
      "PUT",
      "/emulator/v1/projects/demo-broken:securityRules",
      { rules: { files: [{ content }] }, ...more },
      {},
    );

  test("are refused with what is wrong and where, and those before stay in force", async () => {
    await upload("rules_version = '2'; service cloud.firestore { }");
    const { status, body } = await upload(
      "rules_version = '2';\nservice cloud.firestore {\n  match /a/{b} { allow read: if ; }\n}",
    );
    expect(status).toBe(400);
    expect(body).toMatchObject({ issues: [{ severity: "ERROR", sourcePosition: { line: 3 } }] });
    const denied = await harness.http(
      "GET",
      "/v1/projects/demo-broken/databases/(default)/documents/a/b",
      undefined,
      {},
    );
    expect(denied).toMatchObject({ status: 403, body: { error: { status: "PERMISSION_DENIED" } } });
  });

  test("are answered with status 200 where the CLI asks for that", async () => {
    const { status, body } = await upload("nonsense", { ignore_errors: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({ issues: [{ severity: "ERROR" }] });
  });
});

test("a project without rules lets everybody do everything, as Google's emulator does", async () => {
  const path = "/v1/projects/demo-open/databases/(default)/documents/a?documentId=b";
  expect((await harness.http("POST", path, { fields: {} }, {})).status).toBe(200);
});

test.each(["listCollectionIds", "batchWrite", "partitionQuery"])(
  "%s is for servers only, even where there are no rules",
  async (method) => {
    const path = `/v1/projects/demo-open/databases/(default)/documents:${method}`;
    expect(await harness.http("POST", path, {}, {})).toMatchObject({
      status: 403,
      body: {
        error: { status: "PERMISSION_DENIED", message: expect.stringMatching(/ require admin authentication\.$/) },
      },
    });
  },
);

test.each(["Bearer owner", "bearer owner", "Bearer OWNER", "Bearer ya29.a0AfH6SM"])(
  "who sends %j is a server",
  async (authorization) => {
    const path = "/v1/projects/demo-open/databases/(default)/documents:listCollectionIds";
    expect((await harness.http("POST", path, {}, { authorization })).status).toBe(200);
  },
);

test.each(["Bearer nonsense", "nonsense", "Bearer a.b.c"])("who sends %j is unauthenticated", async (authorization) => {
  const path = "/v1/projects/demo-open/databases/(default)/documents/a/b";
  expect(await harness.http("GET", path, undefined, { authorization })).toMatchObject({
    status: 401,
    body: { error: { status: "UNAUTHENTICATED" } },
  });
});

test("the coverage of rules says for each expression which values it had, as data and as a page", async () => {
  await assertFails(getDoc(doc(as("bo"), "users/eve")));
  const path = `/emulator/v1/projects/${PROJECT_ID}:ruleCoverage`;
  const { status, body } = await harness.http("GET", path, undefined, {});
  expect(status).toBe(200);
  const text = JSON.stringify(body);
  expect(text).toContain("sourcePosition");
  expect(text).toContain("boolValue");
  expect(text).toContain("function isOwner(owner)");
  const page = await harness.http("GET", `${path}.html`, undefined, {});
  expect(page.body).toContain("<html");
  expect(page.body).toContain("isOwner");
});

describe("what rules hide", () => {
  const token = `Bearer ${unsignedToken({ sub: "ada" })}`;
  const documents = `projects/${PROJECT_ID}/databases/(default)/documents`;
  const commit = (...writes: object[]) =>
    harness.http("POST", `/v1/${documents}:commit`, { writes }, { authorization: token });

  test("is not told by checks that write nothing", async () => {
    await given((db) => setDoc(doc(db, "letterboxes/there"), {}));
    for (const id of ["there", "missing"]) {
      // Where one may write without reading, too.
      const verify = `${documents}/letterboxes/${id}`;
      for (const currentDocument of [{ exists: true }, { exists: false }, { updateTime: "2020-01-01T00:00:00Z" }]) {
        expect((await commit({ verify, currentDocument })).status).toBe(403);
      }
    }
  });

  test("cannot be made by calling a create an update", async () => {
    const update = { name: `${documents}/signs/new`, fields: { text: { stringValue: "x" } } };
    expect((await commit({ update })).status).toBe(403);
    expect((await commit({ update }, { update, currentDocument: { exists: true } })).status).toBe(403);
  });
});
