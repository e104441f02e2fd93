import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Makes `dist/`, which is what the package holds: JavaScript with types, and the files that are served as they are. */
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const SERVED = ["inspect/page"];

rmSync(here("dist"), { recursive: true, force: true });
const { status } = spawnSync("tsc", ["--project", here("tsconfig.build.json")], {
  stdio: "inherit",
  shell: process.platform === "win32",
});
if (status !== 0) process.exit(1);
for (const folder of SERVED) cpSync(here(folder), here(`dist/${folder}`), { recursive: true });
