import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

const STREAMS = 150;

test("connections are written to by turns, a hundred streams at a time", async () => {
  const turns = new Turns();
  const connections = [{ name: "a" }, { name: "b" }];
  const written: string[] = [];
  for (let i = 0; i < STREAMS; i++) {
    for (const connection of connections) turns.soon(connection, () => written.push(connection.name));
  }
  expect(written).toEqual([]);
  const lengths: number[] = [];
  while (written.length < STREAMS * connections.length) {
    await turn();
    lengths.push(written.length);
  }
  expect(lengths).toEqual([100, 200, 300]);
  const runs = written
    .join("")
    .match(/a+|b+/g)
    ?.map((run) => `${run.length} ${run[0]}`);
  expect(runs).toEqual(["100 a", "100 b", "50 a", "50 b"]);
});

test("who asks for a turn while being written to gets another", async () => {
  const turns = new Turns();
  const connection = {};
  let count = 0;
  const again = () => {
    if (++count < 3) turns.soon(connection, again);
  };
  turns.soon(connection, again);
  for (let i = 0; i < 3; i++) await turn();
  expect(count).toBe(3);
});
