import { describe, expect, test } from "vitest";
import type { Value } from "../model/value.ts";
import { Clock } from "./clock.ts";
import { Database } from "./database.ts";
import type { RetentionLimits } from "./retention.ts";

function databaseWith(limits: Partial<RetentionLimits>) {
  const database = new Database("projects/p/databases/d", new Clock(), limits);
  const put = (n: bigint | null, bytes = 100) => {
    const fields = n === null ? null : new Map<string, Value>([["n", n]]);
    return database.apply([{ path: "a/b", fields, bytes }], database.tick()).time;
  };
  const read = (at: number) => {
    database.checkReadTime(at);
    return database.get("a/b", at)?.fields.get("n");
  };
  return { database, put, read };
}

describe("superseded states", () => {
  test("can be read until there are too many of them", () => {
    const { put, read } = databaseWith({ versions: 3 });
    const times = Array.from({ length: 10 }, (_, i) => put(BigInt(i)));
    expect(times.slice(-3).map(read)).toEqual([7n, 8n, 9n]);
    expect(() => read(times[4] as number)).toThrow("too old");
  });

  test("can be read until they take too much room", () => {
    const { put, read } = databaseWith({ bytes: 1_000 });
    const times = Array.from({ length: 10 }, (_, i) => put(BigInt(i), 400));
    expect(times.slice(-3).map(read)).toEqual([7n, 8n, 9n]);
    expect(() => read(times[4] as number)).toThrow("too old");
  });

  test("of deleted documents leave nothing behind once they are dropped", () => {
    const { database, put } = databaseWith({ versions: 1 });
    put(1n);
    put(null);
    database.apply([{ path: "x/y", fields: new Map(), bytes: 1 }], database.tick());
    for (let i = 0; i < 3; i++)
      database.apply([{ path: "x/y", fields: new Map([["i", BigInt(i)]]), bytes: 1 }], database.tick());
    expect(database.collection("a")).toBeUndefined();
    expect(database.childCollectionIds("")).toEqual(["x"]);
  });
});
