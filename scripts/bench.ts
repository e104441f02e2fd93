import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { root } from "./suite.ts";

/** `npm run bench`: every measurement in bench/, one after the other; `npm run bench -- <name>` for one. */
const names = readdirSync(join(root, "bench"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => basename(file, ".ts"));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`There is no measurement "${unknown.join(", ")}"; there are ${names.join(", ")}.`);
  process.exit(1);
}
for (const name of wanted.length > 0 ? wanted : names) {
  console.log(`\n${name}\n`);
  const { status } = spawnSync(process.execPath, ["--expose-gc", join(root, "bench", `${name}.ts`)], {
    stdio: "inherit",
  });
  if (status !== 0) process.exitCode = 1;
}
