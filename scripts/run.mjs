// Runs a script of this folder on the project's own Node, after installing what is missing. Plain JavaScript without
// dependencies: it is the first thing that runs in a fresh clone, on whatever Node (18 or newer) there is.
//
//     node scripts/run.mjs start [arguments…]
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const isWindows = process.platform === "win32";
const node = join(modules, "node", "bin", isWindows ? "node.exe" : "node");

install();
const [script, ...args] = process.argv.slice(2);
const file = join(root, "scripts", `${script}.ts`);
if (!script || !existsSync(file)) {
  console.error(`There is no script "${script}".`);
  process.exit(1);
}
// The Ctrl-C of a terminal reaches the script itself; this process only waits for it.
process.on("SIGINT", () => undefined);
process.exit(run(node, [file, ...args]));

/** Installs the packages if the lockfile has changed since the last time. */
function install() {
  const lockfile = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(modules, ".installed");
  if (existsSync(stamp) && existsSync(node) && readFileSync(stamp, "utf8") === lockfile) return;
  console.log("Installing packages (only when package-lock.json has changed)…");
  const status = run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (status !== 0) process.exit(status);
  writeFileSync(stamp, lockfile);
}

function run(command, args) {
  const path = [join(modules, "node", "bin"), join(modules, ".bin"), process.env.PATH].join(delimiter);
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    shell: isWindows && command === "npm",
    env: { ...process.env, PATH: path },
  });
  if (error) console.error(error.message);
  return status ?? (signal === "SIGINT" ? 0 : 1);
}
