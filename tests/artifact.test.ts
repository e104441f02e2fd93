import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../scripts/suite.ts";

/** What `firebase deploy` uploads, in an empty folder, as Cloud Build finds it. */
const dist = join(root, "functions/dist");
const folder = mkdtempSync(join(tmpdir(), "artifact-"));

interface Lockfile {
  readonly packages: Record<string, { readonly version?: string }>;
}

const readJson = <T>(file: string) => JSON.parse(readFileSync(file, "utf8")) as T;

beforeAll(() => {
  const { functions } = readJson<{ functions: { source: string; ignore: string[] }[] }>(join(root, "firebase.json"));
  expect(functions[0]?.source).toBe("functions/dist");
  const left = new Set(functions[0]?.ignore);
  for (const name of readdirSync(dist))
    if (!left.has(name)) cpSync(join(dist, name), join(folder, name), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the artefact holds no secrets and no sources", () => {
  expect(existsSync(join(folder, ".secret.local"))).toBe(false);
  const names = readdirSync(folder).filter((name) => !/^[\w-]+\.js(\.map)?$/.test(name));
  expect(names.sort()).toEqual(["package-lock.json", "package.json"]);
});

test("it installs the very versions that were tested, and loads", { timeout: 180_000 }, () => {
  const repository = readJson<Lockfile>(join(root, "package-lock.json")).packages;
  const artifact = readJson<Lockfile>(join(folder, "package-lock.json")).packages;
  for (const [path, { version }] of Object.entries(artifact)) {
    if (path === "") continue;
    expect([repository[path]?.version, repository[`functions/${path}`]?.version], path).toContain(version);
  }
  const install = spawnSync("npm", ["ci", "--omit=dev", "--no-audit", "--no-fund"], { cwd: folder, encoding: "utf8" });
  expect(install.status, install.stderr).toBe(0);
  const load = `import("./index.js").then((exported) => console.log(JSON.stringify(Object.keys(exported).sort())))`;
  const loaded = spawnSync(process.execPath, ["--eval", load], {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: process.env.PATH },
  });
  expect(loaded.stderr.split("\n").filter((line) => line.startsWith("Error"))).toEqual([]);
  expect(JSON.parse(loaded.stdout)).toEqual([
    "admin",
    "api",
    "boards",
    "hotProducts",
    "housekeeping",
    "leaderboardTasks",
    "leaderboardUpkeep",
    "ledgerFolds",
    "ledgerHeads",
    "liveBoards",
    "outbox",
    "pay",
    "payoutReconciliation",
    "payoutTasks",
    "receipts",
    "seasonTasks",
    "storeReconciliation",
    "webhookRetries",
    "webhooks",
  ]);
});
