import { spawnSync } from "node:child_process";
import { root } from "./suite.ts";

/**
 * `npm test`: installs what tests want from the system (Redis, if there is a package manager that may), and runs them all. Arguments go
 * to Vitest: `npm test -- local/firestore`.
 */
installRedis();
const { status } = spawnSync("vitest", ["run", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
  shell: process.platform === "win32",
});
process.exitCode = status ?? 1;

/** Without Redis its tests are skipped, and say so; nothing else needs it. */
function installRedis(): void {
  const works = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: "ignore" }).status === 0;
  if (works("redis-server", "--version")) return;
  if (process.platform === "darwin" && works("brew", "--version")) {
    console.log("Installing Redis…");
    works("brew", "install", "redis");
    return;
  }
  const sudo = process.getuid?.() === 0 ? [] : works("sudo", "-n", "true") ? ["sudo", "-n"] : undefined;
  if (!works("apt-get", "--version") || !sudo) return;
  console.log("Installing Redis…");
  const [command = "", ...args] = [...sudo, "apt-get"];
  works(command, ...args, "update");
  works(command, ...args, "install", "--yes", "--no-install-recommends", "redis-server");
}
