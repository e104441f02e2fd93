import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { exit, usePrograms } from "../harness.ts";
import { temporary } from "./harness.ts";
import { lock } from "./lock.ts";

const start = usePrograms();
const module = fileURLToPath(new URL("lock.ts", import.meta.url));
const locking = (directory: string, then: string) => [
  "--input-type=module",
  "--eval",
  `import { lock } from ${JSON.stringify(module)};
   try { lock(${JSON.stringify(directory)}); console.log("locked"); ${then} } catch (error) { console.log(error.message); }`,
];

async function saidBy(program: ChildProcess): Promise<string> {
  const [bytes] = await once(program.stdout as Readable, "data");
  return String(bytes);
}

test("one process has a directory, and another is told which", async () => {
  const directory = temporary();
  const unlock = lock(directory);
  expect(() => lock(directory)).toThrow(`${directory} is in use by process ${process.pid}.`);
  const other = start(locking(directory, ""));
  expect(await saidBy(other)).toBe(`${directory} is in use by process ${process.pid}.\n`);
  unlock();
  expect(existsSync(join(directory, "lock"))).toBe(false);
  lock(directory)();
});

test("the lock of a process that was killed does not stand in the way", async () => {
  const directory = temporary();
  const other = start(locking(directory, "setInterval(() => {}, 1000);"));
  expect(await saidBy(other)).toBe("locked\n");
  expect(() => lock(directory)).toThrow(`in use by process ${other.pid}`);
  other.kill("SIGKILL");
  await exit(other);
  expect(readFileSync(join(directory, "lock"), "utf8")).toContain(String(other.pid));
  lock(directory)();
});

test("nor does that of a process whose number another has now, or what makes no sense", () => {
  const directory = temporary();
  for (const left of [`${process.ppid} another-boot 17`, String(process.pid), "", "nonsense"]) {
    writeFileSync(join(directory, "lock"), left);
    lock(directory)();
  }
});

test("of many that try at once, one succeeds", async () => {
  const directory = temporary();
  writeFileSync(join(directory, "lock"), "2147483646 another-boot 17");
  const hold = "setTimeout(() => {}, 3000);";
  const tries = Array.from({ length: 6 }, () => start(locking(directory, hold)));
  const said = await Promise.all(tries.map(saidBy));
  expect(said.filter((line) => line === "locked\n").length).toBe(1);
});
