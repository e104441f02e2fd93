import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { complaintOf, exit } from "../harness.ts";
import { MAX_LINE_CHARACTERS } from "./lines.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** The program as the CLI starts it, once it says that it is ready; `next` is the next line that it writes. */
async function start() {
  const child = spawn(process.execPath, [main, "serve"], { stdio: "pipe" });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? "null") as unknown;
  expect(await next()).toEqual({ id: -1, status: "ok", errors: [], warnings: [] });
  return { child, next };
}

test("survives whatever comes in, with an answer to each line", async () => {
  const { child, next } = await start();
  child.stdin.write("garbage\n\n");
  child.stdin.write(Buffer.from([0xff, 0x00, 0xc3, 0x0a]));
  for (let i = 0; i < 3; i++) expect(await next()).toMatchObject({ status: "error", errors: [expect.any(String)] });
  child.stdin.write(`${" ".repeat(MAX_LINE_CHARACTERS + 1)}\n`);
  expect(await next()).toMatchObject({ status: "error", errors: ["A line is too long."] });
  const load = {
    id: 8,
    action: "load_ruleset",
    context: { rulesetName: "0", source: { files: [{ name: "é", content: "é" }] } },
  };
  const bytes = Buffer.from(`${JSON.stringify(load)}\n`);
  for (const byte of bytes) child.stdin.write(Buffer.of(byte));
  expect(await next()).toMatchObject({ id: 8, status: "ok", errors: [expect.stringContaining('"fileName_":"é"')] });
});

test("ends when nobody has more to say, after the last answer", async () => {
  const { child, next } = await start();
  child.stdin.end('{"id":1}');
  expect(await next()).toMatchObject({ id: 1 });
  expect(await exit(child)).toBe(0);
});

test("ends on SIGINT", async () => {
  const { child } = await start();
  child.kill("SIGINT");
  expect(await exit(child)).toBe(0);
});

test("ends when nobody listens any more", async () => {
  const { child } = await start();
  child.stdout.destroy();
  await once(child.stdout, "close");
  const ended = exit(child);
  child.stdin.write("{}\n{}\n");
  expect(await ended).toBe(0);
});

test("says how it is to be started", async () => {
  const child = spawn(process.execPath, [main], { stdio: "pipe" });
  children.push(child);
  const complaint = complaintOf(child);
  expect(await exit(child)).toBe(1);
  expect(await complaint).toContain("usage: main.ts serve");
});
