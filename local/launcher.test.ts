import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const require = createRequire(import.meta.url);
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Runs a module of its own: what is substituted lives in the process it is done in. */
function run(source: string): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, ["--input-type=module", "--eval", source], { encoding: "utf8", cwd: here(".") });
}

test("firebase-tools is pinned to the very version that the launcher was written for", () => {
  const { dependencies } = JSON.parse(readFileSync(here("package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const installed = require("firebase-tools/package.json") as { version: string };
  expect(dependencies["firebase-tools"]).toBe(installed.version);
  expect(dependencies["firebase-tools"]).toMatch(/^\d+\.\d+\.\d+$/);
});

test("the command for Firestore is ours, run by this Node", () => {
  const { stdout, stderr } = run(`
    import { createRequire } from "node:module";
    import { substitute } from "./launcher.ts";
    await substitute();
    const require = createRequire(process.cwd() + "/launcher.ts");
    const { binary, args } = await require("firebase-tools/lib/emulator/downloadableEmulators.js").downloadIfNecessary("firestore");
    const { TaskQueue } = require("firebase-tools/lib/emulator/taskQueue.js");
    console.log(JSON.stringify({ binary, args, queue: TaskQueue.name }));
  `);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    binary: process.execPath,
    args: [here("firestore/main.ts")],
    queue: "SuiteTaskQueue",
  });
});

test("the command for Storage rules is ours, told to serve, and files are kept apart from those of other suites", () => {
  const { stdout, stderr } = run(`
    import { createRequire } from "node:module";
    import { substitute } from "./launcher.ts";
    await substitute();
    const require = createRequire(process.cwd() + "/launcher.ts");
    const { binary, args } = await require("firebase-tools/lib/emulator/downloadableEmulators.js").downloadIfNecessary("storage");
    const { StorageEmulator } = require("firebase-tools/lib/emulator/storage/index.js");
    const files = new StorageEmulator({ projectId: "demo", rules: [] }).storageLayer.dirPath;
    console.log(JSON.stringify({ binary, args, isOwn: files.includes("firebase-local-") }));
  `);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    binary: process.execPath,
    args: [here("storage/main.ts"), "serve"],
    isOwn: true,
  });
});

test("a firebase-tools whose inside has changed is refused with a message that says where to look", () => {
  const { stderr, status } = run(`
    import { createRequire } from "node:module";
    import { substitute } from "./launcher.ts";
    const require = createRequire(process.cwd() + "/launcher.ts");
    const queues = require("firebase-tools/lib/emulator/taskQueue.js");
    delete queues.TaskQueue;
    await substitute();
  `);
  expect(status).not.toBe(0);
  expect(stderr).toContain("no longer exports TaskQueue from emulator/taskQueue.js: look at launcher.ts again");
});

test("the command line tool answers as ever", () => {
  const { stdout, status } = spawnSync(process.execPath, [here("cli.ts"), "--version"], { encoding: "utf8" });
  expect(status).toBe(0);
  expect(stdout.trim()).toBe((require("firebase-tools/package.json") as { version: string }).version);
});
