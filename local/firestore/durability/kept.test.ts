import { fileURLToPath } from "node:url";
import { Firestore, Timestamp } from "@google-cloud/firestore";
import { describe, expect, onTestFinished, test } from "vitest";
import { filesOf, startDamaged, startOnSmallDisk, temporary } from "../../durability/harness.ts";
import { complaintOf, up } from "../../harness.ts";
import { freePort } from "../../ports.ts";
import { type FirestoreServer, startFirestore } from "../server.ts";

interface Life {
  readonly server: FirestoreServer;
  readonly reports: string[];
  client(projectId?: string, databaseId?: string): Firestore;
  end(): Promise<void>;
}

function clientOn(port: number, projectId = "demo-test", databaseId = "(default)"): Firestore {
  const customHeaders = { Authorization: "Bearer owner" };
  return new Firestore({ projectId, databaseId, host: `127.0.0.1:${port}`, ssl: false, customHeaders });
}

/** A server on a directory, until the test ends or before. */
async function live(directory: string, rollBytes?: number): Promise<Life> {
  const reports: string[] = [];
  const keeping = rollBytes === undefined ? { directory } : { directory, rollBytes };
  const server = await startFirestore({ data: keeping, report: (message) => reports.push(message) });
  const clients: Firestore[] = [];
  let hasEnded = false;
  const end = async () => {
    if (hasEnded) return;
    hasEnded = true;
    await Promise.all(clients.map((client) => client.terminate()));
    await server.close();
  };
  onTestFinished(end);
  return {
    server,
    reports,
    client: (projectId, databaseId) => {
      const client = clientOn(server.port, projectId, databaseId);
      clients.push(client);
      return client;
    },
    end,
  };
}

describe("a server that is started again", () => {
  test("has every project and database, every type of value, and the times of documents", async () => {
    const directory = temporary();
    const first = await live(directory);
    const client = first.client();
    const all = {
      n: 1,
      x: 1.5,
      t: "é",
      when: new Timestamp(1, 5_000),
      bytes: Buffer.from([0, 255]),
      ref: client.doc("a/b"),
      nested: [{ deep: null }],
    };
    await client.doc("things/a").set(all);
    await client.doc("things/a").update({ n: 2 });
    await client.doc("things/gone").set({});
    await client.doc("things/gone").delete();
    await first.client("demo-test", "second").doc("things/a").set({ in: "second" });
    await first.client("other").doc("things/a").set({ in: "other" });
    const before = await client.doc("things/a").get();
    await first.end();

    const second = await live(directory);
    const after = await second.client().doc("things/a").get();
    expect(after.data()).toEqual({ ...all, n: 2, ref: after.get("ref") });
    expect(after.get("ref").path).toBe("a/b");
    expect([after.createTime, after.updateTime]).toEqual([before.createTime, before.updateTime]);
    expect((await second.client().collection("things").get()).size).toBe(1);
    expect((await second.client("demo-test", "second").doc("things/a").get()).get("in")).toBe("second");
    expect((await second.client("other").doc("things/a").get()).get("in")).toBe("other");
    expect(second.reports).toEqual([]);
  });

  test("gives later times than before, although its clock has been set back meanwhile", async () => {
    const directory = temporary();
    const first = await live(directory);
    first.server.firestore.clock.set({ offset: 3_600e6 });
    const document = first.client().doc("a/b");
    await document.set({ n: 1 });
    // Changes nothing, and yet has a time.
    const { writeTime } = await document.set({ n: 1 });
    await first.end();

    const second = await live(directory);
    const later = await second.client().doc("a/c").set({});
    expect(later.writeTime.valueOf() > writeTime.valueOf()).toBe(true);
  });

  test("says of the time before that it does not know it", async () => {
    const directory = temporary();
    const first = await live(directory);
    const { writeTime } = await first.client().doc("a/b").set({ n: 1 });
    await first.client().doc("a/b").set({ n: 2 });
    await first.end();

    const second = await live(directory);
    const past = second
      .client()
      .runTransaction((tx) => tx.get(second.client().doc("a/b")), { readOnly: true, readTime: writeTime });
    await expect(past).rejects.toThrow("too old");
    expect((await second.client().doc("a/b").get()).get("n")).toBe(2);
  });

  test("is as empty as a database that was cleared, but for what came afterwards", async () => {
    const directory = temporary();
    const first = await live(directory);
    await first.client().doc("a/before").set({});
    await first.client("other").doc("a/before").set({});
    const url = `http://127.0.0.1:${first.server.port}/emulator/v1/projects/demo-test/databases/(default)/documents`;
    expect((await fetch(url, { method: "DELETE" })).status).toBe(200);
    await first.client().doc("a/after").set({});
    await first.end();

    const second = await live(directory);
    expect((await second.client().collection("a").get()).docs.map(({ id }) => id)).toEqual(["after"]);
    expect((await second.client("other").collection("a").get()).docs.map(({ id }) => id)).toEqual(["before"]);
  });

  test("serves queries, and adds to what it had", async () => {
    const directory = temporary();
    for (let life = 1; life <= 3; life++) {
      const { client, end } = await live(directory, 1_000);
      const numbers = client().collection("numbers");
      await Promise.all(Array.from({ length: 20 }, (_, i) => numbers.add({ n: 20 * life - i })));
      const top = await numbers.orderBy("n", "desc").limit(2).get();
      expect(top.docs.map((document) => document.get("n"))).toEqual([20 * life, 20 * life - 1]);
      expect((await numbers.count().get()).data().count).toBe(20 * life);
      await end();
    }
    expect(filesOf(directory).some((name) => name.startsWith("snapshot-"))).toBe(true);
  });
});

