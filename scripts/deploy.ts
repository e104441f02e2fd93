import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./suite.ts";

/**
 * `npm run deploy`: deploys to the project in .firebaserc, in the order in which nothing is asked for before it is there: indexes, the
 * functions that query by them, and the rules last. Arguments go to `firebase deploy`. A step that fails stops the rest.
 */
const STEPS = ["firestore:indexes", "functions", "firestore:rules"];

const { projects } = JSON.parse(readFileSync(join(root, ".firebaserc"), "utf8")) as { projects: { default: string } };
if (projects.default.startsWith("demo-")) {
  console.error(
    `"${projects.default}" is the name of the local suite. Name your own project first: npx firebase use --add`,
  );
  process.exit(1);
}
for (const only of STEPS) {
  console.log(`\nDeploying ${only} to ${projects.default}`);
  const { status } = spawnSync("firebase", ["deploy", "--only", only, ...process.argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
}
