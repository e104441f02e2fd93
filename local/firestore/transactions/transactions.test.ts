import { setTimeout as sleep } from "node:timers/promises";
import { FieldValue } from "@google-cloud/firestore";
import { describe, expect, test } from "vitest";
import { DATABASE, useServer } from "../harness.ts";

const harness = useServer();
const client = () => harness.client;

describe("transactions", () => {
  test("two hundred concurrent increments of one document end at exactly two hundred", async () => {
    const counter = client().doc("counters/hot");
    const increment = () =>
      client().runTransaction(async (tx) => {
        const { n = 0 } = (await tx.get(counter)).data() ?? {};
        tx.set(counter, { n: n + 1 });
      });
    await Promise.all(Array.from({ length: 200 }, increment));
    expect((await counter.get()).data()).toEqual({ n: 200 });
  });

  test("a document that was read is not changed by others until the transaction ends", async () => {
    const account = client().doc("accounts/locked");
    await account.set({ balance: 100 });
    const events: string[] = [];
    let outsider: Promise<unknown> = Promise.resolve();
    await client().runTransaction(async (tx) => {
      const { balance } = (await tx.get(account)).data() as { balance: number };
      outsider = account.update({ balance: 0 }).then(() => events.push("outsider"));
      await sleep(100);
      expect((await account.get()).data()).toEqual({ balance: 100 });
      tx.update(account, { balance: balance - 30 });
      events.push("transaction");
    });
    await outsider;
    expect(events).toEqual(["transaction", "outsider"]);
    expect((await account.get()).data()).toEqual({ balance: 0 });
  });

  test("of two that wait for each other one loses, is retried, and both are made", async () => {
    const [a, b] = [client().doc("deadlock/a"), client().doc("deadlock/b")];
    await Promise.all([a.set({ n: 0 }), b.set({ n: 0 })]);
    let tries = 0;
    const both = (first: typeof a, second: typeof b) =>
      client().runTransaction(async (tx) => {
        tries++;
        const read = await tx.get(first);
        await sleep(50);
        const other = await tx.get(second);
        tx.update(first, { n: read.get("n") + 1 });
        tx.update(second, { n: other.get("n") + 1 });
      });
    await Promise.all([both(a, b), both(b, a)]);
    expect([(await a.get()).get("n"), (await b.get()).get("n")]).toEqual([2, 2]);
    expect(tries).toBeGreaterThan(2);
  });

  test("the loser of a conflict is told ABORTED", async () => {
    const doc = client().doc("deadlock/once");
    await doc.set({ n: 0 });
    const increment = () =>
      client().runTransaction(
        async (tx) => {
          const read = await tx.get(doc);
          await sleep(50);
          tx.update(doc, { n: read.get("n") + 1 });
        },
        { maxAttempts: 1 },
      );
    const outcomes = await Promise.allSettled([increment(), increment()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(outcomes.find((outcome) => outcome.status === "rejected")?.reason).toMatchObject({ code: 10 });
    expect((await doc.get()).get("n")).toBe(1);
  });

  test("what a query did not find cannot appear before the transaction ends", async () => {
    const seats = client().collection("seats");
    const claim = (name: string) =>
      client().runTransaction(async (tx) => {
        const taken = await tx.get(seats.where("row", "==", 7));
        await sleep(20);
        if (taken.size < 3) tx.create(seats.doc(name), { row: 7 });
        return taken.size < 3;
      });
    const claims = await Promise.all(Array.from({ length: 8 }, (_, i) => claim(`passenger-${i}`)));
    expect(claims.filter(Boolean)).toHaveLength(3);
    expect((await seats.where("row", "==", 7).get()).size).toBe(3);
  });

  test("a count that was read holds until the transaction ends", async () => {
    const members = client().collection("members");
    const join = (name: string) =>
      client().runTransaction(async (tx) => {
        const { count } = (await tx.get(members.count())).data();
        await sleep(20);
        if (count < 2) tx.create(members.doc(name), { joined: FieldValue.serverTimestamp() });
      });
    await Promise.all(Array.from({ length: 6 }, (_, i) => join(`member-${i}`)));
    expect((await members.get()).size).toBe(2);
  });

  test("a query with a limit guards only what it read", async () => {
    const scores = client().collection("scores");
    await Promise.all([30, 20, 10].map((score) => scores.doc(`s${score}`).set({ score })));
    await client().runTransaction(async (tx) => {
      const best = await tx.get(scores.orderBy("score", "desc").limit(2));
      expect(best.docs.map((doc) => doc.get("score"))).toEqual([30, 20]);
      await scores.doc("s5").set({ score: 5 });
      tx.set(client().doc("podium/now"), { best: 30 });
    });
    expect((await scores.get()).size).toBe(4);
  });

  test("a read-only one sees one moment and blocks nobody", async () => {
    const [a, b] = [client().doc("moment/a"), client().doc("moment/b")];
    await Promise.all([a.set({ n: 1 }), b.set({ n: 1 })]);
    const seen = await client().runTransaction(
      async (tx) => {
        const first = await tx.get(a);
        await Promise.all([a.set({ n: 2 }), b.set({ n: 2 })]);
        const second = await tx.get(b);
        const queried = await tx.get(client().collection("moment"));
        return [first.get("n"), second.get("n"), ...queried.docs.map((doc) => doc.get("n"))];
      },
      { readOnly: true },
    );
    expect(seen).toEqual([1, 1, 1, 1]);
  });

  test("an exception in the middle leaves nothing behind, locks neither", async () => {
    const doc = client().doc("broken/a");
    await doc.set({ n: 1 });
    const failing = client().runTransaction(async (tx) => {
      await tx.get(doc);
      tx.update(doc, { n: 2 });
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    await doc.update({ n: 3 });
    expect((await doc.get()).get("n")).toBe(3);
  });

  test("a commit that waits for one that only reads is made as soon as that ends", async () => {
    const things = client().collection("waited-for");
    const events: string[] = [];
    let outsider: Promise<unknown> = Promise.resolve();
    await client().runTransaction(async (tx) => {
      await tx.get(things.where("n", "<", 10));
      outsider = things.add({ n: 2 }).then(() => events.push("outsider"));
      await sleep(100);
      events.push("transaction");
    });
    await outsider;
    expect(events).toEqual(["transaction", "outsider"]);
  });

  test("a commit that waits for one finds what it changes gone if everything is deleted meanwhile", async () => {
    const things = client().collection("cleared");
    let outsider: Promise<unknown> = Promise.resolve();
    await things.doc("old").set({ n: 1 });
    const cleared = client().runTransaction(
      async (tx) => {
        await tx.get(things.where("n", "<", 10));
        outsider = things
          .doc("old")
          .update({ n: 2 })
          .catch((error) => error);
        await sleep(100);
        await harness.http("DELETE", `/emulator/v1/${DATABASE}/documents`);
      },
      { maxAttempts: 1 },
    );
    await expect(cleared).rejects.toMatchObject({ code: 10 });
    expect(await outsider).toMatchObject({ code: 5 });
    expect((await things.get()).size).toBe(0);
  });

  test("a transfer between any of five accounts neither makes nor loses money, whatever the interleaving", async () => {
    const account = (i: number) => client().doc(`bank/${i}`);
    await Promise.all([0, 1, 2, 3, 4].map((i) => account(i).set({ balance: 100 })));
    const transfer = (from: number, to: number, amount: number) =>
      client().runTransaction(
        async (tx) => {
          const source = await tx.get(account(from));
          const target = await tx.get(account(to));
          if (source.get("balance") < amount) return;
          tx.update(source.ref, { balance: source.get("balance") - amount });
          tx.update(target.ref, { balance: target.get("balance") + amount });
        },
        { maxAttempts: 20 },
      );
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        transfer(i % 5, (i + 1 + (i % 4)) % 5, (i * 13) % 90).catch(() => undefined),
      ),
    );
    const balances = (await client().collection("bank").get()).docs.map((document) => document.get("balance"));
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(500);
    expect(balances.every((balance) => balance >= 0)).toBe(true);
  });
});

describe("waiting for a lock", () => {
  const impatient = useServer({ transactions: { waitMillis: 100 } });

  test("ends with ABORTED when it takes too long", async () => {
    const doc = impatient.client.doc("patience/a");
    await doc.set({ n: 0 });
    await impatient.client.runTransaction(async (tx) => {
      await tx.get(doc);
      const name = `${DATABASE}/documents/patience/a`;
      const writes = [{ update: { name, fields: { n: { integerValue: "1" } } } }];
      const refused = await impatient.http("POST", `/v1/${DATABASE}/documents:commit`, { writes });
      expect(refused).toMatchObject({ status: 409, body: { error: { status: "ABORTED" } } });
    });
  });
});

describe("a transaction that is left alone", () => {
  const hasty = useServer({ transactions: { idleMillis: 200 } });

  test("expires, gives its locks back and cannot be committed any more", async () => {
    const doc = hasty.client.doc("abandoned/a");
    await doc.set({ n: 0 });
    const late = hasty.client.runTransaction(
      async (tx) => {
        await tx.get(doc);
        await doc.update({ n: 1 });
        tx.update(doc, { n: 2 });
      },
      { maxAttempts: 1 },
    );
    await expect(late).rejects.toMatchObject({ code: 10, details: expect.stringContaining("transaction has expired") });
    expect((await doc.get()).get("n")).toBe(1);
  });
});

describe("the life of a transaction", () => {
  const documents = `${DATABASE}/documents`;
  const post = (call: string, body: object) => harness.http("POST", `/v1/${documents}:${call}`, body);
  const begin = async (options: object = {}) => {
    const { body } = await post("beginTransaction", { options });
    return (body as { transaction: string }).transaction;
  };
  const read = (transaction: string, id = "a") =>
    post("batchGet", { documents: [`${documents}/life/${id}`], transaction });
  const write = (fields: object, condition: object = {}) => ({
    update: { name: `${documents}/life/a`, fields },
    ...condition,
  });
  const commit = (transaction: string, ...writes: object[]) => post("commit", { writes, transaction });

  test.each([
    ["a commit", (id: string) => commit(id)],
    ["a rollback", (id: string) => post("rollback", { transaction: id })],
    ["a write that does not apply", (id: string) => commit(id, write({}, { currentDocument: { exists: true } }))],
  ])("ends with %s: it is ABORTED from then on, and rolling it back is no error", async (_, end) => {
    await client().doc("life/a").delete();
    const id = await begin();
    await end(id);
    expect(await read(id)).toMatchObject({ status: 409, body: [{ error: { status: "ABORTED" } }] });
    expect(await commit(id, write({}))).toMatchObject({ status: 409, body: { error: { status: "ABORTED" } } });
    expect(await post("rollback", { transaction: id })).toEqual({ status: 200, body: {} });
  });

  test("goes on after a write that could never be made", async () => {
    const [writing, reading] = [await begin(), await begin({ readOnly: {} })];
    expect((await commit(writing, write({ __x__: { nullValue: null } }))).status).toBe(400);
    expect((await read(writing)).status).toBe(200);
    expect((await commit(writing, write({}))).status).toBe(200);
    expect((await commit(reading, write({}))).status).toBe(400);
    expect((await read(reading)).status).toBe(200);
    expect((await commit(reading)).status).toBe(200);
  });

  test("never began for an id that nobody was given", async () => {
    const refused = { status: 400, body: { error: { status: "INVALID_ARGUMENT" } } };
    expect(await commit("AAAA")).toMatchObject(refused);
    expect(await post("rollback", { transaction: "AAAA" })).toMatchObject(refused);
    const options = { readWrite: { retryTransaction: "AAAA" } };
    expect(await post("beginTransaction", { options })).toMatchObject(refused);
  });

  test.each([
    ["the database is cleared", "DELETE", `/emulator/v1/${documents}`],
    ["the server is reset", "POST", "/reset"],
  ])("ends when %s, with its locks", async (_, verb, path) => {
    await client().doc("life/a").set({});
    const id = await begin();
    await read(id);
    await harness.http(verb, path);
    await client().doc("life/a").set({ n: 1 });
    expect((await commit(id, write({}))).status).toBe(409);
    expect((await client().doc("life/a").get()).data()).toEqual({ n: 1 });
  });
});
