import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { useBackend } from "../../../testing/backend.ts";
import { now, setClock } from "../clock.ts";
import { firestore, type Timestamp } from "../firestore.ts";
import { commitWrites, type Outcome, readDocuments, type Write, writeEach } from "./index.ts";

useBackend();
const somewhere = () => `things/${randomUUID()}`;
const made = (path: string, fields: Write["fields"]): Write => ({ path, fields, condition: "new" });
const stored = async (path: string) => (await firestore().doc(path).get()).data();

/** Where our own way would lead nowhere, the client, which is connected already, still knows where to go. */
let host: string | undefined;
let restoreClock: () => void;
let hours = 0;
beforeEach(async () => {
  await firestore().doc(somewhere()).get();
  host = process.env.FIRESTORE_EMULATOR_HOST;
  process.env.FIRESTORE_EMULATOR_HOST = "127.0.0.1:1";
  const at = now() + ++hours * 3_600_000;
  restoreClock = setClock(at);
});
afterEach(() => {
  process.env.FIRESTORE_EMULATOR_HOST = host;
  restoreClock();
});

test("a commit goes by way of the client for a while after our own connection has failed", async () => {
  await expect(commitWrites([made(somewhere(), {})])).rejects.toMatchObject({ code: 14 });
  const path = somewhere();
  const [time] = await commitWrites([made(path, { a: 1 })]);
  expect((await firestore().doc(path).get()).updateTime).toEqual(time);
  await commitWrites([{ path, fields: {}, removed: ["a"], condition: time as Timestamp }]);
  expect(await stored(path)).toEqual({});
});

test("a read goes by way of the client at once, for it can do no harm", async () => {
  const path = somewhere();
  const { writeTime } = await firestore()
    .doc(path)
    .set({ a: 1, list: [null, 1.5] });
  for (let i = 0; i < 2; i++) {
    const found = await readDocuments([somewhere(), path]);
    expect(found).toEqual([undefined, { fields: { a: 1, list: [null, 1.5] }, updateTime: writeTime }]);
  }
});

test("writes that are each for themselves go by way of the client after our own connection has failed", async () => {
  const [there, fresh, nowhere] = [somewhere(), somewhere(), somewhere()];
  const { writeTime } = await firestore().doc(there).set({ a: 1, b: 2 });
  const writes: Write[] = [
    made(there, {}),
    made(fresh, { a: 3 }),
    { path: nowhere, fields: { a: 4 }, condition: writeTime },
  ];
  const unknown = { isWritten: false, code: 14 };
  expect(await writeEach(writes)).toEqual([unknown, unknown, unknown]);
  const outcomes = await writeEach(writes);
  const updateTime = (await firestore().doc(fresh).get()).updateTime;
  const refused = (code: number): Outcome => ({ isWritten: false, code });
  expect(outcomes).toEqual([refused(6), { isWritten: true, updateTime }, refused(9)]);
  const [again] = await writeEach([{ path: there, fields: { a: 5 }, removed: ["b"], condition: writeTime }]);
  expect(again).toMatchObject({ isWritten: true });
  expect(await stored(there)).toEqual({ a: 5 });
  expect(await writeEach([{ path: there, fields: { a: 6 }, condition: writeTime }])).toEqual([refused(9)]);
});

test("what cannot be written is refused by way of the client, too", async () => {
  await expect(commitWrites([made(somewhere(), {})])).rejects.toMatchObject({ code: 14 });
  await expect(writeEach([made(somewhere(), {}), made(somewhere(), { odd: undefined })])).rejects.toThrow("undefined");
});

test("what the server does not take as we put it is put by the client", async () => {
  process.env.FIRESTORE_EMULATOR_HOST = host;
  const path = somewhere();
  const outcomes = await writeEach([made(path, { a: 1 }), made(path, { a: 2 })]);
  expect(outcomes).toMatchObject([{ isWritten: true }, { isWritten: false, code: 6 }]);
  expect(await stored(path)).toEqual({ a: 1 });
});

test("our own way is taken again after the while is over", async () => {
  await expect(commitWrites([made(somewhere(), {})])).rejects.toMatchObject({ code: 14 });
  await commitWrites([made(somewhere(), {})]);
  setClock(now() + 31_000);
  await expect(commitWrites([made(somewhere(), {})])).rejects.toMatchObject({ code: 14 });
});
