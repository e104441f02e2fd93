import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../../scripts/suite.ts";

/** Builds once what all tests in this folder serve. */
export default function setup(): void {
  const { status } = spawnSync(process.execPath, [join(root, "functions/build/build.ts")], { stdio: "inherit" });
  if (status !== 0) throw new Error("The functions could not be built.");
}
