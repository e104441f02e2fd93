import { expect, test } from "vitest";
import { PROJECT, useServer } from "../harness.ts";

const harness = useServer();
const HOUR = 3_600_000;

const setClock = (state: object) => harness.http("PUT", "/emulator/v1/clock", state);
const putPolicies = (...fields: [collectionGroup: string, fieldPath: string, ttl: boolean][]) => {
  const fieldOverrides = fields.map(([collectionGroup, fieldPath, ttl]) => ({
    collectionGroup,
    fieldPath,
    ttl,
    indexes: [],
  }));
  return harness.http("PUT", `/emulator/v1/projects/${PROJECT}/indexes`, { indexes: [], fieldOverrides });
};

test("documents are deleted when their time has come, wherever their collection lies, and no others", async () => {
  const { client } = harness;
  const at = (hours: number) => new Date(Date.now() + hours * HOUR);
  const batch = client.batch();
  for (const [path, data] of Object.entries({
    "sessions/past": { expiresAt: at(-1) },
    "users/ada/sessions/soon": { expiresAt: at(1) },
    "sessions/later": { expiresAt: at(10) },
    "sessions/never": {},
    "sessions/text": { expiresAt: "2000-01-01" },
    "others/past": { expiresAt: at(-1) },
    "kept/past": { expiresAt: at(-1) },
  })) {
    batch.set(client.doc(path), data);
  }
  await batch.commit();
  const left = async () => (await client.collectionGroup("sessions").get()).docs.map(({ id }) => id).sort();

  await putPolicies(["sessions", "expiresAt", true], ["kept", "expiresAt", false]);
  expect(await left()).toEqual(["later", "never", "soon", "text"]);
  await setClock({ offset: 2 * HOUR });
  expect(await left()).toEqual(["later", "never", "text"]);
  await setClock({ offset: 24 * HOUR });
  expect(await left()).toEqual(["never", "text"]);
  expect((await client.doc("others/past").get()).exists).toBe(true);
  expect((await client.doc("kept/past").get()).exists).toBe(true);
});

test("listeners hear of it, and it is billed as deletes", async () => {
  const { client, server } = harness;
  await setClock({ offset: 0 });
  await putPolicies(["sessions", "expiresAt", true]);
  const session = client.doc("sessions/heard");
  await session.set({ expiresAt: new Date(Date.now() + 100 * HOUR) });
  const gone = new Promise<void>((resolve) => {
    const stop = session.onSnapshot(({ exists }) => {
      if (exists) return;
      stop();
      resolve();
    });
  });
  const mark = server.firestore.usage.mark();
  await setClock({ offset: 101 * HOUR });
  await gone;
  expect(server.firestore.usage.since(mark)?.deletes).toBe(1);
});

test("the server's time is what it was set to, for the times it writes and for the rules", async () => {
  const { client } = harness;
  const document = client.doc("times/a");
  await setClock({ offset: 0, frozenAt: Date.parse("2040-01-01T00:00:00Z") });
  const { writeTime } = await document.set({});
  expect(writeTime.toDate().toISOString()).toMatch(/^2040-01-01T00:00:00/);
  await setClock({ offset: 0 });
  // Back in our time: the times of writes only ever grow.
  expect((await document.set({ n: 1 })).writeTime.valueOf() > writeTime.valueOf()).toBe(true);
});

test.each([{}, { offset: "1h" }, { offset: 0, frozenAt: -1 }])(
  "a clock that makes no sense is refused: %j",
  async (state) => {
    expect((await setClock(state)).status).toBe(400);
  },
);

test("a policy that cannot be followed is reported, and the server goes on", async () => {
  await putPolicies(["sessions", "expire-at", true]);
  await setClock({ offset: 0 });
  expect(harness.reports.join()).toContain("TTL of sessions.expire-at");
  expect((await harness.client.doc("a/b").get()).exists).toBe(false);
});
