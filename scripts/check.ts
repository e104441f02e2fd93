import { spawnSync } from "node:child_process";
import { root } from "./suite.ts";

/** `npm run check`: everything that can be judged without running the product. Prints only what is wrong. */
const CHECKS: readonly [what: string, command: string, ...args: string[]][] = [
  ["types", "tsc", "--project", "tsconfig.json"],
  ["lint and format", "biome", "check", "--error-on-warnings", "."],
  ["floors", "depcruise", "functions", "local", "scripts", "tests", "--config", ".dependency-cruiser.mjs"],
  ["dead code", "knip"],
  ["contracts", "node", "scripts/contracts.ts"],
];

let failed = 0;
for (const [what, command, ...args] of CHECKS) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  console.log(`${status === 0 ? "✔" : "✘"} ${what}`);
  if (status === 0) continue;
  failed++;
  console.log(`${stdout ?? ""}${stderr ?? ""}`);
}
process.exitCode = failed === 0 ? 0 : 1;
