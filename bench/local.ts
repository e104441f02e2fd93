/** The local suite: each measurement in a process of its own, because each fills the memory of the one it runs in. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

for (const name of ["start", "calls", "queries", "memory", "listeners", "rules", "database", "durability"]) {
  const program = fileURLToPath(new URL(`local/${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ["--expose-gc", program], {
    stdio: "inherit",
    env: { ...process.env, METADATA_SERVER_DETECTION: "none" },
  });
  if (status !== 0) process.exitCode = 1;
  console.log();
}
