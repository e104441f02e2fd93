import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { hasChromium, startChromium } from "../../local/chromium.ts";
import { answers } from "../../local/ports.ts";
import { root } from "../../scripts/suite.ts";
import { type Command, type Guestbook, makeGuestbook } from "./guestbook.ts";

/** What of a page is used here. */
declare const document: {
  readonly body: { readonly innerText: string };
  querySelector(selector: "input"): { value: string };
  querySelector(selector: "form"): { requestSubmit(): void };
};

/** local/ as a package, in a project that knows nothing of this repository. */
let guestbook: Guestbook;
let installed: string;
const MAX_TARBALL_BYTES = 1_000_000;
const PATIENCE = { timeout: 120_000, interval: 100 };

beforeAll(async () => {
  guestbook = await makeGuestbook();
  installed = join(guestbook.folder, "node_modules/@pot-of-gold/local");
}, 300_000);
afterAll(() => guestbook?.remove(), 120_000);

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly exports: Record<string, string | Record<string, string>>;
}

const readManifest = () => JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Manifest;
const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(folder, name)).isFile());

describe("the package", () => {
  test("holds what runs, its types, what it is and under which license, and no tests", () => {
    const files = filesOf(installed).filter((name) => !name.startsWith("node_modules/"));
    const others = files.filter((name) => !/^dist\/.+(\.js|\.d\.ts)$|^dist\/inspect\/page\//.test(name));
    expect(others.sort()).toEqual(["LICENSE", "README.md", "bin/firebase-local.js", "package.json"]);
    expect(files.filter((name) => /\.test\.|harness|chromium/.test(name))).toEqual([]);
    expect(files).toContain("dist/inspect/page/index.html");
    expect(statSync(guestbook.tarball).size).toBeLessThan(MAX_TARBALL_BYTES);
  });

  test("names every package that it imports", () => {
    const { dependencies } = readManifest();
    const sources = filesOf(join(installed, "dist")).filter((name) => name.endsWith(".js"));
    const imported = sources.flatMap((name) => {
      const source = readFileSync(join(installed, "dist", name), "utf8");
      return [...source.matchAll(/^(?:import|export)\s(?:[^"'`;]*\sfrom\s)?"([^./"][^"]*)"/gm)].map(
        ([, name = ""]) => name,
      );
    });
    const packages = new Set(imported.map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? ""));
    const isOfNode = (name: string) => name.startsWith("node:") || builtinModules.includes(name);
    expect([...packages].filter((name) => !isOfNode(name) && !(name in dependencies))).toEqual([]);
    expect(packages).toContain("zod");
  });

  test("exports modules that load, with types that hold without those of its own development", {
    timeout: 60_000,
  }, async () => {
    const names = Object.keys(readManifest().exports).filter((name) => name !== "./package.json");
    const loaded = names.map((name) => `await import("@pot-of-gold/local${name.slice(1)}")`);
    const count = `console.log(JSON.stringify([${loaded}].map((module) => Object.keys(module).length > 0)))`;
    const output = await guestbook.run("node", "--input-type=module", "--eval", count);
    expect(JSON.parse(output)).toEqual(names.map(() => true));
    // Who asks for Stripe's simulator has its client, where Stripe's types are.
    const typed = names.filter((name) => name !== "./stripe");
    expect(
      complaintsAbout(typed.map((name, i) => `export * as module${i} from "@pot-of-gold/local${name.slice(1)}";`)),
    ).toBe("");
    expect(complaintsAbout([`import { startNothing } from "@pot-of-gold/local/firestore";`])).toContain("TS2305");
  });

  /** What TypeScript says of lines in the project, with this repository's compiler and types of Node. */
  function complaintsAbout(lines: readonly string[]): string {
    writeFileSync(join(guestbook.folder, "uses.mts"), lines.join("\n"));
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--ignoreConfig"];
    const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
    const tsc = join(root, "node_modules/.bin/tsc");
    return spawnSync(tsc, [...options, ...types, "uses.mts"], { encoding: "utf8", cwd: guestbook.folder }).stdout;
  }
});

describe("the guestbook", () => {
  const running: Command[] = [];
  afterEach(() => {
    for (const command of running.splice(0)) command.kill();
  });
  const start = (command: string, ...args: string[]) => {
    const started = guestbook.start(command, ...args);
    running.push(started);
    return started;
  };

  test("passes its tests: rules, an event, a call, indexes, a schedule", { timeout: 300_000 }, async () => {
    const tests = start("npm", "test");
    const status = await tests.ended;
    expect(tests.output()).toMatch(/ℹ pass 6\n/);
    expect(tests.output()).toMatch(/ℹ skipped 0\n/);
    expect(status).toBe(0);
    expect(tests.isAlive()).toBe(false);
  });

  test("serves its page, and leaves nothing behind at Ctrl-C", { timeout: 300_000 }, async () => {
    const emulators = start("npm", "start");
    await vi.waitFor(() => expect(emulators.output()).toContain("All emulators ready!"), PATIENCE);
    await writeInBrowser(`http://127.0.0.1:${guestbook.ports.hosting}/`);
    const inside = await fetch(`http://127.0.0.1:${guestbook.ports.inspect}/`);
    expect([inside.status, await inside.text()]).toEqual([200, expect.stringContaining("<!doctype html>")]);
    emulators.interrupt();
    await emulators.ended;
    await vi.waitFor(async () => {
      expect(emulators.isAlive()).toBe(false);
      // The CLI puts Firestore into a group of its own, and others may.
      const taken = await Promise.all(Object.values(guestbook.ports).map((port) => answers(port)));
      expect(taken).not.toContain(true);
    }, PATIENCE);
  });
});

/** An entry is written by one page and shown by another, with the count that the function keeps. */
async function writeInBrowser(url: string): Promise<void> {
  if (!hasChromium) return;
  const browser = await startChromium();
  onTestFinished(() => browser.close());
  const isReady = `document.querySelector("#write:enabled") !== null`;
  const [writer, reader] = [await browser.open(url, isReady), await browser.open(url, isReady)];
  await writer.run(() => {
    document.querySelector("input").value = "Hello from a browser";
    document.querySelector("form").requestSubmit();
  });
  await vi.waitFor(async () => {
    const text = await reader.run(() => document.body.innerText);
    expect(text).toContain("Guestbook, 1 entries");
    expect(text).toContain("Hello from a browser");
  }, PATIENCE);
}
