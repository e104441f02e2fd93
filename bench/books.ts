/** The ledger's books: processes that trade on them at the same time, and what it takes to verify them. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

for (const name of ["circles", "verify"]) {
  const program = fileURLToPath(new URL(`ledger/${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, [program], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
  console.log();
}