test("while a server has a directory, no other takes it", async () => {
  const directory = temporary();
  await live(directory);
  await expect(startFirestore({ data: { directory } })).rejects.toThrow(`in use by process ${process.pid}`);
});

test("listeners hear of what is written", async () => {
  const directory = temporary();
  const { client } = await live(directory);
  const document = client().doc("a/b");
  const seen: unknown[] = [];
  const stop = document.onSnapshot((snapshot) => seen.push(snapshot.get("n")));
  for (let n = 0; n < 5; n++) await document.set({ n });
  await expect.poll(() => seen.at(-1)).toBe(4);
  stop();
});

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
test.skipIf(process.platform === "win32")(
  "a disk that takes no more: the commit is refused, so is all from then on, and what was acknowledged is there",
  async () => {
    const directory = temporary();
    const port = await freePort();
    const child = startOnSmallDisk(main, { port, directory });
    const complaint = complaintOf(child);
    await up(port);
    const client = clientOn(port);
    const text = "x".repeat(5_000);
    let acknowledged = 0;
    const filling = (async () => {
      for (; acknowledged < 100; acknowledged++) await client.doc(`a/${acknowledged}`).set({ text });
    })();
    await expect(filling).rejects.toThrow(/FAILED_PRECONDITION: The data can no longer be kept in .*EFBIG/);
    expect(acknowledged).toBeGreaterThan(5);
    await expect(client.doc("a/small").set({})).rejects.toThrow(
      "Nothing is taken in until the server is started again",
    );
    await expect(client.doc("a/0").get()).rejects.toThrow("can no longer be kept");
    await client.terminate();
    child.kill("SIGINT");
    expect(await complaint).toContain("The data can no longer be kept");

    const again = await live(directory);
    expect(again.reports).toEqual([]);
    expect((await again.client().collection("a").count().get()).data().count).toBe(acknowledged);
  },
);

test("data that is damaged ends the program with a complaint that names the place", async () => {
  const directory = temporary();
  const first = await live(directory);
  await first
    .client()
    .doc("a/b")
    .set({ text: "x".repeat(100) });
  await first.client().doc("a/c").set({});
  await first.end();
  const { code, complaint } = await startDamaged(main, { directory, at: "xxxx" });
  expect(code).toBe(1);
  expect(complaint).toMatch(
    /log-000001 is damaged at byte \d+: the record there is not whole, and others lie behind it/,
  );
});
