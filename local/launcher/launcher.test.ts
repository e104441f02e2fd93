import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../ports.ts";

const require = createRequire(import.meta.url);
const here = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** What each of our programs is run with. */
const COMPILED = ["--import", pathToFileURL(here("compile-cache.ts")).href];

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
    import { substitute } from "./launcher/launcher.ts";
    await substitute();
    const require = createRequire(process.cwd() + "/launcher/launcher.ts");
    const { binary, args } = await require("firebase-tools/lib/emulator/downloadableEmulators.js").downloadIfNecessary("firestore");
    const { TaskQueue } = require("firebase-tools/lib/emulator/taskQueue.js");
    console.log(JSON.stringify({ binary, args, queue: TaskQueue.name }));
  `);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    binary: process.execPath,
    args: [...COMPILED, here("firestore/main.ts")],
    queue: "SuiteTaskQueue",
  });
});

test("servers are told to keep their data where FIREBASE_LOCAL_DATA says", () => {
  const { stdout, stderr } = run(`
    import { createRequire } from "node:module";
    import { substitute } from "./launcher/launcher.ts";
    process.env.FIREBASE_LOCAL_DATA = "/kept";
    await substitute();
    const require = createRequire(process.cwd() + "/launcher/launcher.ts");
    const { downloadIfNecessary } = require("firebase-tools/lib/emulator/downloadableEmulators.js");
    const argsOf = async (name) => (await downloadIfNecessary(name)).args.slice(3);
    console.log(JSON.stringify([await argsOf("firestore"), await argsOf("database"), await argsOf("storage")]));
  `);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual([["--data", "/kept/firestore"], ["--data", "/kept/database"], ["serve"]]);
});

test("the command for Storage rules is ours, told to serve, and files are kept apart from those of other suites", () => {
  const { stdout, stderr } = run(`
    import { createRequire } from "node:module";
    import { substitute } from "./launcher/launcher.ts";
    await substitute();
    const require = createRequire(process.cwd() + "/launcher/launcher.ts");
    const { binary, args } = await require("firebase-tools/lib/emulator/downloadableEmulators.js").downloadIfNecessary("storage");
    const { StorageEmulator } = require("firebase-tools/lib/emulator/storage/index.js");
    const files = new StorageEmulator({ projectId: "demo", rules: [] }).storageLayer.dirPath;
    console.log(JSON.stringify({ binary, args, isOwn: files.includes("firebase-local-") }));
  `);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    binary: process.execPath,
    args: [...COMPILED, here("storage/main.ts"), "serve"],
    isOwn: true,
  });
});

test("the Auth emulator compiles what a request must be like when it is asked, not before it starts", () => {
  const { stdout, stderr } = run(`
    import { createRequire } from "node:module";
    import { substitute } from "./launcher/launcher.ts";
    const require = createRequire(process.cwd() + "/launcher/launcher.ts");
    const ofAuth = createRequire(require.resolve("firebase-tools/lib/emulator/auth/server.js"));
    const exegesis = ofAuth("exegesis-express");
    exegesis.middleware = (document, options) => ({ document, options });
    await substitute();
    console.log(JSON.stringify(exegesis.middleware("document", { controllers: "kept" })));
  `);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    document: "document",
    options: { controllers: "kept", lazyCompileValidationSchemas: true },
  });
});

test("a firebase-tools whose inside has changed is refused with a message that says where to look", () => {
  const { stderr, status } = run(`
    import { createRequire } from "node:module";
    import { substitute } from "./launcher/launcher.ts";
    const require = createRequire(process.cwd() + "/launcher/launcher.ts");
    const queues = require("firebase-tools/lib/emulator/taskQueue.js");
    delete queues.TaskQueue;
    await substitute();
  `);
  expect(status).not.toBe(0);
  expect(stderr).toContain("no longer exports TaskQueue from emulator/taskQueue.js: look at the launcher again");
});

const cli = (...args: string[]) =>
  spawnSync(process.execPath, [here("bin/firebase-local.js"), ...args], { encoding: "utf8" });

test("the command says which version it is, and of what", () => {
  const { version } = require("firebase-tools/package.json") as { version: string };
  const { stdout, status } = cli("--version");
  expect([status, stdout.trim()]).toEqual([0, `0.1.0 (firebase-tools ${version})`]);
});

test("the command line tool answers as ever, and its help says what is had besides", () => {
  const { stdout, status } = cli("--help");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^Usage: firebase-local .* deploy .* FIRESTORE_INDEXES=enforced /s);
});

test("a Node that is too old is told so", () => {
  const pretend = `data:text/javascript,Object.defineProperty(process.versions, "node", { value: "22.11.0" })`;
  const { stderr, status } = spawnSync(process.execPath, ["--import", pretend, here("bin/firebase-local.js")], {
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stderr).toContain("firebase-local needs Node.js 22.12 or newer");
});

test("an Emulator UI that cannot be downloaded is left out, and everything else starts", async () => {
  const folder = mkdtempSync(join(tmpdir(), "launcher-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ports = {
    firestore: { port: await freePort(), websocketPort: await freePort() },
    hub: { port: await freePort() },
  };
  writeFileSync(join(folder, "firebase.json"), JSON.stringify({ emulators: ports }));
  const args = ["emulators:start", "--project", "demo-ui", "--only", "firestore"];
  const emulators = spawn(process.execPath, [here("cli.ts"), ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, FIREBASE_EMULATORS_PATH: folder, HTTPS_PROXY: "http://127.0.0.1:9" },
  });
  onTestFinished(() => void emulators.kill());
  let output = "";
  for (const stream of [emulators.stdout, emulators.stderr]) stream.on("data", (chunk) => (output += chunk));
  await vi.waitFor(() => expect(output).toContain("All emulators ready!"), { timeout: 20_000 });
  expect(output).toContain("firebase-local: the Emulator UI is left out: Failed to make request");
  const ended = once(emulators, "exit");
  emulators.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
});
