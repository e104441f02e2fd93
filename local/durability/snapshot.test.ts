import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { Kept, recordOf, temporary } from "./harness.ts";
import { OVERHEAD } from "./record.ts";
import { writeSnapshot } from "./snapshot.ts";

const ROLL_BYTES = 2_000;

/** Keeps a few notes until there is a snapshot. */
async function untilSnapshot(kept: Kept, path: string): Promise<number> {
  let puts = 0;
  for (; !existsSync(path) && puts < 10_000; puts++) await kept.put(`n${puts % 10}`, puts);
  return puts;
}

test("a log that has grown gives way to a snapshot, and what is older is removed", async () => {
  const directory = temporary();
  const kept = await Kept.open(directory, ROLL_BYTES);
  const puts = await untilSnapshot(kept, join(directory, "snapshot-000003"));
  await vi.waitFor(() => {
    for (const old of ["log-000001", "log-000002", "snapshot-000002"])
      expect(existsSync(join(directory, old))).toBe(false);
  });
  await kept.data.close();
  const again = await Kept.open(directory, ROLL_BYTES);
  expect(again.reports).toEqual([]);
  expect(again.notes.values).toEqual(kept.notes.values);
  expect([...again.notes.values.values()]).toContain(puts - 1);
  await again.data.close();
});

test("what a snapshot shows is what was there when its log began, although the log goes on", async () => {
  const directory = temporary();
  const kept = await Kept.open(directory, ROLL_BYTES);
  await untilSnapshot(kept, join(directory, "snapshot-000002"));
  await kept.data.close();
  const text = readFileSync(join(directory, "snapshot-000002"), "latin1");
  const log = readFileSync(join(directory, "log-000002"), "latin1");
  const numbers = (content: string) => [...content.matchAll(/"n\d":(\d+)/g)].map(([, n]) => Number(n));
  expect(numbers(text).length).toBe(10);
  expect(Math.min(...numbers(log), Number.MAX_SAFE_INTEGER)).toBeGreaterThan(Math.max(...numbers(text)));
});

test("a snapshot with any bit flipped, or cut short anywhere, is refused with its place", async () => {
  const directory = temporary();
  const kept = await Kept.open(directory, ROLL_BYTES);
  const path = join(directory, "snapshot-000002");
  await untilSnapshot(kept, path);
  await kept.data.close();
  const whole = readFileSync(path);
  const refusal = () =>
    Kept.open(directory).then(
      () => "",
      (error: Error) => error.message,
    );
  for (let at = 0; at < whole.length; at++) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
    writeFileSync(path, bytes);
    expect(await refusal()).toMatch(/snapshot-000002 is damaged at byte \d+/);
  }
  for (let length = 0; length < whole.length; length += 3) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    expect(await refusal()).toMatch(/snapshot-000002 is damaged at byte \d+/);
  }
  writeFileSync(path, Buffer.concat([whole, Buffer.from("x")]));
  expect(await refusal()).toContain(`is damaged at byte ${whole.length}: it goes on behind its end`);
});

test("a snapshot that is given up leaves the logs as they are, and the next is made later", async () => {
  const directory = temporary();
  const kept = await Kept.open(directory, ROLL_BYTES);
  let tries = 0;
  const snapshot = kept.notes.snapshot.bind(kept.notes);
  kept.notes.snapshot = () => {
    tries++;
    return tries > 1
      ? snapshot()
      : {
          next: () => {
            throw new Error("not now");
          },
        };
  };
  await untilSnapshot(kept, join(directory, "snapshot-000003"));
  expect(kept.reports.join()).toContain("no snapshot was made, it is tried again later: not now");
  await kept.data.close();
  const again = await Kept.open(directory);
  expect(again.notes.values).toEqual(kept.notes.values);
  await again.data.close();
});

test("while a large one is written, others have their turn every few milliseconds", async () => {
  const directory = temporary();
  const record = recordOf("n", "x".repeat(1_000));
  const records = Array.from({ length: 20_000 }, () => record);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const size = await writeSnapshot({ directory, server: "notes", number: 1 }, records.values(), () => false);
  clearInterval(timer);
  expect(size).toBeGreaterThan(records.length * (record.length + OVERHEAD));
  expect(turns).toBeGreaterThan(20);
});
